"""What other features may hear of: clocks that run out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apm.core.events import Event


@dataclass(frozen=True, slots=True)
class ServiceLevelNear(Event):
    """A clock of a work order or of a waiting report has nearly run out."""

    kind: ClassVar[str] = "work.service_level_near"
    no: str
    url: str
    clock: str
    due_at: str
    priority: str
    team_id: int | None
    people: list[int]


@dataclass(frozen=True, slots=True)
class ServiceLevelMissed(Event):
    """A clock has run out; `people` are to be told."""

    kind: ClassVar[str] = "work.service_level_missed"
    no: str
    url: str
    clock: str
    due_at: str
    priority: str
    team_id: int | None
    people: list[int]
