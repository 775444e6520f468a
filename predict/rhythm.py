"""When a unit is next looked after, from the rhythm of its past visits, and what that says.

Much of what breaks is found when somebody looks: failures then fall on the days of visits, and an
error log means another thing a day before one than a week before.  The usual interval is the
mode of the past intervals, so that visits skipped (twice the interval) or put in between change
nothing.

Source: the mode by halving the sample, T. Robertson, J. Cryer, "An iterative procedure for
estimating the mode", JASA 69 (1974) 1012-1016.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LEAST_VISITS = 3
"""Visits before a rhythm is spoken of: two intervals."""

LATEST = 12
"""Intervals that decide; older ones may come from another contract."""


def usual(intervals: ArrayLike) -> float:
    """Return the mode of intervals, by halving the sample; of ties the shortest.

    >>> usual([15.0, 30.0, 15.0, 15.1, 7.0, 45.0, 15.0])
    15.0

    Raises:
        ValueError: nothing given.
    """
    rest = np.sort(np.asarray(intervals, dtype=np.float64))
    if not len(rest):
        raise ValueError("an interval needed")
    while len(rest) > 2:
        half = (len(rest) + 1) // 2
        width = rest[half - 1 :] - rest[: len(rest) - half + 1]
        first = int(width.argmin())
        rest = rest[first : first + half]
    return float(rest[0])


def rhythm_features(visits: ArrayLike, at: ArrayLike) -> Array:
    """Return, at each moment, the time since the last visit, the usual interval, the time to go.

    A visit that did not take place is skipped: the next one counts from the last that did, by
    whole intervals.

    Args:
        visits: times, in any order.
        at: shape (n,), moments, in the same unit.

    Returns:
        Shape (n, 3).  NaN where there was no visit yet; the second and third column NaN with
        fewer than `LEAST_VISITS`.

    >>> rhythm_features([0.0, 10.0, 20.0], [5.0, 20.0, 23.0, 34.0]).tolist()
    [[5.0, nan, nan], [0.0, 10.0, 10.0], [3.0, 10.0, 7.0], [14.0, 10.0, 6.0]]
    """
    moments = np.asarray(at, dtype=np.float64)
    past = np.unique(np.asarray(visits, dtype=np.float64))
    upto = np.searchsorted(past, moments, side="right")
    found = np.full((len(moments), 3), np.nan)
    for n in np.unique(upto[upto > 0]):
        rows = upto == n
        since = moments[rows] - past[n - 1]
        found[rows, 0] = since
        if n >= LEAST_VISITS:
            interval = usual(np.diff(past[max(n - 1 - LATEST, 0) : n]))
            found[rows, 1] = interval
            found[rows, 2] = interval - np.mod(since, interval)
    return found
