"""What a feed makes its meter say: one value at the end of each day, traceable to its sensor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from apm.core.command import Context
from apm.maintenance.metering import meter_of, refresh_plans
from apm.maintenance.model import Meter, MeterKind, MeterReading
from apm.utilisation.days import window_of
from apm.utilisation.model import Feed, FeedWay, MeterBreak, UseDay

DIGITS = 3


@dataclass(frozen=True, slots=True)
class Course:
    """How much a feed has counted: shape (n,), seconds since 1970 and the sum up to then."""

    at: NDArray[np.float64]
    total: NDArray[np.float64]

    def until(self, moment: datetime) -> float:
        """Return the sum up to a moment, within an hour in proportion."""
        if not len(self.at):
            return 0.0
        return float(np.interp(moment.timestamp(), self.at, self.total, left=0.0))


def write_values(ctx: Context, feed: Feed, zone: str) -> int:
    """Bring the meter a feed feeds up to date; return how many values are new or corrected.

    A value a person read is the truth from its moment on: the feed counts on from there.
    """
    if feed.meter is None:
        return 0
    meter = meter_of(ctx, feed.asset_id, feed.meter)
    query = select(MeterReading).where(MeterReading.meter_id == meter.id)
    known = {one.at: one for one in ctx.session.scalars(query.order_by(MeterReading.at))}
    typed = [one for one in known.values() if one.sensor_id is None]
    days = _days(ctx, feed)
    course = _course(feed, days, zone, _added(ctx, feed))
    changed = 0
    for day in days:
        end = datetime.fromtimestamp(window_of(day.day, zone).end, UTC)
        if end > ctx.now() or amount_of(day, feed) is None:
            continue
        base = next((one for one in reversed(typed) if one.at <= end), None)
        ran = course.until(end) - (course.until(base.at) if base else 0.0)
        value = round((base.value if base else 0.0) + ran, DIGITS)
        changed += _put(ctx, feed, meter, known.get(end), (end, value))
    if changed:
        ctx.session.flush()
        refresh_plans(ctx, meter)
    return changed


def _put(
    ctx: Context,
    feed: Feed,
    meter: Meter,
    known: MeterReading | None,
    said: tuple[datetime, float],
) -> bool:
    at, value = said
    if known is None:
        ctx.session.add(
            MeterReading(
                meter_id=meter.id, at=at, value=value, is_reset=False, read_by=ctx.actor.name,
                sensor_id=feed.sensor_id,
            )
        )  # fmt: skip
        return True
    if known.sensor_id is None or known.value == value:
        return False
    known.value, known.sensor_id = value, feed.sensor_id
    return True


def amount_of(day: UseDay, feed: Feed) -> float | None:
    """Return what a day adds to the meter of its feed; None if nobody can tell."""
    if feed.way in (FeedWay.COUNTER, FeedWay.ENERGY):
        return day.counted
    if feed.meter is MeterKind.HOURS:
        return None if day.on_s is None else day.on_s / 3600.0
    return None if day.starts is None else float(day.starts)


def _days(ctx: Context, feed: Feed) -> list[UseDay]:
    query = select(UseDay).where(UseDay.feed_id == feed.id).order_by(UseDay.day)
    return list(ctx.session.scalars(query))


def _added(ctx: Context, feed: Feed) -> list[tuple[float, float]]:
    query = select(MeterBreak.at, MeterBreak.added).where(
        MeterBreak.feed_id == feed.id, MeterBreak.added != 0
    )
    return [(at.timestamp(), added) for at, added in ctx.session.execute(query)]


def _course(feed: Feed, days: list[UseDay], zone: str, added: list[tuple[float, float]]) -> Course:
    """Lay the hours of all days behind each other; starts spread over the hours that were on."""
    at, grown = [], []
    for day in days:
        window = window_of(day.day, zone)
        amount = amount_of(day, feed) or 0.0
        weights = _weights(day, window.slots)
        extra = sum(ran for t, ran in added if window.start <= t < window.end)
        at.append(window.start)
        grown.append(0.0)
        for (_, end), weight in zip(pairwise(window.edges.tolist()), weights, strict=True):
            at.append(end)
            grown.append(amount * weight)
        grown[-1] += extra
    return Course(np.array(at), np.cumsum(grown) if grown else np.empty(0))


def _weights(day: UseDay, slots: tuple[int, ...]) -> list[float]:
    """Return the share of each hour of a day in what it adds."""
    column = 4 if day.counted is not None else 0
    amounts = [day.hours[slot][column] for slot in slots]
    whole = sum(amounts)
    return [a / whole for a in amounts] if whole > 0 else [1 / len(slots)] * len(slots)
