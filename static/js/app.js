/** Every staff page: theme, menus, questions before a step, one submit a form, times in words. */

import "./once.js";
import "./shell.js";
import "./sync.js";

const root = document.documentElement;

/* Theme: the cookie lets the server set it before the first paint. */
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
function paintToggles() {
  for (const use of document.querySelectorAll("[data-theme-toggle] use")) {
    use.setAttribute("href", use.getAttribute("href").replace(/#\w+$/, isDark() ? "#sun" : "#moon"));
  }
}
for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
    paintToggles();
  });
}
paintToggles();

/* Menus close at Escape and when one goes elsewhere. */
const menus = "details.menu[open], details[data-closes][open]";
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(menus)) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll(menus)) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

/* Filters stand open where there is room for them, and answer at once. */
if (window.matchMedia("(min-width: 64rem)").matches) {
  for (const details of document.querySelectorAll("[data-open-wide]")) details.open = true;
}
for (const form of document.querySelectorAll("[data-autosubmit]")) {
  for (const button of form.querySelectorAll("[data-without-script]")) button.hidden = true;
  form.addEventListener("change", (event) => {
    if (event.target.type === "checkbox" || event.target.tagName === "SELECT") form.requestSubmit();
  });
}

/* A question before a step that is hard to undo; then the same button is pressed for good. */
const agreed = new WeakSet();
const dialog = document.getElementById("confirm");
function ask(text, button, form) {
  dialog.querySelector("p").textContent = text;
  dialog.returnValue = "";
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return;
    agreed.add(button);
    form.requestSubmit(button);
  }, { once: true });
  dialog.showModal();
}
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (!question || agreed.has(event.submitter)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(question, event.submitter, event.target);
}, true);

/* Times in words; the exact one stays in the title. */
const words = new Intl.RelativeTimeFormat(root.lang, { numeric: "auto" });
const UNITS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];
function inWords(seconds) {
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  }
  return document.body.dataset.justNow;
}
function tellTimes() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    time.textContent = inWords((Date.parse(time.dateTime) - Date.now()) / 1000);
  }
}
tellTimes();
setInterval(tellTimes, 30000);
document.addEventListener("htmx:after:swap", tellTimes);

/** Say something briefly at the foot of the page; it is read aloud. */
export function toast(text, seconds = 6) {
  const line = document.createElement("p");
  line.textContent = text;
  document.getElementById("toast").append(line);
  setTimeout(() => line.remove(), seconds * 1000);
}
document.addEventListener("toast", (event) => toast(event.detail));

/* What went wrong in a form is met first. */
document.querySelector("[data-focus]")?.focus();
