/** Answers and photos of a checklist: kept on the phone at once, shown as kept, then as taken. */

import { decimal } from "./judge.js";
import { itemsOf, keep, usable } from "./outbox.js";
import { shrink } from "./report.js";

const root = document.querySelector("[data-order]");
const order = root?.dataset.order;
const words = root?.dataset ?? {};
const EDGE = 1600;
/** Cards answered before this script was there: newer than anything kept. */
let early = [];
const cards = () => [...document.querySelectorAll("[data-step]")];
const cardOf = (key) => cards().find((card) => card.dataset.step === key);
const input = (card, end = "") => card.querySelector(`[name="${card.dataset.name}${end}"]`);
const picked = (card, end = "") => card.querySelector(`[name="${card.dataset.name}${end}"]:checked`)?.value ?? null;
const typed = (card, end) => input(card, end)?.value.trim() || null;

function answerIn(card) {
  const isCheck = card.dataset.kind === "check";
  return {
    value: isCheck ? null : typed(card, ""),
    verdict: isCheck ? picked(card) : picked(card, "_verdict"),
    note: typed(card, "_note"),
    low: typed(card, "_low"),
    high: typed(card, "_high"),
    reference: typed(card, "_reference"),
  };
}

const NUMBERS = ["value", "low", "high", "reference"];
const isReadable = (answer) => NUMBERS.every((name) => answer[name] === null || decimal(answer[name]));

/** What the phone says of an answer before the server has: as the server will judge. */
function verdictHere(card, answer) {
  if (answer.value === null) return answer.verdict;
  const judged = card.querySelector(".verdict")?.dataset.now;
  return judged === "unjudged" ? (answer.verdict ?? judged) : judged;
}

function mark(card, verdict, said, tone = "") {
  const place = card.querySelector("[data-said]");
  const chip = verdict && document.getElementById(`t-${verdict}`)?.content.cloneNode(true);
  const text = document.createElement("span");
  text.className = `small ${tone || "muted"}`;
  text.textContent = said;
  place.replaceChildren(...[chip, " ", text].filter(Boolean));
  card.dataset.verdict = verdict ?? "";
  count();
}

function count() {
  const all = cards();
  const done = all.filter((card) => card.dataset.verdict).length;
  const open = all.filter((card) => "mandatory" in card.dataset && ["", "unjudged"].includes(card.dataset.verdict)).length;
  const bar = document.querySelector("#checklist progress");
  if (bar) bar.value = done;
  const answered = document.querySelector("[data-answered]");
  if (answered) answered.textContent = words.sayAnswered.replace("{n}", done).replace("{total}", all.length);
  const missing = document.querySelector("[data-missing]");
  if (missing) {
    missing.hidden = open === 0;
    missing.querySelector("p").textContent = words.sayMissing.replace("{n}", open);
  }
  const followUp = document.querySelector("[data-follow-up]");
  if (followUp) followUp.hidden = !all.some((card) => card.dataset.verdict === "fail");
}

function inWords(card, answer) {
  const verdict = document.getElementById(`t-${verdictHere(card, answer)}`)?.content.textContent.trim();
  const value = answer.value && [answer.value, card.dataset.unit].filter(Boolean).join(" ");
  return [value, verdict, answer.note].filter(Boolean).join(" · ") || "–";
}

async function keepAnswer(card) {
  const answer = answerIn(card);
  if (!isReadable(answer)) return mark(card, "", words.sayNotNumber, "error");
  const before = card.dataset.kept;
  if (before === JSON.stringify(answer)) return;
  card.dataset.kept = JSON.stringify(answer);
  mark(card, verdictHere(card, answer), words.saySavedHere);
  await keep({
    order, kind: "answer", step: card.dataset.step, unit: card.dataset.unit,
    path: `/api/v1/work-orders/${order}/results/${encodeURIComponent(card.dataset.step)}`,
    body: { ...answer, base: Number(card.dataset.revision) },
    title: card.dataset.title, said: inWords(card, answer),
  });
}

/* Photos. */
const inWork = new Set();
/** Photos still being made small. */
export const photosDone = () => Promise.allSettled([...inWork]);

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

