"""The daily values of the sensors that have a limit: what trends are read from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import nan

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import or_, select

from apm.alarms.catalogue import Spec
from apm.alarms.model import AlarmRule
from apm.alarms.ruling import departures, ruled
from apm.core.command import Context
from apm.core.many import among
from apm.forecasts.asof import changed_later, rows_then
from apm.readings.blocks import DAY_US
from apm.readings.checking import microseconds
from apm.readings.days import day_number, day_of, waiting
from apm.readings.model import Block, Sensor
from apm.readings.profiles import limits_of
from apm.readings.series import Resolution, series
from apm.utilisation.model import Feed
from predict.degradation import LEARN_DAYS

DAYS = LEARN_DAYS + 120
"""Days read: what is learnt from, and as far back as trends are tried."""
AT_ONCE = 400
Limits = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Course:
    """One sensor's daily means up to yesterday, NaN where there is none, and its limits."""

    asset_id: int
    sensor_id: int
    category: str
    is_down: bool
    low: float | None
    high: float | None
    values: NDArray[np.float64]
    day: int
    """Days since 1970 of the day after the last value."""


def courses(ctx: Context, at: datetime, running: dict[int, tuple[str, bool]]) -> list[Course]:
    """Return the courses of the sensors with a limit on equipment in operation.

    Sensors, what they are on, and their limits are those of then.

    Args:
        ctx: whose hospital.
        at: whole UTC days before it are read.
        running: category of each asset asked about, and whether it is under repair.
    """
    query = (
        select(Sensor)
        .where(
            or_(
                among(Sensor.asset_id, running),
                Sensor.id.in_(changed_later(ctx, Sensor, "asset_id", at)),
            )
        )
        .order_by(Sensor.id)
    )
    feeds = {feed.sensor_id for feed in rows_then(ctx, select(Feed), Feed, at) if feed.is_active}
    sensors = [
        sensor
        for sensor in rows_then(ctx, query, Sensor, at)
        if sensor.asset_id in running and sensor.id not in feeds
    ]
    rules = ruled(
        sensors,
        [
            row
            for departing in departures(sensors)
            for row in rows_then(ctx, departing, AlarmRule, at)
        ],
    )
    limits = {}
    for sensor in sensors:
        if (found := limits_in_force(sensor, rules[sensor.id])) is not None:
            limits[sensor.id] = found
    daily = _daily(ctx, list(limits), at)
    today = day_number(day_of(microseconds(at)))
    return [
        Course(
            sensor.asset_id or 0,
            sensor.id,
            *running[sensor.asset_id or 0],
            *limits[sensor.id],
            daily[sensor.id],
            today,
        )
        for sensor in sensors
        if sensor.id in limits
    ]


def limits_in_force(sensor: Sensor, specs: Sequence[Spec]) -> Limits | None:
    """Return the low and the high limit: of the sensor's rules, else of its profile."""
    own = {spec.key: spec.limit for spec in specs if spec.is_on and spec.limit is not None}
    usual = limits_of(sensor) or (None, None)
    low, high = own.get("low", usual[0]), own.get("high", usual[1])
    return None if low is None and high is None else (low, high)


def _daily(
    ctx: Context, sensor_ids: Sequence[int], at: datetime
) -> dict[int, NDArray[np.float64]]:
    end = day_of(microseconds(at))
    start = end - timedelta(days=DAYS)
    first = day_number(start)
    found = {sensor_id: np.full(DAYS, nan) for sensor_id in sensor_ids}
    for k in range(0, len(sensor_ids), AT_ONCE):
        query = select(Block.sensor_id, Block.day, Block.n, Block.total).where(
            Block.sensor_id.in_(sensor_ids[k : k + AT_ONCE]),
            Block.day >= start,
            Block.day < end,
            Block.n > 0,
        )
        for sensor_id, day, n, total in ctx.session.execute(query):
            found[sensor_id][day_number(day) - first] = total / n
    for sensor_id in _unmerged(ctx, sensor_ids, first):
        _fill(ctx, sensor_id, found[sensor_id], first)
    return found


def _unmerged(ctx: Context, sensor_ids: Collection[int], first: int) -> list[int]:
    """Return the sensors of which readings wait to be merged into their days."""
    if not sensor_ids:
        return []
    batch = waiting(ctx, sensor_ids, start=first * DAY_US, end=(first + DAYS) * DAY_US)
    return [int(sensor_id) for sensor_id in np.unique(batch.sensor_ids)]


def _fill(ctx: Context, sensor_id: int, values: NDArray[np.float64], first: int) -> None:
    start = datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(days=first)
    found = series(
        ctx, sensor_id, start=start, end=start + timedelta(days=DAYS), resolution=Resolution.DAY
    )
    values[found.at // DAY_US - first] = found.value
