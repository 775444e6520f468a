"""The row of each sensor that says what it read last: locked, compared, moved on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Float, Table, bindparam, func, select, update

from apm.core.command import Context
from apm.core.db import UtcDateTime
from apm.core.many import among, repeat, stamps
from apm.readings.batches import Batch
from apm.readings.blocks import BAD
from apm.readings.checking import microseconds
from apm.readings.days import day_of, stored_on, waiting
from apm.readings.model import Block, Latest

NEVER = -(2**62)
"""Stands for no reading yet: every instant is later."""
_TABLE = cast(Table, Latest.__table__)
_MOVED = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("row"), _TABLE.c.hospital_id == bindparam("hospital"))
    .values(
        revision=_TABLE.c.revision + 1, received_at=bindparam("now"), newest_us=bindparam("newest")
    )
)
_ON_TIME = _MOVED.values(
    # What is new comes after all there was: an earlier beginning stays.
    touched_from=func.coalesce(_TABLE.c.touched_from, bindparam("begin", type_=UtcDateTime())),
    at=func.coalesce(bindparam("at", type_=UtcDateTime()), _TABLE.c.at),
    value=func.coalesce(bindparam("value", type_=Float()), _TABLE.c.value),
)
_LATE = _MOVED.values(
    touched_from=bindparam("begin"), at=bindparam("at"), value=bindparam("value")
)


@dataclass(frozen=True, slots=True)
class Known:
    """Arrays of shape (k,), by sensor: what is known of each when a batch arrives.

    newest: microseconds since 1970 of the last reading there is, `NEVER` when there is none.
    """

    sensor_ids: NDArray[np.int64]
    row_ids: NDArray[np.int64]
    newest: NDArray[np.int64]

    def newest_of(self, sensor_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the newest instant of the sensor of each reading."""
        return self.newest[np.searchsorted(self.sensor_ids, sensor_ids)]


def lock(ctx: Context, sensor_ids: list[int]) -> Known:
    """Lock the rows of sensors, ascending, and return what they say; inside a command.

    Always by ascending sensor, so that two writers never wait for each other in a circle.
    """
    newest = func.coalesce(Latest.newest_us, NEVER)
    query = select(Latest.sensor_id, Latest.id, newest).where(among(Latest.sensor_id, sensor_ids))
    rows = ctx.session.execute(query.order_by(Latest.sensor_id).with_for_update()).all()
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    return Known(*(np.array(column, dtype=np.int64) for column in columns))


def note(ctx: Context, known: Known, changes: Batch) -> None:
    """Move the rows of sensors on after changes (in order, at least one) are in the inbox."""
    ids, times, values = changes.sensor_ids, changes.readings.times, changes.readings.values
    first = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    last = np.append(first[1:], len(ids)) - 1
    is_usable = changes.readings.quality != BAD
    best = np.maximum.reduceat(np.where(is_usable, np.arange(len(ids)), -1), first)
    place = np.searchsorted(known.sensor_ids, ids[first])
    connection = ctx.session.connection()
    stamp = stamps(connection.dialect)
    fixed = {"hospital": ctx.actor.hospital_id, "now": stamp(microseconds(ctx.now()))}
    columns = zip(
        ids[first].tolist(),
        known.row_ids[place].tolist(),
        known.newest[place].tolist(),
        first.tolist(),
        last.tolist(),
        best.tolist(),
        times[first].tolist(),
        times[last].tolist(),
        times[best].tolist(),
        values[best].tolist(),
        strict=True,
    )
    on_time: list[dict[str, Any]] = []
    late: dict[int, _Late] = {}
    for sensor, row_id, newest, begin, end, at_best, starts, ends, at, value in columns:
        if starts <= newest:
            late[sensor] = _Late(row_id, newest, begin, end, at_best)
            continue
        row = {"row": row_id, "newest": ends, "begin": stamp(starts), "at": None, "value": None}
        if at_best >= 0:  # else all are marked bad
            row["at"], row["value"] = stamp(at), value
        on_time.append(row | fixed)
    repeat(connection, _ON_TIME, on_time)
    if late:
        rows = _late_rows(ctx, late, changes, stamp)
        repeat(connection, _LATE, [row | fixed for row in rows])


@dataclass(frozen=True, slots=True)
class _Late:
    """A sensor some of whose changes are late: its row, and the changes' places in the batch."""

    row_id: int
    newest: int
    begin: int
    end: int
    best: int
    """The last usable one, -1 when there is none."""


def _late_rows(
    ctx: Context, late: dict[int, _Late], changes: Batch, stamp: Callable[[int], Any]
) -> list[dict[str, Any]]:
    """Return the new columns of sensors some of whose changes are late or corrections."""
    times = changes.readings.times
    rows = []
    query = select(Latest.sensor_id, Latest.at, Latest.value, Latest.touched_from)
    for was in ctx.session.execute(query.where(among(Latest.sensor_id, late))).all():
        one = late[was.sensor_id]
        first = int(times[one.begin])
        touched = first if was.touched_from is None else microseconds(was.touched_from)
        at, value = None if was.at is None else microseconds(was.at), was.value
        if one.best >= 0 and (at is None or times[one.best] >= at):
            at, value = int(times[one.best]), float(changes.readings.values[one.best])
        elif at is not None and at in times[one.begin : one.end + 1]:
            # What was the newest is marked bad now.
            at, value = _newest_usable(ctx, was.sensor_id)
        rows.append(
            {
                "row": one.row_id,
                "newest": max(one.newest, int(times[one.end])),
                "begin": stamp(min(first, touched)),
                "at": None if at is None else stamp(at),
                "value": value,
            }
        )
    return rows


def _newest_usable(ctx: Context, sensor_id: int) -> tuple[int | None, float | None]:
    """Return the newest usable reading by looking back day by day, (None, None) without one."""
    query = select(Block.day).where(Block.sensor_id == sensor_id, Block.n > 0)
    unmerged = waiting(ctx, [sensor_id]).readings.times
    for day in sorted(
        {*ctx.session.scalars(query), *map(day_of, unmerged.tolist())}, reverse=True
    ):
        found = stored_on(ctx, [(sensor_id, day)]).batch.readings.usable()
        if len(found):
            return int(found.times[-1]), float(found.values[-1])
    return None, None
