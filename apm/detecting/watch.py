"""How far a sensor's detector is, for the sensor's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from apm.core.command import Context
from apm.detecting.model import DetectorState
from apm.detecting.queries import detector_state, is_too_slow
from apm.detecting.trace import Band, Trace
from apm.readings.queries import days_with_readings
from apm.utilisation.model import Feed
from predict.anomaly import DEFAULT


class WatchState(StrEnum):
    """Whether the detector can say something."""

    LEARNING = "learning"
    WATCHING = "watching"
    FAILED = "failed"
    USE = "use"
    """not watched: it tells the use of a device"""
    SLOW = "slow"
    """not watched: it speaks too seldom"""


@dataclass(frozen=True, slots=True)
class Watch:
    """How far a detector is, and what it expected lately.

    days: UTC days with readings so far; needs_days: how many the detector wants at least.
    band: (instant, low, high) of the readings scored last.
    """

    state: WatchState
    days: int
    needs_days: int
    since: datetime | None = None
    read_until: datetime | None = None
    error: str | None = None
    retry_at: datetime | None = None
    band: tuple[Band, ...] = ()


def watch(ctx: Context, sensor_id: int) -> Watch:
    """Return how far the detector of a sensor is."""
    row = detector_state(ctx, sensor_id)
    days = days_with_readings(ctx, sensor_id)
    told = select(Feed.id).where(Feed.sensor_id == sensor_id, Feed.is_active)
    if ctx.session.scalar(told) is not None:
        return Watch(WatchState.USE, days, DEFAULT.warm_up_days)
    if is_too_slow(ctx, sensor_id):
        return Watch(WatchState.SLOW, days, DEFAULT.warm_up_days)
    if row is None:
        return Watch(WatchState.LEARNING, days, DEFAULT.warm_up_days)
    return Watch(
        _state(row),
        days,
        DEFAULT.warm_up_days,
        row.watching_since,
        row.read_until,
        row.error,
        row.retry_at,
        tuple(Trace.of(row.recent).band()),
    )


def _state(row: DetectorState) -> WatchState:
    if row.error:
        return WatchState.FAILED
    return WatchState.WATCHING if row.watching_since else WatchState.LEARNING
