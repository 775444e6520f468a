"""Reading sensors and alarms."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.readings.blocks import DAY_US, unpack
from apm.readings.checking import instant, microseconds
from apm.readings.model import Alarm, Block, Sensor
from apm.readings.storing import day_number

AT_ONCE = 400
SPARK_POINTS = 96
"""Points of a small curve: one a quarter of an hour for a day."""
DAY = timedelta(days=1)
_PRIORITIES = ("low", "normal", "high", "urgent")


def sensor_ids(ctx: Context, codes: Collection[str]) -> dict[str, int]:
    """Return the id of each of these codes that is a sensor of the hospital."""
    wanted = sorted(codes)
    found: dict[str, int] = {}
    for begin in range(0, len(wanted), AT_ONCE):
        some = wanted[begin : begin + AT_ONCE]
        rows = ctx.session.execute(select(Sensor.code, Sensor.id).where(Sensor.code.in_(some)))
        found.update((code, sensor_id) for code, sensor_id in rows)
    return found


def sensors_with_places() -> Select[Sensor]:
    """Return the select of sensors with what they are on and what they read last."""
    return select(Sensor).options(
        joinedload(Sensor.asset), joinedload(Sensor.location), joinedload(Sensor.latest)
    )


def sensor_by_code(ctx: Context, code: str) -> Sensor:
    """Return a sensor, or raise `NotFound`."""
    found = ctx.session.scalar(sensors_with_places().where(Sensor.code == code))
    if found is None:
        raise NotFound(_l("No sensor of this hospital has this code. Choose one from the list."))
    return found


def sensors_page(ctx: Context, *, after: str | None = None, limit: int = 25) -> Page[Sensor]:
    """Return one page of the sensors, by code."""
    query = sensors_with_places()
    return page_of(ctx.session, query, by=[Sensor.code], after=after, limit=limit)


def sensors_of_asset(ctx: Context, asset_id: int, *, most: int = 12) -> list[Sensor]:
    """Return the first sensors of an asset, by code."""
    query = sensors_with_places().where(Sensor.asset_id == asset_id)
    return list(ctx.session.scalars(query.order_by(Sensor.code).limit(most)))


def sparklines(
    ctx: Context, ids: Collection[int], *, until: datetime
) -> dict[int, list[tuple[datetime, float]]]:
    """Return the last day of several sensors as up to 96 points each, in one statement."""
    since = until - DAY
    query = select(Block.sensor_id, Block.day, Block.data).where(
        Block.sensor_id.in_(ids), Block.day >= since.date(), Block.day <= until.date()
    )
    first, last = microseconds(since), microseconds(until)
    width = DAY_US // SPARK_POINTS
    found: dict[int, list[tuple[datetime, float]]] = {sensor_id: [] for sensor_id in ids}
    for sensor_id, day, data in ctx.session.execute(query.order_by(Block.sensor_id, Block.day)):
        readings = unpack(data).usable()
        times = readings.times + day_number(day) * DAY_US
        slots = {
            time // width: (instant(time), value)  # the last reading of each slot stands for it
            for time, value in zip(times.tolist(), readings.values.tolist(), strict=True)
            if first <= time <= last
        }
        found[sensor_id].extend(slots.values())
    return found


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
