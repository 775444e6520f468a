"""What each request asks for, as statements on tables.

On a class the same costs three times as much, most of it in Python.  They name their hospital
themselves: the filter of `core.hospital_scope` does not reach here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple, cast

from sqlalchemy import Table, bindparam, select, type_coerce
from sqlalchemy.types import NullType

from apm.core.command import Context
from apm.core.many import instants
from apm.readings.model import Block, Inbox, Latest, Sensor

_EVER = 2**62
_SENSOR, _BLOCK, _INBOX, _LATEST = (
    cast(Table, model.__table__) for model in (Sensor, Block, Inbox, Latest)
)
_NUMBER = select(_SENSOR.c.id).where(
    _SENSOR.c.hospital_id == bindparam("hospital"), _SENSOR.c.code == bindparam("code")
)
_DAYS = (
    select(_BLOCK.c.day, _BLOCK.c.n, _BLOCK.c.data)
    .where(
        _BLOCK.c.hospital_id == bindparam("hospital"),
        _BLOCK.c.sensor_id == bindparam("sensor"),
        _BLOCK.c.day >= bindparam("first"),
        _BLOCK.c.day <= bindparam("last"),
    )
    .order_by(_BLOCK.c.day)
)
_WAITING = (
    select(_INBOX.c.id, _INBOX.c.sensors)
    .where(
        _INBOX.c.hospital_id == bindparam("hospital"),
        _INBOX.c.last_us >= bindparam("start"),
        _INBOX.c.first_us < bindparam("end"),
        _INBOX.c.id <= bindparam("upto"),
    )
    .order_by(_INBOX.c.id)
)

_LATEST_VALUES = (
    select(_SENSOR.c.id, _SENSOR.c.code, type_coerce(_LATEST.c.at, NullType()), _LATEST.c.value)
    .join_from(_SENSOR, _LATEST, _LATEST.c.sensor_id == _SENSOR.c.id)
    .where(_SENSOR.c.hospital_id == bindparam("hospital"))
    .order_by(_SENSOR.c.code)
)


def number_of(ctx: Context, code: str) -> int | None:
    """Return the id of a sensor of the hospital, None where it has none of this code."""
    wanted = {"hospital": ctx.actor.hospital_id, "code": code}
    found: int | None = ctx.session.connection().execute(_NUMBER, wanted).scalar()
    return found


def blocks_between(
    ctx: Context, sensor_id: int, first: date, last: date
) -> list[tuple[date, int, bytes | None]]:
    """Return day, count and bytes of the blocks of a sensor on these days, by day."""
    wanted = {"hospital": ctx.actor.hospital_id, "sensor": sensor_id, "first": first, "last": last}
    return [(*row,) for row in ctx.session.connection().execute(_DAYS, wanted)]


def inbox_rows(
    ctx: Context, start: int | None, end: int | None, upto: int | None
) -> Iterable[tuple[int, bytes]]:
    """Yield number and index of the rows of the inbox that may hold what start <= time < end.

    Args:
        ctx: whose.
        start: microseconds since 1970, or None.
        end: the same.
        upto: number of the last row that counts, or None.
    """
    wanted = {
        "hospital": ctx.actor.hospital_id,
        "start": -_EVER if start is None else start,
        "end": _EVER if end is None else end,
        "upto": _EVER if upto is None else upto,
    }
    yield from ctx.session.connection().execute(_WAITING, wanted)


class LatestValue(NamedTuple):
    """What a sensor read last; at and value are None when it has not sent anything usable."""

    sensor_id: int
    code: str
    at: datetime | None
    value: float | None


def latest_rows(ctx: Context) -> list[LatestValue]:
    """Return every sensor of the hospital and what its row of `latest` says, by code."""
    wanted = {"hospital": ctx.actor.hospital_id}
    instant = instants()
    result = ctx.session.connection().execute(_LATEST_VALUES, wanted)
    # Straight from the driver: nothing is left to be converted, and a row object costs as much
    # as the database.
    rows = result.cursor.fetchall()
    return [LatestValue(number, code, instant(at), value) for number, code, at, value in rows]
