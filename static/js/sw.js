/* The service worker.  Two lines before this one say VERSION and FILES (see apm/work/shell_pages.py).
 *
 * Pages come from the network whenever it answers.  What the server marks as worth keeping, my work
 * today and my open orders, is kept for the person it was made for, whom the header Apm-User names
 * without saying who that is.  When somebody else's page, or nobody's, comes by, all is forgotten.
 */

const SHELL = `apm-shell-${VERSION}`;
const PAGES = "apm-pages";
const FACTS = "apm-facts";
const PATIENCE_MS = 8000;
const UNREACHABLE = new Set([502, 503, 504]);

self.addEventListener("install", (event) => {
  event.waitUntil(fill().then(() => self.skipWaiting()));
});

async function fill() {
  const shell = await caches.open(SHELL);
  await shell.addAll([...FILES, "/offline"]);
}

self.addEventListener("activate", (event) => {
  event.waitUntil(tidy().then(() => self.clients.claim()));
});

async function tidy() {
  for (const name of await caches.keys()) {
    if (name.startsWith("apm-shell-") && name !== SHELL) await caches.delete(name);
  }
}

self.addEventListener("message", (event) => {
  if (event.data.keep) event.waitUntil(keepAll(event.data.keep));
  if (event.data.forget) event.waitUntil(forget());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.method !== "GET") {
    if (url.pathname === "/sign-out") event.waitUntil(forget());
    return;
  }
  if (request.mode === "navigate") event.respondWith(page(event, url));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(request));
  else if (/^\/work-orders\/[^/]+\/photos\//.test(url.pathname)) event.respondWith(photo(request));
});

async function forget() {
  await caches.delete(PAGES);
  await caches.delete(FACTS);
}

async function owner() {
  const known = await (await caches.open(FACTS)).match("/owner");
  return known ? known.text() : "";
}

/** Notice whose page came; forget what belonged to anybody else. */
async function meet(answer) {
  const user = answer.headers.get("Apm-User");
  if (user === null || user === (await owner())) return;
  await forget();
  if (user) await (await caches.open(FACTS)).put("/owner", new Response(user));
}

async function store(path, answer) {
  const headers = new Headers(answer.headers);
  headers.set("Apm-Kept", String(Date.now()));
  const copy = new Response(await answer.blob(), { status: answer.status, headers });
  if (headers.get("Apm-User") !== (await owner())) return; // the phone changed hands meanwhile
  await (await caches.open(PAGES)).put(path, copy);
}

async function note(path, answer) {
  if (answer.type === "opaqueredirect" || answer.redirected) return;
  await meet(answer);
  if (answer.ok && answer.headers.get("Apm-Keep")) await store(path, answer);
  else if (answer.headers.has("Apm-User")) await (await caches.open(PAGES)).delete(path);
}

async function reach(request, options = {}) {
  const answer = await fetch(request, { ...options, signal: AbortSignal.timeout?.(PATIENCE_MS) });
  if (UNREACHABLE.has(answer.status)) throw new TypeError(String(answer.status));
  return answer;
}

async function page(event, url) {
  const kept = await (await caches.open(PAGES)).match(url.pathname);
  let answer;
  try {
    // Patience ends only where there is something to show instead.
    answer = kept ? await reach(event.request) : await fetch(event.request);
  } catch {
    return kept ? dated(kept) : (await caches.match("/offline")) ?? Response.error();
  }
  await meet(answer); // nobody sees a page of theirs before another's are gone
  event.waitUntil(note(url.pathname, answer.clone()));
  return answer;
}

/** The kept page, saying since when. */
async function dated(kept) {
  const html = await kept.text();
  const at = kept.headers.get("Apm-Kept");
  return new Response(html.replace("<body ", `<body data-as-of="${at}" `), { headers: kept.headers });
}

async function file(request) {
  try {
    return await reach(request);
  } catch (error) {
    const kept = await caches.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}

async function photo(request) {
  const { pathname } = new URL(request.url);
  const pages = await caches.open(PAGES);
  try {
    const answer = await reach(request);
    if (answer.ok && (await pages.match(pathname.replace(/\/photos\/.*/, "")))) await pages.put(pathname, answer.clone());
    return answer;
  } catch (error) {
    const kept = await pages.match(pathname);
    if (kept) return kept;
    throw error;
  }
}

/** Keep the pages of my open orders, and no other order's. */
async function keepAll(paths) {
  const shell = await caches.open(SHELL);
  const pages = await caches.open(PAGES);
  for (const known of await pages.keys()) {
    const { pathname } = new URL(known.url);
    const order = pathname.replace(/\/photos\/.*/, "");
    if (pathname !== "/" && !paths.includes(order)) await pages.delete(known);
  }
  await shell.add("/offline");
  for (const path of paths) await note(path, await reach(path, { credentials: "same-origin" }));
}
