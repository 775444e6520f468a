"""The readings that rules are to be counted on, of many sensors in few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from apm.core.command import Context
from apm.core.many import among
from apm.readings.batches import Batch, newest_writes, together
from apm.readings.blocks import BAD, DAY_US, Readings
from apm.readings.bulk import unpack_many
from apm.readings.checking import microseconds
from apm.readings.days import day_number, day_of, groups, waiting
from apm.readings.model import Block

CONTEXT = timedelta(hours=24)
"""How much of the time before is read along: a rate, a step and the last reading look back."""
CONTEXT_US = CONTEXT // timedelta(microseconds=1)
LEAST, MANY, LAST = 4, 200, 3
"""Readings that tell a usual interval: at least, at most, and how many steps may outvote them."""


@dataclass(frozen=True, slots=True)
class Span:
    """The readings of one sensor: those before `begin` are known, the others are to be counted."""

    readings: Readings
    begin: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be counted."""
        return self.begin >= len(self.readings)

    def day_numbers(self) -> list[int]:
        """Return the UTC days of what is to be counted, in days since 1970."""
        if self.is_empty:
            return []
        times = self.readings.times
        first, last = int(times[self.begin]) // DAY_US, int(times[-1]) // DAY_US
        if first == last:
            return [first]
        found: list[int] = np.unique(times[self.begin :] // DAY_US).tolist()
        return found


def spans(
    ctx: Context,
    starts: Mapping[int, int],
    *,
    reads: Mapping[int, int] | None = None,
    until: datetime | None = None,
    upto: int | None = None,
) -> dict[int, Span]:
    """Return the usable readings of each sensor from its start on, and some before it.

    Args:
        ctx: bound to the hospital.
        starts: by sensor, the first instant to be counted, microseconds since 1970.
        reads: by sensor, the first instant to be read; a day before the start where it is not
            there.
        until: readings after it are left out.
        upto: number of the last row of the inbox that counts, or None.
    """
    if not starts:
        return {}
    ids = np.array(sorted(starts), dtype=np.int64)
    given = reads or {}
    firsts = [given.get(key, starts[key] - CONTEXT_US) for key in ids.tolist()]
    end = None if until is None else microseconds(until) + 1
    unmerged = waiting(ctx, ids.tolist(), start=min(firsts), end=end, upto=upto)
    stored = _stored(ctx, ids.tolist(), firsts, until)
    found = newest_writes(together([stored, unmerged]))
    owner = np.searchsorted(ids, found.sensor_ids)
    times = found.readings.times
    is_wanted = (times >= np.array(firsts)[owner]) & (found.readings.quality != BAD)
    if end is not None:
        is_wanted &= times < end
    found, owner = found.where(is_wanted), owner[is_wanted]
    is_known = found.readings.times < np.array([starts[key] for key in ids.tolist()])[owner]
    known = np.bincount(owner[is_known], minlength=len(ids)).tolist()
    edges = [0, *np.cumsum(np.bincount(owner, minlength=len(ids))).tolist()]
    return {
        key: Span(found.readings.where(slice(edges[k], edges[k + 1])), known[k])
        for k, key in enumerate(ids.tolist())
    }


def _stored(
    ctx: Context, ids: Sequence[int], firsts: Sequence[int], until: datetime | None
) -> Batch:
    """Return what the blocks hold of each sensor from an instant on, and perhaps some before."""
    first_of = dict(zip(ids, firsts, strict=True))
    by_day: dict[int, list[int]] = {}
    for key, first in first_of.items():
        by_day.setdefault(first // DAY_US, []).append(key)
    rows: list[Any] = []
    for number, some in by_day.items():
        query = select(Block.sensor_id, Block.day, Block.data).where(
            among(Block.sensor_id, some),
            Block.day >= day_of(number * DAY_US),
            Block.data.is_not(None),
        )
        if until is not None:
            query = query.where(Block.day <= until.date())
        rows += ctx.session.execute(query)
    midnights = [day_number(day) * DAY_US for _key, day, _data in rows]
    since = [first_of[row[0]] - begin for row, begin in zip(rows, midnights, strict=True)]
    found, counts = unpack_many([data for _key, _day, data in rows], since)
    times = found.times + np.repeat(np.array(midnights, dtype=np.int64), counts)
    keys = np.repeat(np.array([key for key, _day, _data in rows], dtype=np.int64), counts)
    return Batch(keys, Readings(times, found.values, found.quality))


def days_before(ctx: Context, late: Mapping[int, date]) -> dict[int, date]:
    """Return each sensor's last day with readings before the day given, where there is one."""
    if not late:
        return {}
    found: dict[int, date] = {}
    unmerged = waiting(ctx, list(late))
    for group in groups(unmerged.where(unmerged.readings.quality != BAD)):
        if group.day < late[group.sensor_id]:
            found[group.sensor_id] = group.day  # they come in order: the last one stays
    by_day: dict[date, list[int]] = {}
    for sensor_id, day in late.items():
        by_day.setdefault(day, []).append(sensor_id)
    for day, ids in by_day.items():
        query = select(Block.sensor_id, func.max(Block.day)).where(
            among(Block.sensor_id, ids), Block.day < day, Block.n > 0
        )
        rows = ctx.session.execute(query.group_by(Block.sensor_id))
        for sensor_id, last in rows:
            found[sensor_id] = max(last, found.get(sensor_id, last))
    return found


def interval_of(times: NDArray[np.int64]) -> float | None:
    """Return how far apart readings usually are, in seconds; None: fewer than four of them.

    The median of many steps, or of the last three where that is more: a logger that slows down is
    believed after two slow steps, one that misses a reading is not.

    >>> interval_of(np.arange(30, dtype=np.int64) * 10_000_000)
    10.0
    >>> interval_of(np.cumsum([2_000_000] * 500 + [600_000_000] * 2))
    600.0
    """
    if len(times) < LEAST:
        return None
    steps = np.diff(times[-MANY:])
    return float(max(np.median(steps), np.median(steps[-LAST:]))) / 1e6
