"""The readings that rules are to be counted on, of many sensors in few statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from apm.core.command import Context
from apm.core.many import among
from apm.readings.batches import Batch, newest_writes, together
from apm.readings.blocks import BAD, DAY_US, Readings, unpack
from apm.readings.checking import instant, microseconds
from apm.readings.days import day_number, groups, placed, waiting
from apm.readings.model import Block

CONTEXT = timedelta(hours=24)
"""How much of the time before is read along: a rate, a step and the last reading look back."""


@dataclass(frozen=True, slots=True)
class Span:
    """The readings of one sensor: those before `begin` are known, the others are to be counted."""

    readings: Readings
    begin: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be counted."""
        return self.begin >= len(self.readings)

    def days(self) -> list[date]:
        """Return the UTC days of what is to be counted."""
        days = np.unique(self.readings.times[self.begin :] // DAY_US)
        return [instant(int(day) * DAY_US).date() for day in days]


def spans(
    ctx: Context,
    starts: Mapping[int, datetime | None],
    *,
    until: datetime | None = None,
    since: Mapping[int, date] | None = None,
    upto: int | None = None,
) -> dict[int, Span]:
    """Return the usable readings of each sensor from its start on, and a day before it.

    Args:
        ctx: bound to the hospital.
        starts: by sensor, the first instant to be counted; None: all there is.
        until: readings after it are left out.
        since: by sensor, a day from which on to read at least.
        upto: number of the last row of the inbox that counts, or None.
    """
    firsts = {key: _first_day(key, at, since or {}) for key, at in starts.items()}
    known = [first for first in firsts.values() if first is not None]
    unmerged = waiting(
        ctx,
        list(starts),
        start=day_number(min(known)) * DAY_US if known and len(known) == len(firsts) else None,
        end=None if until is None else microseconds(until) + 1,
        upto=upto,
    )
    by_day: dict[date | None, list[int]] = {}
    for key, first in firsts.items():
        by_day.setdefault(first, []).append(key)
    parts: list[Batch] = []
    for day, ids in by_day.items():
        query = select(Block.sensor_id, Block.day, Block.data).where(among(Block.sensor_id, ids))
        if day is not None:
            query = query.where(Block.day >= day)
        if until is not None:
            query = query.where(Block.day <= until.date())
        rows = ctx.session.execute(query.where(Block.data.is_not(None)))
        parts += [placed(key, on, unpack(data)) for key, on, data in rows if data is not None]
    found = newest_writes(together([*parts, unmerged]))
    edges = np.searchsorted(found.sensor_ids, [list(starts), [key + 1 for key in starts]])
    return {
        key: _span(found.readings.where(slice(begin, end)).usable(), starts[key], until)
        for key, begin, end in zip(starts, *edges.tolist(), strict=True)
    }


def _first_day(key: int, start: datetime | None, since: Mapping[int, date]) -> date | None:
    if start is None:
        return None
    first = (start - CONTEXT).date()
    return min(first, since.get(key, first))


def _span(readings: Readings, start: datetime | None, until: datetime | None) -> Span:
    if until is not None:
        end = int(np.searchsorted(readings.times, microseconds(until), side="right"))
        readings = readings.where(slice(end))
    begin = 0 if start is None else int(np.searchsorted(readings.times, microseconds(start)))
    return Span(readings, begin)


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
    """Return how far apart readings usually are, in seconds; None: fewer than 20 of them.

    >>> interval_of(np.arange(30, dtype=np.int64) * 10_000_000)
    10.0
    """
    if len(times) < 20:
        return None
    return float(np.median(np.diff(times[-200:]))) / 1e6
