/** Reading labels: the camera where it may be used, a photo, a hand-held scanner, or typing. */

import { openReader } from "./reader.js";

const COOL_DOWN = 3000; // ms in which the same code does not count again
const WEDGE_GAP = 60; // ms between keys; a hand-held scanner is faster, a person is not
const OURS = /\/a\/([0-9A-Za-z]{6,8})(?:[/?#]|$)/;

const box = document.querySelector("[data-scanner]");
const form = box.querySelector("form");
const typed = form.querySelector("input:not([type=hidden])");
const video = box.querySelector("video");
const heard = box.querySelector(".heard");
const [start, stop] = [box.querySelector("[data-start]"), box.querySelector("[data-stop]")];
const last = { text: "", at: -Infinity };
let running = null;
let queue = Promise.resolve();

/** The public code in a label's address; null for other texts (serial numbers, UDI). */
const codeIn = (text) => OURS.exec(text)?.[1].toUpperCase() ?? null;

function beep() {
  const Sound = window.AudioContext || window.webkitAudioContext;
  if (!Sound) return;
  const sound = new Sound();
  const tone = sound.createOscillator();
  const volume = sound.createGain();
  volume.gain.value = 0.15;
  tone.frequency.value = 1320;
  tone.connect(volume).connect(sound.destination);
  tone.onended = () => sound.close();
  tone.start();
  tone.stop(sound.currentTime + 0.09);
}

function say(name, params = {}) {
  heard.textContent = Object.entries(params).reduce((text, [key, value]) => text.replace(`%(${key})s`, value), box.dataset[name]);
}

function accept(text) {
  text = text.trim();
  const now = performance.now();
  if (!text || (text === last.text && now - last.at < COOL_DOWN)) return;
  Object.assign(last, { text, at: now });
  beep();
  navigator.vibrate?.(60);
  say("saidHeard", { code: codeIn(text) ?? text });
  const code = codeIn(text);
  const scan = new CustomEvent("scan", { bubbles: true, cancelable: true, detail: { text, code } });
  if (!box.dispatchEvent(scan)) return; // the page itself knew what to do with it
  if (form.method === "post") queue = queue.then(() => post(code ?? text));
  else go(code, text);
}

function go(code, text) {
  if (code) return location.assign(`/a/${code}`); // never the address in the label: it may be anybody's
  typed.value = text;
  form.submit();
}

/** Send one code; the answer's page brings the new state of the count. */
async function post(code) {
  const data = new FormData(form);
  data.set(typed.name, code);
  if (data.has("nonce")) data.set("nonce", freshNonce());
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(data) });
    if (!answer.ok) throw new TypeError(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(box.dataset.result);
    if (fresh) document.getElementById(box.dataset.result).replaceWith(fresh);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    last.text = ""; // the same label may be tried again at once
    say("saidFailed");
  }
}

function freshNonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is missing on plain HTTP
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function watch() {
  const [read, stream] = await Promise.all([
    openReader(box.dataset),
    navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } }),
  ]);
  running = stream;
  video.srcObject = stream;
  video.parentElement.hidden = false;
  await video.play();
  [start.hidden, stop.hidden] = [true, false];
  while (running === stream) {
    for (const found of await read(video)) accept(found);
    await new Promise((next) => setTimeout(next, 120));
  }
}

function halt() {
  running?.getTracks().forEach((track) => track.stop());
  running = null;
  video.parentElement.hidden = true;
  [start.hidden, stop.hidden] = [false, true];
}

async function readPhoto(file) {
  const read = await openReader(box.dataset);
  const found = await read(await createImageBitmap(file));
  if (found.length) accept(found[0]);
  else say("saidNothing");
}

box.querySelector("[data-camera]").hidden = false;
if (!navigator.mediaDevices) {
  start.hidden = true;
  say("saidInsecure");
}
start.addEventListener("click", () => watch().catch((error) => {
  halt();
  say("saidDenied");
  if (!(error instanceof DOMException)) throw error;
}));
stop.addEventListener("click", halt);
document.addEventListener("visibilitychange", () => document.hidden && running && halt());
box.querySelector("[data-photo]").addEventListener("change", (event) => {
  const [file] = event.target.files;
  event.target.value = "";
  if (file) readPhoto(file).catch((error) => {
    say("saidNothing"); // not a picture, or one this browser cannot open
    if (!(error instanceof DOMException)) throw error;
  });
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  accept(typed.value);
  typed.value = "";
});
typed.addEventListener("focus", () => typed.select()); // what was not found is there to be corrected

/* A hand-held scanner types fast and ends with Enter, wherever the focus is. */
const keys = { text: "", at: 0 };
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey) return;
  if (event.timeStamp - keys.at > WEDGE_GAP) keys.text = "";
  keys.at = event.timeStamp;
  if (event.key.length === 1) keys.text += event.key;
  if (event.key === "Enter" && keys.text.length >= 4) {
    event.preventDefault();
    accept(keys.text);
    keys.text = "";
  }
});
