/** The sheet of a round: a scanned label or a typed number leads to its device, on the page. */

import "./measure.js";

const told = document.querySelector("[data-round]");
const devices = [...document.querySelectorAll("[data-device]")];

document.addEventListener("scan", (event) => {
  event.preventDefault(); // what was typed on the sheet stays
  const wanted = (event.detail.code ?? event.detail.text).toUpperCase();
  const meant = ({ dataset }) => [dataset.code, dataset.number, dataset.serial].some((name) => name?.toUpperCase() === wanted);
  const found = devices.find(meant);
  told.textContent = found ? told.dataset.sayHere.replace("{name}", found.dataset.device) : told.dataset.sayElsewhere.replace("{code}", wanted);
  for (const device of devices) device.classList.remove("toned", "t-info");
  if (!found) return;
  found.classList.add("toned", "t-info");
  found.scrollIntoView({ block: "center" });
  found.querySelector("input[type=radio], a.button").focus({ preventScroll: true });
});
