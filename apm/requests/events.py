"""What other features may hear of: requests came and moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apm.core.events import Event


@dataclass(frozen=True, slots=True)
class RequestReported(Event):
    """Somebody reported a fault."""

    kind: ClassVar[str] = "requests.reported"
    request_id: int
    no: str
    asset_id: int
    symptom: str
    is_urgent: bool


@dataclass(frozen=True, slots=True)
class AdverseEventSuspected(Event):
    """Somebody may have been harmed; the periods for reporting it have begun."""

    kind: ClassVar[str] = "requests.adverse_event"
    request_id: int
    no: str
    asset_id: int


@dataclass(frozen=True, slots=True)
class RequestMoved(Event):
    """A request went on: triage decided, or its reporter answered, confirmed or objected."""

    kind: ClassVar[str] = "requests.moved"
    request_id: int
    no: str
    action: str
    state: str
    reporter_id: int | None