function showPhoto(step, image, once) {
  const place = [...document.querySelectorAll("[data-photos]")].find((one) => one.dataset.photos === step);
  if (!place) return;
  const shown = new Image();
  shown.alt = words.sayPhotoHere;
  shown.src = `data:image/jpeg;base64,${image}`;
  shown.dataset.once = once ?? "";
  place.append(shown);
}

async function keepPhotos(field) {
  const step = field.dataset.photo;
  const title = cardOf(step)?.dataset.title ?? words.sayPhoto;
  for (const file of field.files) {
    const small = await shrink(file, EDGE).catch(() => file); // what cannot be drawn here the server judges
    const image = await base64(small);
    showPhoto(step, image);
    await keep({
      order, kind: "photo", step, path: `/api/v1/work-orders/${order}/photos`,
      body: { image, step }, title, said: words.sayPhoto,
    });
  }
  field.value = "";
}

function takePhotos(field) {
  const work = keepPhotos(field).finally(() => inWork.delete(work));
  inWork.add(work);
}

/* What is kept here is laid over the page as the server last sent it. */
function put(card, answer) {
  for (const [end, value] of [["_note", answer.note], ["_low", answer.low], ["_high", answer.high], ["_reference", answer.reference]]) {
    const field = input(card, end);
    if (field) field.value = value ?? "";
  }
  if (card.dataset.kind !== "check") input(card).value = answer.value ?? "";
  const end = card.dataset.kind === "check" ? "" : "_verdict";
  for (const tile of card.querySelectorAll(`[name="${card.dataset.name}${end}"]`)) tile.checked = tile.value === answer.verdict;
}

function layOver(item) {
  if (item.kind === "photo") showPhoto(item.step, item.body.image, item.once);
  const card = item.kind === "answer" && cardOf(item.step);
  if (!card || early.includes(card)) return;
  put(card, item.body);
  document.dispatchEvent(new Event("judge"));
  const { base, chosen, ...answer } = item.body;
  card.dataset.kept = JSON.stringify(answer);
  mark(card, verdictHere(card, item.body), item.state === "refused" ? words.sayNotTaken : words.saySavedHere, item.state === "refused" ? "error" : "");
}

async function taken({ detail: { item, said } }) {
  if (item.order !== order || item.kind !== "answer") return;
  const card = cardOf(item.step);
  if (!card) return;
  card.dataset.revision = said.revision;
  const isNewest = !(await itemsOf(order)).some((other) => other.kind === "answer" && other.step === item.step);
  if (!isNewest) return;
  if (item.body.chosen === "theirs") {
    const text = (value) => (value === null || value === undefined ? null : String(value));
    put(card, { value: text(said.value), verdict: said.verdict, note: said.note });
    document.dispatchEvent(new Event("judge"));
    delete card.dataset.kept;
  }
  mark(card, said.verdict, words.saySaved);
}

function refused({ detail: { item } }) {
  const card = item.order === order && item.kind === "answer" && cardOf(item.step);
  if (card) mark(card, verdictHere(card, item.body), words.sayNotTaken, "error");
}

/** Whether somebody answered before this script was there. */
function isChangedAlready(card) {
  return [...card.querySelectorAll("input:not([type=hidden], [type=file])")].some((field) =>
    field.type === "radio" ? field.checked && !field.defaultChecked : field.value !== field.defaultValue,
  );
}

function onChange(event) {
  if (event.target.matches?.("input[data-photo]")) return takePhotos(event.target);
  const card = event.target.closest?.("[data-step]");
  if (card) keepAnswer(card);
}

/** What is being typed at this moment. */
const inHand = () => document.activeElement?.closest("[data-step]");

export async function startAnswers() {
  if (!root || !(await usable())) return;
  document.addEventListener("change", onChange);
  early = cards().filter(isChangedAlready);
  for (const item of await itemsOf(order)) layOver(item);
  for (const card of early) if (card !== inHand()) keepAnswer(card);
  for (const field of document.querySelectorAll("input[data-photo]")) if (field.files.length) takePhotos(field);
  count();
  document.addEventListener("outbox:taken", taken);
  document.addEventListener("outbox:refused", refused);
  // An app put away in the middle of a number keeps it.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden" && inHand()) keepAnswer(inHand());
  });
  document.getElementById("answers")?.addEventListener("submit", (event) => {
    event.preventDefault(); // every answer is kept already; Enter sends nothing more
    if (inHand()) keepAnswer(inHand());
  });
}
