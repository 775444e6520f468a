/** The chart of one sensor: fetches as fine as the zoom needs, and drops answers nobody waits for. */

import { draw } from "./series_draw.js";

const MOST_ROWS = 500;
const NARROWEST = 60; // seconds
const WIDEST = 10 * 366 * 86400;
let loading;

/** Load the drawing library once, when the first chart is looked at. */
function library(box) {
  loading ??= new Promise((done, fail) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = box.dataset.css;
    const script = document.createElement("script");
    script.src = box.dataset.js;
    script.addEventListener("load", done);
    script.addEventListener("error", fail);
    document.head.append(style, script);
  });
  return loading;
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

class Chart {
  constructor(box) {
    this.box = box;
    this.part = (name) => box.querySelector(`[data-${name}]`);
    this.first = [Number(box.dataset.from), Number(box.dataset.to)];
    this.lang = document.documentElement.lang === "en" ? "en-GB" : "zh-CN";
    for (const button of box.querySelectorAll("[data-act]")) {
      button.addEventListener("click", () => this.act(button.dataset.act));
    }
    const keys = { ArrowLeft: "earlier", ArrowRight: "later", "+": "in", "=": "in", "-": "out", Home: "back" };
    this.part("plot").addEventListener("keydown", (event) => {
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.act(keys[event.key]);
    });
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(box);
  }

  size() {
    return { width: Math.max(this.box.clientWidth, 240), height: 280 };
  }

  act(what) {
    const [from, to] = this.shown;
    const span = to - from;
    const middle = (from + to) / 2;
    if (what === "back") return this.show(...this.first);
    if (what === "in") return this.show(middle - span / 4, middle + span / 4);
    if (what === "out") return this.show(middle - span, middle + span);
    const step = what === "earlier" ? -span / 2 : span / 2;
    return this.show(from + step, to + step);
  }

  /** Show a stretch (seconds since 1970): what was asked for before is not waited for any more. */
  async show(from, to) {
    const now = Date.now() / 1000;
    let span = Math.min(Math.max(to - from, NARROWEST), WIDEST);
    let end = Math.min(from + (to - from) / 2 + span / 2, Math.max(now, this.first[1]));
    this.shown = [end - span, end];
    this.waiting?.abort();
    const mine = (this.waiting = new AbortController());
    this.box.setAttribute("aria-busy", "true");
    try {
      const url = new URL(this.box.dataset.series, location.href);
      url.search = this.query();
      const [answer] = await Promise.all([fetch(url, { signal: mine.signal }), library(this.box)]);
      if (!answer.ok) throw new Error(answer.status);
      const found = await answer.json();
      if (mine === this.waiting) this.render(found);
    } catch (error) {
      if (error.name !== "AbortError") this.say(this.box.dataset.failed);
    } finally {
      if (mine === this.waiting) this.box.removeAttribute("aria-busy");
    }
  }

  query() {
    const [from, to] = this.shown.map((second) => new Date(second * 1000).toISOString());
    return new URLSearchParams({ from, to }).toString();
  }

  say(text) {
    this.part("said").textContent = text;
  }

  width(seconds) {
    const { minutes, hours, days } = this.box.dataset;
    if (seconds >= 86400) return days;
    return seconds >= 3600 ? fill(hours, { n: seconds / 3600 }) : fill(minutes, { n: seconds / 60 });
  }

  render(found) {
    const box = this.box;
    const n = found.at.length;
    this.part("static").hidden = true;
    for (const name of ["plot", "numbers"]) this.part(name).hidden = n === 0;
    box.querySelector(".series-tools").hidden = false;
    box.dataset.width = found.width_s ?? "raw";
    const words = found.width_s ? box.dataset.means : box.dataset.raw;
    this.say(n ? fill(words, { n, width: found.width_s ? this.width(found.width_s) : "" }) : box.dataset.nothing);
    this.plot?.destroy();
    this.plot = n ? draw(this.part("plot"), found, this.options()) : undefined;
    this.list(found);
    this.table(found);
    for (const link of box.querySelectorAll("[data-file]")) {
      const finest = link.dataset.file === "raw" ? "&resolution=raw" : "";
      link.href = `${link.pathname}?${this.query()}${finest}`;
    }
  }

  options() {
    return {
      ...this.size(), words: this.box.dataset, lang: this.lang, shown: this.shown,
      choose: (from, to) => this.show(from, to),
    };
  }

  stamp(second) {
    const options = { timeZone: this.box.dataset.zone, dateStyle: "short", timeStyle: "medium" };
    return new Intl.DateTimeFormat(this.lang, options).format(second * 1000);
  }

  /** Alarms and work orders as links: what the chart shades, in words. */
  list(found) {
    const events = [
      ...found.alarms.map((one) => [this.box.dataset.wordAlarm, one]),
      ...found.orders.map((one) => [this.box.dataset.wordOrder, one]),
    ];
    const items = events.map(([word, one]) => {
      const link = document.createElement("a");
      link.href = one.url;
      link.textContent = `${word}: ${one.text}, ${this.stamp(one.from)}`;
      return link;
    });
    this.part("events").replaceChildren(...items);
    this.part("events").hidden = items.length === 0;
  }

  table(found) {
    const [fine, plain] = [6, 3].map((n) => new Intl.NumberFormat(this.lang, { maximumFractionDigits: n }));
    const said = (value) => (Math.abs(value) < 1 ? fine : plain).format(value);
    const seen = found.at.slice(0, MOST_ROWS).map((at, k) => [at, found.value[k], found.low?.[k], found.high?.[k]]);
    const ahead = (found.ahead ?? []).map(([at, low, middle, high]) => [at, middle, low, high, this.box.dataset.wordAhead]);
    const rows = [...seen, ...ahead].map(([at, middle, low, high, word]) => {
      const row = document.createElement("tr");
      for (const value of [middle, low, high]) {
        const cell = row.insertCell();
        cell.className = "num";
        cell.textContent = value === undefined ? "–" : said(value);
      }
      const head = row.insertCell(0);
      head.className = "keep";
      head.textContent = word ? `${word}: ${this.stamp(at)}` : this.stamp(at);
      return row;
    });
    this.part("numbers").querySelector("tbody").replaceChildren(...rows);
    const isCut = found.at.length > MOST_ROWS;
    this.part("cut").textContent = isCut ? fill(this.box.dataset.more, { n: MOST_ROWS }) : "";
  }
}

for (const box of document.querySelectorAll("[data-series]")) {
  const chart = new Chart(box);
  const begin = () => chart.shown ?? chart.show(...chart.first);
  const folded = "lazy" in box.dataset ? box.closest("details") : null;
  if (folded && !folded.open) folded.addEventListener("toggle", begin, { once: true });
  else begin();
}
