"""Reading sensors and alarms."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.readings import intake
from apm.readings.batches import newest_writes, together
from apm.readings.blocks import BAD, DAY_US, unpack
from apm.readings.checking import instant, microseconds
from apm.readings.days import day_of, placed, waiting
from apm.readings.fresh import lay_over, newest_values
from apm.readings.lookups import LatestValue, latest_rows, number_of
from apm.readings.model import Alarm, Block, Sensor

SPARK_POINTS = 96
"""Points of a small curve: one a quarter of an hour for a day."""
DAY = timedelta(days=1)
_PRIORITIES = ("low", "normal", "high", "urgent")


def sensors_with_places() -> Select[Sensor]:
    """Return the select of sensors with what they are on and what they read last."""
    return select(Sensor).options(
        joinedload(Sensor.asset), joinedload(Sensor.location), joinedload(Sensor.latest)
    )


def sensor_by_code(ctx: Context, code: str) -> Sensor:
    """Return a sensor, or raise `NotFound`."""
    here = intake.place(ctx)
    found = ctx.session.scalar(sensors_with_places().where(Sensor.code == code))
    if found is None:
        raise _unknown()
    lay_over(ctx, here, [found.latest])
    return found


def sensor_id_of(ctx: Context, code: str) -> int:
    """Return the id of a sensor, or raise `NotFound`."""
    found = number_of(ctx, code)
    if found is None:
        raise _unknown()
    return found


def _unknown() -> NotFound:
    return NotFound(_l("No sensor of this hospital has this code. Choose one from the list."))


def sensors_page(ctx: Context, *, after: str | None = None, limit: int = 25) -> Page[Sensor]:
    """Return one page of the sensors, by code."""
    here = intake.place(ctx)
    query = sensors_with_places()
    found = page_of(ctx.session, query, by=[Sensor.code], after=after, limit=limit)
    lay_over(ctx, here, [sensor.latest for sensor in found.items])
    return found


def sensors_of_asset(ctx: Context, asset_id: int, *, most: int = 12) -> list[Sensor]:
    """Return the first sensors in service on an asset, by code."""
    here = intake.place(ctx)
    query = sensors_with_places().where(Sensor.asset_id == asset_id, Sensor.retired_at.is_(None))
    found = list(ctx.session.scalars(query.order_by(Sensor.code).limit(most)))
    lay_over(ctx, here, [sensor.latest for sensor in found])
    return found


def sparklines(
    ctx: Context, ids: Collection[int], *, until: datetime
) -> dict[int, list[tuple[datetime, float]]]:
    """Return the last day of several sensors as up to 96 points each, in two statements."""
    first, last = microseconds(until - DAY), microseconds(until) + 1
    unmerged = waiting(ctx, ids, start=first, end=last)  # before the blocks
    query = select(Block.sensor_id, Block.day, Block.data).where(
        Block.sensor_id.in_(ids),
        Block.day >= day_of(first),
        Block.day <= day_of(last),
        Block.data.is_not(None),
    )
    parts = [
        placed(sensor_id, day, unpack(data))
        for sensor_id, day, data in ctx.session.execute(query)
        if data is not None
    ]
    found: dict[int, list[tuple[datetime, float]]] = {sensor_id: [] for sensor_id in ids}
    batch = newest_writes(together([*parts, unmerged]))
    times = batch.readings.times
    is_shown = (times >= first) & (times < last) & (batch.readings.quality != BAD)
    batch = batch.where(is_shown)
    sensors, slots = batch.sensor_ids, batch.readings.times // (DAY_US // SPARK_POINTS)
    is_last = np.ones(len(batch), dtype=np.bool_)  # the last of each slot stands for it
    is_last[:-1] = (slots[1:] != slots[:-1]) | (sensors[1:] != sensors[:-1])
    points = batch.where(is_last)
    for sensor_id, at, value in zip(
        points.sensor_ids.tolist(),
        points.readings.times.tolist(),
        points.readings.values.tolist(),
        strict=True,
    ):
        found[sensor_id].append((instant(at), value))
    return found


def latest_values(ctx: Context) -> list[LatestValue]:
    """Return what every sensor of the hospital read last, by code."""
    here = intake.place(ctx)
    found = latest_rows(ctx)
    new = newest_values(ctx, here, {one.sensor_id: one for one in found})
    for k, one in enumerate(found if new else ()):
        if (ahead := new.get(one.sensor_id)) is not None:
            found[k] = LatestValue(one.sensor_id, one.code, *ahead)
    return found


def days_with_readings(ctx: Context, sensor_id: int) -> int:
    """Return on how many UTC days a sensor has sent something usable."""
    usable = waiting(ctx, [sensor_id]).readings.usable()
    query = select(Block.day).where(Block.sensor_id == sensor_id, Block.n > 0)
    return len({*ctx.session.scalars(query), *map(day_of, usable.times.tolist())})


def alarm_by_id(ctx: Context, alarm_id: int) -> Alarm:
    """Return an alarm with its sensor and place, or raise `NotFound`."""
    found = ctx.session.scalar(_alarms().where(Alarm.id == alarm_id))
    if found is None:
        raise NotFound(_l("There is no such alarm in this hospital. Choose one from the list."))
    return found


def alarms_page(  # noqa: PLR0913  (each narrows the list)
    ctx: Context,
    *,
    active: bool | None = None,
    acknowledged: bool | None = None,
    muted: bool | None = None,
    priority: str | None = None,
    group: int | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[Alarm]:
    """Return one page of the alarms: active ones first, then the newest."""
    query = _alarms()
    if muted is not None:
        query = query.where(Alarm.muted.is_not(None) if muted else Alarm.muted.is_(None))
    if priority is not None:
        query = query.where(Alarm.priority == priority)
    if group is not None:
        query = query.where(Alarm.group_id == group)
    if active is not None:
        query = query.where(Alarm.active == active)
    if acknowledged is not None:
        query = query.where(Alarm.acknowledged == acknowledged)
    by = [Alarm.active, Alarm.raised_at, Alarm.id]
    return page_of(ctx.session, query, by=by, after=after, limit=limit, descending=True)


def active_alarms(ctx: Context, ids: Collection[int]) -> dict[int, Alarm]:
    """Return the active alarm of each of these sensors that matters most, the newest of such.

    One that calls somebody comes before one that is silenced, the more urgent before the less.
    """
    query = _alarms().where(Alarm.sensor_id.in_(ids), Alarm.active)
    found = sorted(ctx.session.scalars(query), key=_weight)
    return {alarm.sensor_id: alarm for alarm in found}


def _weight(alarm: Alarm) -> tuple[bool, int, datetime]:
    return (alarm.muted is None, _PRIORITIES.index(alarm.priority), alarm.raised_at)


def count_active(ctx: Context) -> int:
    """Return how many alarms are active and not silenced."""
    query = select(func.count(Alarm.id)).where(Alarm.active, Alarm.muted.is_(None))
    return ctx.session.scalar(query) or 0


def _alarms() -> Select[Alarm]:
    sensor = joinedload(Alarm.sensor)
    return select(Alarm).options(
        sensor.joinedload(Sensor.asset), sensor.joinedload(Sensor.location)
    )
