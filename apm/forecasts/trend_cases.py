"""Past courses of like sensors that looked like one now, and how they went on.

A situation is a sensor's readings up to a day, every ten days, whose next 30 days are over.  It is
told by three numbers without a unit: how long the limit is away at the pace of the last 30 days
(log days), how far the value moves in 30 days against its own noise, and the distance to the
limit against that noise (both logs).  Paces by P. Sen's slope (JASA 63 (1968) 1379-1389), noise by
the median absolute deviation from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf, log1p

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.assets.model import Asset
from apm.core.command import Context
from apm.forecasts.asof import IN_OPERATION
from apm.forecasts.courses import Course, courses
from apm.forecasts.foretold import RECORD_DAYS
from apm.forecasts.model import ModelKind
from apm.readings.model import Sensor
from predict.errors import NotEnoughData
from predict.proportion import wilson
from predict.why import nearest_cases

Array = NDArray[np.float64]
DAYS = RECORD_DAYS[ModelKind.TREND]
CUTS = range(DAYS, 241, 10)
MOST_SENSORS = 200
CASES = 5
SEEN, LEAST_SEEN = 30, 15
FAR = 3653.0
"""Days for a limit that the value does not move towards."""


@dataclass(frozen=True, slots=True)
class TrendSituation:
    """The value, its pace a day, and how many days the limit is away at that pace; None: never."""

    value: float
    per_day: float
    days_left: float | None


@dataclass(frozen=True, slots=True)
class TrendCase:
    """A past course: whose, up to when, how far away, and after how many days it passed its limit.

    after_days: None if not within 30 days.
    """

    sensor: Sensor
    at: datetime
    distance: float
    told: TrendSituation
    after_days: int | None


@dataclass(frozen=True, slots=True)
class TrendCases:
    """The nearest past courses, and how usual it is to pass the limit: `failed` of `of`."""

    days: int
    now: TrendSituation
    nearest: list[TrendCase]
    failed: int
    of: int
    units: int

    @property
    def failed_nearest(self) -> int:
        """How many of the nearest passed their limit within 30 days."""
        return sum(case.after_days is not None for case in self.nearest)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of the share of the nearest that did."""
        return wilson(self.failed_nearest, len(self.nearest))


def trend_cases(ctx: Context, sensor: Sensor, course: Course, at: datetime) -> TrendCases | None:
    """Return the past courses most like a sensor's now; None where there is none to compare."""
    now = _situation(course, len(course.values))
    if now is None:
        return None
    rows, told, outcome, whose = [], [], [], []
    for other in _courses(ctx, sensor, course.category, at):
        for cut in CUTS:
            n = len(other.values) - cut
            if (found := _situation(other, n)) is not None:
                rows.append(found[0])
                told.append((found[1], cut))
                outcome.append(_after(other, n))
                whose.append(other.sensor_id)
    try:
        near = nearest_cases(
            now[0], np.array(rows).reshape(-1, 3), [str(one) for one in whose], outcome, n=CASES
        )
    except NotEnoughData:
        return None
    query = select(Sensor).options(joinedload(Sensor.asset)).where(
        Sensor.id.in_({int(case.unit) for case in near})
    )  # fmt: skip
    sensors = {one.id: one for one in ctx.session.scalars(query)}
    nearest = [
        TrendCase(
            sensors[int(case.unit)],
            at - timedelta(days=told[case.row][1]),
            case.distance,
            told[case.row][0],
            int(case.outcome) if case.outcome < inf else None,
        )
        for case in near
    ]
    return TrendCases(
        DAYS, now[1], nearest, sum(days < inf for days in outcome), len(outcome),
        len(set(whose)),
    )  # fmt: skip


def _courses(ctx: Context, sensor: Sensor, category: str, at: datetime) -> Sequence[Course]:
    """Return the courses of sensors alike: this one, and others on equipment of its category."""
    query = (
        select(Sensor.id, Asset.id)
        .join(Asset, Asset.id == Sensor.asset_id)
        .where(
            Sensor.quantity == sensor.quantity,
            Sensor.unit == sensor.unit,
            Asset.category == category,
            Asset.lifecycle.in_(IN_OPERATION),
        )
        .order_by((Sensor.id == sensor.id).desc(), Sensor.id)
        .limit(MOST_SENSORS)
    )
    rows = list(ctx.session.execute(query))
    alike = {sensor_id for sensor_id, _asset in rows}
    found = courses(ctx, at, {asset: (category, False) for _sensor, asset in rows})
    return [course for course in found if course.sensor_id in alike]


def _situation(course: Course, n: int) -> tuple[Array, TrendSituation] | None:
    """Return a course up to day n in numbers; None where too little is known."""
    seen = course.values[max(n - SEEN, 0) : max(n, 0)]
    known = np.flatnonzero(np.isfinite(seen))
    if len(known) < LEAST_SEEN:
        return None
    line = theilslopes(seen[known], known.astype(float))
    slope = float(line.slope)
    rest = seen[known] - (line.intercept + slope * known)
    level = float(np.median(seen[known[-5:]]))
    noise = max(1.4826 * float(np.median(np.abs(rest))), 1e-9 * max(1.0, abs(level)))
    ways = [
        (limit - level) * side
        for limit, side in ((course.high, 1.0), (course.low, -1.0))
        if limit is not None
    ]
    heads = course.high if slope > 0.0 else course.low
    left = max((heads - level) / slope, 0.0) if heads is not None and slope else FAR
    row = np.array([
        log1p(min(left, FAR)),
        log1p(abs(slope) * SEEN / noise),
        log1p(max(min(ways), 0.0) / noise),
    ])  # fmt: skip
    return row, TrendSituation(level, slope, left if left < FAR else None)


def _after(course: Course, n: int) -> float:
    """Return after how many days the middle of three days is past the limit; inf: not in time."""
    after = course.values[n : n + DAYS]
    known = np.flatnonzero(np.isfinite(after))
    for k in range(2, len(known)):
        middle = float(np.median(after[known[k - 2 : k + 1]]))
        above = course.high is not None and middle > course.high
        if above or (course.low is not None and middle < course.low):
            return float(known[k] + 1)
    return inf
