"""Where a slowly moving daily value is heading, and when it will first pass its limit.

The value is a local linear trend: level(t + 1) = level(t) + slope(t) + e, slope(t + 1) = slope(t)
+ z, seen with noise; variances by maximum likelihood, state by the Kalman filter, missing days
allowed (statsmodels).  The first day beyond the limit is simulated from the state and variances
that the data allow.  A value that does not head for a limit has no such day, and says so.

Sources: A. Harvey, "Forecasting, Structural Time Series Models and the Kalman Filter" (1989),
2.3.2 and 4; first passage by simulation: C. J. Lu, W. Meeker, "Using degradation measures to
estimate a time-to-failure distribution", Technometrics 35 (1993) 161-174; the screen is Sen's
slope and its interval (P. K. Sen, JASA 63 (1968) 1379-1389), outliers by F. Hampel, JASA 69
(1974) 383-393, noise from steps by J. von Neumann, Annals of Mathematical Statistics 12 (1941)
367-395; M. J. D. Powell, The Computer Journal 7 (1964) 155-162.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite, nan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predict.errors import NotEnoughData

Array = NDArray[np.float64]

LEAST_DAYS = 20
"""Known days since the last reset below which nothing is said."""
LEARN_DAYS = 180
"""So many days are learnt from: what is older no longer tells the slope."""
HORIZON = 730
"""Days looked ahead."""
RESET = 8.0
"""A step so many times as large as usual steps, and lasting, is a new part, not wear."""
NEIGHBOURS = 5
"""Days before and after a step that must agree with it."""
WILD = 6.0
"""Robust standard deviations from its neighbours beyond which a day is left out."""
PACE_DOUBT = 0.4
"""Over a time as long as the known one, the pace of wear may change by at least this share."""
PATHS = 400
BEGIN = (0.1, 0.1, 0.1)
"""Variances of noise, level and slope to begin the climb with, of values whose own is 1."""
SCREEN = 0.9


@dataclass(frozen=True, slots=True)
class Heading:
    """Where a value is heading.

    is_heading: whether it moves towards a limit at all.  limit: which; None where it has none on
    its way.  level, slope: now, per day, with the slope's interval.  low, median, high: days until
    the limit is first passed, inf where that lies beyond `HORIZON`.  ends: shape (paths,), the
    simulated first passages, sorted.  fan: shape (m, 4), rows of days ahead, low, median, high of
    the value.  n: known days used; since: index of the first of them after the last reset.
    """

    is_heading: bool
    limit: float | None
    level: float
    slope: float
    slope_low: float
    slope_high: float
    low: float
    median: float
    high: float
    ends: Array
    fan: Array
    n: int
    since: int

    @property
    def is_passed(self) -> bool:
        """Whether the limit is passed already: there is nothing left to foretell."""
        return self.high == 0.0

    def within(self, days: float) -> float:
        """Return the probability that the limit is passed within so many days."""
        n = len(self.ends)
        # Half a path either way: of finitely many none is certain.
        return (
            float((np.searchsorted(self.ends, days, side="right") + 0.5) / (n + 1)) if n else 0.0
        )


def last_reset(values: ArrayLike) -> int:
    """Return the index of the day after the last lasting jump; 0 without one.

    >>> worn = [10.0 - 0.1 * k for k in range(40)]
    >>> last_reset([*worn, *worn])
    40
    """
    y = np.asarray(values, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(y))
    v = y[known]
    if len(v) < 2 * NEIGHBOURS + 2:
        return 0
    steps = np.diff(v)
    middle = float(np.median(steps))
    spread = max(_spread(steps), 1e-9 * max(1.0, float(np.abs(v).max())))
    for k in np.flatnonzero(np.abs(steps - middle) > RESET * spread)[::-1]:
        before, after = v[max(0, k + 1 - NEIGHBOURS) : k + 1], v[k + 1 : k + 1 + NEIGHBOURS]
        if len(before) < NEIGHBOURS or len(after) < NEIGHBOURS:
            continue
        lasting = float(np.median(after) - np.median(before)) - middle * NEIGHBOURS
        if lasting * steps[k] > 0.0 and abs(lasting) > 0.5 * abs(steps[k]):
            return int(known[k + 1])
    return 0


def heading(
    values: ArrayLike,
    rng: np.random.Generator,
    *,
    low: float | None = None,
    high: float | None = None,
    confidence: float = 0.8,
) -> Heading:
    """Return where daily values are heading.

    Args:
        values: shape (n,), one a day up to today, NaN where nothing is known.
        rng: draws the paths.
        low: limit below, if there is one.
        high: limit above, if there is one.
        confidence: of the intervals.

    Raises:
        NotEnoughData: fewer than `LEAST_DAYS` known days since the last reset.
        ValueError: no limit is given, or values are infinite.
    """
    y = np.asarray(values, dtype=np.float64)
    if y.ndim != 1 or np.isinf(y).any() or (low is None and high is None):
        raise ValueError("flat values, finite or NaN, and a limit needed")
    since = max(len(y) - LEARN_DAYS, last_reset(y), 0)
    y = _tame(y[since:])
    known = np.flatnonzero(np.isfinite(y))
    if len(known) < LEAST_DAYS:
        raise NotEnoughData(f"{LEAST_DAYS} days with readings since the last change needed")
    from scipy.stats import theilslopes  # noqa: PLC0415  (seconds, which few starts need)

    screen = theilslopes(y[known], known.astype(float), alpha=SCREEN)
    level = float(np.median(y[known[-NEIGHBOURS:]]))
    slopes = (float(screen.slope), float(screen.low_slope), float(screen.high_slope))
    limit = _on_the_way(level, slopes, low, high)
    if limit is None:
        none = np.empty(0)
        fan = np.array([[0.0, level, level, level]])
        n = len(known)
        return Heading(
            is_heading=False, limit=None, level=level,
            slope=slopes[0], slope_low=slopes[1], slope_high=slopes[2],
            low=inf, median=inf, high=inf, ends=none, fan=fan, n=n, since=since,
        )  # fmt: skip
    is_high = limit == high
    is_passed = level > limit if is_high else level < limit
    found = _passage(y, rng, limit, is_high=is_high, is_passed=is_passed, confidence=confidence)
    return replace(found, since=since)


def _spread(values: Array) -> float:
    """Return the robust standard deviation, from the median absolute deviation."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def _tame(y: Array) -> Array:
    """Return the values without wild days."""
    known = np.flatnonzero(np.isfinite(y))
    v = y[known]
    if len(v) < 2 * NEIGHBOURS:
        return y
    from scipy.ndimage import median_filter  # noqa: PLC0415  (seconds, which few starts need)

    # A steady fall is its own running median: without its pace, and by its steps too, the noise
    # shows.  Mirrored, the first day and the last do not stand for their own neighbours.
    level = v - known * np.median(np.diff(v) / np.diff(known))
    off = level - median_filter(level, size=7, mode="mirror")
    spread = max(_spread(off), _spread(np.diff(level) / np.sqrt(2.0)))
    if spread > 0.0:
        y = y.copy()
        y[known[np.abs(off) > WILD * spread]] = nan
    return y


