"""From readings to what rules compare: values, steps, rates, dew-point margins; beyond or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from predict.alarming.rules import HOUR_US, Kind, Rule

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CLEAR, BETWEEN, BEYOND, UNKNOWN = np.int8(-1), np.int8(0), np.int8(1), np.int8(2)
"""Where a reading stands: back by the deadband, inside the deadband, beyond, not to be said."""


def latest_at(times: Ints, other_times: Ints, other_values: Floats, hold_us: int) -> Floats:
    """Return at each of `times` what another sensor read last, NaN when that is too old.

    Args:
        times: shape (n,); other_times, other_values: shape (m,), by time.
        other_times: microseconds, like `times`.
        other_values: what it read.
        hold_us: how old the last reading may be.
    """
    found = np.full(len(times), np.nan)
    at = np.searchsorted(other_times, times, side="right") - 1
    known = at >= 0
    known[known] = times[known] - other_times[at[known]] <= hold_us
    found[known] = other_values[at[known]]
    return found


def steps(times: Ints, values: Floats, is_first: NDArray[np.bool_], hold: Ints) -> Floats:
    """Return each reading's distance from the one before; NaN where that is too old or missing.

    Args:
        times: microseconds, shape (n,), by sensor and time; several sensors one after another.
        values: shape (n,).
        is_first: where a sensor's readings begin, shape (n,).
        hold: how long a reading speaks, microseconds, shape (n,).
    """
    found = np.full(len(values), np.nan)
    found[1:] = np.abs(values[1:] - values[:-1])
    found[is_first] = np.nan
    late = np.zeros(len(values), dtype=np.bool_)
    late[1:] = times[1:] - times[:-1] > hold[1:]
    found[late] = np.nan
    return found


def rates(times: Ints, values: Floats, owner: Ints, window_us: int) -> Floats:
    """Return the change per hour at each reading, without sign; NaN where it cannot be said.

    It is taken against the latest reading that is at least a window old, and two at most.

    Args:
        times: microseconds, shape (n,), by sensor and time.
        values: shape (n,).
        owner: number of the sensor, ascending, shape (n,).
        window_us: the window.
    """
    found = np.full(len(values), np.nan)
    if not len(times):
        return found
    # One ascending key for all sensors: sensors stand so far apart that no window reaches over.
    start = int(times.min())
    span = int(times.max()) - start + 2 * window_us + 1
    key = owner * span + (times - start)
    at = np.searchsorted(key, key - window_us, side="right") - 1
    known = at >= 0
    known[known] &= owner[at[known]] == owner[known]
    known[known] &= times[known] - times[at[known]] <= 2 * window_us
    gap = (times[known] - times[at[known]]) / HOUR_US
    found[known] = np.abs(values[known] - values[at[known]]) / gap
    return found


def sides(rule: Rule, measure: Floats) -> NDArray[np.int8]:
    """Return where each measure stands against a rule: CLEAR, BETWEEN, BEYOND or UNKNOWN.

    >>> sides(Rule(Kind.HIGH, 8.0, deadband=0.5), np.array([7.5, 7.8, 8.0, 8.1])).tolist()
    [-1, 0, 0, 1]
    """
    if rule.kind is Kind.OUTSIDE:
        high = _above(measure, rule.limit, rule.deadband, is_inclusive=rule.is_inclusive)
        low = _above(-measure, -rule.low_limit, rule.deadband, is_inclusive=rule.is_inclusive)
        return np.maximum(high, low)
    if rule.kind is Kind.LOW:
        return _above(-measure, -rule.limit, rule.deadband, is_inclusive=rule.is_inclusive)
    if rule.kind is Kind.FLAT:
        return _above(-measure, -rule.limit, rule.deadband, is_inclusive=True)
    return _above(measure, rule.limit, rule.deadband, is_inclusive=rule.is_inclusive)


def _above(
    measure: Floats, limit: float, deadband: float, *, is_inclusive: bool
) -> NDArray[np.int8]:
    beyond = measure >= limit if is_inclusive else measure > limit
    clear = ~beyond & (measure <= limit - deadband)
    found = np.where(beyond, BEYOND, np.where(clear, CLEAR, BETWEEN))
    return np.where(np.isnan(measure), UNKNOWN, found).astype(np.int8)


def severity(rule: Rule, measure: Floats) -> Floats:
    """Return how bad each measure is: larger is worse, whichever side the limit is on."""
    if rule.kind in {Kind.LOW, Kind.FLAT}:
        return -measure
    if rule.kind is Kind.OUTSIDE:
        return np.maximum(measure - rule.limit, rule.low_limit - measure)
    return measure
