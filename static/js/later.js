/** A report said without a network: kept on this phone, sent when there is one, and said so.
 *
 * The form's own key goes along, so that a report sent twice is one.
 */

const box = document.getElementById("later");
const AGAIN = 15000; // ms
let underWay = false;

function within(mode, act) {
  return new Promise((done, fail) => {
    const ask = indexedDB.open("apm-reports", 1);
    ask.onupgradeneeded = () => ask.result.createObjectStore("reports", { keyPath: "nonce" });
    ask.onerror = () => fail(ask.error);
    ask.onsuccess = () => {
      const job = ask.result.transaction("reports", mode);
      const asked = act(job.objectStore("reports"));
      job.oncomplete = () => done(asked.result);
      job.onabort = () => fail(job.error);
    };
  });
}

function say(what, to) {
  if (!box) return;
  box.hidden = false;
  box.className = `notice ${what === "sent" ? "t-ok" : what === "kept" ? "t-warn" : "t-bad"}`;
  const text = document.createElement(to ? "a" : "p");
  text.textContent = box.dataset[what];
  if (to) text.href = to;
  box.replaceChildren(text);
}

function post(url, entries) {
  const body = new FormData();
  for (const [name, value] of entries) body.append(name, value);
  return fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
}

/** Send what was kept, oldest first; what the server refuses stays, and its reporter is told. */
async function flush() {
  if (underWay) return;
  underWay = true;
  try {
    for (const kept of await within("readonly", (store) => store.getAll())) {
      const waited = Math.max(0, Math.round((Date.now() - kept.at) / 1000));
      const answer = await post(kept.url, [...kept.entries, ["waited_s", waited]]);
      if (answer.status === 201) {
        await within("readwrite", (store) => store.delete(kept.nonce));
        say("sent", (await answer.json()).to);
      } else if (answer.status < 500 && answer.status !== 429) {
        say("refused", kept.url);
      }
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // still no network
  } finally {
    underWay = false;
  }
}

async function keep(form) {
  const entries = [...new FormData(form)].filter(([, value]) => !(value instanceof File) || value.size);
  const nonce = form.elements.nonce.value;
  await within("readwrite", (store) => store.put({ nonce, url: form.action, entries, at: Date.now() }));
  form.hidden = true;
  say("kept");
  box.scrollIntoView();
  setInterval(flush, AGAIN);
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches(".report") || !box) return;
  event.preventDefault();
  if (form.dataset.sent) return;
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-disabled", "true");
  try {
    const answer = await post(form.action, new FormData(form));
    if (answer.status === 201) location.assign((await answer.json()).to);
    else form.submit(); // the page that says what is wrong
  } catch {
    await keep(form).catch(() => form.submit()); // no room on this phone: the browser says so
  }
});

if (box) window.addEventListener("online", flush);
if (box && window.indexedDB) flush();
