"""Merges the inbox into day blocks: much computing without a lock, then short writes.

A merge may stop anywhere and run twice: blocks are written first, a few hundred at a time, and
the rows of the inbox go last.  What was merged already is merged again without a change.  Two
merges at once, or a merge beside the sealing of a day, are told apart by the version of each
block: who finds that it has moved on gives up, and the next run starts from what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from apm.core.command import Context
from apm.readings.batches import newest_writes, together
from apm.readings.blocks import (
    Readings,
    appended,
    merge,
    newest,
    pack,
    unpack,
)
from apm.readings.days import AT_ONCE, Group, groups, inbox_batches, of_days
from apm.readings.hours import HOUR_US, bucketed, pack_hours
from apm.readings.model import Block, Inbox
from apm.readings.noting import note_inbox

MOST_AT_ONCE = 250_000
"""Readings taken from the inbox at once: about 10 MB as arrays."""
HOURS_FROM = 240
"""Fewer readings a day than this are read as quickly as their hours."""


class Overtaken(Exception):
    """Another merge, or the sealing of a day, wrote first."""


@dataclass(slots=True)
class _Written:
    """What is to be written of some blocks."""

    inserts: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)


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
    batch = newest_writes(together(list(inbox_batches(ctx, numbers))))
    all_groups = list(groups(batch))
    for begin in range(0, len(all_groups), AT_ONCE):
        written = _prepared(ctx, all_groups[begin : begin + AT_ONCE])
        if written.inserts or written.updates:
            with ctx.writing("reading.merge"):
                _write(ctx, written)
    with ctx.writing("reading.merge"):
        ctx.session.execute(delete(Inbox).where(Inbox.id.in_(numbers)))


def _prepared(ctx: Context, some: list[Group]) -> _Written:
    stored = _blocks(ctx, some)
    written = _Written()
    for group in some:
        block = stored.get((group.sensor_id, group.day))
        if block is None:
            row = {"sensor_id": group.sensor_id, "day": group.day, "sealed": False}
            row |= {"version": 1, "hours": None, "data": pack(group.readings)}
            written.inserts.append(row | summary(group.readings))
        elif change := _joined(block, group.readings):
            written.updates.append({"id": block.id, "version": block.version + 1, **change})
    return written


def _blocks(ctx: Context, some: list[Group]) -> dict[tuple[int, date], Any]:
    """Return the blocks of groups by sensor and day."""
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
    conditions = of_days([(group.sensor_id, group.day) for group in some])
    rows = (row for one in conditions for row in ctx.session.execute(query.where(one)))
    return {(row.sensor_id, row.day): row for row in rows}


def _joined(block: Any, arriving: Readings) -> dict[str, Any] | None:
    """Return the columns of a block that arriving readings change, None when none does.

    Its own readings are there: `retention` takes none away while any of that sensor waits.
    """
    if not block.sealed and arriving.times[0] > newest(block.data):  # the usual: time goes on
        return {"data": appended(block.data, arriving), **summary(arriving, block)}
    before = unpack(block.data)
    readings = merge(before, arriving)
    if _same(before, readings):
        return None
    row = {"data": pack(readings), **summary(readings)}
    return {**row, "hours": hours_for(readings)} if block.sealed else row


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


def summary(readings: Readings, before: Any = None) -> dict[str, Any]:
    """Return count, range and sum of the usable readings, added to those of a block."""
    values = readings.usable().values
    n, low, high = len(values), values.min(initial=np.inf), values.max(initial=-np.inf)
    total = float(values.sum())
    if before is not None and before.n:
        n, total = n + before.n, total + before.total
        low, high = min(low, before.low), max(high, before.high)
    if not n:
        return {"n": 0, "low": 0.0, "high": 0.0, "total": 0.0}
    return {"n": n, "low": float(low), "high": float(high), "total": total}


def _write(ctx: Context, written: _Written) -> None:
    """Write blocks, or raise `Overtaken` when one of them is not what it was."""
    was = {row["id"]: row["version"] - 1 for row in written.updates}
    query = select(Block.id, Block.version).where(Block.id.in_(was)).order_by(Block.id)
    now = {row.id: row.version for row in ctx.session.execute(query.with_for_update())}
    if now != was:
        raise Overtaken
    ctx.bulk_insert(Block, written.inserts)
    if written.updates:
        rows = sorted(written.updates, key=len)  # rows of one shape go in one statement
        ctx.session.execute(update(Block), rows)
