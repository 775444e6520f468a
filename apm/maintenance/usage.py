"""How fast a meter runs, and when it will reach a value: arithmetic on readings alone.

Usage is taken for a drift with independent increments whose variance grows with time, so that a
long stretch between two readings weighs more than a short one.  The band around a projected day
has both parts: how uneven the use is until then, and how well the pace is known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

FEWEST = 3
"""Readings from which on a pace is believed."""
LONGEST = timedelta(days=366 * 10)
"""A day further ahead is no date but a guess."""
DAY_S = 86_400.0
T90 = (3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372)
"""The 0.9 quantile of Student's t for 1 to 10 degrees of freedom: 80 % lie between."""
NORMAL90 = 1.282


@dataclass(frozen=True, slots=True)
class Reading:
    """What a meter said; after a reset what stood before does not count together with it."""

    at: datetime
    value: float
    is_reset: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a meter runs: units a day, the spread (units per root day), readings, days."""

    per_day: float
    spread: float
    n: int
    days: float


@dataclass(frozen=True, slots=True)
class Projection:
    """When a value is reached, and between when and when with a chance of 80 %."""

    at: datetime
    earliest: datetime
    latest: datetime | None
    """None: so uneven that no last day can be given."""


def running(readings: Sequence[Reading]) -> list[Reading]:
    """Return the readings (oldest first) as one running count that no reset turns back.

    >>> from datetime import UTC
    >>> day = lambda d: datetime(2026, 1, d, tzinfo=UTC)
    >>> seen = [Reading(day(1), 90.0), Reading(day(2), 5.0, is_reset=True), Reading(day(3), 9.0)]
    >>> [r.value for r in running(seen)]
    [90.0, 90.0, 94.0]
    """
    made: list[Reading] = []
    shift = 0.0
    for reading in readings:
        if reading.is_reset and made:
            shift = made[-1].value - reading.value
        made.append(Reading(reading.at, reading.value + shift, reading.is_reset))
    return made


def pace(readings: Sequence[Reading]) -> Pace | None:
    """Return the pace of a running count (oldest first); None with fewer than three readings."""
    if len(readings) < FEWEST:
        return None
    days = _days(readings[0].at, readings[-1].at)
    if days <= 0:
        return None
    per_day = (readings[-1].value - readings[0].value) / days
    steps = [(_days(a.at, b.at), b.value - a.value) for a, b in pairwise(readings)]
    squares = sum((grown - per_day * took) ** 2 / took for took, grown in steps if took > 0)
    return Pace(per_day, math.sqrt(squares / (len(steps) - 1)), len(readings), days)


def projection(readings: Sequence[Reading], target: float) -> Projection | None:
    """Return when a running count (oldest first) reaches `target`.

    Already reached: the moment of the first reading that was there.  None: too few readings, no
    use at all, or further ahead than ten years.
    """
    if reached := next((r for r in readings if r.value >= target), None):
        return Projection(reached.at, reached.at, reached.at)
    found = pace(readings)
    if found is None or found.per_day <= 0:
        return None
    last = readings[-1]
    remaining = target - last.value
    days = remaining / found.per_day
    if days > LONGEST.days:
        return None
    early, late = _band(found, remaining)
    return Projection(
        last.at + timedelta(days=days),
        last.at + timedelta(days=early),
        None if late is None or late > LONGEST.days else last.at + timedelta(days=late),
    )


def value_at(readings: Sequence[Reading], at: datetime) -> float | None:
    """Return the running count (oldest first) at a moment, between readings in proportion."""
    before = [r for r in readings if r.at <= at]
    later = next((r for r in readings if r.at > at), None)
    if not before:
        return later.value if later else None
    last = before[-1]
    if later is None:
        return last.value
    share = _days(last.at, at) / _days(last.at, later.at)
    return last.value + share * (later.value - last.value)


def _band(found: Pace, remaining: float) -> tuple[float, float | None]:
    """Return the days after which the target is reached at the earliest and at the latest.

    After t days the count has moved by per_day * t, give or take z * sqrt(spread^2 * (t + t^2/T))
    where T are the days the pace was learned in; both ends solve a quadratic equation.
    """
    dof = found.n - 2
    z = T90[dof - 1] if dof <= len(T90) else NORMAL90
    noise = (z * found.spread) ** 2
    a = found.per_day**2 - noise / found.days
    b = 2 * found.per_day * remaining + noise
    c = remaining**2
    if a <= 0:  # the pace itself may be nothing: there is no last day
        return c / b, None
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return (b - root) / (2 * a), (b + root) / (2 * a)


def _days(first: datetime, last: datetime) -> float:
    return (last - first).total_seconds() / DAY_S
