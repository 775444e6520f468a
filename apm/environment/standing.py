"""How a sensor stands at this moment, and when its silence counts as one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import numpy as np

from apm.core.command import Context
from apm.environment.alarm_state import Limits, Ringing
from apm.readings.days import stored_on
from predict.excursions import GAP_STEPS, LEAST_READINGS, usual_step

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=1)
"""A silence is never called one before, and always after."""
LAST = 12
"""Readings that tell a sensor's usual interval."""
AT_ONCE = 400


class Standing(StrEnum):
    """What a card says, the most pressing first."""

    ALARM = "alarm"
    PENDING = "pending"
    RECOVERING = "recovering"
    SILENT = "silent"
    NO_DATA = "no_data"
    NORMAL = "normal"
    MAINTENANCE = "maintenance"


ORDER = {standing: place for place, standing in enumerate(Standing)}


class Measured(Protocol):
    """What is known of a sensor's newest reading."""

    @property
    def sensor_id(self) -> int:
        """The sensor's row."""

    @property
    def at(self) -> datetime | None:
        """When it measured last."""

    @property
    def value(self) -> float | None:
        """What it measured."""

    @property
    def interval_s(self) -> float | None:
        """Its usual interval, if the alarms know it."""


def standing_of(
    one: Measured,
    *,
    alarm: Ringing | None,
    limits: Limits | None,
    is_muted: bool,
    is_silent: bool,
) -> Standing:
    """Return how a sensor stands.

    Whoever is silent is never called normal.  Outside its limits without an alarm it is pending:
    the alarm's delay runs.  Back inside while an alarm of a limit lasts it is recovering.
    """
    if is_muted:
        return Standing.MAINTENANCE
    if one.at is None or one.value is None:
        return Standing.NO_DATA
    is_outside = limits is not None and limits.is_outside(one.value)
    if alarm is not None:
        is_inside = limits is not None and not is_outside and not is_silent
        is_back = alarm.is_of_limits and is_inside
        return Standing.RECOVERING if is_back else Standing.ALARM
    if is_silent:
        return Standing.SILENT
    return Standing.PENDING if is_outside else Standing.NORMAL


def silent_ids(ctx: Context, seen: Sequence[Measured], now: datetime) -> set[int]:
    """Return the sensors that have missed three of their usual intervals.

    The interval is the one that the alarms keep of each sensor.  Only of who has none yet, and has
    not sent for a minute, are the readings asked.
    """
    late = [one for one in seen if one.at and now - one.at > SHORTEST]
    steps = {one.sensor_id: one.interval_s for one in late if one.interval_s is not None}
    unknown = [one.sensor_id for one in late if one.interval_s is None]
    for begin in range(0, len(unknown), AT_ONCE):
        steps |= _steps(ctx, unknown[begin : begin + AT_ONCE], now)
    return {
        one.sensor_id
        for one in late
        if one.at is not None and now - one.at > _patience(steps.get(one.sensor_id))
    }


def _patience(step_s: float | None) -> timedelta:
    """Return how long a sensor with this usual interval may be silent."""
    wait = LONGEST if step_s is None else timedelta(seconds=min(GAP_STEPS * step_s, 86400.0))
    return min(max(wait, SHORTEST), LONGEST)


def _steps(ctx: Context, ids: list[int], now: datetime) -> dict[int, float]:
    """Return the usual interval in seconds of those that have sent enough since yesterday."""
    since, until = (now - LONGEST).date(), now.date()
    days = [since + timedelta(days=k) for k in range((until - since).days + 1)]
    batch = stored_on(ctx, [(key, day) for key in ids for day in days]).batch
    edges = np.searchsorted(batch.sensor_ids, [ids, [key + 1 for key in ids]])
    ends = {
        key: batch.readings.times[begin:end][-LAST:]
        for key, begin, end in zip(ids, *edges.tolist(), strict=True)
    }
    return {key: usual_step(end / 1e6) for key, end in ends.items() if len(end) >= LEAST_READINGS}
