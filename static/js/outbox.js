/** What was done on this phone and is not with the server yet.
 *
 * Everything is written to IndexedDB before anything is sent, with an automatic key, so that order
 * survives a reload, the app being killed and the phone restarting.  It is sent one by one, each
 * with an `Idempotency-Key` of its own: an answer that got lost on the way back does no harm.
 *
 * What the server refuses stays here, with its reason, until somebody decides.  It holds back only
 * what hangs on it: a later answer to the same step, and a step of the order's life; a step of the
 * order's life holds back all that came after it.
 */

export const me = document.body.dataset.me || "";
const WAIT_MS = 20000;
const PHOTO_WAIT_MS = 90000;
const LATER_MS = [3000, 10000, 30000, 60000];
const UNREACHABLE = new Set([408, 429, 500, 502, 503, 504]);
/** Kinds that nothing overtakes and that overtake nothing. */
const LIFE = new Set(["life"]);
const news = "BroadcastChannel" in window ? new BroadcastChannel("apm-outbox") : null;

/** Passwords live in memory alone, for as long as the page stands. */
const secrets = new Map();

let opened;
function open() {
  opened ??= new Promise((resolve, reject) => {
    const ask = indexedDB.open("apm-work", 1);
    ask.onupgradeneeded = () => {
      ask.result.createObjectStore("items", { keyPath: "key", autoIncrement: true });
      ask.result.createObjectStore("facts");
    };
    ask.onsuccess = () => resolve(ask.result);
    ask.onerror = () => reject(ask.error);
  });
  return opened;
}

async function run(store, mode, act) {
  const db = await open();
  return new Promise((resolve, reject) => {
    const change = db.transaction(store, mode, mode === "readwrite" ? { durability: "strict" } : undefined);
    const ask = act(change.objectStore(store));
    change.oncomplete = () => resolve(ask?.result);
    change.onerror = change.onabort = () => reject(change.error);
  });
}

export const fact = (name) => run("facts", "readonly", (store) => store.get(`${me}:${name}`));
export const setFact = (name, value) =>
  run("facts", "readwrite", (store) => (value === undefined ? store.delete(`${me}:${name}`) : store.put(value, `${me}:${name}`)));

/** Whether this browser can keep anything at all; where not, forms are sent as they are. */
export async function usable() {
  try {
    await open();
    return me !== "";
  } catch {
    return false;
  }
}

/** A random name: `crypto.randomUUID` is missing on plain HTTP. */
export function unique() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function device() {
  const known = await run("facts", "readonly", (store) => store.get("device"));
  if (known) return known;
  const made = unique();
  await run("facts", "readwrite", (store) => store.put(made, "device"));
  return made;
}

/** All that is kept here for whoever is signed in, oldest first. */
export async function items() {
  const all = await run("items", "readonly", (store) => store.getAll());
  return all.filter((item) => item.user === me);
}

export const itemsOf = async (order) => (await items()).filter((item) => item.order === order);

function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(`outbox:${name}`, { detail }));
  news?.postMessage(name);
}
news?.addEventListener("message", () => document.dispatchEvent(new CustomEvent("outbox:changed", { detail: {} })));

/** Keep something here, and send it when that is possible.
 *
 * `{order, kind, step, path, body, title, said}`; the last two are shown to people.
 */
export async function keep(item, { secret } = {}) {
  const once = unique();
  if (secret) secrets.set(once, secret);
  await run("items", "readwrite", (store) => store.add({ ...item, user: me, once, at: Date.now(), state: "waiting" }));
  tell("changed", { order: item.order });
  send();
}

export async function discard(key) {
  await run("items", "readwrite", (store) => store.delete(key));
  tell("changed", {});
}

/** Send a refused thing again, changed as somebody decided. */
export async function again(item, changes = {}, secret) {
  if (secret) secrets.set(item.once, secret);
  const { problem, ...rest } = item;
  await run("items", "readwrite", (store) => store.put({ ...rest, ...changes, state: "waiting" }));
  tell("changed", {});
  return send();
}

/** The order is out of one's hands: nothing that comes after can hang on what was refused so. */
export const OVER = new Set(["over", "not_yours"]);

function isBlocked(item, all) {
  return all.some((other) => {
    if (OVER.has(other.problem?.code)) return false;
    if (other.order !== item.order || other.key >= item.key || item.kind === "addenda") return false;
    if (LIFE.has(item.kind) || LIFE.has(other.kind)) return other.kind !== "addenda";
    return other.kind === item.kind && other.step === item.step;
  });
}

/** What the last attempt met: `sent`, `offline` or `signin`. */
export let reached = navigator.onLine ? "sent" : "offline";
function setReached(now) {
  if (reached === now) return;
  reached = now;
  tell("changed", {});
}

async function deliver(item) {
  const body = { ...item.body, device: await device(), device_at: new Date(item.at).toISOString() };
  const headers = { "Content-Type": "application/json", "Apm-Sent-At": new Date().toISOString() };
  if (item.kind === "life") {
    body.once = item.once; // signed things carry their key within: no password is kept by it
    if (secrets.has(item.once)) body.password = secrets.get(item.once);
    if (!item.signs) headers["Idempotency-Key"] = item.once;
  } else {
    headers["Idempotency-Key"] = item.once;
  }
  const answer = await fetch(item.path, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
    signal: AbortSignal.timeout?.(item.kind === "photo" ? PHOTO_WAIT_MS : WAIT_MS),
  });
  if (UNREACHABLE.has(answer.status)) throw new TypeError(String(answer.status));
  const said = await answer.json();
  return [answer.status, said];
}

/** Send one thing; false: nothing more can be sent now. */
async function attempt(item) {
  let status;
  let said;
  try {
    [status, said] = await deliver(item);
  } catch {
    setReached("offline");
    return false;
  }
  if (status === 401) {
    navigator.serviceWorker?.controller?.postMessage({ forget: true });
    setReached("signin");
    return false;
  }
  setReached("sent");
  secrets.delete(item.once);
  if (status < 400) {
    await run("items", "readwrite", (store) => store.delete(item.key));
    await setFact("last", Date.now());
    tell("taken", { item, said });
  } else {
    await run("items", "readwrite", (store) => store.put({ ...item, state: "refused", problem: said }));
    tell("refused", { item, said });
  }
  return true;
}

async function flush() {
  for (;;) {
    const all = await items();
    const next = all.find((item) => item.state === "waiting" && !isBlocked(item, all));
    if (!next) return true;
    if (!(await attempt(next))) return false;
  }
}

let sending = null;
let isWanted = false;
let later;
let misses = 0;

/** Send all that can be sent; resolves when nothing is under way any more. */
export function send() {
  isWanted = true;
  sending ??= (async () => {
    let isThrough = await usable();
    while (isWanted && isThrough) {
      isWanted = false;
      // Two open pages take turns where the browser lets them; else the keys make it once.
      isThrough = await (navigator.locks ? navigator.locks.request("apm-outbox", flush) : flush());
    }
    sending = null;
    clearTimeout(later);
    misses = isThrough ? 0 : misses + 1;
    if (!isThrough) later = setTimeout(send, LATER_MS[Math.min(misses, LATER_MS.length) - 1]);
    tell("changed", {});
  })();
  return sending;
}

/** Whether the server answers at this moment. */
export async function isReachable() {
  try {
    const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout?.(4000) });
    setReached(answer.ok ? "sent" : "offline");
    return answer.ok;
  } catch {
    setReached("offline");
    return false;
  }
}

window.addEventListener("online", send);
window.addEventListener("offline", () => setReached("offline"));
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && send());
