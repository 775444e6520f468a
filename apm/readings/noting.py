"""The rows that say what each sensor read last follow the inbox, many sensors at once.

One statement a sensor is too dear for each batch: a thousand sensors that send every second would
write the same thousand rows every second.  So a row moves when the worker has time, before alarms
are judged and before a merge; what shows it lays over it what is not noted yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import RLock
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Float, Table, bindparam, case, func, or_, select, update

from apm.core.command import Context
from apm.core.db import UtcDateTime
from apm.core.many import among, repeat, stamps
from apm.readings import intake
from apm.readings.batches import Batch, newest_writes, sensors_in, together, unpack_batch
from apm.readings.blocks import BAD
from apm.readings.checking import microseconds
from apm.readings.days import day_of, stored_on, waiting
from apm.readings.intake import NEVER, Place
from apm.readings.model import Block, Inbox, Latest

MOST_ROWS, MOST_READINGS = 400, 250_000
"""Of the inbox, noted at once."""
_TABLE = cast(Table, Latest.__table__)
_BEGIN = bindparam("begin", type_=UtcDateTime())
_MOVED = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("row"), _TABLE.c.hospital_id == bindparam("hospital"))
    .values(
        revision=_TABLE.c.revision + 1,
        received_at=bindparam("now"),
        newest_us=bindparam("newest"),
        touched_from=case(
            (or_(_TABLE.c.touched_from.is_(None), _TABLE.c.touched_from > _BEGIN), _BEGIN),
            else_=_TABLE.c.touched_from,
        ),
    )
)
_ON_TIME = _MOVED.values(
    at=func.coalesce(bindparam("at", type_=UtcDateTime()), _TABLE.c.at),
    value=func.coalesce(bindparam("value", type_=Float()), _TABLE.c.value),
)
_LATE = _MOVED.values(at=bindparam("at"), value=bindparam("value"))


class Overtaken(Exception):
    """Another one noted first."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is in the inbox and not noted, by sensor: arrays of shape (k,).

    batch: the readings, in order, the newest writes.  first, last, best: places in it of a
    sensor's first reading, its last, and its last usable one (-1 without one).
    received: when each sensor was last heard.
    """

    batch: Batch
    sensor_ids: NDArray[np.int64]
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    best: NDArray[np.intp]
    received: list[datetime]


_TURNS: WeakKeyDictionary[Any, dict[int | None, Any]] = WeakKeyDictionary()
"""By database, of each hospital."""


@contextmanager
def turn(ctx: Context) -> Iterator[None]:
    """Keep other threads of this process from noting readings of the hospital.

    Who notes beside another computes for nothing, and what is judged while another notes must be
    judged again.  A second process may still do so: then the slower one begins anew.  Inside a
    command nobody waits for a turn: it would keep others from writing meanwhile.
    """
    if ctx.session.info.get("command"):
        yield
        return
    of_database = _TURNS.setdefault(ctx.session.get_bind(), {})
    with of_database.setdefault(ctx.actor.hospital_id, RLock()):
        ctx.session.commit()  # what was read before the wait may be old
        yield


def note_inbox(ctx: Context) -> int:
    """Bring `latest` up to what is in the inbox now; return the number it follows up to.

    What arrives meanwhile is left for the next time: else senders that never rest would keep
    this from ever ending.  Safe to repeat and to run twice at once: who comes second begins anew.
    """
    last = ctx.session.scalar(select(func.max(Inbox.id))) or 0
    with turn(ctx):
        while (here := intake.place(ctx)) is not None:
            rows = unnoted(ctx, here, last=last)
            if not rows:
                return here.noted
            try:
                _note(ctx, here, rows)
            except Overtaken:
                continue
    return 0


def unnoted(
    ctx: Context, here: Place, wanted: Collection[int] | None = None, *, last: int | None = None
) -> list[Any]:
    """Return rows of the inbox, oldest first: the next to note up to `last`, or all of sensors."""
    sizes = select(Inbox.id, Inbox.n, Inbox.sensors).where(Inbox.id > here.noted)
    if last is not None:
        sizes = sizes.where(Inbox.id <= last)
    if wanted is None:
        sizes = sizes.limit(MOST_ROWS)
    ids = np.array(sorted(wanted or ()), dtype=np.int64)
    numbers: list[int] = []
    n = 0
    for number, size, index in ctx.session.execute(sizes.order_by(Inbox.id)):
        if wanted is None:
            n += size
            if numbers and n > MOST_READINGS:
                break
        elif not np.isin(ids, sensors_in(index)[0], assume_unique=True).any():
            continue
        numbers.append(number)
    if not numbers:
        return []
    query = select(Inbox.id, Inbox.received_at, Inbox.sensors, Inbox.data)
    chosen = query.where(among(Inbox.id, numbers)).order_by(Inbox.id)
    return list(ctx.session.execute(chosen))


def ahead_of(rows: Sequence[Any]) -> Ahead:
    """Return what rows of the inbox (at least one) come to together."""
    batch = newest_writes(together([unpack_batch(row.sensors, row.data) for row in rows]))
    first = np.flatnonzero(~batch.same_sensor())
    last = np.append(first[1:], len(batch)) - 1
    is_usable = batch.readings.quality != BAD
    ids = batch.sensor_ids[first]
    heard = np.zeros(len(ids), dtype=np.intp)
    for k, row in enumerate(rows):
        heard[np.searchsorted(ids, sensors_in(row.sensors)[0])] = k
    return Ahead(
        batch,
        ids,
        first,
        last,
        np.maximum.reduceat(np.where(is_usable, np.arange(len(batch)), -1), first),
        [rows[k].received_at for k in heard.tolist()],
    )


def _note(ctx: Context, here: Place, rows: Sequence[Any]) -> None:
    """Compute without a lock, then write in one short transaction."""
    ahead = ahead_of(rows)
    on_time, late = _moves(ctx, ahead)
    with ctx.writing("reading.note"):
        connection = ctx.session.connection()
        repeat(connection, _ON_TIME, on_time)
        repeat(connection, _LATE, late)
        # Last: who judges alarms holds rows of `latest`, and senders must not wait for that.
        if intake.lock(ctx) != here:
            raise Overtaken
        intake.move(ctx, rows[-1].id)


def _moves(ctx: Context, ahead: Ahead) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the new columns of rows that only go on, and of those with late readings."""
    ids = ahead.sensor_ids.tolist()
    query = select(Latest.id, Latest.sensor_id, func.coalesce(Latest.newest_us, NEVER))
    found = ctx.session.execute(query.where(among(Latest.sensor_id, ids)))
    known = {sensor_id: (row_id, newest) for row_id, sensor_id, newest in found}
    stamp = stamps(ctx.session.connection().dialect)
    heard = {at: stamp(microseconds(at)) for at in {*ahead.received}}
    times, values = ahead.batch.readings.times, ahead.batch.readings.values
    columns = zip(
        ids, ahead.best.tolist(), times[ahead.first].tolist(), times[ahead.last].tolist(),
        times[ahead.best].tolist(), values[ahead.best].tolist(), ahead.received, strict=True,
    )  # fmt: skip
    hospital = ctx.actor.hospital_id
    on_time: list[dict[str, Any]] = []
    late: dict[int, tuple[int, dict[str, Any]]] = {}
    for k, (sensor_id, best, begin, end, at, value, received) in enumerate(columns):
        row_id, newest = known[sensor_id]
        row: dict[str, Any] = {"row": row_id, "hospital": hospital, "now": heard[received]}
        row |= {"newest": max(newest, end), "begin": stamp(begin), "at": None, "value": None}
        if begin <= newest:
            late[sensor_id] = k, row
        else:
            if best >= 0:  # else all are marked bad
                row["at"], row["value"] = stamp(at), value
            on_time.append(row)
    if late:
        query_late = select(Latest.sensor_id, Latest.at, Latest.value)
        for was in ctx.session.execute(query_late.where(among(Latest.sensor_id, late))):
            k, row = late[was.sensor_id]
            at_us, value = newest_of(ctx, ahead, k, was)
            row["at"], row["value"] = None if at_us is None else stamp(at_us), value
    return on_time, [row for _k, row in late.values()]


def newest_of(ctx: Context, ahead: Ahead, k: int, was: Any) -> tuple[int | None, float | None]:
    """Return time and value of the newest usable reading of the k-th sensor ahead."""
    times, best = ahead.batch.readings.times, int(ahead.best[k])
    at = None if was.at is None else microseconds(was.at)
    if best >= 0 and (at is None or times[best] >= at):
        return int(times[best]), float(ahead.batch.readings.values[best])
    if at is not None and at in times[ahead.first[k] : ahead.last[k] + 1]:
        # What was the newest is marked bad now.
        return _newest_usable(ctx, was.sensor_id)
    return at, was.value


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
