"""What is stored of sensors, day by day: their blocks, and over them what waits to be merged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, and_, select

from apm.core.command import Context
from apm.core.many import among
from apm.readings.batches import NOTHING, Batch, newest_writes, sensors_in, together, unpack_batch
from apm.readings.blocks import DAY_US, Readings, merge, unpack
from apm.readings.checking import EPOCH, microseconds
from apm.readings.lookups import inbox_rows
from apm.readings.model import Block, Inbox

AT_ONCE = 400
"""Blocks or sensors named in one statement."""
_FIRST_DAY = EPOCH.date().toordinal()


@dataclass(frozen=True, slots=True)
class Group:
    """The readings of one sensor on one day, by time; times count from midnight."""

    sensor_id: int
    day: date
    readings: Readings


def day_number(day: date) -> int:
    """Return days since 1970-01-01."""
    return day.toordinal() - _FIRST_DAY


def day_of(microseconds: int) -> date:
    """Return the UTC day of an instant, given in microseconds since 1970."""
    return date.fromordinal(_FIRST_DAY + microseconds // DAY_US)


@dataclass(frozen=True, slots=True)
class Grouped:
    """Readings of k sensor-days one after another, by time; times count from midnight.

    first: where each begins, shape (k,); keys: sensor and day of each.
    """

    readings: Readings
    first: NDArray[np.intp]
    keys: list[tuple[int, date]]

    def some(self, begin: int, end: int) -> Grouped:
        """Return the sensor-days from begin to end."""
        edges = np.append(self.first, len(self.readings))
        where = slice(int(edges[begin]), int(edges[min(end, len(self.first))]))
        first = self.first[begin:end]
        return Grouped(self.readings.where(where), first - where.start, self.keys[begin:end])

    def chosen(self, places: Sequence[int]) -> Grouped:
        """Return the sensor-days at these places, ascending."""
        if len(places) == len(self.keys):
            return self
        counts = np.diff(self.first, append=len(self.readings))
        is_chosen = np.zeros(len(counts), dtype=np.bool_)
        is_chosen[places] = True
        kept = counts[is_chosen]
        return Grouped(
            self.readings.where(np.repeat(is_chosen, counts)),
            np.cumsum(kept) - kept,
            [self.keys[k] for k in places],
        )

    def each(self) -> Iterator[Group]:
        """Yield them one by one."""
        edges = [*self.first.tolist(), len(self.readings)]
        for (begin, end), (sensor_id, day) in zip(pairwise(edges), self.keys, strict=True):
            yield Group(sensor_id, day, self.readings.where(slice(begin, end)))


def grouped(batch: Batch) -> Grouped:
    """Return a batch in order by sensor-days."""
    ids, readings = batch.sensor_ids, batch.readings
    days = readings.times // DAY_US
    is_first = np.ones(len(ids), dtype=np.bool_)
    is_first[1:] = (ids[1:] != ids[:-1]) | (days[1:] != days[:-1])
    first = np.flatnonzero(is_first)
    dates = {day: date.fromordinal(_FIRST_DAY + day) for day in np.unique(days[first]).tolist()}
    keys = zip(ids[first].tolist(), days[first].tolist(), strict=True)
    return Grouped(
        Readings(readings.times - days * DAY_US, readings.values, readings.quality),
        first,
        [(sensor_id, dates[day]) for sensor_id, day in keys],
    )


def groups(batch: Batch) -> Iterator[Group]:
    """Cut a batch in order into sensor-days."""
    return grouped(batch).each()


def waiting(
    ctx: Context,
    sensor_ids: Collection[int],
    *,
    start: int | None = None,
    end: int | None = None,
    upto: int | None = None,
) -> Batch:
    """Return what the inbox holds of some sensors from start to end, the newest writes, in order.

    Read it before the blocks: a merge in between moves readings from here to there, and what is
    seen twice does no harm.

    Args:
        ctx: whose.
        sensor_ids: of which sensors.
        start: microseconds since 1970, or None.
        end: the same; itself not included.
        upto: number of the last row of the inbox that counts, or None.
    """
    wanted = np.array(sorted(sensor_ids), dtype=np.int64)
    found = []
    for number, index in inbox_rows(ctx, start, end, upto):
        ids, _ends = sensors_in(index)
        if np.isin(wanted, ids, assume_unique=True).any():
            found.append(number)
    batches = [part.where(np.isin(part.sensor_ids, wanted)) for part in inbox_batches(ctx, found)]
    if not batches:
        return NOTHING
    batch = newest_writes(together(batches))
    times = batch.readings.times
    keep = np.ones(len(batch), dtype=np.bool_)
    if start is not None:
        keep &= times >= start
    if end is not None:
        keep &= times < end
    return batch.where(keep)


def inbox_batches(ctx: Context, numbers: Sequence[int]) -> Iterator[Batch]:
    """Yield the batches of these rows of the inbox, in order of arrival."""
    for begin in range(0, len(numbers), AT_ONCE):
        some = numbers[begin : begin + AT_ONCE]
        query = select(Inbox.sensors, Inbox.data).where(Inbox.id.in_(some)).order_by(Inbox.id)
        for index, data in ctx.session.execute(query):
            yield unpack_batch(index, data)


@dataclass(frozen=True, slots=True)
class Stored:
    """The readings of some sensor-days, in order, and the days whose readings are gone."""

    batch: Batch
    thinned: frozenset[tuple[int, date]]


def stored_on(ctx: Context, keys: Sequence[tuple[int, date]]) -> Stored:
    """Return all that is stored of these sensors on these days, merged or not."""
    if not keys:
        return Stored(NOTHING, frozenset())
    numbers = [day_number(day) for _sensor_id, day in keys]
    start, end = min(numbers) * DAY_US, (max(numbers) + 1) * DAY_US
    unmerged = waiting(ctx, {sensor_id for sensor_id, _day in keys}, start=start, end=end)
    parts: list[Batch] = []
    thinned = set()
    for begin in range(0, len(keys), AT_ONCE):
        some = keys[begin : begin + AT_ONCE]
        query = select(Block.sensor_id, Block.day, Block.data)
        for condition in of_days(some):
            for sensor_id, day, data in ctx.session.execute(query.where(condition)):
                if data is None:
                    thinned.add((sensor_id, day))
                else:
                    parts.append(placed(sensor_id, day, unpack(data)))
    return Stored(newest_writes(together([*parts, unmerged])), frozenset(thinned))


def of_days(keys: Sequence[tuple[int, date]]) -> list[ColumnElement[bool]]:
    """Return conditions that find the blocks of sensor-days, one a statement, each block once.

    By day or by sensor, whichever are fewer.  SQLite has no index for a list of pairs: it would
    read every block of the hospital.
    """
    by_day: dict[date, list[int]] = {}
    by_sensor: dict[int, list[date]] = {}
    for sensor_id, day in keys:
        by_day.setdefault(day, []).append(sensor_id)
        by_sensor.setdefault(sensor_id, []).append(day)
    if len(by_day) <= len(by_sensor):
        return [and_(among(Block.sensor_id, ids), Block.day == day) for day, ids in by_day.items()]
    return [
        and_(Block.sensor_id == sensor_id, Block.day.in_(days))
        for sensor_id, days in by_sensor.items()
    ]


def readings_between(
    ctx: Context, sensor_id: int, *, start: datetime | None = None, end: datetime | None = None
) -> Iterator[Readings]:
    """Yield the usable readings with start <= at < end, a day at a time, times since 1970.

    Days of which only the hours are kept are passed over.
    """
    first = None if start is None else microseconds(start)
    last = None if end is None else microseconds(end)
    unmerged = waiting(ctx, [sensor_id], start=first, end=last)
    yield from readings_of(ctx, sensor_id, unmerged, first, last)


def readings_of(
    ctx: Context, sensor_id: int, unmerged: Batch, first: int | None, last: int | None
) -> Iterator[Readings]:
    """Yield the same, given what waits of the sensor, read before; microseconds since 1970."""
    query = select(Block.day, Block.data).where(Block.sensor_id == sensor_id)
    if first is not None:
        query = query.where(Block.day >= day_of(first))
    if last is not None:
        query = query.where(Block.day <= day_of(last))
    yield from laid_over(ctx, query, unmerged, first, last)


def laid_over(
    ctx: Context,
    query: Select[date, bytes | None],
    unmerged: Batch,
    first: int | None,
    last: int | None,
) -> Iterator[Readings]:
    """Yield the usable readings of one sensor's days, with what waits laid over those stored.

    Args:
        ctx: whose.
        query: selects day and data of blocks of the sensor.
        unmerged: what waits, read before this is called.
        first: microseconds since 1970, or None.
        last: the same; itself not included.
    """
    options = query.where(Block.data.is_not(None)).order_by(Block.day)
    # Whoever has enough stops early: the database's cursor is closed then too.
    with ctx.session.execute(options.execution_options(yield_per=50)) as rows:
        yield from in_turn(rows, unmerged, first, last)


def in_turn(
    rows: Iterable[tuple[date, bytes | None]], unmerged: Batch, first: int | None, last: int | None
) -> Iterator[Readings]:
    """Yield the same, given day and data of the blocks by day."""
    over = {group.day: group.readings for group in groups(unmerged)}
    stored = ((day, unpack(data)) for day, data in rows if data is not None)
    for day, found in _in_turn(stored, over):
        times = found.times + day_number(day) * DAY_US
        begin = 0 if first is None else int(times.searchsorted(first))
        finish = len(times) if last is None else int(times.searchsorted(last))
        taken = Readings(times, found.values, found.quality)
        yield taken.where(slice(begin, finish)).usable()


def _in_turn(
    stored: Iterator[tuple[date, Readings]], over: dict[date, Readings]
) -> Iterator[tuple[date, Readings]]:
    """Yield days in order, those stored joined with those that wait."""
    ahead = sorted(over)
    for day, found in stored:
        while ahead and ahead[0] < day:
            yield ahead[0], over[ahead.pop(0)]
        if ahead and ahead[0] == day:
            yield day, merge(found, over[ahead.pop(0)])
        else:
            yield day, found
    for day in ahead:
        yield day, over[day]


def placed(sensor_id: int, day: date, found: Readings) -> Batch:
    """Return the readings of a block as a batch, times since 1970."""
    times = found.times + day_number(day) * DAY_US
    ids = np.full(len(found), sensor_id, dtype=np.int64)
    return Batch(ids, Readings(times, found.values, found.quality))
