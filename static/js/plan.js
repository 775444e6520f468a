/** Placing a pin by tapping the plan: it fills the two numbers, which can be typed as well. */

const form = document.getElementById("place-pin");
const fill = (name, share) => {
  form.elements[name].value = (Math.round(share * 1000) / 10).toString();
};

document.querySelector("[data-poll]").addEventListener("click", (event) => {
  const image = event.target.closest(".floor")?.querySelector("img");
  if (!image || event.target.closest("a")) return;
  const box = image.getBoundingClientRect();
  fill("x", (event.clientX - box.left) / box.width);
  fill("y", (event.clientY - box.top) / box.height);
  form.querySelector("button").focus();
});
