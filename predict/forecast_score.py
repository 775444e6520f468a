"""How right forecasts of failures were: probabilities, warnings and intervals, with their doubt.

Brier score: G. Brier, Monthly Weather Review 78 (1950) 1-3; skill against a reference, 1 - B / B0:
A. Murphy, Journal of Applied Meteorology 12 (1973) 215-223.  Its interval is a bootstrap over
units, because forecasts of one device share its fate (A. Davison and D. Hinkley, "Bootstrap
Methods and their Application", 1997, 3.8).  Shares come with Wilson's interval, counts by time
with Garwood's exact Poisson interval.  Reliability: A. Murphy and R. Winkler, Journal of the Royal
Statistical Society C 26 (1977) 41-47.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv

from predict.errors import NotEnoughData
from predict.proportion import wilson

Array = NDArray[np.float64]
CONFIDENCE = 0.9
DRAWS = 500
MOST_GROUPS = 500
"""Units are drawn in so many groups at most: groups of units are as independent as units."""
LEAST_FORECASTS = 30
"""Judged forecasts below which probabilities are not scored."""
LEAST_EVENTS = 5
"""Of them those where a failure came, and those where none came."""
LEAST_WARNINGS = 10
"""Warnings, or failures, below which a share of them is not shown."""
EDGES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Bounds of the reliability table: most probabilities of a failure are small."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its 90 % interval and the cases it rests on."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Skill:
    """brier, base: mean squared error of the forecasts and of the baseline.  n: forecasts.

    value: 1 - brier / base, 1 perfect, 0 no better, below 0 worse; low..high its interval.
    """

    brier: float
    base: float
    value: float
    low: float
    high: float
    n: int
    events: int

    @property
    def is_worse(self) -> bool:
        """Whether it is worse than the baseline beyond doubt: the whole interval is below 0."""
        return self.high < 0.0


def skill(
    said: ArrayLike,
    base: ArrayLike,
    happened: ArrayLike,
    unit: ArrayLike,
    rng: np.random.Generator,
) -> Skill:
    """Return how much better than `base` the probabilities `said` were; all of shape (n,).

    Raises:
        NotEnoughData: fewer than `LEAST_FORECASTS`, or fewer than `LEAST_EVENTS` with or without
            a failure, or all of one unit.
        ValueError: shapes differ or a probability is outside 0..1.

    >>> y = [True, False] * 20
    >>> found = skill(y, [0.5] * 40, y, range(40), np.random.default_rng(1))
    >>> found.brier, found.base, found.value
    (0.0, 0.25, 1.0)
    """
    p, b = np.asarray(said, dtype=np.float64), np.asarray(base, dtype=np.float64)
    y, group = np.asarray(happened, dtype=np.float64), np.asarray(unit)
    if not p.shape == b.shape == y.shape == group.shape or p.ndim != 1:
        raise ValueError("said, base, happened and unit must be alike and flat")
    if len(p) and not (min(p.min(), b.min()) >= 0 and max(p.max(), b.max()) <= 1):
        raise ValueError("probabilities lie within 0..1")
    events = int(y.sum())
    place = np.unique(group, return_inverse=True)[1] % MOST_GROUPS
    if len(p) < LEAST_FORECASTS or min(events, len(p) - events) < LEAST_EVENTS or not place.any():
        raise NotEnoughData(f"{LEAST_FORECASTS} judged forecasts needed")
    ours, theirs = (p - y) ** 2, (b - y) ** 2
    drawn_ours, drawn_theirs = _drawn(place, np.stack([ours, theirs]), rng)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = 1.0 - drawn_ours / drawn_theirs
    low, high = _limits(values)
    whole = float(ours.mean()), float(theirs.mean())
    value = 1.0 - whole[0] / whole[1] if whole[1] > 0.0 else 0.0
    return Skill(*whole, value, low, high, len(p), events)


def gain(
    challenger: ArrayLike,
    champion: ArrayLike,
    happened: ArrayLike,
    unit: ArrayLike,
    rng: np.random.Generator,
) -> Skill:
    """Return the challenger's skill with the champion as its baseline, on the same moments."""
    return skill(challenger, champion, happened, unit, rng)


def _drawn(place: NDArray[np.int64], rows: Array, rng: np.random.Generator) -> Array:
    """Return sums of `rows`, shape (k, n), over units drawn again: shape (k, draws)."""
    units = int(place.max()) + 1
    sums = np.asarray([np.bincount(place, weights=row, minlength=units) for row in rows], float)
    times = rng.multinomial(units, np.full(units, 1.0 / units), DRAWS)
    drawn: Array = sums @ times.T.astype(np.float64)
    return drawn


def _limits(values: Array) -> tuple[float, float]:
    tail = (1.0 - CONFIDENCE) / 2.0
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, [tail, 1.0 - tail])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Forecasts with `low` <= said < `high` (the last holds 1): what was said, what was seen.

    said: mean probability.  seen: k / n with `interval`, 90 %.
    """

    low: float
    high: float
    n: int
    k: int
    said: float
    seen: float
    interval: tuple[float, float]


def reliability(said: ArrayLike, happened: ArrayLike) -> tuple[ReliabilityBin, ...]:
    """Return the bins that hold a forecast; both of shape (n,).

    >>> [(bin.n, bin.k) for bin in reliability([0.01, 0.3, 0.3, 1.0], [False, True, False, True])]
    [(1, 0), (2, 1), (1, 1)]
    """
    p, y = np.asarray(said, dtype=np.float64), np.asarray(happened, dtype=np.bool_)
    found = []
    for low, high in pairwise(EDGES):
        inside = (p >= low) & ((p < high) | (high == EDGES[-1]))
        n, k = int(inside.sum()), int(y[inside].sum())
        if n:
            mean = float(p[inside].mean())
            found.append(ReliabilityBin(low, high, n, k, mean, k / n, wilson(k, n, CONFIDENCE)))
    return tuple(found)


def share(k: int, n: int) -> Figure | None:
    """Return k of n with Wilson's interval; None below `LEAST_WARNINGS` cases.

    >>> share(9, 9) is None, round(share(9, 10).low, 2)
    (True, 0.65)
    """
    return Figure(k / n, *wilson(k, n, CONFIDENCE), n) if n >= LEAST_WARNINGS else None


def by_time(k: int, time: float) -> Figure | None:
    """Return k per unit of time with Garwood's interval; None where nothing was watched.

    >>> found = by_time(2, 10.0)
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (0.2, 0.036, 0.63)
    """
    if time <= 0.0:
        return None
    tail = (1.0 - CONFIDENCE) / 2.0
    low = float(gammaincinv(k, tail)) if k else 0.0
    return Figure(k / time, low / time, float(gammaincinv(k + 1, 1.0 - tail)) / time, k)


def not_overlapping(unit: ArrayLike, begin: ArrayLike, end: ArrayLike) -> NDArray[np.bool_]:
    """Return which to keep so that no two of one unit overlap: the earliest first; shape (n,).

    >>> not_overlapping([1, 1, 1, 2], [0.0, 5.0, 10.0, 1.0], [10.0, 15.0, 20.0, 2.0]).tolist()
    [True, False, True, True]
    """
    who, start, stop = np.asarray(unit), np.asarray(begin), np.asarray(end)
    keep = np.zeros(len(who), dtype=np.bool_)
    free: dict[object, float] = {}
    for i in np.lexsort((stop, start)):
        if start[i] >= free.get(who[i], -np.inf):
            keep[i] = True
            free[who[i]] = stop[i]
    return keep
