/** The line that says where one's work is: all sent, saved here, offline; and what was not taken. */

import { OVER, again, discard, fact, items, keep, me, reached, send, usable } from "./outbox.js";

const line = document.getElementById("sync");
const words = line?.dataset ?? {};
const order = document.querySelector("[data-order]")?.dataset.order;
const clock = (ms) => new Intl.DateTimeFormat(document.documentElement.lang, sameDay(ms) ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" }).format(ms);
const sameDay = (ms) => new Date(ms).toDateString() === new Date().toDateString();
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? "");

function paint(tone, text, link) {
  const key = `${tone}|${text}|${link?.href ?? ""}`;
  line.hidden = !text;
  if (line.dataset.now === key) return; // said once
  line.dataset.now = key;
  line.className = `sync t-${tone}`;
  const sentence = document.createElement("span");
  sentence.textContent = text;
  line.replaceChildren(sentence);
  if (!link) return;
  const anchor = document.createElement("a");
  anchor.href = link.href;
  anchor.textContent = link.text;
  line.append(" ", anchor);
}

async function show() {
  const all = await items();
  const refused = all.filter((item) => item.state === "refused");
  const n = all.length - refused.length;
  const asOf = document.body.dataset.asOf;
  const parts = [];
  let tone = "ok";
  let link = null;
  if (reached === "offline" || asOf) {
    tone = "wait";
    if (reached === "offline") parts.push(words.offline);
    if (asOf) parts.push(fill(words.asOf, { time: clock(Number(asOf)) }));
    if (!window.isSecureContext && order) parts.push(words.keepOpen);
  }
  if (reached === "signin") {
    tone = "warn";
    parts.push(words.signIn);
    link = { href: `/sign-in?next=${encodeURIComponent(location.pathname)}`, text: words.signInLink };
  }
  if (n) {
    if (tone === "ok") tone = "info";
    parts.push(fill(words.here, { n }));
  }
  if (refused.length) {
    tone = "bad";
    parts.push(fill(words.refused, { n: refused.length }));
    const place = refused[0].order;
    if (place !== order) link = { href: `/work-orders/${place}#outbox`, text: words.look };
  }
  if (!all.length && reached === "sent" && (order || asOf)) {
    const last = await fact("last");
    parts.unshift(last ? fill(words.synced, { time: clock(last) }) : words.nothing);
    if (asOf) link = { href: location.pathname, text: words.newest };
  }
  paint(tone, parts.join(" "), link);
  if (order) await showRefused(refused.filter((item) => item.order === order));
}

/* What was not taken, one card each. */
const panel = document.getElementById("outbox");
const part = (root, name) => root.querySelector(`[data-slot="${name}"]`);

function described(said, who, at) {
  return [said, [who, at && clock(Date.parse(at))].filter(Boolean).join(", ")].filter(Boolean);
}

function theirAnswer(theirs, item) {
  const verdict = theirs.verdict ? panel.dataset[theirs.verdict] : "";
  return [[theirs.value, theirs.value && item.unit].filter(Boolean).join(" "), verdict, theirs.note].filter(Boolean).join(" · ") || "–";
}

function button(text, kind, act, confirm) {
  const form = document.createElement("form");
  const made = document.createElement("button");
  made.className = `button ${kind}`;
  made.textContent = text;
  if (confirm) made.dataset.confirm = confirm;
  form.append(made);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form);
  });
  return form;
}

function choose(item, chosen) {
  const { theirs } = item.problem.fields;
  const body = { ...item.body, base: Number(theirs.revision), chosen };
  return again(item, { once: `${item.once}-${theirs.revision}-${chosen}`, body, path: item.path.replace(/\/choice$/, "") + "/choice" });
}

async function asRemark(all) {
  const text = all.map((item) => `${item.title}: ${item.said} (${clock(item.at)})`).join("\n");
  await keep({ order, kind: "addenda", step: "", path: `/api/v1/work-orders/${order}/addenda`, body: { text }, title: panel.dataset.remark, said: text });
  for (const item of all) await discard(item.key);
}

function conflict(card, item) {
  const { theirs } = item.problem.fields;
  const both = card.querySelector("[data-both]");
  both.hidden = false;
  part(both, "mine").replaceChildren(...lines(described(item.said, words.me, new Date(item.at).toISOString())));
  part(both, "theirs").replaceChildren(...lines(described(theirAnswer(theirs, item), theirs.by, theirs.at)));
  part(both, "take-mine").append(button(panel.dataset.mine, "primary", () => choose(item, "mine")));
  part(both, "take-theirs").append(button(panel.dataset.theirs, "plain", () => choose(item, "theirs")));
}

function lines(texts) {
  return texts.map((text, place) => {
    const row = document.createElement(place ? "small" : "b");
    row.textContent = text;
    return row;
  });
}

function passwordAsked(card, item) {
  const field = card.querySelector("[data-password]");
  field.hidden = false;
  const input = field.querySelector("input");
  input.id = `password-${item.key}`;
  field.querySelector("label").htmlFor = input.id;
  part(card, "actions").append(button(panel.dataset.signIt, "primary", () => input.value && again(item, {}, input.value)));
}

const SECRET = new Set(["needs_password", "wrong_password", "too_many"]);

function card(item) {
  const made = document.getElementById("t-refused").content.firstElementChild.cloneNode(true);
  const problem = item.problem ?? {};
  part(made, "title").textContent = item.title;
  part(made, "said").textContent = item.said;
  const at = problem.fields?.at ? ` (${clock(Date.parse(problem.fields.at))})` : "";
  part(made, "reason").textContent = [problem.detail + at, ...reasons(problem.fields)].join(" ");
  const actions = part(made, "actions");
  if (problem.code === "answered_meanwhile") {
    conflict(made, item);
    return made;
  }
  if (item.signs && SECRET.has(problem.code)) passwordAsked(made, item);
  else if (!OVER.has(problem.code)) actions.append(button(panel.dataset.again, "primary", () => again(item)));
  actions.append(button(panel.dataset.discard, "quiet", () => discard(item.key), panel.dataset.sure));
  return made;
}

function reasons(fields) {
  return Object.values(fields ?? {}).filter(Array.isArray).flat();
}

async function showRefused(refused) {
  const key = JSON.stringify(refused.map((item) => [item.key, item.problem, item.once]));
  if (panel.dataset.now === key) return;
  panel.dataset.now = key;
  panel.hidden = refused.length === 0;
  const list = part(panel, "items");
  list.replaceChildren(...refused.map(card));
  const over = refused.filter((item) => OVER.has(item.problem?.code) && !["addenda", "photo"].includes(item.kind));
  const all = part(panel, "all");
  all.replaceChildren(...(over.length ? [button(panel.dataset.addendum, "primary", () => asRemark(over))] : []));
}

if (line && me && (await usable())) {
  for (const name of ["changed", "taken", "refused"]) document.addEventListener(`outbox:${name}`, show);
  await show();
  await send();
}
