"""A stretch of one sensor's readings, as fine as was asked for or as a chart can show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, case, func, select

from apm.core.command import Context
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.readings.batches import Batch
from apm.readings.blocks import DAY_US, EMPTY, Readings, joined
from apm.readings.checking import instant, microseconds
from apm.readings.days import (
    day_number,
    day_of,
    in_turn,
    laid_over,
    readings_between,
    waiting,
)
from apm.readings.hours import (
    HOUR_US,
    Buckets,
    bucketed,
    together_buckets,
    unpack_hours,
    widened,
)
from apm.readings.lookups import blocks_between
from apm.readings.model import Block
from predict.excursions import gap_limits

__all__ = ["Resolution", "Series", "readings_between", "series"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
MINUTE_US = HOUR_US // 60
WIDTHS_US = [
    *(n * MINUTE_US for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR_US for n in (1, 2, 3, 6, 12)),
    DAY_US,
]
"""Widths of a bucket that `auto` chooses from; each divides a day, so that no bucket needs two."""
MOST_POINTS = 2000
MOST_RAW = 500_000
FEW_US = 3 * DAY_US
"""So much is read at once; of longer periods it is found out first how much there is."""
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

    def gaps(self) -> list[int]:
        """Return after which points a gap begins: three times what is usual there, or more.

        A bucket is bridged in any case; see `gap_limits` for what is usual.
        """
        at = self.at / 1e6
        limits = gap_limits(at, 1.5 * (self.width_s or 0), np.inf)
        return [int(k) for k in np.flatnonzero(np.diff(at) > limits)]

    def broken_points(self) -> list[tuple[datetime, float | None]]:
        """Return `points()` with a None where a gap begins, so that a line ends there."""
        found: list[tuple[datetime, float | None]] = list(self.points())
        for k in reversed(self.gaps()):
            found.insert(k + 1, (instant(int(self.at[k] + self.at[k + 1]) // 2), None))
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

    Where only hours are kept, an hour that the period cuts counts as a whole, and `auto` gives
    hours or more.

    Raises:
        Invalid: the period is empty, longer than ten years, or cannot be shown one by one: it
            holds too many readings, or some of which only the hours are kept.
    """
    if not timedelta() < end - start <= LONGEST:
        message = _l("The period must begin before it ends and last at most ten years.")
        raise Invalid(message, fields={"from": [message]}, code="bad_period")
    if resolution is Resolution.DAY:
        return _by_day(ctx, sensor_id, start, end)
    if resolution is Resolution.HOUR:
        return _in_hours(ctx, sensor_id, (start, end), HOUR_US)
    first, last = microseconds(start), microseconds(end)
    unmerged = waiting(ctx, [sensor_id], start=first, end=last)  # before the blocks
    if last - first <= FEW_US:
        rows = blocks_between(ctx, sensor_id, day_of(first), day_of(last - 1))
        is_thinned = any(data is None and n for _day, n, data in rows)
        n = sum(n for _day, n, _data in rows) + len(unmerged)
    else:
        rows = None
        n, is_thinned = _extent(ctx, sensor_id, (first, last), unmerged)
    if resolution is Resolution.RAW:
        _refuse_raw(n, is_thinned=is_thinned)
    if resolution is Resolution.RAW or (n <= most and not is_thinned):
        if rows is not None:
            days = ((day, data) for day, _n, data in rows)
            return _together(in_turn(days, unmerged, first, last))
        return _raw(ctx, sensor_id, (first, last), unmerged)
    return _fitting(ctx, sensor_id, (start, end), HOUR_US if is_thinned else 0, most)


def _fitting(
    ctx: Context, sensor_id: int, period: tuple[datetime, datetime], least: int, most: int
) -> Series:
    """Return buckets so wide that there are at most `most`, and not under `least`."""
    start, end = period
    span = (end - start) / timedelta(microseconds=1)
    width = next((w for w in WIDTHS_US if w >= least and span / w <= most), DAY_US)
    if width == DAY_US:
        return _by_day(ctx, sensor_id, start, end)
    if width >= HOUR_US:
        found = _in_hours(ctx, sensor_id, (start, end), width)
    else:
        parts = readings_between(ctx, sensor_id, start=start, end=end)
        found = _of(together_buckets([bucketed(part, width) for part in parts]), width)
    # The count was of whole days: what is asked for may be few enough all the same.
    is_few = found.n is not None and int(found.n.sum()) <= most
    if not is_few or least:
        return found
    first, last = microseconds(start), microseconds(end)
    unmerged = waiting(ctx, [sensor_id], start=first, end=last)
    return _raw(ctx, sensor_id, (first, last), unmerged)


