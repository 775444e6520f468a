/** A page that keeps itself current: asks every few seconds, changes what has changed, and says so
 * when nobody answers.  What it shows is never silently old.
 */

const place = document.querySelector("[data-poll]");
const banner = document.getElementById("stale");
const asOf = document.getElementById("as-of");
const usual = banner.querySelector("[data-why]").textContent;
const everyMs = Number(place.dataset.every) * 1000;
const PATIENCE_MS = 10000;
let key = place.dataset.key;
let freshAt = performance.now();

/* What a person has opened stays open, and a card that is turned away stays away. */
htmx.config.morphIgnore = [...htmx.config.morphIgnore, "open", "data-away"];

function stale(why) {
  banner.querySelector("[data-why]").textContent = why;
  banner.hidden = false;
  place.classList.add("is-stale");
}

function fresh() {
  freshAt = performance.now();
  asOf.dateTime = new Date().toISOString();
  banner.hidden = true;
  place.classList.remove("is-stale");
}

async function ask() {
  const answer = await fetch(place.dataset.poll, {
    cache: "no-store",
    redirect: "manual",
    headers: { "HX-Request": "true", "If-None-Match": `"${key}"` },
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (answer.status === 304) return fresh();
  if (answer.type === "opaqueredirect" || answer.status === 401) return stale(banner.dataset.signedOut);
  if (!answer.ok) return stale(usual);
  const text = await answer.text();
  await htmx.swap({ sourceElement: place, target: place, swap: "innerMorph", text });
  key = answer.headers.get("ETag").replace(/^W\/|"/g, "");
  fresh();
  place.dispatchEvent(new CustomEvent("changed"));
}

async function turn() {
  try {
    await ask();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
    stale(usual);
  } finally {
    setTimeout(turn, everyMs);
  }
}
setTimeout(turn, everyMs);

/* A computer that slept, or a browser that held the clock: old before the next answer comes. */
setInterval(() => {
  if (performance.now() - freshAt > 3 * everyMs + PATIENCE_MS) stale(usual);
}, 1000);
