/** A name written with the finger, kept as the lines it is made of: a path on a field 1000 wide. */

const WIDE = 1000;
const NEAR = 5; // closer points say nothing more

function pathOf(strokes, width) {
  const scale = WIDE / width;
  let path = "";
  for (const { points } of strokes) {
    let last = null;
    for (const point of points) {
      const at = [point.x, point.y].map((value) => Math.min(9999, Math.max(0, Math.round(value * scale))));
      if (last && Math.hypot(at[0] - last[0], at[1] - last[1]) < NEAR) continue;
      path += `${last ? "L" : "M"}${at[0]} ${at[1]}`;
      if (!last && points.length === 1) path += `L${at[0]} ${at[1]}`;
      last = at;
    }
    if (/M\d+ \d+$/.test(path)) path += `L${last[0]} ${last[1]}`;
  }
  return path;
}

async function begin(box) {
  const { default: SignaturePad } = await import("../vendor/signature_pad.min.js");
  const canvas = box.querySelector("canvas");
  const field = box.querySelector("[name=drawn]");
  const sharp = window.devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * sharp;
  canvas.height = canvas.clientHeight * sharp;
  canvas.getContext("2d").scale(sharp, sharp);
  const pad = new SignaturePad(canvas, { penColor: getComputedStyle(canvas).color });
  pad.addEventListener("endStroke", () => {
    field.value = pathOf(pad.toData(), canvas.clientWidth);
  });
  box.querySelector("[data-clear]").addEventListener("click", () => {
    pad.clear();
    field.value = "";
  });
}

for (const box of document.querySelectorAll("[data-sign]")) {
  box.hidden = false;
  box.addEventListener("toggle", () => box.open && begin(box), { once: true });
}
