/** Draws one stretch of readings with uPlot: line, range, expected band, limits, alarms, orders. */

/** Return the columns uPlot wants, with a hole after each point where a gap begins. */
function columns(found) {
  const all = [[], [], [], []];
  const push = (...row) => row.forEach((value, k) => all[k].push(value));
  const gaps = new Set(found.gaps);
  found.at.forEach((at, k) => {
    if (gaps.has(k - 1)) push((all[0].at(-1) + at) / 2, null, null, null);
    push(at, found.value[k], found.low?.[k] ?? null, found.high?.[k] ?? null);
  });
  return found.low ? all : all.slice(0, 2);
}

/** The lowest and highest value that must be seen: readings, their range, limits, the band. */
function reach(found) {
  const seen = [...found.value, ...(found.low ?? []), ...(found.high ?? []), ...(found.limits ?? [])];
  for (const [, low, high] of found.bands.flat()) seen.push(low, high);
  for (const [, low, , high] of found.ahead ?? []) seen.push(low, high);
  const low = seen.reduce((a, b) => Math.min(a, b));
  const high = seen.reduce((a, b) => Math.max(a, b));
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}

function backdrop(found, colours, words) {
  return (u) => {
    const { ctx, bbox } = u;
    const x = (second) => Math.min(Math.max(u.valToPos(second, "x", true), bbox.left), bbox.left + bbox.width);
    const y = (value) => u.valToPos(value, "y", true);
    ctx.save();
    ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    for (const band of found.bands) {
      ctx.fillStyle = colours.accent;
      ctx.globalAlpha = 0.14;
      ctx.beginPath();
      band.forEach(([at, , high], k) => ctx[k ? "lineTo" : "moveTo"](x(at), y(high)));
      [...band].reverse().forEach(([at, low]) => ctx.lineTo(x(at), y(low)));
      ctx.fill();
    }
    const ahead = found.ahead ?? [];
    if (ahead.length > 1) {
      ctx.fillStyle = ctx.strokeStyle = colours.accent;
      ctx.globalAlpha = 0.14;
      ctx.beginPath();
      ahead.forEach(([at, , , high], k) => ctx[k ? "lineTo" : "moveTo"](x(at), y(high)));
      [...ahead].reverse().forEach(([at, low]) => ctx.lineTo(x(at), y(low)));
      ctx.fill();
      ctx.globalAlpha = 1;
      ctx.lineWidth = 2 * devicePixelRatio;
      ctx.setLineDash([8 * devicePixelRatio, 5 * devicePixelRatio]);
      ctx.beginPath();
      ahead.forEach(([at, , middle], k) => ctx[k ? "lineTo" : "moveTo"](x(at), y(middle)));
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.lineWidth = 1;
      ctx.textAlign = x(ahead[0][0]) > bbox.left + bbox.width * 0.8 ? "right" : "left";
      ctx.fillText(words.wordAhead, x(ahead[0][0]) + 4, bbox.top + 28 * devicePixelRatio);
      ctx.textAlign = "left";
    }
    for (const one of found.alarms) {
      const left = x(one.from);
      const right = Math.max(x(one.to ?? Infinity), left + 3 * devicePixelRatio);
      ctx.globalAlpha = 0.16;
      ctx.fillStyle = colours.warn;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.globalAlpha = 1;
      ctx.fillText(words.wordAlarm, left + 4, bbox.top + 14 * devicePixelRatio);
    }
    ctx.globalAlpha = 1;
    for (const one of found.orders) {
      if (one.from < u.scales.x.min) continue;
      ctx.fillStyle = ctx.strokeStyle = colours.text;
      ctx.setLineDash([2, 4]);
      ctx.beginPath();
      ctx.moveTo(x(one.from), bbox.top);
      ctx.lineTo(x(one.from), bbox.top + bbox.height);
      ctx.stroke();
      ctx.textAlign = x(one.from) > bbox.left + bbox.width / 2 ? "right" : "left";
      ctx.fillText(one.text, x(one.from), bbox.top + bbox.height - 6);
    }
    ctx.textAlign = "right";
    ctx.fillStyle = ctx.strokeStyle = colours.bad;
    ctx.setLineDash([6 * devicePixelRatio, 5 * devicePixelRatio]);
    for (const limit of found.limits ?? []) {
      ctx.beginPath();
      ctx.moveTo(bbox.left, y(limit));
      ctx.lineTo(bbox.left + bbox.width, y(limit));
      ctx.stroke();
      ctx.fillText(`${words.limit} ${limit}`, bbox.left + bbox.width, y(limit) - 4);
    }
    ctx.restore();
  };
}

/** Draw `found` into `place`; a stretch that is marked with the mouse is given to `choose`. */
export function draw(place, found, { width, height, words, lang, shown, choose }) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const colours = { accent: colour("accent"), warn: colour("warn"), bad: colour("bad"), text: colour("text") };
  const number = new Intl.NumberFormat(lang, { maximumFractionDigits: 4 });
  const day = new Intl.DateTimeFormat(lang, { timeZone: words.zone, month: "numeric", day: "numeric" });
  const hour = new Intl.DateTimeFormat(lang, { timeZone: words.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const year = new Intl.DateTimeFormat(lang, { timeZone: words.zone, year: "numeric", month: "numeric" });
  const ticks = (_u, splits, _axis, _space, step) =>
    splits.map((at) => {
      const time = hour.format(at * 1000);
      if (step < 86400 && time !== "00:00") return time;
      return (step >= 28 * 86400 ? year : day).format(at * 1000);
    });
  const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") } };
  const says = { value: (_u, value) => (value === null || value === undefined ? "–" : number.format(value)) };
  const series = [
    { label: words.time, value: (_u, at) => (at ? `${day.format(at * 1000)} ${hour.format(at * 1000)}` : "–") },
    { label: words.value, stroke: colours.accent, width: 2, spanGaps: false, points: { show: found.at.length < 60 }, ...says },
  ];
  const options = {
    width, height, series,
    tzDate: (second) => uPlot.tzDate(new Date(second * 1000), words.zone),
    scales: { x: { range: () => shown }, y: { range: () => reach(found) } },
    axes: [{ ...axis, values: ticks, space: 70 }, { ...axis, size: 56, values: (_u, all) => all.map((v) => number.format(v)) }],
    cursor: { drag: { x: true, y: false, setScale: false } },
    hooks: {
      drawClear: [backdrop(found, colours, words)],
      setSelect: [(u) => {
        if (u.select.width < 8) return;
        const ends = [u.select.left, u.select.left + u.select.width].map((px) => u.posToVal(px, "x"));
        choose(...ends);
      }],
    },
  };
  if (found.low) {
    const edge = { stroke: colours.accent, width: 0.5, spanGaps: false, points: { show: false }, ...says };
    series.push({ ...edge, label: words.low }, { ...edge, label: words.high });
    options.bands = [{ series: [3, 2], fill: `${colours.accent}33` }];
  }
  return new uPlot(options, columns(found), place);
}
