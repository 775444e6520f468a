/** The steps of an order's life: sent as a form where the server answers, kept here where not. */

import { photosDone } from "./answers.js";
import { isReachable, itemsOf, keep, send, usable } from "./outbox.js";
import { addMinutes, minutesOf, stopTimer } from "./timer.js";

const root = document.querySelector("[data-order]");
const order = root?.dataset.order;
const words = root?.dataset ?? {};
const through = new WeakSet();
const WORKING = new Set(["start", "resume"]);
const NAMES = {
  life: ["reason", "expected_on", "labour_minutes", "cause", "remedy", "follow_up", "as_found", "drawn"],
  record: ["labour_minutes", "cause", "remedy"],
  downtime: ["began", "ended", "kind", "reason"],
  addenda: ["text"],
};

const say = (text) => document.dispatchEvent(new CustomEvent("toast", { detail: text }));

function bodyOf(form, names) {
  const data = new FormData(form);
  return Object.fromEntries(names.filter((name) => data.get(name)).map((name) => [name, data.get(name)]));
}

/** Keep a step here: the server could not be reached. */
async function keepStep(form, kind, action) {
  const body = bodyOf(form, NAMES[kind]);
  const signs = action === "complete" || action === "close";
  if ("follow_up" in body) body.follow_up = true;
  await keep(
    {
      order, kind, step: kind === "life" ? "" : kind, signs, action, path: `/api/v1/work-orders/${order}/${action}`, body,
      title: form.dataset.title, said: [body.reason, body.remedy, body.text].filter(Boolean).join(" · ") || form.dataset.title,
    },
    { secret: signs ? form.querySelector("[name=password]")?.value : undefined },
  );
  const password = form.querySelector("[name=password]");
  if (password) password.value = "";
  say(words.sayKeptStep.replace("{step}", form.dataset.title));
  if (kind === "life") enter(action, form.dataset.title);
}

/** Show the page as it will be when the server has heard of the step. */
function enter(action, title) {
  const isWorking = WORKING.has(action);
  for (const set of document.querySelectorAll("[data-answers]")) set.disabled = !isWorking;
  for (const part of document.querySelectorAll("[data-while-working]")) part.hidden = !isWorking;
  for (const form of document.querySelectorAll("form[data-queue=life]")) {
    form.closest("[data-step-form]").hidden = !(isWorking && form.dataset.action === "complete");
  }
  const line = document.querySelector("[data-kept-step]");
  line.hidden = false;
  line.textContent = words.sayKeptStep.replace("{step}", title);
}

async function handle(form, submitter) {
  const kind = submitter?.dataset.queue ?? form.dataset.queue;
  const action = kind === "life" ? form.dataset.action : kind;
  if (action === "complete") await stopTimer();
  await photosDone();
  await send();
  if (await isReachable()) {
    const left = await itemsOf(order);
    if (kind === "life" && left.length) {
      document.getElementById("outbox").scrollIntoView();
      return say(words.sayDecideFirst);
    }
    through.add(form);
    return form.requestSubmit(submitter);
  }
  return keepStep(form, kind, action);
}

async function onSubmit(event) {
  const { target: form, submitter } = event;
  if (!form.dataset.queue || through.has(form) || event.defaultPrevented) return;
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "yes";
  submitter?.setAttribute("aria-disabled", "true");
  try {
    await handle(form, submitter);
  } finally {
    delete form.dataset.busy;
    submitter?.removeAttribute("aria-disabled");
  }
}

function layOver(item) {
  if (item.kind === "life") enter(item.action, item.title);
  if (item.kind === "labour") addMinutes(minutesOf(item.body));
  const form = document.querySelector("#record form");
  if (!form || !(item.kind === "record" || item.action === "complete")) return;
  for (const [name, value] of Object.entries(item.body)) {
    const field = form.elements.namedItem(name);
    if (field && "value" in field && field.type !== "checkbox" && field.type !== "hidden") field.value = value;
  }
}

export async function startSteps() {
  if (!root || !(await usable())) return;
  // Checked here: without a network the password is asked for later, and a drawing may stand for it.
  for (const field of document.querySelectorAll("form[data-queue=life] [name=password]")) field.required = false;
  for (const item of await itemsOf(order)) if (item.state === "waiting") layOver(item);
  document.addEventListener("submit", onSubmit, true);
  document.addEventListener("outbox:taken", async ({ detail: { item } }) => {
    if (item.order !== order || !["life", "record", "downtime", "addenda"].includes(item.kind)) return;
    if (!(await itemsOf(order)).length) location.reload();
  });
  for (const button of document.querySelectorAll("[data-phrase]")) {
    button.closest("[data-phrases]").hidden = false;
    button.addEventListener("click", () => {
      const field = document.querySelector("#record [name=remedy]");
      field.value = [field.value.trim(), button.dataset.phrase].filter(Boolean).join("; ");
      field.focus();
    });
  }
}