def _on_the_way(
    level: float, slopes: tuple[float, float, float], low: float | None, high: float | None
) -> float | None:
    """Return the limit that is passed already, or that the slope may reach within `HORIZON`."""
    if high is not None and level > high:
        return high
    if low is not None and level < low:
        return low
    middle, least, most = slopes
    if high is not None and middle > 0.0 and least > 0.0 and level + most * HORIZON > high:
        return high
    if low is not None and middle < 0.0 and most < 0.0 and level + least * HORIZON < low:
        return low
    return None


def _passage(
    y: Array,
    rng: np.random.Generator,
    limit: float,
    *,
    is_high: bool,
    is_passed: bool,
    confidence: float,
) -> Heading:
    n = int(np.isfinite(y).sum())
    centre = float(np.nanmedian(y))
    unit = float(np.nanstd(y)) or 1.0
    fit = local_trend((y - centre) / unit)
    state = np.asarray(fit.filtered_state[:2, -1], dtype=np.float64)
    doubt = np.asarray(fit.filtered_state_cov[:2, :2, -1], dtype=np.float64)
    _noise, of_level, of_slope = (max(0.0, float(p)) for p in fit.params[:3])
    # A likelihood of a few months often sees no change of pace at all (it piles up at zero).
    of_slope = max(of_slope, (PACE_DOUBT * float(state[1])) ** 2 / n)
    start = rng.multivariate_normal(state, doubt, PATHS, method="eigh")
    slope = start[:, 1:2] + np.cumsum(
        np.sqrt(of_slope) * rng.standard_normal((PATHS, HORIZON)), axis=1
    )
    # The slope of a day moves the level of the next one.
    slope = np.column_stack([start[:, 1:2], slope[:, :-1]])
    steps = slope + np.sqrt(of_level) * rng.standard_normal((PATHS, HORIZON))
    paths = centre + unit * (start[:, :1] + np.cumsum(steps, axis=1))
    now = centre + unit * start[:, 0]
    beyond = paths >= limit if is_high else paths <= limit
    first = np.where(beyond.any(axis=1), beyond.argmax(axis=1) + 1.0, inf)
    if is_passed:
        first = np.zeros(PATHS)
    tail = (1.0 - confidence) / 2.0
    ends = np.sort(first)
    low, median, high = (float(ends[int(q * (PATHS - 1))]) for q in (tail, 0.5, 1.0 - tail))
    spread = np.sqrt(max(float(doubt[1, 1]), 0.0)) * unit
    middle = float(state[1]) * unit
    return Heading(
        is_heading=isfinite(median),
        limit=limit,
        level=float(np.median(now)),
        slope=middle,
        slope_low=middle - 1.2816 * spread,
        slope_high=middle + 1.2816 * spread,
        low=low,
        median=median,
        high=high,
        ends=ends,
        fan=_fan(now, paths, tail, median),
        n=n,
        since=0,
    )


def local_trend(scaled: Array) -> Any:
    """Return statsmodels' fit of a local linear trend to values, shape (n,), of variance 1."""
    from statsmodels.tsa.statespace.structural import (  # noqa: PLC0415  (seconds, which few starts need)
        UnobservedComponents,
    )

    # Gradients (L-BFGS) often stopped far below the top, and the processor's last bits said where.
    return UnobservedComponents(scaled, "lltrend").fit(
        start_params=np.array(BEGIN), method="powell", maxiter=100, disp=False, cov_type="none"
    )


def _fan(now: Array, paths: Array, tail: float, median: float) -> Array:
    """Return quantiles of the value at ten days up to a little beyond the passage."""
    far = int(min(HORIZON, max(30.0, 1.5 * median))) if isfinite(median) else HORIZON
    days = np.unique(np.linspace(0, far, 11).astype(int))
    at = [now if day == 0 else paths[:, day - 1] for day in days]
    rows = [np.quantile(values, [tail, 0.5, 1.0 - tail]) for values in at]
    return np.column_stack([days.astype(np.float64), np.array(rows)])
