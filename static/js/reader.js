/** A function that finds codes in a picture: the browser's own detector, else ours in WebAssembly. */

const FORMATS = ["qr_code", "data_matrix", "code_128", "code_39", "ean_13"];
let opened = null;

async function ownFormats() {
  if (!("BarcodeDetector" in window)) return [];
  const known = await window.BarcodeDetector.getSupportedFormats();
  return FORMATS.filter((format) => known.includes(format));
}

async function vendored({ reader, wasm }) {
  const library = await import(reader);
  // Without this the library asks a foreign server for its WebAssembly.
  await library.prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
  return new library.BarcodeDetector({ formats: FORMATS });
}

/** Return an async function from a video or picture to the texts found in it. */
export function openReader(urls) {
  opened ??= ownFormats().then(async (formats) => {
    const detector = formats.includes("qr_code") ? new window.BarcodeDetector({ formats }) : await vendored(urls);
    return async (picture) => (await detector.detect(picture)).map((found) => found.rawValue);
  });
  return opened;
}
