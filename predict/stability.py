"""Whether what a model meets is still what it was trained on.

The population stability index compares two samples bin by bin (N. Siddiqi, "Credit Risk
Scorecards", 2006, chapter 9): the sum of (a - e) ln(a / e) over the shares a and e of the bins.
Two samples of one population are never quite alike: times n m / (n + m) the index then follows a
chi-square law with one degree less than there are bins (B. Yurdakul, "Statistical properties of
population stability index", 2018), which says how large it gets by chance alone.

Page and Hinkley's test sums how far values lie beyond their mean so far and speaks up when the
sum has risen far above its lowest point (E. Page, Biometrika 41 (1954) 100-115; D. Hinkley,
Biometrika 58 (1971) 509-523).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaincinv

from predict.errors import NotEnoughData

BINS = 10
LEAST = 50
"""Values of each sample; with fewer a bin is empty by accident."""
MUCH = 0.25
"""Siddiqi's rule of thumb: from here on the population is another one."""


@dataclass(frozen=True, slots=True)
class Stability:
    """index: 0 for equal shares.  by_chance: what 1 of 100 pairs of one population exceeds.

    n, m: sizes of the two samples.
    """

    index: float
    by_chance: float
    n: int
    m: int

    @property
    def has_shifted(self) -> bool:
        """Whether the difference is large, and larger than chance makes it."""
        return self.index > max(MUCH, self.by_chance)


def stability(before: ArrayLike, now: ArrayLike) -> Stability:
    """Return how far the values `now` are from those `before`, shapes (n,) and (m,).

    The bins hold equal shares of `before`; equal values stay in one bin, and half a value is
    added to each bin so that an empty one counts without being infinite.

    Raises:
        NotEnoughData: fewer than `LEAST` finite values in one of them.

    >>> stability(range(100), range(100)).index
    0.0
    >>> stability(range(100), range(50, 150)).has_shifted
    True
    """
    old, new = np.asarray(before, dtype=np.float64), np.asarray(now, dtype=np.float64)
    old, new = old[np.isfinite(old)], new[np.isfinite(new)]
    if min(len(old), len(new)) < LEAST:
        raise NotEnoughData(f"{LEAST} values before and {LEAST} now needed")
    edges = np.unique(np.quantile(old, np.arange(1, BINS) / BINS))
    bins = len(edges) + 1
    expected = _shares(old, edges, bins)
    actual = _shares(new, edges, bins)
    index = float(((actual - expected) * np.log(actual / expected)).sum())
    quantile = 2.0 * float(gammaincinv((bins - 1) / 2.0, 0.99))  # of chi-square
    return Stability(index, quantile * (1 / len(old) + 1 / len(new)), len(old), len(new))


def _shares(values: np.ndarray, edges: np.ndarray, bins: int) -> np.ndarray:
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=bins)
    shares: np.ndarray = (counts + 0.5) / (counts.sum() + 0.5 * bins)
    return shares


def shift_threshold(values: ArrayLike, *, slack: float, chance: float) -> float:
    """Return a threshold for `page_hinkley` that n values of one mean rarely exceed.

    A random walk with drift -slack and variance v a step ever rises by h with a probability of
    about exp(-2 slack h / v) (D. Siegmund, "Sequential Analysis", 1985, 3.2); each of the n values
    may begin such a rise, upwards or downwards.

    >>> round(shift_threshold([0.0, 1.0] * 50, slack=0.05, chance=0.01), 1)
    24.8
    """
    x = np.asarray(values, dtype=np.float64)
    return float(x.var() * np.log(2 * len(x) / chance) / (2.0 * slack))


@dataclass(frozen=True, slots=True)
class Shift:
    """at: place of the value at which a shift was noticed.  upwards: values became larger."""

    at: int
    upwards: bool
    height: float


def page_hinkley(values: ArrayLike, *, slack: float, threshold: float) -> Shift | None:
    """Return the first lasting shift of the mean, None without one.

    Args:
        values: shape (n,), in order of time; those that are not finite are left out.
        slack: deviations up to this count as none, in the unit of the values.
        threshold: height of the sum at which it speaks up, in the same unit.

    >>> page_hinkley([0.0] * 20 + [1.0] * 10, slack=0.1, threshold=3.0)
    Shift(at=23, upwards=True, height=3.16...)
    >>> page_hinkley([0.0, 1.0] * 20, slack=0.1, threshold=3.0) is None
    True
    """
    if not (slack >= 0.0 and threshold > 0.0):
        raise ValueError("slack >= 0 and threshold > 0 needed")
    x = np.asarray(values, dtype=np.float64)
    x = x[np.isfinite(x)]
    away = x - np.cumsum(x) / np.arange(1, len(x) + 1)
    found = []
    for sign in (1.0, -1.0):
        total = np.cumsum(sign * away - slack)
        height = total - np.minimum.accumulate(np.minimum(total, 0.0))
        over = np.flatnonzero(height > threshold)
        if len(over):
            found.append(Shift(int(over[0]), sign > 0, float(height[over[0]])))
    return min(found, key=lambda shift: shift.at, default=None)
