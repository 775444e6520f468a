"""Merges the inbox into day blocks: much computing without a lock, then short writes.

A merge may stop anywhere and run twice: blocks are written first, a few hundred at a time, and
the rows of the inbox go last.  What was merged already is merged again without a change.  Two
merges at once, or a merge beside the sealing of a day, are told apart by the version of each
block: who finds that it has moved on gives up, and the next run starts from what is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

import numpy as np
from sqlalchemy import Table, bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from apm.core.command import Context
from apm.core.many import among, repeat
from apm.readings.batches import newest_writes, together
from apm.readings.blocks import BAD, Readings, merge, newest, pack, unpack
from apm.readings.bulk import appended_many
from apm.readings.days import AT_ONCE, Grouped, grouped, inbox_batches, of_days
from apm.readings.hours import HOUR_US, bucketed, pack_hours
from apm.readings.model import Block, Inbox
from apm.readings.noting import note_inbox

MOST_AT_ONCE = 250_000
"""Readings taken from the inbox at once: about 10 MB as arrays."""
HOURS_FROM = 240
"""Fewer readings a day than this are read as quickly as their hours."""


class Overtaken(Exception):
    """Another merge, or the sealing of a day, wrote first."""


_TABLE = cast(Table, Block.__table__)
_LONGER = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("row"), _TABLE.c.hospital_id == bindparam("hospital"))
    .values(
        {
            name: bindparam(name, type_=_TABLE.c[name].type)
            for name in ("n", "low", "high", "total", "data")
        }
        | {"version": _TABLE.c.version + 1}
    )
)
_ANEW = _LONGER.values(hours=bindparam("hours", type_=_TABLE.c.hours.type))


@dataclass(slots=True)
class _Written:
    """What is to be written of some blocks: new ones, those that only got longer, those made anew.

    versions: by block, the one it was made from.
    """

    inserts: list[dict[str, Any]] = field(default_factory=list)
    longer: list[dict[str, Any]] = field(default_factory=list)
    anew: list[dict[str, Any]] = field(default_factory=list)
    versions: dict[int, int] = field(default_factory=dict)


def backlog(ctx: Context) -> tuple[int, int]:
    """Return how many batches, and how many readings in them, wait in the inbox."""
    query = select(func.count(Inbox.id), func.coalesce(func.sum(Inbox.n), 0))
    batches, readings = ctx.session.execute(query).one()
    return int(batches), int(readings)


def merge_inbox(ctx: Context) -> int:
    """Note and merge what waits now; return how many readings were merged.

    Safe to repeat, to stop half-way and to run twice at once.
    """
    done = 0
    last = note_inbox(ctx)
    while rows := _some(ctx, last):
        try:
            _merge(ctx, [number for number, _n in rows])
        except (Overtaken, IntegrityError):
            break  # another one is at it
        done += sum(n for _number, n in rows)
    return done


def _some(ctx: Context, last: int) -> list[tuple[int, int]]:
    """Return number and size of the oldest rows up to `last`, as many as fit in memory well."""
    query = select(Inbox.id, Inbox.n).where(Inbox.id <= last).order_by(Inbox.id).limit(AT_ONCE)
    rows = [(number, n) for number, n in ctx.session.execute(query)]
    sizes = np.cumsum([n for _number, n in rows])
    return rows[: max(1, int(np.searchsorted(sizes, MOST_AT_ONCE, side="right")))]


def _merge(ctx: Context, numbers: Sequence[int]) -> None:
    found = grouped(newest_writes(together(list(inbox_batches(ctx, numbers)))))
    for begin in range(0, len(found.keys), AT_ONCE):
        written = _prepared(ctx, found.some(begin, begin + AT_ONCE))
        if written.inserts or written.longer or written.anew:
            with ctx.writing("reading.merge"):
                _write(ctx, written)
    with ctx.writing("reading.merge"):
        ctx.session.execute(delete(Inbox).where(among(Inbox.id, numbers)))


def _prepared(ctx: Context, some: Grouped) -> _Written:
    """Return what is to be written: nearly always time goes on, and all are packed together."""
    stored = _blocks(ctx, some)
    written = _Written()
    begins = some.readings.times[some.first].tolist()
    onward: list[int] = []
    for k, (group, begin) in enumerate(zip(some.each(), begins, strict=True)):
        block = stored.get(some.keys[k])
        if block is None or (not block.sealed and begin > newest(block.data)):
            onward.append(k)
        elif change := _joined(block, group.readings):
            written.versions[block.id] = block.version
            written.anew.append({"row": block.id, **change})
    if onward:
        _go_on(written, some.chosen(onward), stored)
    return written


def _go_on(written: _Written, some: Grouped, stored: Mapping[tuple[int, date], Any]) -> None:
    """Add readings that are newer than what is stored of their days."""
    blocks = [stored.get(key) for key in some.keys]
    blobs = [b"" if block is None else block.data for block in blocks]
    packed = appended_many(blobs, some.readings, some.first)
    sums = _sums(some)
    for key, block, data, own in zip(some.keys, blocks, packed, sums, strict=True):
        if block is None:
            row = {"sensor_id": key[0], "day": key[1], "sealed": False, "version": 1}
            written.inserts.append(row | {"hours": None, "data": data, **_named(own)})
        else:
            written.versions[block.id] = block.version
            written.longer.append({"row": block.id, "data": data, **_named(_added(own, block))})


def _blocks(ctx: Context, some: Grouped) -> dict[tuple[int, date], Any]:
    """Return the blocks of sensor-days by sensor and day."""
    query = select(
        Block.id,
        Block.sensor_id,
        Block.day,
        Block.n,
        Block.low,
        Block.high,
        Block.total,
        Block.sealed,
        Block.version,
        Block.data,
    )
    rows = (row for one in of_days(some.keys) for row in ctx.session.execute(query.where(one)))
    return {(row.sensor_id, row.day): row for row in rows}


def _joined(block: Any, arriving: Readings) -> dict[str, Any] | None:
    """Return the columns of a block that arriving readings change, None when none does.

    Its own readings are there: `retention` takes none away while any of that sensor waits.
    """
    before = unpack(block.data)
    readings = merge(before, arriving)
    if _same(before, readings):
        return None
    hours = hours_for(readings) if block.sealed else None
    return {"data": pack(readings), "hours": hours, **summary(readings)}


def _same(one: Readings, other: Readings) -> bool:
    return (
        np.array_equal(one.times, other.times)
        and np.array_equal(one.values, other.values)
        and np.array_equal(one.quality, other.quality)
    )


def hours_for(readings: Readings, *, always: bool = False) -> bytes | None:
    """Return the packed hours of a day, None when its readings are as quickly read."""
    usable = readings.usable()
    if not len(usable) or (not always and len(usable) < HOURS_FROM):
        return None
    return pack_hours(bucketed(usable, HOUR_US))


def summary(readings: Readings) -> dict[str, Any]:
    """Return count, range and sum of the usable readings of a day."""
    whole = Grouped(readings, np.zeros(1, dtype=np.intp), [])
    return _named(_sums(whole)[0])


Sums = tuple[int, float, float, float]
"""Count, lowest, highest and sum of usable readings; infinities where there are none."""


def _sums(some: Grouped) -> list[Sums]:
    """Return what the usable readings of each sensor-day come to."""
    values, is_usable = some.readings.values, some.readings.quality != BAD
    columns = (
        np.add.reduceat(is_usable.astype(np.int64), some.first),
        np.minimum.reduceat(np.where(is_usable, values, np.inf), some.first),
        np.maximum.reduceat(np.where(is_usable, values, -np.inf), some.first),
        np.add.reduceat(np.where(is_usable, values, 0.0), some.first),
    )
    return [*zip(*(column.tolist() for column in columns), strict=True)]


def _added(own: Sums, block: Any) -> Sums:
    if not block.n:
        return own
    n, low, high, total = own
    return n + block.n, min(low, block.low), max(high, block.high), total + block.total


def _named(sums: Sums) -> dict[str, Any]:
    n, low, high, total = sums if sums[0] else (0, 0.0, 0.0, 0.0)
    return {"n": n, "low": low, "high": high, "total": total}


def _write(ctx: Context, written: _Written) -> None:
    """Write blocks, or raise `Overtaken` when one of them is not what it was."""
    query = select(Block.id, Block.version).where(among(Block.id, written.versions))
    rows = ctx.session.execute(query.order_by(Block.id).with_for_update())
    now = {row.id: row.version for row in rows}
    if now != written.versions:
        raise Overtaken
    ctx.bulk_insert(Block, written.inserts)
    connection, own = ctx.session.connection(), {"hospital": ctx.actor.hospital_id}
    repeat(connection, _LONGER, [row | own for row in written.longer])
    repeat(connection, _ANEW, [row | own for row in written.anew])
