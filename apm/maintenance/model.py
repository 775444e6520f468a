"""Plans and their occurrences."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.assets.model import Asset
from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped


class PlanMode(StrEnum):
    """What the next due date is counted from."""

    FIXED = "fixed"
    """the calendar: anchor + k intervals, no drift"""
    FLOATING = "floating"
    """the last completion"""


class OccurrenceState(StrEnum):
    """What became of one due date."""

    OPEN = "open"
    DONE = "done"
    MISSED = "missed"
    CANCELLED = "cancelled"
    """excused: the asset was not in use when it fell due"""


class Plan(Audited, HospitalScoped, Row):
    """Maintenance of one asset, again and again."""

    __tablename__ = "plan"
    __table_args__ = (
        UniqueConstraint("asset_id", "template_code"),
        Index("ix_plan_next_due", "hospital_id", "next_due"),
    )

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    template_code: Mapped[str]
    mode: Mapped[PlanMode] = mapped_column(text_enum(PlanMode), default=PlanMode.FIXED)
    interval_months: Mapped[int]
    anchor: Mapped[date]
    early_days: Mapped[int] = mapped_column(default=14)
    grace_days: Mapped[int] = mapped_column(default=14)
    is_active: Mapped[bool] = mapped_column(default=True)
    next_due: Mapped[date]
    """Due date of the next occurrence that has no work order yet."""
    held_why: Mapped[str | None]
    """The asset's state that holds the plan back (`standby`): it is due before use again."""
    held_since: Mapped[date | None]
    """Occurrences that fell due from then on are excused, not missed."""
    problem: Mapped[str | None]
    """Why the last try to make a work order failed."""
    next_seq: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column()

    asset: Mapped[Asset] = relationship(lazy="raise")

    __mapper_args__ = {"version_id_col": version}


class Occurrence(Audited, HospitalScoped, Row):
    """One due date of a plan, frozen when its work order was made."""

    __tablename__ = "occurrence"
    __table_args__ = (
        UniqueConstraint("plan_id", "seq"),
        # Whole answers, so that neither a list of plans nor a year's figures read the table.
        Index("ix_occurrence_plan", "plan_id", "state", "hospital_id"),
        Index("ix_occurrence_state", "hospital_id", "state", "due"),
        Index(
            "ix_occurrence_due", "hospital_id", "due", "plan_id", "state", "late_after", "done_on"
        ),
    )

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    seq: Mapped[int]
    due: Mapped[date]
    opens: Mapped[date]
    late_after: Mapped[date]
    state: Mapped[OccurrenceState] = mapped_column(
        text_enum(OccurrenceState), default=OccurrenceState.OPEN
    )
    why: Mapped[str]
    """What made it due: `calendar`, `completion`, or `before_use` after a time out of use."""
    outcome: Mapped[str | None]
    """Why it was missed or excused: `superseded`, `cancelled`, `held`, `retired`, `stopped`."""
    work_order_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"), index=True)
    done_at: Mapped[datetime | None]
    done_on: Mapped[date | None]
    """The day of `done_at` in the hospital's time zone; compared with `late_after`."""

    plan: Mapped[Plan] = relationship(lazy="raise")
