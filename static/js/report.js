/** A nurse's report: photos are made small before they travel, and the form is sent once.
 *
 * Without this file the form works too: the whole photo goes up and the server makes it small.
 */

import "./later.js";
import "./once.js";

const QUALITY = 0.82;

function load(file) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    const url = URL.createObjectURL(file);
    const end = (act, value) => {
      URL.revokeObjectURL(url);
      act(value);
    };
    image.onload = () => end(resolve, image);
    image.onerror = () => end(reject, new TypeError("not a picture"));
    image.src = url;
  });
}

/** Return a JPEG of at most `edge` pixels a side, or the file itself where that is no gain. */
export async function shrink(file, edge) {
  const image = await load(file);
  const scale = Math.min(1, edge / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.naturalWidth * scale);
  canvas.height = Math.round(image.naturalHeight * scale);
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  if (!blob || blob.size >= file.size) return file;
  return new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" });
}

async function shrinkAll(input) {
  const edge = Number(input.dataset.shrink);
  const kept = new DataTransfer();
  for (const file of input.files) {
    // What this browser cannot draw (HEIC on some) goes up as it is; the server decides.
    kept.items.add(await shrink(file, edge).catch(() => file));
  }
  input.files = kept.files;
  show(input);
}

const faces = new WeakMap();

/** Show what was chosen in the field's face: small pictures, or the name where none can be drawn. */
function show(input) {
  const face = input.nextElementSibling;
  if (!face?.matches(".face")) return;
  if (!faces.has(face)) faces.set(face, [...face.children]);
  if (!input.files.length) return face.replaceChildren(...faces.get(face));
  face.replaceChildren(...[...input.files].map((file) => {
    const image = new Image();
    image.alt = file.name;
    image.src = URL.createObjectURL(file);
    return image;
  }));
}

const pending = new Map();

document.addEventListener("change", (event) => {
  const input = event.target;
  if (!input.matches?.("input[data-shrink]")) return;
  const work = shrinkAll(input).finally(() => pending.delete(input));
  pending.set(input, work);
});

/* A photo still in work holds the form back until it is small. */
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const waiting = [...form.querySelectorAll("input[data-shrink]")].map((input) => pending.get(input)).filter(Boolean);
  if (!waiting.length) return;
  event.preventDefault();
  await Promise.all(waiting);
  if (form.requestSubmit) form.requestSubmit(event.submitter);
  else form.submit(); // Safari before 16; the form checked itself before this event
}, true);
