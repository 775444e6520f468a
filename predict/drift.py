"""How a value that is measured once in a while moves, and when it will reach its limit.

The line is Theil and Sen's (P. K. Sen, "Estimates of the regression coefficient based on
Kendall's tau", Journal of the American Statistical Association 63, 1968, 1379-1389): the median
of the slopes between all pairs of points.  A quarter of the points may be wild before it breaks,
and a few measurements a year are never without one.  Its interval is Sen's, from Kendall's rank
statistic; `scipy.stats.theilslopes` computes both.

The line and both ends of its interval are taken through the middle of the data (median time,
median value).  A value drifts when the whole interval points at the limit: then the crossing has
an earliest and a latest time.  Fewer than `LEAST` measurements say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from predict.errors import NotEnoughData

LEAST = 4
"""Fewer measurements than this are no history."""
CONFIDENCE = 0.95
"""Of the slope's interval, both sides together."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through measurements: `slope` a unit of time, with its interval."""

    n: int
    slope: float
    low: float
    high: float
    middle: tuple[float, float]
    """Median time and median value: all three lines run through here."""
    last: float
    """Time of the last measurement."""

    def at(self, time: float) -> float:
        """Return the value the line has at a time."""
        return self.middle[1] + self.slope * (time - self.middle[0])


@dataclass(frozen=True, slots=True)
class Crossing:
    """When a value reaches a limit; `latest` None: perhaps never."""

    limit: float
    expected: float
    earliest: float
    latest: float | None

    @property
    def is_sure(self) -> bool:
        """Whether the whole interval points at the limit."""
        return self.latest is not None


def trend(times: Sequence[float], values: Sequence[float]) -> Trend:
    """Return the line through `values` measured at `times` (any unit of time, any order).

    Raises:
        NotEnoughData: fewer than `LEAST` measurements, or all at one time.
        ValueError: lengths differ, or a number is not finite.

    >>> found = trend([0, 1, 2, 3, 4], [10, 12, 14, 16, 18])
    >>> found.slope, found.at(6)
    (2.0, 22.0)
    """
    if len(times) != len(values):
        raise ValueError("each value needs its time")
    if not all(isfinite(x) for x in (*times, *values)):
        raise ValueError("times and values are finite numbers")
    if len(values) < LEAST or len(set(times)) < LEAST:
        raise NotEnoughData(f"{LEAST} measurements at different times are needed")
    from scipy.stats import theilslopes  # noqa: PLC0415  (seconds, which few starts need)

    found = theilslopes(values, times, alpha=CONFIDENCE)
    return Trend(
        n=len(values),
        slope=float(found.slope),
        low=float(found.low_slope),
        high=float(found.high_slope),
        middle=(float(np.median(times)), float(np.median(values))),
        last=float(max(times)),
    )


def crossing(
    found: Trend, *, low: float | None = None, high: float | None = None
) -> Crossing | None:
    """Return when the line reaches the limit it moves towards; None: it moves towards none.

    `low` and `high` are the ends of what is allowed.  A line that is beyond its limit already
    crossed it in the past.

    >>> line = trend([0, 1, 2, 3, 4], [10, 12, 14, 16, 18])
    >>> crossing(line, high=30).expected, crossing(line, low=0)
    (10.0, None)
    """
    limit = high if found.slope > 0 else low
    if limit is None or found.slope == 0:
        return None
    middle, value = found.middle
    way = limit - value
    if way * found.slope <= 0:  # its middle is beyond the limit: there is nothing to project
        return Crossing(limit, middle, middle, middle)
    toward = [s for s in (found.low, found.high) if s * found.slope > 0]
    fast = max(toward, key=abs, default=found.slope)
    # An interval that holds standing still, or turning back, knows no latest time.
    latest = middle + way / min(toward, key=abs) if len(toward) > 1 else None
    return Crossing(limit, middle + way / found.slope, middle + way / fast, latest)
