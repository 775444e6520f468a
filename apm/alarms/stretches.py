"""The readings that rules are to be counted on, of many sensors in few statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from apm.core.command import Context
from apm.readings.blocks import DAY_US, EMPTY, Readings, joined, unpack
from apm.readings.checking import instant, microseconds
from apm.readings.model import Block
from apm.readings.storing import day_number

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
) -> dict[int, Span]:
    """Return the usable readings of each sensor from its start on, and a day before it.

    Args:
        ctx: bound to the hospital.
        starts: by sensor, the first instant to be counted; None: all there is.
        until: readings after it are left out.
        since: by sensor, a day from which on to read at least.
    """
    groups: dict[date | None, list[int]] = {}
    for sensor_id, start in starts.items():
        first = None if start is None else (start - CONTEXT).date()
        if first is not None and since is not None:
            first = min(first, since.get(sensor_id, first))
        groups.setdefault(first, []).append(sensor_id)
    parts: dict[int, list[Readings]] = {sensor_id: [] for sensor_id in starts}
    for first, ids in groups.items():
        query = select(Block.sensor_id, Block.day, Block.data).where(Block.sensor_id.in_(ids))
        if first is not None:
            query = query.where(Block.day >= first)
        if until is not None:
            query = query.where(Block.day <= until.date())
        query = query.order_by(Block.sensor_id, Block.day)
        for sensor_id, day, data in ctx.session.execute(query):
            found = unpack(data).usable()
            times = found.times + day_number(day) * DAY_US
            parts[sensor_id].append(Readings(times, found.values, found.quality))
    return {sensor_id: _span(parts[sensor_id], starts[sensor_id], until) for sensor_id in starts}


def _span(parts: list[Readings], start: datetime | None, until: datetime | None) -> Span:
    readings = joined(parts) if parts else EMPTY
    if until is not None:
        end = int(np.searchsorted(readings.times, microseconds(until), side="right"))
        readings = readings.where(slice(end))
    begin = 0 if start is None else int(np.searchsorted(readings.times, microseconds(start)))
    return Span(readings, begin)


def days_before(ctx: Context, late: Mapping[int, date]) -> dict[int, date]:
    """Return each sensor's last day with readings before the day given, where there is one."""
    by_day: dict[date, list[int]] = {}
    for sensor_id, day in late.items():
        by_day.setdefault(day, []).append(sensor_id)
    found: dict[int, date] = {}
    for day, ids in by_day.items():
        query = select(Block.sensor_id, func.max(Block.day)).where(
            Block.sensor_id.in_(ids), Block.day < day, Block.n > 0
        )
        rows = ctx.session.execute(query.group_by(Block.sensor_id))
        found.update((sensor_id, last) for sensor_id, last in rows)
    return found


def interval_of(times: NDArray[np.int64]) -> float | None:
    """Return how far apart readings usually are, in seconds; None: fewer than 20 of them.

    >>> interval_of(np.arange(30, dtype=np.int64) * 10_000_000)
    10.0
    """
    if len(times) < 20:
        return None
    return float(np.median(np.diff(times[-200:]))) / 1e6
