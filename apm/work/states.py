"""The words for where work orders stand, what kind of work there is, and how soon it is due."""

from __future__ import annotations

from enum import StrEnum


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


class AsFound(StrEnum):
    """In what condition predicted work found the equipment, as who did it saw."""

    DEFECT = "defect"
    WEAR = "wear"
    """Worn so far that it would have failed."""
    NOTHING = "nothing"
    CANNOT_TELL = "cannot_tell"


class DownKind(StrEnum):
    """How much of the equipment cannot be used."""

    FULL = "full"
    PARTIAL = "partial"


class DownReason(StrEnum):
    """What keeps it out of use."""

    FAULT = "fault"
    PRECAUTION = "precaution"
    NO_PART = "no_part"
    VENDOR = "vendor"
    ACCESS = "access"
