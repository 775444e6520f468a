"""What is promised for each priority, and what keeps the promise in sight.

The times themselves stand on the order (`respond_by`, `resolve_by`).  Here is what the clock
needs to be wound again, kept beside the order: winding it is no change of the order.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.work.states import Priority


class Runs(StrEnum):
    """When a clock runs."""

    ALWAYS = "always"
    WORKING = "working"


class Unit(StrEnum):
    """What a target is counted in; a day of working hours is one opening day long."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"


class ServiceLevel(Audited, HospitalScoped, Row):
    """What a hospital promises for one priority; without a row the usual promise holds."""

    __tablename__ = "service_level"
    __table_args__ = (UniqueConstraint("hospital_id", "priority"),)

    priority: Mapped[Priority] = mapped_column(text_enum(Priority))
    runs: Mapped[Runs] = mapped_column(text_enum(Runs))
    respond: Mapped[int]
    respond_unit: Mapped[Unit] = mapped_column(text_enum(Unit))
    resolve: Mapped[int]
    resolve_unit: Mapped[Unit] = mapped_column(text_enum(Unit))


class ServiceWatch(HospitalScoped, Row):
    """The clocks of one document: what was promised when it began, and when to look again."""

    __tablename__ = "service_watch"
    __table_args__ = (
        UniqueConstraint("hospital_id", "no"),
        Index("ix_service_watch_due", "hospital_id", "kind", "next_check_at"),
    )

    no: Mapped[str]
    """The number of a work order, or of a request nobody has decided about."""
    kind: Mapped[str]
    """`work` or `request`: each feature looks after its own."""
    begins: Mapped[datetime]
    runs: Mapped[Runs] = mapped_column(text_enum(Runs))
    respond_minutes: Mapped[int]
    resolve_minutes: Mapped[int]
    next_check_at: Mapped[datetime | None]
    """None: nothing can be missed any more."""


class WorkPause(HospitalScoped, Row):
    """A time in which nobody could get at the equipment: the resolution clock stands still."""

    __tablename__ = "work_pause"

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    begins: Mapped[datetime]
    ends: Mapped[datetime | None]


class ServiceEscalation(HospitalScoped, Row):
    """Somebody was told that a clock runs out, or has: once a document and step."""

    __tablename__ = "service_escalation"
    __table_args__ = (UniqueConstraint("hospital_id", "no", "step"),)

    no: Mapped[str]
    step: Mapped[str]
    """`respond_near`, `respond_missed`, `resolve_near`, `resolve_missed`."""
    due_at: Mapped[datetime]
    at: Mapped[datetime]
