"""Past courses of like sensors that looked like one now, and how they went on.

A situation is a sensor's readings up to a day, every ten days, whose next 30 days are over.  It is
told by three numbers without a unit: how long the limit is away at the pace of the last 30 days
(log days), how far the value moves in 30 days against its own noise, and the distance to the
limit against that noise (both logs).  Paces by P. Sen's slope (JASA 63 (1968) 1379-1389), noise by
the median absolute deviation from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import inf, log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.core.command import Context
from apm.forecasts.compared import Compared
from apm.forecasts.courses import Course
from apm.forecasts.foretold import RECORD_DAYS
from apm.forecasts.model import ModelKind
from apm.readings.model import Sensor
from predict.errors import NotEnoughData
from predict.why import nearest_cases

Array = NDArray[np.float64]
DAYS = RECORD_DAYS[ModelKind.TREND]
CUTS = range(DAYS, 241, 10)
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

    @property
    def has_come(self) -> bool:
        """Whether it passed its limit within 30 days."""
        return self.after_days is not None


@dataclass(frozen=True, slots=True)
class TrendCases(Compared[TrendSituation, TrendCase]):
    """The nearest courses of sensors alike; `units` are sensors."""


@dataclass(frozen=True, slots=True)
class Past:
    """Situations of sensors alike that are over.

    rows: shape (m, 3), as compared.  told: the same in words' figures, and how many days ago each
    ended.  after: shape (m,), after how many days the limit was passed; inf: not in time.
    whose: m sensor ids.
    """

    rows: Array
    told: list[tuple[TrendSituation, int]]
    after: list[float]
    whose: list[int]


def past_courses(alike: Sequence[Course]) -> Past:
    """Return the situations in the courses of sensors alike, one in ten days."""
    rows, told, after, whose = [], [], [], []
    for course in alike:
        for cut in CUTS:
            n = len(course.values) - cut
            if (found := _situation(course, n)) is not None:
                rows.append(found[0])
                told.append((found[1], cut))
                after.append(_after(course, n))
                whose.append(course.sensor_id)
    return Past(np.array(rows).reshape(-1, 3), told, after, whose)


def nearest_courses(course: Course, past: Past) -> dict[str, Any] | None:
    """Return the past courses most like one now, to be kept; None where there are none.

    `trend_cases` reads it back.
    """
    now = _situation(course, len(course.values))
    if now is None:
        return None
    try:
        near = nearest_cases(
            now[0], past.rows, [str(one) for one in past.whose], past.after, n=CASES
        )
    except NotEnoughData:
        return None
    return {
        "now": asdict(now[1]),
        "nearest": [
            {
                "sensor": int(case.unit),
                "days_ago": past.told[case.row][1],
                "distance": case.distance,
                "told": asdict(past.told[case.row][0]),
                "after_days": int(case.outcome) if case.outcome < inf else None,
            }
            for case in near
        ],
        "failed": sum(days < inf for days in past.after),
        "of": len(past.after),
        "units": len(set(past.whose)),
    }


def trend_cases(ctx: Context, kept: Mapping[str, Any], at: datetime) -> TrendCases:
    """Return what `nearest_courses` kept, with the sensors; those gone since are left out."""
    ids = [case["sensor"] for case in kept["nearest"]]
    query = select(Sensor).options(joinedload(Sensor.asset)).where(Sensor.id.in_(ids))
    sensors = {one.id: one for one in ctx.session.scalars(query)}
    nearest = [
        TrendCase(
            sensors[case["sensor"]],
            at - timedelta(days=case["days_ago"]),
            case["distance"],
            TrendSituation(**case["told"]),
            case["after_days"],
        )
        for case in kept["nearest"]
        if case["sensor"] in sensors
    ]
    now = TrendSituation(**kept["now"])
    return TrendCases(DAYS, now, nearest, kept["failed"], kept["of"], kept["units"])


def _situation(course: Course, n: int) -> tuple[Array, TrendSituation] | None:
    """Return a course up to day n in numbers; None where too little is known."""
    seen = course.values[max(n - SEEN, 0) : max(n, 0)]
    known = np.flatnonzero(np.isfinite(seen))
    if len(known) < LEAST_SEEN:
        return None
    from scipy.stats import theilslopes  # noqa: PLC0415  (seconds, which few starts need)

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
