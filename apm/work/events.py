"""What other features may hear of: work orders came and moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apm.core.events import Event


@dataclass(frozen=True, slots=True)
class WorkOrderOpened(Event):
    """There is new work."""

    kind: ClassVar[str] = "work.order_opened"
    work_order_id: int
    no: str
    type: str
    priority: str
    origin: str | None
    asset_id: int | None


@dataclass(frozen=True, slots=True)
class WorkOrderMoved(Event):
    """A work order went on; `state` is the state it is in now."""

    kind: ClassVar[str] = "work.order_moved"
    work_order_id: int
    no: str
    type: str
    action: str
    state: str
    origin: str | None
    assignee_id: int | None
