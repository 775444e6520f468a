"""Puts checked readings into day blocks, a few hundred blocks at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, tuple_, update

from apm.core.command import Context
from apm.readings.blocks import (
    DAY_US,
    EMPTY,
    Merged,
    Readings,
    appended,
    merge,
    newest,
    pack,
    unpack,
)
from apm.readings.checking import EPOCH, instant
from apm.readings.model import Block, Latest

AT_ONCE = 400
"""Blocks or sensors named in one statement."""
_FIRST_DAY = EPOCH.date().toordinal()


@dataclass(slots=True)
class Counts:
    """How many readings were stored (corrections among them) and how many were known."""

    accepted: int = 0
    duplicate: int = 0


@dataclass(frozen=True, slots=True)
class _Group:
    """The readings of one sensor on one day; times count from midnight."""

    sensor_id: int
    day: date
    readings: Readings


@dataclass(frozen=True, slots=True)
class _Newest:
    """What `Latest` is to say of one sensor that got something."""

    at: int
    value: float


@dataclass(slots=True)
class _Changed:
    """What one sensor got: its newest usable reading, and the first instant that was stored."""

    newest: _Newest | None
    first: int


def store(ctx: Context, sensor_ids: NDArray[np.int64], readings: Readings) -> Counts:
    """Store readings given in order of arrival; inside a command.

    `Latest` rows are locked first, always by ascending sensor: they are what two writers of one
    sensor wait for, so that neither overwrites the other's block.
    """
    touched = [int(n) for n in np.unique(sensor_ids)]
    _lock(ctx, touched)
    counts = Counts()
    changed: dict[int, _Changed] = {}
    groups = list(_groups(sensor_ids, readings))
    for begin in range(0, len(groups), AT_ONCE):
        _store_groups(ctx, groups[begin : begin + AT_ONCE], counts, changed)
    _note_latest(ctx, changed)
    return counts


def day_number(day: date) -> int:
    """Return days since 1970-01-01."""
    return day.toordinal() - _FIRST_DAY


def _lock(ctx: Context, sensor_ids: list[int]) -> None:
    for begin in range(0, len(sensor_ids), AT_ONCE):
        some = sensor_ids[begin : begin + AT_ONCE]
        query = select(Latest.id).where(Latest.sensor_id.in_(some)).order_by(Latest.sensor_id)
        ctx.session.execute(query.with_for_update()).all()


def _groups(sensor_ids: NDArray[np.int64], readings: Readings) -> Iterator[_Group]:
    """Cut readings into sensor-days, each sorted by time and then by arrival."""
    if not len(readings):
        return
    order = np.lexsort((readings.times, sensor_ids))  # stable: arrival decides the rest
    ids, ordered = sensor_ids[order], readings.where(order)
    days = ordered.times // DAY_US
    is_first = np.ones(len(ids), dtype=np.bool_)
    is_first[1:] = (ids[1:] != ids[:-1]) | (days[1:] != days[:-1])
    edges = [*np.flatnonzero(is_first).tolist(), len(ids)]
    for begin, end in pairwise(edges):
        day = int(days[begin])
        part = ordered.where(slice(begin, end))
        yield _Group(
            int(ids[begin]),
            date.fromordinal(_FIRST_DAY + day),
            Readings(part.times - day * DAY_US, part.values, part.quality),
        )


def _store_groups(
    ctx: Context, groups: list[_Group], counts: Counts, changed: dict[int, _Changed]
) -> None:
    stored = _blocks(ctx, groups)
    inserts: list[dict[str, Any]] = []
    updates: list[dict[str, Any]] = []
    for group in groups:
        block = stored.get((group.sensor_id, group.day))
        merged, row = _fresh(group) if block is None else _joined(block, group)
        counts.accepted += merged.new + merged.corrected
        counts.duplicate += merged.duplicate
        if not merged.new + merged.corrected:
            continue
        (inserts if block is None else updates).append(row)
        _see(changed, group, merged.readings)
    ctx.bulk_insert(Block, inserts)
    if updates:
        ctx.session.execute(update(Block), updates)


def _blocks(ctx: Context, groups: list[_Group]) -> dict[tuple[int, date], Any]:
    keys = [(group.sensor_id, group.day) for group in groups]
    query = select(
        Block.id,
        Block.sensor_id,
        Block.day,
        Block.n,
        Block.low,
        Block.high,
        Block.total,
        Block.data,
    ).where(tuple_(Block.sensor_id, Block.day).in_(keys))
    return {(row.sensor_id, row.day): row for row in ctx.session.execute(query)}


def _fresh(group: _Group) -> tuple[Merged, dict[str, Any]]:
    merged = merge(EMPTY, group.readings)
    row = {"sensor_id": group.sensor_id, "day": group.day, "data": pack(merged.readings)}
    return merged, {**row, **_summary(merged.readings)}


def _joined(block: Any, group: _Group) -> tuple[Merged, dict[str, Any]]:
    if group.readings.times[0] > newest(block.data):  # the usual case: time goes on
        merged = merge(EMPTY, group.readings)
        data = appended(block.data, merged.readings)
        return merged, {"id": block.id, "data": data, **_summary(merged.readings, block)}
    merged = merge(unpack(block.data), group.readings)
    return merged, {"id": block.id, "data": pack(merged.readings), **_summary(merged.readings)}


def _summary(readings: Readings, before: Any = None) -> dict[str, Any]:
    """Return count, range and sum of the usable readings, added to those of a block."""
    values = readings.usable().values
    n, low, high, total = len(values), values.min(initial=np.inf), values.max(initial=-np.inf), 0.0
    total = float(values.sum())
    if before is not None and before.n:
        n, total = n + before.n, total + before.total
        low, high = min(low, before.low), max(high, before.high)
    if not n:
        return {"n": 0, "low": 0.0, "high": 0.0, "total": 0.0}
    return {"n": n, "low": float(low), "high": float(high), "total": total}


def _see(changed: dict[int, _Changed], group: _Group, readings: Readings) -> None:
    """Remember the newest usable reading of the sensor; days come in order."""
    usable, midnight = readings.usable(), day_number(group.day) * DAY_US
    first = midnight + int(group.readings.times[0])
    found = changed.setdefault(group.sensor_id, _Changed(None, first))
    found.first = min(found.first, first)
    if len(usable):
        at = midnight + int(usable.times[-1])
        if found.newest is None or at >= found.newest.at:
            found.newest = _Newest(at, float(usable.values[-1]))


def _note_latest(ctx: Context, changed: dict[int, _Changed]) -> None:
    sensor_ids = sorted(changed)
    rows: list[dict[str, Any]] = []
    for begin in range(0, len(sensor_ids), AT_ONCE):
        some = sensor_ids[begin : begin + AT_ONCE]
        query = select(
            Latest.id,
            Latest.sensor_id,
            Latest.at,
            Latest.value,
            Latest.revision,
            Latest.touched_from,
        )
        rows.extend(
            _latest_row(latest, changed[latest.sensor_id], ctx.now())
            for latest in ctx.session.execute(query.where(Latest.sensor_id.in_(some)))
        )
    if rows:
        ctx.session.execute(update(Latest), rows)


def _latest_row(latest: Any, changed: _Changed, now: datetime) -> dict[str, Any]:
    found, first = changed.newest, instant(changed.first)
    touched = min(latest.touched_from or first, first)
    row = {"id": latest.id, "revision": latest.revision + 1, "received_at": now}
    row["touched_from"] = touched
    if found is None or (latest.at is not None and instant(found.at) < latest.at):
        return {**row, "at": latest.at, "value": latest.value}
    return {**row, "at": instant(found.at), "value": found.value}
