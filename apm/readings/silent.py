"""Which sensors are silent, asked by pages below `alarms`, which knows (`alarms.patience`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from apm.core.command import Context
from apm.core.registry import Hooks
from apm.readings.model import Sensor

Hears = Callable[[Context, Sequence[Sensor], datetime], set[int]]
_HEARS: Hooks[Hears] = Hooks("those who hear which sensors are silent")
on_asking = _HEARS.add


def silent_among(ctx: Context, sensors: Sequence[Sensor], now: datetime) -> set[int]:
    """Return the ids of those of these sensors, loaded with `latest`, that are silent."""
    return {one for hears in _HEARS for one in hears(ctx, sensors, now)}
