"""Alarm limits that a sensor sets itself: the level that its own daily peaks reach once a year.

For each statistic we keep the largest value of each day, the block maxima.  Block maxima of
almost any process tend to a Gumbel law, whose level with a return period of T blocks is
location + scale * ln(T) for large T.  Location and scale come from the quartiles, not from
moments, so that a quarter of the days may be disturbed before the limit follows them.

Sources: E. J. Gumbel, "Statistics of Extremes", Columbia University Press 1958, chapter 5
(law, quantile function, return period); block maxima as alarm limits: S. Coles, "An
Introduction to Statistical Modeling of Extreme Values", Springer 2001, chapter 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, log

_LOW, _MIDDLE, _HIGH = (-log(-log(p)) for p in (0.25, 0.5, 0.75))
"""Quartiles of the standard Gumbel law, -ln(-ln p)."""

LEAST_SCALE = 0.1
"""Scale over median that is believed at least: a week of like days proves no certainty."""


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the quantile of sorted values with linear interpolation (Hyndman and Fan, 7)."""
    place = share * (len(ordered) - 1)
    left = int(place)
    right = min(left + 1, len(ordered) - 1)
    return ordered[left] + (place - left) * (ordered[right] - ordered[left])


def return_level(daily_peaks: Sequence[float], return_period_days: float) -> float:
    """Return the level that daily peaks exceed once in `return_period_days` days.

    Args:
        daily_peaks: at least one, each >= 0, any order.
        return_period_days: > 1.

    >>> return_level([1.0, 1.2, 1.1, 1.4, 1.3, 1.2, 1.1], 365.0)
    1.86...
    """
    ordered = sorted(daily_peaks)
    low, median, high = (quantile(ordered, share) for share in (0.25, 0.5, 0.75))
    scale = max((high - low) / (_HIGH - _LOW), LEAST_SCALE * median)
    rare = -log(-log(1.0 - 1.0 / return_period_days))
    return median + scale * (rare - _MIDDLE)


@dataclass(slots=True)
class Channel:
    """One memory length of the residual: a moving mean, its daily peaks and its limit."""

    memory_s: float
    mean: float = 0.0
    peak: float = 0.0
    peaks: list[float] = field(default_factory=list)
    limit: float = 0.0

    def update(self, residual: float, *, gap_s: float, weight_s: float) -> None:
        """Take in one residual that came `gap_s` after the last and stands for `weight_s`.

        A gap forgets, yet the reading after it counts as one reading only; otherwise the
        first reading after a silence would be taken for a day of readings.
        """
        if self.memory_s == 0.0:
            self.mean = residual
        else:
            keep, take = exp(-gap_s / self.memory_s), 1.0 - exp(-weight_s / self.memory_s)
            self.mean = keep * self.mean + take * residual
        self.peak = max(self.peak, abs(self.mean))

    def close_day(self, *, keep_days: int, return_period_days: float) -> None:
        """File today's peak and set the limit for tomorrow."""
        self.peaks = [*self.peaks, self.peak][-keep_days:]
        self.limit = return_level(self.peaks, return_period_days)
        self.peak = 0.0
