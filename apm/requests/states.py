"""The words for where requests stand."""

from __future__ import annotations

from enum import StrEnum

from apm.work.model import WorkOrder
from apm.work.states import WorkState


class Triage(StrEnum):
    """What was decided about a request before there is work."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    NEEDS_INFO = "needs_info"
    REJECTED = "rejected"


class RequestState(StrEnum):
    """Where a request stands, as its reporter sees it."""

    OPEN = "open"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    WAITING_PARTS = "waiting_parts"
    WAITING_VENDOR = "waiting_vendor"
    WAITING_ACCESS = "waiting_access"
    RESOLVED = "resolved"
    VERIFIED = "verified"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    DUPLICATE = "duplicate"
    NEEDS_INFO = "needs_info"
    REJECTED = "rejected"


STATE_OF_WORK = {
    WorkState.PLANNED: RequestState.ASSIGNED,
    WorkState.ASSIGNED: RequestState.ASSIGNED,
    WorkState.IN_PROGRESS: RequestState.IN_PROGRESS,
    WorkState.WAITING_PARTS: RequestState.WAITING_PARTS,
    WorkState.WAITING_VENDOR: RequestState.WAITING_VENDOR,
    WorkState.WAITING_ACCESS: RequestState.WAITING_ACCESS,
    WorkState.DONE: RequestState.RESOLVED,
    WorkState.CLOSED: RequestState.RESOLVED,
    WorkState.CANCELLED: RequestState.CANCELLED,
}
"""What the state of a work order means to whoever reported the fault."""

FINISHED = frozenset(
    {
        RequestState.RESOLVED,
        RequestState.VERIFIED,
        RequestState.CLOSED,
        RequestState.CANCELLED,
        RequestState.DUPLICATE,
        RequestState.REJECTED,
    }
)
"""States of a request in which nobody works on it any more."""


def state_for_reporter(order: WorkOrder) -> RequestState:
    """Return what the state of an order means to whoever reported the fault.

    High-risk equipment is not repaired until a second person has approved it.
    """
    if order.state is WorkState.DONE and order.high_risk:
        return RequestState.IN_PROGRESS
    return STATE_OF_WORK[order.state]
