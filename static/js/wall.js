/** The wall beyond its cards: a sound for a new alarm if somebody wants it, and turning on a TV. */

const wall = document.getElementById("wall");
const said = document.getElementById("said");
const sound = document.getElementById("sound");
const unseen = () => Number(document.getElementById("counts").dataset.unseen);
let before = unseen();
let player = null;

function press(button, isOn) {
  button.setAttribute("aria-pressed", isOn);
  button.querySelector("span").textContent = isOn ? button.dataset.on : button.dataset.off;
}

/* Off until somebody asks for it: browsers demand that too. */
sound.hidden = false;
sound.addEventListener("click", () => {
  player = player ? (player.close(), null) : new AudioContext();
  press(sound, player !== null);
  if (player) beep();
});

function beep() {
  const tone = player.createOscillator();
  const volume = player.createGain();
  tone.frequency.value = 660;
  volume.gain.setValueAtTime(0.2, player.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, player.currentTime + 0.6);
  tone.connect(volume).connect(player.destination);
  tone.start();
  tone.stop(player.currentTime + 0.6);
}

wall.addEventListener("changed", () => {
  const now = unseen();
  if (now > before) {
    said.textContent = said.dataset.new;
    if (player) beep();
  } else said.textContent = "";
  before = now;
});

/* On a TV the cards that do not fit take turns.  Nothing moves: one page goes, the next is there. */
const seconds = Number(wall.dataset.rotate);
if (seconds) {
  const turnSign = document.getElementById("turn");
  const hold = document.getElementById("hold");
  let page = 0;
  let isHeld = false;

  const show = () => {
    const cards = [...document.querySelectorAll("#sensors > *")];
    for (const card of cards) card.removeAttribute("data-away");
    const bottom = window.innerHeight;
    const fits = Math.max(1, cards.filter((card) => card.getBoundingClientRect().bottom <= bottom).length);
    const pages = Math.max(1, Math.ceil(cards.length / fits));
    page %= pages;
    cards.forEach((card, k) => card.toggleAttribute("data-away", Math.floor(k / fits) !== page));
    turnSign.hidden = hold.hidden = pages === 1;
    turnSign.textContent = `${page + 1}/${pages}`;
  };
  hold.addEventListener("click", () => {
    isHeld = !isHeld;
    press(hold, isHeld);
  });
  setInterval(() => {
    if (!isHeld) page += 1;
    show();
  }, seconds * 1000);
  wall.addEventListener("changed", show);
  window.addEventListener("resize", show);
  window.addEventListener("load", show);
  show();
}
