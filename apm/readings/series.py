"""A stretch of one sensor's readings, as fine as was asked for or as a chart can show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, func, select

from apm.core.command import Context
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.readings.blocks import DAY_US, Readings, joined, unpack
from apm.readings.checking import instant, microseconds
from apm.readings.model import Block
from apm.readings.storing import day_number

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
HOUR_US = DAY_US // 24
MINUTE_US = HOUR_US // 60
WIDTHS_US = [
    *(n * MINUTE_US for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR_US for n in (1, 2, 3, 6, 12)),
    DAY_US,
]
"""Widths of a bucket that `auto` chooses from; each divides a day, so that no bucket needs two."""
MOST_POINTS = 2000
MOST_RAW = 500_000
GAP_STEPS = 3.0
"""So many usual steps without a reading are a gap: no line is drawn across it."""
LONGEST = timedelta(days=366 * 10)


class Resolution(StrEnum):
    """How fine a series is; `auto` gives at most about 2,000 points."""

    AUTO = "auto"
    RAW = "raw"
    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Series:
    """Arrays of shape (k,), by time.  A bucket stands at its beginning and carries a mean.

    at: int64, microseconds since 1970.  low, high, n: of each bucket's readings; None when raw.
    width_s: the bucket, None when raw.  Readings marked bad are left out.
    """

    at: Ints
    value: Floats
    low: Floats | None = None
    high: Floats | None = None
    n: Ints | None = None
    width_s: int | None = None

    def points(self) -> list[tuple[datetime, float]]:
        """Return (instant, value) pairs for a chart."""
        return [
            (instant(t), v) for t, v in zip(self.at.tolist(), self.value.tolist(), strict=True)
        ]

    def spread(self) -> list[tuple[datetime, float, float]]:
        """Return (instant, lowest, highest) of each bucket; nothing when the readings are raw."""
        if self.low is None or self.high is None:
            return []
        rows = zip(self.at.tolist(), self.low.tolist(), self.high.tolist(), strict=True)
        return [(instant(t), low, high) for t, low, high in rows]

    @property
    def gap_us(self) -> int | None:
        """How far two neighbours may be apart before there is a gap; None with fewer than three.

        Three times the median step, and no less than one and a half buckets.
        """
        if len(self.at) < 3:
            return None
        usual = float(np.median(np.diff(self.at)))
        return round(max(GAP_STEPS * usual, 1.5e6 * (self.width_s or 0)))

    def broken_points(self) -> list[tuple[datetime, float | None]]:
        """Return `points()` with a None where a gap begins, so that a line ends there."""
        found: list[tuple[datetime, float | None]] = []
        last, most = None, self.gap_us
        for t, v in zip(self.at.tolist(), self.value.tolist(), strict=True):
            if last is not None and most is not None and t - last > most:
                found.append((instant(last + (t - last) // 2), None))
            found.append((instant(t), v))
            last = t
        return found


def series(
    ctx: Context,
    sensor_id: int,
    *,
    start: datetime,
    end: datetime,
    resolution: Resolution = Resolution.AUTO,
    most: int = MOST_POINTS,
) -> Series:
    """Return the readings with start <= at < end.

    Raises:
        Invalid: the period is empty, longer than ten years, or holds too many readings for `raw`.
    """
    if not timedelta(0) < end - start <= LONGEST:
        message = _l("The period must begin before it ends and last at most ten years.")
        raise Invalid(message, fields={"from": [message]}, code="bad_period")
    if resolution is Resolution.DAY:
        return _by_day(ctx, sensor_id, start, end)
    if resolution is Resolution.HOUR:
        return _in_buckets(ctx, sensor_id, (start, end), HOUR_US)
    n = _count(ctx, sensor_id, start, end)
    if resolution is Resolution.RAW:
        if n > MOST_RAW:
            message = _l(
                "Too many readings for one answer. Shorten the period or ask by the hour."
            )
            raise Invalid(message, fields={"resolution": [message]}, code="too_many_readings")
        return _raw(ctx, sensor_id, start, end)
    if n <= most:
        return _raw(ctx, sensor_id, start, end)
    span = (end - start) / timedelta(microseconds=1)
    width = next((w for w in WIDTHS_US if span / w <= most), DAY_US)
    if width == DAY_US:
        return _by_day(ctx, sensor_id, start, end)
    found = _in_buckets(ctx, sensor_id, (start, end), width)
    # The count was of whole days: what is asked for may be few enough all the same.
    is_few = found.n is not None and int(found.n.sum()) <= most
    return _raw(ctx, sensor_id, start, end) if is_few else found


def readings_between(
    ctx: Context, sensor_id: int, *, start: datetime | None = None, end: datetime | None = None
) -> Iterator[Readings]:
    """Yield the usable readings with start <= at < end, a day at a time, times since 1970."""
    query = select(Block.day, Block.data).where(Block.sensor_id == sensor_id).order_by(Block.day)
    first = None if start is None else microseconds(start)
    last = None if end is None else microseconds(end)
    if start is not None:
        query = query.where(Block.day >= start.date())
    if end is not None:
        query = query.where(Block.day <= end.date())
    # Whoever has enough stops early: the database's cursor is closed then too.
    with ctx.session.execute(query.execution_options(yield_per=50)) as rows:
        for day, data in rows:
            found = unpack(data)
            times = found.times + day_number(day) * DAY_US
            begin = 0 if first is None else int(np.searchsorted(times, first))
            finish = len(times) if last is None else int(np.searchsorted(times, last))
            taken = Readings(times, found.values, found.quality)
            yield taken.where(slice(begin, finish)).usable()


def _raw(ctx: Context, sensor_id: int, start: datetime, end: datetime) -> Series:
    parts = list(readings_between(ctx, sensor_id, start=start, end=end))
    found = joined(parts) if parts else None
    if found is None:
        return Series(np.empty(0, np.int64), np.empty(0))
    return Series(found.times, found.values)


def _in_buckets(
    ctx: Context, sensor_id: int, period: tuple[datetime, datetime], width: int
) -> Series:
    parts = [
        _bucketed(part, width)
        for part in readings_between(ctx, sensor_id, start=period[0], end=period[1])
        if len(part)
    ]
    if not parts:
        return Series(*_nothing(), width_s=width // 1_000_000)
    at, value, low, high, n = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Series(at, value, low, high, n, width // 1_000_000)


def _bucketed(part: Readings, width: int) -> tuple[Ints, Floats, Floats, Floats, Ints]:
    slots = part.times // width
    first = np.flatnonzero(np.r_[True, slots[1:] != slots[:-1]])
    n = np.diff(np.r_[first, len(slots)])
    return (
        slots[first] * width,
        np.add.reduceat(part.values, first) / n,
        np.minimum.reduceat(part.values, first),
        np.maximum.reduceat(part.values, first),
        n.astype(np.int64),
    )


def _by_day(ctx: Context, sensor_id: int, start: datetime, end: datetime) -> Series:
    """Return whole UTC days; the days of start and end count as a whole."""
    query = _days(sensor_id, start, end).with_only_columns(
        Block.day, Block.total, Block.low, Block.high, Block.n
    )
    rows = ctx.session.execute(query.where(Block.n > 0).order_by(Block.day)).all()
    if not rows:
        return Series(*_nothing(), width_s=86_400)
    days, totals, low, high, n = zip(*rows, strict=True)
    return Series(
        np.array([day_number(day) * DAY_US for day in days], dtype=np.int64),
        np.array(totals) / np.array(n),
        np.array(low, dtype=np.float64),
        np.array(high, dtype=np.float64),
        np.array(n, dtype=np.int64),
        86_400,
    )


def _count(ctx: Context, sensor_id: int, start: datetime, end: datetime) -> int:
    """Return how many usable readings the days from start to end hold."""
    query = _days(sensor_id, start, end).with_only_columns(func.sum(Block.n))
    return int(ctx.session.scalar(query) or 0)


def _days(sensor_id: int, start: datetime, end: datetime) -> Select[Block]:
    return select(Block).where(
        Block.sensor_id == sensor_id,
        Block.day >= start.date(),
        Block.day <= (end - timedelta(microseconds=1)).date(),
    )


def _nothing() -> tuple[Ints, Floats, Floats, Floats, Ints]:
    none = np.empty(0)
    return none.astype(np.int64), none, none, none, none.astype(np.int64)
