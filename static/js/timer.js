/** How long one works on an order: the beginning is kept on the phone, so it survives anything. */

import { fact, keep, setFact } from "./outbox.js";

const root = document.querySelector("[data-timer]");
const order = document.querySelector("[data-order]")?.dataset.order;
const name = `timer:${order}`;
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, key) => values[key]);

async function paint() {
  const began = await fact(name);
  const [start, stop] = root.querySelectorAll("button");
  root.hidden = false;
  start.hidden = Boolean(began);
  stop.hidden = !began;
  root.querySelector("output").textContent = began
    ? fill(root.dataset.running, { n: Math.floor((Date.now() - began) / 60000) })
    : "";
}

/** Add minutes to the field from which the work is signed. */
export function addMinutes(minutes) {
  const field = document.querySelector("#record [name=labour_minutes]");
  if (field) field.value = String((Number.parseInt(field.value, 10) || 0) + minutes);
}

export const minutesOf = (body) => Math.ceil((Date.parse(body.ended) - Date.parse(body.began)) / 60000);

/** Stop it, if it runs: what was worked is kept, and added to the minutes. */
export async function stopTimer() {
  const began = await fact(name);
  if (!began || !root) return;
  await setFact(name, undefined);
  const body = { began: new Date(began).toISOString(), ended: new Date(Math.max(began, Date.now())).toISOString() };
  const minutes = minutesOf(body);
  addMinutes(minutes);
  await keep({
    order, kind: "labour", step: "", path: `/api/v1/work-orders/${order}/labour`, body,
    title: root.dataset.title, said: fill(root.dataset.minutes, { n: minutes }),
  });
  await paint();
}

export async function startTimerView() {
  if (!root) return;
  const [start, stop] = root.querySelectorAll("button");
  start.addEventListener("click", async () => {
    await setFact(name, Date.now());
    await paint();
  });
  stop.addEventListener("click", stopTimer);
  await paint();
  setInterval(paint, 20000);
}