def _refuse_raw(n: int, *, is_thinned: bool) -> None:
    if is_thinned:
        message = _l(
            "Of a part of this period only hourly values are kept. Ask by the hour or by the day."
        )
        raise Invalid(message, fields={"resolution": [message]}, code="summarised")
    if n > MOST_RAW:
        message = _l("Too many readings for one answer. Shorten the period or ask by the hour.")
        raise Invalid(message, fields={"resolution": [message]}, code="too_many_readings")


def _raw(ctx: Context, sensor_id: int, period: tuple[int, int], unmerged: Batch) -> Series:
    query = _days(sensor_id, *period).with_only_columns(Block.day, Block.data)
    return _together(laid_over(ctx, query, unmerged, *period))


def _together(parts: Iterable[Readings]) -> Series:
    found = joined([*parts] or [EMPTY])
    return Series(found.times, found.values)


def _of(buckets: Buckets, width: int) -> Series:
    mean = buckets.total / buckets.n
    return Series(buckets.at, mean, buckets.low, buckets.high, buckets.n, width // 1_000_000)


def _in_hours(
    ctx: Context, sensor_id: int, period: tuple[datetime, datetime], width: int
) -> Series:
    """Return hours, or several joined: from the roll-ups of whole days, else from readings.

    Days at the ends, days that wait to be merged and days not sealed yet are read as they are;
    the hours of the others were made from the same readings.
    """
    first, last = microseconds(period[0]), microseconds(period[1])
    unmerged = waiting(ctx, [sensor_id], start=first, end=last)  # before the blocks
    fresh = {day_of(first), day_of(last - 1), *map(day_of, unmerged.readings.times.tolist())}
    is_whole = Block.hours.is_not(None) & (Block.data.is_(None) | Block.day.not_in(fresh))
    days = _days(sensor_id, first, last)
    rows = ctx.session.execute(days.where(is_whole).with_only_columns(Block.day, Block.hours))
    parts = {
        day_number(day): unpack_hours(hours).moved(day_number(day) * DAY_US)
        for day, hours in rows
        if hours is not None
    }
    others = days.where(~is_whole).with_only_columns(Block.day, Block.data)
    for part in laid_over(ctx, others, unmerged, first, last):
        if len(part):
            parts[int(part.times[0] // DAY_US)] = bucketed(part, HOUR_US)
    found = together_buckets([parts[day] for day in sorted(parts)])
    inside = (found.at > first - HOUR_US) & (found.at < last)
    return _of(widened(found.where(inside), width), width)


def _by_day(ctx: Context, sensor_id: int, start: datetime, end: datetime) -> Series:
    """Return whole UTC days; the days of start and end count as a whole."""
    first = microseconds(start) // DAY_US * DAY_US
    last = -(-microseconds(end) // DAY_US) * DAY_US
    unmerged = waiting(ctx, [sensor_id], start=first, end=last)  # before the blocks
    days = _days(sensor_id, first, last)
    fresh = {day_of(at) for at in unmerged.readings.times.tolist()}
    columns = Block.day, Block.total, Block.low, Block.high, Block.n
    rows = ctx.session.execute(
        days.where(Block.n > 0, Block.day.not_in(fresh)).with_only_columns(*columns)
    )
    parts = {row.day: _day(row) for row in rows}
    if fresh:
        others = days.where(Block.day.in_(fresh)).with_only_columns(Block.day, Block.data)
        for part in laid_over(ctx, others, unmerged, first, last):
            if len(part):
                parts[day_of(int(part.times[0]))] = bucketed(part, DAY_US)
    return _of(together_buckets([parts[day] for day in sorted(parts)]), DAY_US)


def _day(row: Any) -> Buckets:
    at = day_number(row.day) * DAY_US
    return Buckets(
        np.array([at]),
        np.array([row.n]),
        np.array([row.low]),
        np.array([row.high]),
        np.array([row.total]),
    )


def _extent(
    ctx: Context, sensor_id: int, period: tuple[int, int], unmerged: Batch
) -> tuple[int, bool]:
    """Return how many usable readings the days from start to end hold at most.

    And whether of some of them only the hours are kept.
    """
    gone = func.sum(case((Block.data.is_(None) & (Block.n > 0), 1), else_=0))
    query = _days(sensor_id, *period).with_only_columns(func.sum(Block.n), gone)
    n, thinned = ctx.session.execute(query).one()
    return int(n or 0) + len(unmerged), bool(thinned)


def _days(sensor_id: int, first: int, last: int) -> Select[Block]:
    return select(Block).where(
        Block.sensor_id == sensor_id,
        Block.day >= day_of(first),
        Block.day <= day_of(last - 1),
    )
