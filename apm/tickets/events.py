"""What other features may hear of: requests and work orders came and moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apm.core.events import Event


@dataclass(frozen=True, slots=True)
class RequestReported(Event):
    """Somebody reported a fault."""

    kind: ClassVar[str] = "tickets.request_reported"
    request_id: int
    no: str
    asset_id: int
    symptom: str
    is_urgent: bool


@dataclass(frozen=True, slots=True)
class RequestMoved(Event):
    """A request went on: triage decided, or its reporter answered, confirmed or objected."""

    kind: ClassVar[str] = "tickets.request_moved"
    request_id: int
    no: str
    action: str
    state: str
    reporter_id: int | None


@dataclass(frozen=True, slots=True)
class WorkOrderOpened(Event):
    """There is new work."""

    kind: ClassVar[str] = "tickets.work_order_opened"
    work_order_id: int
    no: str
    type: str
    priority: str
    origin: str | None
    asset_id: int | None


@dataclass(frozen=True, slots=True)
class WorkOrderMoved(Event):
    """A work order went on; `state` is the state it is in now."""

    kind: ClassVar[str] = "tickets.work_order_moved"
    work_order_id: int
    no: str
    type: str
    action: str
    state: str
    origin: str | None
    assignee_id: int | None
