"""The row of each sensor that says what it read last: locked, compared, moved on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, select, update

from apm.core.command import Context
from apm.readings.batches import Batch
from apm.readings.blocks import BAD
from apm.readings.checking import instant, microseconds
from apm.readings.days import AT_ONCE, day_of, stored_on, waiting
from apm.readings.model import Block, Latest

NEVER = -(2**62)
"""Stands for no reading yet: every instant is later."""


@dataclass(frozen=True, slots=True)
class Known:
    """Arrays of shape (k,), by sensor: what is known of each when a batch arrives.

    newest: microseconds since 1970 of the last reading there is, `NEVER` when there is none.
    is_untouched: whether `touched_from` is empty.
    """

    sensor_ids: NDArray[np.int64]
    row_ids: NDArray[np.int64]
    newest: NDArray[np.int64]
    revisions: NDArray[np.int64]
    is_untouched: NDArray[np.bool_]

    def newest_of(self, sensor_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the newest instant of the sensor of each reading."""
        return self.newest[np.searchsorted(self.sensor_ids, sensor_ids)]


def lock(ctx: Context, sensor_ids: list[int]) -> Known:
    """Lock the rows of sensors, ascending, and return what they say; inside a command.

    Always by ascending sensor, so that two writers never wait for each other in a circle.
    """
    rows: list[Any] = []
    for begin in range(0, len(sensor_ids), AT_ONCE):
        query = select(
            Latest.sensor_id,
            Latest.id,
            Latest.newest_us,
            Latest.revision,
            Latest.touched_from.is_(None),
        ).where(Latest.sensor_id.in_(sensor_ids[begin : begin + AT_ONCE]))
        rows += ctx.session.execute(query.order_by(Latest.sensor_id).with_for_update()).all()
    ids, row_ids, newest, revisions, untouched = zip(*rows, strict=True) if rows else [()] * 5
    return Known(
        np.array(ids, dtype=np.int64),
        np.array(row_ids, dtype=np.int64),
        np.array([NEVER if at is None else at for at in newest], dtype=np.int64),
        np.array(revisions, dtype=np.int64),
        np.array(untouched, dtype=np.bool_),
    )


def note(ctx: Context, known: Known, changes: Batch) -> None:
    """Move the rows of sensors on after changes (in order, at least one) are in the inbox."""
    ids, times = changes.sensor_ids, changes.readings.times
    first = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    last = np.append(first[1:], len(ids)) - 1
    is_usable = changes.readings.quality != BAD
    usable = np.maximum.reduceat(np.where(is_usable, np.arange(len(ids)), -1), first)
    place = np.searchsorted(known.sensor_ids, ids[first])
    newest, is_late = known.newest[place], times[first] <= known.newest[place]
    now = ctx.now()
    rows: list[dict[str, Any]] = []
    late: dict[int, tuple[dict[str, Any], int, int, int]] = {}
    for k, (sensor, begin, end, best, row_id, revision, untouched) in enumerate(
        zip(
            ids[first].tolist(),
            first.tolist(),
            last.tolist(),
            usable.tolist(),
            known.row_ids[place].tolist(),
            known.revisions[place].tolist(),
            known.is_untouched[place].tolist(),
            strict=True,
        )
    ):
        row: dict[str, Any] = {
            "id": row_id,
            "revision": revision + 1,
            "received_at": now,
            "newest_us": max(int(newest[k]), int(times[end])),
        }
        rows.append(row)
        if is_late[k]:
            late[sensor] = row, begin, end, best
            continue
        if untouched:  # else it is earlier than anything that is new
            row["touched_from"] = instant(int(times[begin]))
        if best >= 0:
            row["at"] = instant(int(times[best]))
            row["value"] = float(changes.readings.values[best])
    _note_late(ctx, late, changes)
    _move(ctx, rows)


def _move(ctx: Context, rows: list[dict[str, Any]]) -> None:
    """Write rows, those of one shape in one statement.

    Past the session, which would weigh each as an object: that took longer than all the rest of
    a batch.  The rows were selected through it, locked, and are named by their hospital again.
    """
    shapes: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        shapes.setdefault(tuple(sorted(row)), []).append({"row_id": row.pop("id"), **row})
    own = Latest.hospital_id == ctx.actor.hospital_id
    statement = update(Latest).where(Latest.id == bindparam("row_id"), own)
    for alike in shapes.values():
        ctx.session.connection().execute(statement, alike)


def _note_late(
    ctx: Context, late: dict[int, tuple[dict[str, Any], int, int, int]], changes: Batch
) -> None:
    """Fill the rows of sensors some of whose changes are late or corrections."""
    times, sensor_ids = changes.readings.times, list(late)
    for start in range(0, len(sensor_ids), AT_ONCE):
        query = select(Latest.sensor_id, Latest.at, Latest.value, Latest.touched_from)
        some = sensor_ids[start : start + AT_ONCE]
        for was in ctx.session.execute(query.where(Latest.sensor_id.in_(some))).all():
            row, begin, end, best = late[was.sensor_id]
            first = instant(int(times[begin]))
            row["touched_from"] = min(first, was.touched_from or first)
            at = NEVER if was.at is None else microseconds(was.at)
            if best >= 0 and times[best] >= at:
                row["at"] = instant(int(times[best]))
                row["value"] = float(changes.readings.values[best])
            elif at in times[begin : end + 1]:  # what was the newest is marked bad now
                row["at"], row["value"] = _newest_usable(ctx, was.sensor_id)
            else:
                row["at"], row["value"] = was.at, was.value


def _newest_usable(ctx: Context, sensor_id: int) -> tuple[Any, float | None]:
    """Return the newest usable reading by looking back day by day, (None, None) without one."""
    query = select(Block.day).where(Block.sensor_id == sensor_id, Block.n > 0)
    unmerged = waiting(ctx, [sensor_id]).readings.times
    for day in sorted(
        {*ctx.session.scalars(query), *map(day_of, unmerged.tolist())}, reverse=True
    ):
        found = stored_on(ctx, [(sensor_id, day)]).batch.readings.usable()
        if len(found):
            return instant(int(found.times[-1])), float(found.values[-1])
    return None, None
