/** Judging a measured value against a tolerance, by the rules the server applies.
 *
 * Sums are exact decimals: in binary 10.8 - 10 exceeds 0.8, and a good device would fail.
 */

const PLAIN = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/;

/** 1,234 may be either number: whoever typed it says which. */
const EITHER = /^[+-]?[1-9]\d{0,2},\d{3}$/;

/** Read a number as {n, s}, meaning n / 10^s, or null.  A decimal comma counts as a point. */
export function decimal(text) {
  if (text === null || text === undefined) return null;
  const plain = String(text).normalize("NFKC").trim().replace("−", "-").replace("。", ".");
  if (EITHER.test(plain)) return null;
  const found = PLAIN.exec(plain.replace(",", "."));
  if (!found || (found[2] === "" && found[3] === "")) return null;
  const exponent = Number(found[4] || 0);
  if (Math.abs(exponent) > 60) return null;
  const n = BigInt(`${found[1] === "-" ? "-" : ""}${found[2]}${found[3]}`);
  const s = found[3].length - exponent;
  return s < 0 ? { n: n * 10n ** BigInt(-s), s: 0 } : { n, s };
}

const lift = (a, s) => a.n * 10n ** BigInt(s - a.s);
const join = (a, b, act) => {
  const s = Math.max(a.s, b.s);
  return { n: act(lift(a, s), lift(b, s)), s };
};
const add = (a, b) => join(a, b, (x, y) => x + y);
const minus = (a, b) => join(a, b, (x, y) => x - y);
const times = (a, b) => ({ n: a.n * b.n, s: a.s + b.s });
const size = (a) => (a.n < 0n ? { n: -a.n, s: a.s } : a);
const atMost = (a, b) => minus(a, b).n <= 0n;
const larger = (a, b) => (atMost(a, b) ? b : a);
const near = (m, ref, allowed) => atMost(size(minus(m, ref)), allowed);

/** Whether (m - ref) / ref lies in [low, high]; a negative reference turns the bounds round. */
function withinShare(m, ref, low, high) {
  if (ref.n === 0n) return null;
  const gap = minus(m, ref);
  const bounds = [times(low, ref), times(high, ref)];
  const [from, to] = ref.n > 0n ? bounds : bounds.reverse();
  return atMost(from, gap) && atMost(gap, to);
}

function rangeOf(ranges, ref) {
  return ranges.find((range) => {
    const from = minus(ref, decimal(range.from)).n;
    const to = minus(decimal(range.to), ref).n;
    return (from > 0n || (range.from_inc && from === 0n)) && (to > 0n || (range.to_inc && to === 0n));
  });
}

/** One rule a type; `t` reads a number of the tolerance.  null: something needed is missing. */
const RULES = {
  le: ({ m, t }) => atMost(m, t("limit")),
  ge: ({ m, t }) => atMost(t("limit"), m),
  between: ({ m, t }) => atMost(t("low"), m) && atMost(m, t("high")),
  abs: ({ m, ref, t }) => ref && near(m, ref, t("abs")),
  rel: ({ m, ref, t }) => ref && near(m, ref, times(t("rel"), size(ref))),
  sum_of: ({ m, ref, t }) => ref && near(m, ref, add(t("abs"), times(t("rel"), size(ref)))),
  max_of: ({ m, ref, t }) => ref && near(m, ref, larger(t("abs"), times(t("rel"), size(ref)))),
  asym_rel: ({ m, ref, t }) => ref && withinShare(m, ref, t("low"), t("high")),
  baseline_drift: ({ m, baseline, t }) => baseline && near(m, baseline, t("abs")),
  by_range: ({ m, ref, tolerance }) => {
    const range = ref && rangeOf(tolerance.ranges, ref);
    return range ? near(m, ref, times(decimal(range.rel), size(ref))) : null;
  },
  manufacturer: ({ m, low, high }) =>
    low || high ? (!low || atMost(low, m)) && (!high || atMost(m, high)) : null,
};

/** Judge `measured` (text): "pass", "fail", "unjudged", "notnumber", or "" when nothing was typed. */
export function judge(tolerance, measured, { reference, baseline, low, high } = {}) {
  if (String(measured ?? "").trim() === "") return "";
  const m = decimal(measured);
  if (!m) return "notnumber";
  const rule = RULES[tolerance.type];
  if (!rule) return "unjudged";
  const known = [reference, baseline, low, high].map(decimal);
  const verdict = rule({
    m, ref: known[0], baseline: known[1], low: known[2], high: known[3], tolerance,
    t: (name) => decimal(tolerance[name]),
  });
  if (verdict === null || verdict === undefined) return "unjudged";
  return verdict ? "pass" : "fail";
}
