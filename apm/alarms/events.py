"""What other features may hear of: an alarm calls for somebody, somebody has answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apm.core.events import Event


@dataclass(frozen=True, slots=True)
class AlarmRaised(Event):
    """An alarm wants somebody to look; a work order may wait already.

    is_first: of its group; the others of a group of one cause call nobody again.
    """

    kind: ClassVar[str] = "alarms.raised"
    alarm_id: int
    sensor: str
    priority: str
    work_order_no: str | None
    alarm_kind: str = "anomaly"
    reason: str = ""
    asset_id: int | None = None
    is_first: bool = True


@dataclass(frozen=True, slots=True)
class AlarmAnswered(Event):
    """Somebody has acknowledged, cleared or silenced an alarm, or it has ended by itself."""

    kind: ClassVar[str] = "alarms.answered"
    alarm_id: int
