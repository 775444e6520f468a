"""Intervals that hold their coverage whatever the model, by conformal prediction.

A model's errors on units it has not learnt from are ranked; the interval reaches as far as the
rank that a new error passes with the promised probability.

Sources: split conformal: V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random
World" (2005), chapter 4; J. Lei et al., Journal of the American Statistical Association 113
(2018) 1094-1111.  Within bins of the prediction: V. Vovk, "Conditional validity of inductive
conformal predictors", ACML 2012 (Mondrian taxonomies).  Grouped by unit: errors of one unit are
alike, so a unit counts as one however many readings it has: R. Dunn, L. Wasserman, A. Ramdas,
"Distribution-free prediction sets for two-layer hierarchical models", JASA 118 (2023) 2491-2502
(weights 1/readings).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predict.errors import NotEnoughData

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far the truth lies from a prediction, by bin of the prediction.

    edges: shape (b + 1,), increasing, outermost infinite; bin i holds edges[i] <= p < edges[i+1].
    below, above: shape (b,), >= 0: the interval is p - below .. p + above.  units: shape (b,),
    units each bin rests on.  confidence: promised.
    """

    edges: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]
    units: tuple[int, ...]
    confidence: float

    def interval(
        self, predicted: ArrayLike, *, least: float = -inf, most: float = inf
    ) -> tuple[Array, Array]:
        """Return low and high of each prediction, kept within least..most, shapes (n,).

        >>> fit = calibrate([10.0] * 99, [10.0 + k for k in range(99)], range(99))
        >>> low, high = fit.interval([50.0])
        >>> (float(low[0]), float(high[0]))
        (54.0, 144.0)
        """
        p = np.asarray(predicted, dtype=np.float64)
        if not np.isfinite(p).all():
            raise ValueError("predictions must be finite")
        at = np.searchsorted(np.asarray(self.edges[1:-1]), p, side="right")
        low, high = p - np.asarray(self.below)[at], p + np.asarray(self.above)[at]
        return np.clip(low, least, most), np.clip(high, least, most)


def least_units(confidence: float) -> int:
    """Return how many units with a known end a promise of this confidence needs.

    >>> least_units(0.9), least_units(0.8)
    (19, 9)
    """
    return int(np.ceil(2.0 / (1.0 - confidence) - 1e-9)) - 1


def calibrate(
    predicted: ArrayLike,
    truth: ArrayLike,
    unit: ArrayLike,
    *,
    confidence: float = 0.9,
    bins: int = 1,
    even: bool = False,
) -> Calibration:
    """Learn the interval from predictions for units that the model has not learnt from.

    A unit's readings weigh 1 / their number within a bin, and the new unit itself counts as an
    infinite error, which makes the promise hold for finite samples.  By default each end is
    wrong with (1 - confidence) / 2 at most.  An even interval reaches equally far to both sides
    and is wrong with 1 - confidence at most on both together: narrower where one side can
    hardly be wrong, as near a bound of the truth, since the correction is paid once.

    Args:
        predicted: shape (n,).
        truth: shape (n,), in the same unit.
        unit: shape (n,), the unit each row belongs to.
        confidence: promised coverage, 0..1.
        bins: bins of the prediction with about equally many rows; those with too few units for
            the promise are joined with the next.
        even: both ends equally far.

    Raises:
        NotEnoughData: fewer units than the promise needs: 2 / (1 - confidence) - 1.
        ValueError: shapes differ, or something is not finite or out of range.
    """
    p, y = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    group = np.unique(np.asarray(unit), return_inverse=True)[1]
    if p.ndim != 1 or not p.shape == y.shape == group.shape:
        raise ValueError("predicted, truth and unit must be alike and flat")
    if not (np.isfinite(p).all() and np.isfinite(y).all() and 0.0 < confidence < 1.0 and bins > 0):
        raise ValueError("finite values, 0 < confidence < 1 and bins > 0 needed")
    tail = (1.0 - confidence) / 2.0
    need = least_units(confidence)
    if len(np.unique(group)) < need:
        raise NotEnoughData(f"{need} units with a known end needed")
    parts = _bins(p, group, bins=bins, need=need)
    errors = y - p
    below, above, units = [], [], []
    for part in parts:
        if even:
            below.append(_reach(np.abs(errors[part]), group[part], 2.0 * tail))
            above.append(below[-1])
        else:
            below.append(_reach(-errors[part], group[part], tail))
            above.append(_reach(errors[part], group[part], tail))
        units.append(len(np.unique(group[part])))
    inner = [float(p[part].min()) for part in parts[1:]]
    return Calibration((-inf, *inner, inf), tuple(below), tuple(above), tuple(units), confidence)


def _bins(p: Array, group: NDArray[np.int64], *, bins: int, need: int) -> list[NDArray[np.int64]]:
    """Return the rows of each bin, in order of prediction, each with `need` units at least."""
    edges = np.unique(np.quantile(p, np.linspace(0.0, 1.0, bins + 1)[1:-1]))
    place = np.searchsorted(edges, p, side="right")
    parts: list[NDArray[np.int64]] = []
    waiting = np.empty(0, dtype=np.int64)
    for k in range(len(edges) + 1):
        waiting = np.concatenate([waiting, np.flatnonzero(place == k)])
        if len(np.unique(group[waiting])) >= need:
            parts.append(waiting)
            waiting = np.empty(0, dtype=np.int64)
    if len(waiting):
        parts[-1] = np.concatenate([parts[-1], waiting])
    return parts


def _reach(errors: Array, group: NDArray[np.int64], tail: float) -> float:
    """Return the weighted 1 - tail quantile of errors, one new unit counted as infinite."""
    members = np.bincount(group)
    weight = 1.0 / members[group]
    order = np.argsort(errors, kind="stable")
    reached = np.cumsum(weight[order])
    goal = (1.0 - tail) * (reached[-1] + 1.0)
    place = int(np.searchsorted(reached, goal - 1e-9))
    value = float(errors[order][place]) if place < len(errors) else inf
    if not isfinite(value):
        raise NotEnoughData("too few units for this confidence")
    return value


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share of truths inside their intervals, the mean width, and how many were judged."""

    share: float
    width: float
    n: int


def coverage(low: ArrayLike, high: ArrayLike, truth: ArrayLike) -> Coverage:
    """Return how the intervals did.

    >>> coverage([0.0, 0.0], [1.0, 3.0], [0.5, 9.0])
    Coverage(share=0.5, width=2.0, n=2)
    """
    a, b, y = (np.asarray(x, dtype=np.float64) for x in (low, high, truth))
    if not len(y):
        raise NotEnoughData("no forecast has been judged yet")
    return Coverage(float(((a <= y) & (y <= b)).mean()), float((b - a).mean()), len(y))
