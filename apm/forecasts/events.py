"""What other features may hear of: a detector found something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apm.core.events import Event


@dataclass(frozen=True, slots=True)
class AlarmRaised(Event):
    """A sensor stopped behaving like itself, and a work order waits for somebody."""

    kind: ClassVar[str] = "forecasts.alarm_raised"
    alarm_id: int
    sensor: str
    priority: str
    work_order_no: str
