"""Excursions of a stored or housed quantity: when it left its limits, for how long, how far.

Readings are points in time.  Between two of them that lie at most `max_gap` apart the earlier one
is taken to hold; where they lie further apart nothing is known, and nothing is assumed: a gap ends
an excursion, and neither counts as inside nor as outside.  A value equal to a limit is inside.

Times are float64 seconds since any epoch, strictly increasing, shape (n,); values float64, (n,).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from predict.errors import NotEnoughData

Floats = NDArray[np.float64]
LEAST_READINGS = 3
GAP_STEPS = 3.0
"""A sensor is silent when it has missed so many of its usual intervals."""
NEAR_STEPS = 5
"""So many steps before and after say what is usual in between."""


class Side(StrEnum):
    """Which limit was passed."""

    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Excursion:
    """One stretch outside the limits, all of it on one side.

    `end` is the first reading back inside.  Where none follows within `max_gap`, `end` is the last
    reading outside, `is_cut` is true and the excursion lasted at least so long; `is_open` says
    that nothing at all has been read since.
    """

    side: Side
    start: float
    end: float
    extreme: float
    extreme_at: float
    n: int
    is_cut: bool
    is_open: bool

    @property
    def duration(self) -> float:
        """Seconds from the first reading outside to `end`."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Rule:
    """What counts as outside, and what interrupts it.

    `low`, `high`: the limits, None where there is none.  `max_gap`: seconds, one for all steps or
    one a step, shape (n - 1,).  `join`: seconds; a return inside that is shorter does not end an
    excursion.
    """

    low: float | None
    high: float | None
    max_gap: float | Floats
    join: float = 0.0

    def __post_init__(self) -> None:
        """Refuse limits in the wrong order and a gap that nothing could bridge."""
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("the lower limit is above the upper one")
        if np.any(np.asarray(self.max_gap) <= 0) or self.join < 0:
            raise ValueError("max_gap must be positive, join not negative")


def excursions(times: Floats, values: Floats, rule: Rule) -> list[Excursion]:
    """Return the stretches outside the limits, by time.

    >>> at = np.arange(6) * 600.0
    >>> seen = np.array([5.0, 9.0, 9.5, 7.0, 5.0, 5.0])
    >>> [found] = excursions(at, seen, Rule(2.0, 8.0, max_gap=1800.0))
    >>> found.side.value, found.start, found.end, found.extreme
    ('high', 600.0, 1800.0, 9.5)

    Raises:
        ValueError: times do not increase strictly, or the shapes differ.
    """
    _check(times, values)
    sides = np.zeros(len(values), dtype=np.int8)
    if rule.high is not None:
        sides[values > rule.high] = 1
    if rule.low is not None:
        sides[values < rule.low] = -1
    if not sides.any():
        return []
    gaps = np.diff(times) > rule.max_gap
    edges = np.flatnonzero(np.r_[True, (sides[1:] != sides[:-1]) | gaps, True])
    runs = [
        (int(sides[begin]), begin, end)
        for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        if sides[begin]
    ]
    return [_excursion(times, values, gaps, run) for run in _joined(times, gaps, runs, rule.join)]


def _joined(
    times: Floats, gaps: NDArray[np.bool_], runs: list[tuple[int, int, int]], join: float
) -> list[tuple[int, int, int]]:
    found: list[tuple[int, int, int]] = []
    for side, begin, end in runs:
        if found:
            before, first, last = found[-1]
            is_known = not gaps[last - 1 : begin].any()
            if (
                side == before
                and is_known
                and last < len(times)
                and times[begin] - times[last] < join
            ):
                found[-1] = (side, first, end)
                continue
        found.append((side, begin, end))
    return found


def _excursion(
    times: Floats, values: Floats, gaps: NDArray[np.bool_], run: tuple[int, int, int]
) -> Excursion:
    side, begin, end = run
    part = values[begin:end]
    at = begin + int(np.argmax(part) if side > 0 else np.argmin(part))
    is_open = end == len(values)
    is_cut = is_open or bool(gaps[end - 1])
    return Excursion(
        side=Side.HIGH if side > 0 else Side.LOW,
        start=float(times[begin]),
        end=float(times[end - 1] if is_cut else times[end]),
        extreme=float(values[at]),
        extreme_at=float(times[at]),
        n=end - begin,
        is_cut=is_cut,
        is_open=is_open,
    )


