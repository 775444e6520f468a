"""Off, standby or on: what a device's power or current says about its use.

Levels are found once from many readings: Otsu's criterion with two cuts, then one, on a histogram
of the logarithm, because standby and use differ by a factor.  They are believed only where the
groups stand clearly apart; a device that always draws the same cannot be told, and raises.
Readings are then followed with hysteresis; a state shorter than `least_s` is no state, and where
no reading came for `gap_s` nothing is known and nothing is filled in.

Source of the criterion: N. Otsu, "A threshold selection method from gray-level histograms", IEEE
Transactions on Systems, Man and Cybernetics 9 (1979) 62-66, in its form for several thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from predict.errors import NotEnoughData

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
OFF, STANDBY, ON = 0, 1, 2
BINS = 160
FEWEST = 200
"""Readings from which on levels are looked for: less than two days at ten minutes say little."""
SMALLEST_SHARE = 0.005
APART = 4.0
"""Adjacent groups are believed when their means are this many spreads apart.

One group cut in two never comes near it: a uniform one reaches 3.5, a normal one 2.7.
"""
LEAST_RATIO = 1.5
LEAST_SPREAD = 0.02
"""Decades; no device draws the same to better than five percent for long."""
TAIL = 0.001
"""The wildest readings at each end do not stretch the histogram."""
NEAR_ZERO_SHARE = 0.005
MARGIN = 0.15
"""Hysteresis, as a share of the distance (in decades) between the groups beside a cut."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Where one state ends and the next begins, in the unit of the readings.

    A value below `off_below` is off, from `on_above` up it is on, between them standby.  A state
    is entered at cut * margin and left at cut / margin.  groups: typical values found, lowest
    first.  apart: how clearly (see `APART`); None when a person set the cuts.  n: readings.
    """

    off_below: float
    on_above: float
    margin: float = 1.0
    groups: tuple[float, ...] = ()
    apart: float | None = None
    n: int = 0


def find_levels(values: Floats, *, near_zero: float = 0.5) -> Levels:
    """Return the levels of a device.

    Args:
        values: shape (n,), power or current, not negative; a negative one counts as nothing.
        near_zero: what is off for certain, in the same unit; also 0.5 % of the highest group.

    Raises:
        NotEnoughData: fewer than 200 readings, or the device never changed clearly.

    >>> rng = np.random.default_rng(1)
    >>> found = find_levels(np.r_[rng.normal(8, 0.3, 300), rng.normal(110, 6, 300)])
    >>> [round(g) for g in found.groups], found.off_below, 20 < found.on_above < 50
    ([8, 110], 0.5..., True)
    """
    if len(values) < FEWEST:
        raise NotEnoughData(f"{len(values)} readings, {FEWEST} needed")
    if near_zero <= 0.0 or not np.isfinite(values).all():
        raise ValueError("finite values and near_zero > 0 needed")
    logs = np.log10(np.maximum(values, near_zero / 10))
    logs = np.clip(logs, *np.quantile(logs, [TAIL, 1 - TAIL]))
    for groups in (3, 2):
        parts = _groups(logs, best_cuts(logs, groups))
        apart = _apart(parts)
        if apart >= APART:
            return _levels(parts, apart, near_zero, len(values))
    raise NotEnoughData("the readings do not fall into clearly different levels")


def best_cuts(logs: Floats, groups: int) -> tuple[float, ...]:
    """Return the cuts between 2 or 3 groups that leave least variance within them (Otsu 1979).

    Every pair of the 160 bins of the histogram is tried.
    """
    counts, edges = np.histogram(logs, BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    n = np.r_[0, np.cumsum(counts)].astype(np.float64)
    sums = np.r_[0.0, np.cumsum(counts * middles)]

    def between(first: Ints, last: Ints) -> Floats:
        size = n[last] - n[first]
        total = sums[last] - sums[first]
        return np.asarray(np.where(size > 0, total**2 / np.maximum(size, 1), 0.0))

    inner = np.arange(1, BINS)
    ends = np.full_like(inner, BINS)
    if groups == 2:
        gain = between(np.zeros_like(inner), inner) + between(inner, ends)
        return (float(edges[inner[int(np.argmax(gain))]]),)
    i, j = np.triu_indices(BINS - 1, 1)
    i, j = inner[i], inner[j]
    gain = between(np.zeros_like(i), i) + between(i, j) + between(j, np.full_like(j, BINS))
    best = int(np.argmax(gain))
    return float(edges[i[best]]), float(edges[j[best]])


def _groups(logs: Floats, cuts: tuple[float, ...]) -> list[Floats]:
    kind = np.digitize(logs, cuts)
    return [logs[kind == k] for k in range(len(cuts) + 1)]


def _apart(parts: list[Floats]) -> float:
    """Return the smallest distance between neighbours in spreads; 0 if a group is no group."""
    total = sum(len(part) for part in parts)
    if min(len(part) for part in parts) < max(10, SMALLEST_SHARE * total):
        return 0.0
    found = []
    for low, high in pairwise(parts):
        gap = float(high.mean() - low.mean())
        spreads = [max(float(part.std()), LEAST_SPREAD) for part in (low, high)]
        spread = float(np.hypot(spreads[0], spreads[1]) / np.sqrt(2))
        found.append(gap / spread if gap >= np.log10(LEAST_RATIO) else 0.0)
    return min(found)


def _levels(parts: list[Floats], apart: float, near_zero: float, n: int) -> Levels:
    means = [float(part.mean()) for part in parts]
    typical = tuple(float(10 ** np.median(part)) for part in parts)
    zero = max(near_zero, NEAR_ZERO_SHARE * typical[-1])
    cuts = [10 ** ((low + high) / 2) for low, high in pairwise(means)]
    margin = float(10 ** (MARGIN * min(b - a for a, b in pairwise(means))))
    if typical[0] > zero:  # never off so far: the lowest group is standby
        return Levels(zero, cuts[0], margin, typical, apart, n)
    return Levels(cuts[0], cuts[-1], margin, typical, apart, n)


@dataclass(frozen=True, slots=True)
class Rule:
    """How readings are followed; durations in seconds."""

    levels: Levels
    least_s: float = 60.0
    gap_s: float = 1800.0


@dataclass(frozen=True, slots=True)
class Memory:
    """Where following stands: the last reading, the state since when, and what may replace it."""

    at: float | None = None
    is_on: bool = False
    is_off: bool = False
    state: int = OFF
    begin: float = 0.0
    maybe: int | None = None
    maybe_since: float = 0.0


Span = tuple[float, float, int]
"""From, until (seconds) and OFF, STANDBY or ON."""


def follow(memory: Memory, at: Floats, values: Floats, rule: Rule) -> tuple[list[Span], Memory]:
    """Return the spans that are settled now, and the memory to go on with.

    Args:
        memory: what an earlier call returned; `Memory()` for the first.
        at: shape (n,), seconds, rising, newer than the memory.
        values: shape (n,), power or current.
        rule: levels and durations.
    """
    spans: list[Span] = []
    if not len(at):
        return spans, memory
    times = at if memory.at is None else np.r_[memory.at, at]
    holes = np.flatnonzero(np.diff(times) > rule.gap_s) + (1 if memory.at is None else 0)
    for k, (first, last) in enumerate(pairwise([0, *holes.tolist(), len(at)])):
        if k:
            spans += finish(memory, rule)
            memory = Memory()
        if last > first:
            memory = _run(memory, at[first:last], values[first:last], rule, spans)
    return spans, memory


def finish(memory: Memory, rule: Rule) -> list[Span]:
    """Return the spans that stand open, up to the last reading."""
    if memory.at is None:
        return []
    spans: list[Span] = []
    memory = _decide(memory, memory.at, rule, spans)
    if memory.at is not None and memory.at > memory.begin:
        spans.append((memory.begin, memory.at, memory.state))
    return spans


def segments(at: Floats, values: Floats, rule: Rule) -> list[Span]:
    """Return the spans of a whole stretch; neighbours differ or have a gap between them.

    >>> rule = Rule(Levels(1.0, 50.0), least_s=2)
    >>> watts = np.array([0.0, 0, 9, 9, 9, 100, 9, 100, 100, 100])
    >>> segments(np.arange(10.0), watts, rule)
    [(0.0, 2.0, 0), (2.0, 7.0, 1), (7.0, 9.0, 2)]
    """
    spans, memory = follow(Memory(), at, values, rule)
    return spans + finish(memory, rule)


def _run(memory: Memory, at: Floats, values: Floats, rule: Rule, spans: list[Span]) -> Memory:
    """Follow readings without a gap."""
    levels = rule.levels
    first = float(values[0])
    fresh = memory.at is None
    was_on = first >= levels.on_above if fresh else memory.is_on
    was_off = first < levels.off_below if fresh else memory.is_off
    on = _held(values >= levels.on_above * levels.margin,
               values < levels.on_above / levels.margin, was_on)  # fmt: skip
    off = _held(values < levels.off_below / levels.margin,
                values >= levels.off_below * levels.margin, was_off)  # fmt: skip
    states = np.where(on, ON, np.where(off, OFF, STANDBY))
    if fresh:
        memory = Memory(state=int(states[0]), begin=float(at[0]))
    now = memory.state if memory.maybe is None else memory.maybe
    changes = np.flatnonzero(np.diff(np.r_[now, states]))
    for k in changes.tolist():
        memory = _decide(memory, float(at[k]), rule, spans)
        new = int(states[k])
        memory = replace(
            memory, maybe=None if new == memory.state else new, maybe_since=float(at[k])
        )
    return replace(memory, at=float(at[-1]), is_on=bool(on[-1]), is_off=bool(off[-1]))


def _held(sets: NDArray[np.bool_], clears: NDArray[np.bool_], was: bool) -> NDArray[np.bool_]:  # noqa: FBT001
    """Return a switch that keeps its place while nothing sets or clears it."""
    told = np.where(sets, 1, np.where(clears, 0, -1))
    place = np.maximum.accumulate(np.where(told >= 0, np.arange(len(told)), -1))
    return np.asarray(np.where(place >= 0, told[place] == 1, was))


def _decide(memory: Memory, at: float, rule: Rule, spans: list[Span]) -> Memory:
    """Let what may be a new state become one if it has lasted until `at` long enough."""
    if memory.maybe is None:
        return memory
    if at - memory.maybe_since < rule.least_s:
        return replace(memory, maybe=None)
    if memory.maybe_since > memory.begin:
        spans.append((memory.begin, memory.maybe_since, memory.state))
    return replace(memory, state=memory.maybe, begin=memory.maybe_since, maybe=None)


def starts(spans: list[Span]) -> list[float]:
    """Return when the device was switched on: spans of ON right after one of another state."""
    return [
        after[0]
        for before, after in pairwise(spans)
        if after[2] == ON and before[2] != ON and before[1] == after[0]
    ]


def energy_until(at: Floats, watts: Floats, moments: Floats, gap_s: float) -> Floats:
    """Return the energy in Wh from the first reading to each moment, by the trapezoid rule.

    Between readings further apart than `gap_s` nothing is known and nothing is added.

    >>> energy_until(np.array([0.0, 3600.0]), np.array([100.0, 300.0]), np.array([1800.0]), 7200.0)
    array([75.])
    """
    if len(at) < 2:
        return np.zeros(len(moments))
    took = np.diff(at)
    counts = took <= gap_s
    slope = np.diff(watts) / took
    steps = np.where(counts, (watts[:-1] + watts[1:]) / 2 * took, 0.0)
    total = np.r_[0.0, np.cumsum(steps)]
    k = np.clip(np.searchsorted(at, moments, side="right") - 1, 0, len(took) - 1)
    inside = np.clip(moments - at[k], 0.0, took[k])
    part = np.where(counts[k], (watts[k] + slope[k] * inside / 2) * inside, 0.0)
    return np.asarray((total[k] + part) / 3600.0)
