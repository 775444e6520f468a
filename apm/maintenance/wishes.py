"""What people and programs ask of maintenance, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from apm.maintenance.model import MeterKind, TriggerKind

LONGEST_NOTE = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A trigger as it is asked for; the fields of its kind are given."""

    kind: TriggerKind
    meter: MeterKind | None = None
    every: float | None = None
    base: float | None = None
    """What the meter said at the last visit; None: what it says now."""
    sensor: str | None = None
    is_above: bool = True
    limit: float | None = None
    hysteresis: float = 0.0
    minutes: int = 0
    floor: float | None = None
    horizon_days: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody read: on which asset, which meter, when, what."""

    asset: str
    meter: MeterKind
    value: float
    at: datetime | None = None
    """None: now."""
    is_reset: bool = False


class Excuse(StrEnum):
    """Why a due date may pass without work."""

    IN_USE = "in_use"
    NOT_LOCATED = "not_located"
    HELD = "held"
