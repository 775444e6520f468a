"""The words for where requests and work orders stand, and what kind of work there is."""

from __future__ import annotations

from enum import StrEnum


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


class WorkType(StrEnum):
    """Why work is done."""

    CORRECTIVE = "corrective"
    PREVENTIVE = "preventive"
    PREDICTIVE = "predictive"
    INSPECTION = "inspection"


class WorkState(StrEnum):
    """Where a work order stands."""

    PLANNED = "planned"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    WAITING_PARTS = "waiting_parts"
    WAITING_VENDOR = "waiting_vendor"
    WAITING_ACCESS = "waiting_access"
    DONE = "done"
    CLOSED = "closed"
    CANCELLED = "cancelled"


OPEN_WORK = frozenset(WorkState) - {WorkState.CLOSED, WorkState.CANCELLED}


class Priority(StrEnum):
    """How soon."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


PRIORITY_RANK = {Priority.URGENT: 0, Priority.HIGH: 1, Priority.NORMAL: 2, Priority.LOW: 3}


class CostKind(StrEnum):
    """What money was spent on."""

    PARTS = "parts"
    LABOUR = "labour"
    VENDOR = "vendor"


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
