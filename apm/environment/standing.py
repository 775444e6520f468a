"""How a sensor stands at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from apm.alarms.patience import Patience
from apm.core.command import Context
from apm.environment.alarm_state import Limits, Ringing


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
    def profile(self) -> str | None:
        """Of `seed/environment.yaml`."""

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
    """Return the sensors that are silent by the rule of the alarms."""
    patience = Patience(ctx)
    return {
        one.sensor_id
        for one in seen
        if one.at is not None
        and patience.is_over(now - one.at, one.sensor_id, one.profile, one.interval_s)
    }
