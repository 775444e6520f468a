/** Every measured value is judged while it is typed; the server judges again. */

import { judge } from "./judge.js";

const LOOKS = {
  pass: ["t-ok", "s-ok"],
  fail: ["t-bad", "s-bad"],
  unjudged: ["t-wait", "s-wait"],
  notnumber: ["t-bad", "s-warn"],
};
const sprite = document.querySelector("svg.icon use")?.getAttribute("href").split("#")[0];

function picture(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

function show(output, verdict) {
  if (output.dataset.now === verdict) return; // said once, not at every key
  output.dataset.now = verdict;
  output.className = "verdict";
  output.replaceChildren();
  if (!verdict) return;
  const [tone, shape] = LOOKS[verdict];
  output.classList.add(tone);
  output.append(picture(shape), output.dataset[verdict]);
}

function judgeStep(step) {
  const input = step.querySelector("[data-tolerance]");
  const beside = (end) => step.querySelector(`[name="${input.name}_${end}"]`)?.value;
  const verdict = judge(JSON.parse(input.dataset.tolerance), input.value, {
    reference: input.dataset.reference,
    baseline: input.dataset.baseline,
    low: beside("low"),
    high: beside("high"),
  });
  show(step.querySelector(".verdict"), verdict);
}

function judgeAll(root) {
  for (const step of root.querySelectorAll(".measure")) judgeStep(step);
}

document.addEventListener("input", (event) => {
  const step = event.target.closest(".measure");
  if (step) judgeStep(step);
});
document.addEventListener("judge", () => judgeAll(document));
judgeAll(document);