def usual_step(times: Floats) -> float:
    """Return the usual distance of two readings in seconds: the median.

    Raises:
        NotEnoughData: fewer than three readings.
    """
    if len(times) < LEAST_READINGS:
        raise NotEnoughData("three readings needed")
    return float(np.median(np.diff(times)))


def gap_limits(times: Floats, shortest: float, longest: float) -> Floats:
    """Return from which distance on two readings have a gap between them, seconds, shape (n - 1,).

    That is `GAP_STEPS` times what is usual there, and `shortest` to `longest` seconds: the larger
    of the medians of the steps before and after, `NEAR_STEPS` of each.  So a logger that reads
    faster while it is warm makes no gaps of the slower readings before.

    >>> at = np.r_[np.arange(6) * 600.0, 3000.0 + np.arange(1, 40) * 2.0]
    >>> limits = gap_limits(at, 120.0, 21600.0)
    >>> float(limits[0]), bool((np.diff(at) > limits).any())
    (1800.0, False)
    """
    steps = np.diff(times)
    if len(times) < LEAST_READINGS:
        return np.full(len(steps), longest)
    if len(steps) < 2 * NEAR_STEPS:
        return np.full(len(steps), np.clip(GAP_STEPS * np.median(steps), shortest, longest))
    limits = np.full(len(steps), shortest)
    # Only what is longer than the shortest gap can be one; the ends stand for what lies beyond.
    asked = np.unique(np.r_[0, np.flatnonzero(steps > shortest), len(steps) - 1])
    padded = np.pad(steps, NEAR_STEPS, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, NEAR_STEPS)
    before, after = windows[asked], windows[asked + NEAR_STEPS + 1]
    usual = np.maximum(np.median(before, axis=1), np.median(after, axis=1))
    limits[asked] = np.clip(GAP_STEPS * usual, shortest, longest)
    return limits


def gaps(
    times: Floats, start: float, end: float, max_gap: float | Floats
) -> list[tuple[float, float]]:
    """Return the stretches of start..end without a reading for longer than `max_gap`.

    `max_gap`: seconds, one for all steps or one a step, shape (n - 1,), n at least 2.

    Raises:
        ValueError: limits of no step.

    >>> gaps(np.array([10.0, 20.0, 90.0]), 0.0, 100.0, 30.0)
    [(20.0, 90.0)]
    """
    first = int(np.searchsorted(times, start))
    last = int(np.searchsorted(times, end, side="right"))
    marks = np.r_[start, times[first:last], end]
    wide = np.flatnonzero(np.diff(marks) > _at_marks(max_gap, first, last))
    return [(float(marks[k]), float(marks[k + 1])) for k in wide.tolist()]


def _at_marks(max_gap: float | Floats, first: int, last: int) -> float | Floats:
    """Return the limits of the steps from before the reading `first` to after `last` - 1."""
    if isinstance(max_gap, float | int):
        return max_gap
    if not len(max_gap):
        raise ValueError("with fewer than two readings give one limit")
    ends = np.clip(np.arange(first - 1, last), 0, len(max_gap) - 1)
    return np.asarray(max_gap[ends])


def seconds_outside(found: list[Excursion], side: Side | None = None) -> float:
    """Return how long it was outside all in all, on one side if given."""
    return sum(one.duration for one in found if side is None or one.side is side)


def week_grid(weekdays: NDArray[np.int64], hours: NDArray[np.int64], values: Floats) -> Floats:
    """Return the mean by weekday (0 is Monday) and hour, shape (7, 24); NaN where none was read.

    >>> grid = week_grid(np.array([0, 0, 6]), np.array([8, 8, 23]), np.array([20.0, 22.0, 18.0]))
    >>> float(grid[0, 8]), float(grid[6, 23]), bool(np.isnan(grid[3, 3]))
    (21.0, 18.0, True)
    """
    slots = weekdays * 24 + hours
    n = np.bincount(slots, minlength=168)
    total = np.bincount(slots, weights=values, minlength=168)
    mean = np.full(168, np.nan)
    np.divide(total, n, out=mean, where=n > 0)
    return mean.reshape(7, 24)


def _check(times: Floats, values: Floats) -> None:
    if times.shape != values.shape or times.ndim != 1:
        raise ValueError("times and values must be of one shape (n,)")
    if len(times) > 1 and not (np.diff(times) > 0).all():
        raise ValueError("times must increase strictly")
