"""Plans and their occurrences."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.assets.model import Asset
from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.maintenance.due import Interval
from apm.readings.model import Sensor


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
    EXCUSED = "excused"
    """not done for a reason that counts: in use, not located, held out of use"""
    CANCELLED = "cancelled"
    """there was nothing to do any more: the plan ended, or other work took it in"""


class TriggerKind(StrEnum):
    """What besides the calendar makes a plan due."""

    METER = "meter"
    CONDITION = "condition"
    PREDICTION = "prediction"


class Phase(StrEnum):
    """Where a trigger stands."""

    WAITING = "waiting"
    """nothing has been heard yet"""
    NOT_ENOUGH = "not_enough"
    """a meter with fewer than three readings: no date can be projected"""
    NO_DATA = "no_data"
    """a sensor that has fallen silent: neither good nor bad"""
    NORMAL = "normal"
    PENDING = "pending"
    """beyond the limit, not for long enough yet"""
    MET = "met"


class MeterKind(StrEnum):
    """What a meter counts."""

    HOURS = "hours"
    USES = "uses"
    EXPOSURES = "exposures"
    CYCLES = "cycles"


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
    interval_months: Mapped[int] = mapped_column(default=0)
    interval_days: Mapped[int] = mapped_column(default=0, server_default="0")
    """Months or days; neither: due by its triggers alone, `next_due` is then `due.NEVER`."""
    anchor: Mapped[date]
    early_days: Mapped[int] = mapped_column(default=14)
    grace_days: Mapped[int] = mapped_column(default=14)
    is_active: Mapped[bool] = mapped_column(default=True)
    next_due: Mapped[date]
    """Due date of the next occurrence that has no work order yet."""
    held_why: Mapped[str | None]
    """The asset's state that holds the plan back (`standby`): it is due before use again."""
    held_since: Mapped[date | None]
    """Since when; None once it is back, and what it owes is due before use (see `holds`)."""
    problem: Mapped[str | None]
    """Why the last try to make a work order failed."""
    next_seq: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column()

    asset: Mapped[Asset] = relationship(lazy="raise")
    triggers: Mapped[list[PlanTrigger]] = relationship(
        lazy="raise",
        order_by="PlanTrigger.id",
        back_populates="plan",
        cascade="save-update, merge, delete-orphan, delete",
    )

    @property
    def interval(self) -> Interval:
        """From one due date to the next."""
        return Interval(self.interval_months or 0, self.interval_days or 0)

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
            "ix_occurrence_due",
            "hospital_id",
            "due",
            "plan_id",
            "state",
            "late_after",
            "done_on",
            "is_extra",
        ),
    )

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    seq: Mapped[int]
    due: Mapped[date]
    opens: Mapped[date]
    late_after: Mapped[date]
    """The last day in time: of the window, or of the days before use after a time out of use."""
    window_end: Mapped[date | None]
    """The last day of the window where `late_after` is a later one."""
    held_since: Mapped[date | None]
    """The equipment was out of use on its day or its last day: from this day on,"""
    held_until: Mapped[date | None]
    """and back on this one; None while it is not, and where it was in use."""
    state: Mapped[OccurrenceState] = mapped_column(
        text_enum(OccurrenceState), default=OccurrenceState.OPEN
    )
    is_extra: Mapped[bool] = mapped_column(default=False, server_default="0")
    """A visit between two due dates of a fixed plan: it is no due date and is not counted."""
    why: Mapped[str]
    """What made it due first: `calendar`, `completion`, `before_use` after a time out of use,
    `meter`, `condition`, `prediction`, `by_hand`."""
    reasons: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    """All that made it due, with numbers, the earliest first; see `maintenance.reasons`."""
    outcome: Mapped[str | None]
    """Why it was missed (`superseded`, `cancelled`), excused (`held`, `in_use`, `not_located`)
    or dropped (`retired`, `stopped`, `merged`); `credited` if an earlier visit was counted."""
    note: Mapped[str | None]
    """What was said when it was excused or credited."""
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    work_order_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"), index=True)
    done_at: Mapped[datetime | None]
    done_on: Mapped[date | None]
    """The day of `done_at` in the hospital's time zone; compared with `late_after`."""

    plan: Mapped[Plan] = relationship(lazy="raise")

    @property
    def asked_for(self) -> date:
        """The day it is asked for: its due date, or the return of equipment that was out."""
        return self.held_until or self.due


class Meter(Audited, HospitalScoped, Row):
    """What an asset counts of itself: hours run, uses, exposures."""

    __tablename__ = "meter"
    __table_args__ = (UniqueConstraint("asset_id", "kind"),)

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    kind: Mapped[MeterKind] = mapped_column(text_enum(MeterKind))

    asset: Mapped[Asset] = relationship(lazy="raise")


class MeterReading(Audited, HospitalScoped, Row):
    """What a meter said at one moment."""

    __tablename__ = "meter_reading"
    __table_args__ = (UniqueConstraint("meter_id", "at"),)

    meter_id: Mapped[int] = mapped_column(ForeignKey("meter.id"))
    at: Mapped[datetime]
    value: Mapped[float]
    is_reset: Mapped[bool] = mapped_column(default=False)
    """The meter was replaced or set back: what stood before does not count together with it."""
    read_by: Mapped[str]
    sensor_id: Mapped[int | None] = mapped_column(ForeignKey("sensor.id"), index=True)
    """The sensor it was worked out from; None: somebody read it."""


class PlanTrigger(Audited, HospitalScoped, Row):
    """What besides the calendar makes a plan due; the columns of its kind are filled."""

    __tablename__ = "plan_trigger"
    __table_args__ = (Index("ix_plan_trigger_due", "hospital_id", "due_on"),)
    untracked = frozenset({"value", "read_until", "seen_revision", "phase", "since", "detail"})

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"), index=True)
    kind: Mapped[TriggerKind] = mapped_column(text_enum(TriggerKind))
    meter_id: Mapped[int | None] = mapped_column(ForeignKey("meter.id"), index=True)
    every: Mapped[float | None]
    """Due each time the meter has moved on by this."""
    base_value: Mapped[float | None]
    """What the meter said at the last visit: the next is due `every` later."""
    base_at: Mapped[datetime | None]
    sensor_id: Mapped[int | None] = mapped_column(ForeignKey("sensor.id"), index=True)
    is_above: Mapped[bool | None]
    """The limit is an upper one."""
    limit: Mapped[float | None]
    hysteresis: Mapped[float | None]
    """How far on the good side of the limit a value must return to count as good again."""
    minutes: Mapped[int | None]
    """How long it must stay beyond the limit."""
    floor: Mapped[float | None]
    """The lowest probability of a failure that counts, 0 to 1."""
    horizon_days: Mapped[int | None]
    """How far ahead a foretold failure may lie to count."""
    phase: Mapped[Phase] = mapped_column(text_enum(Phase), default=Phase.WAITING)
    since: Mapped[datetime | None]
    value: Mapped[float | None]
    """The newest value of the meter or sensor."""
    read_until: Mapped[datetime | None]
    seen_revision: Mapped[int] = mapped_column(default=0)
    due_on: Mapped[date | None]
    """When it makes the plan due: projected for a meter, the day it was met for the others."""
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """The numbers behind `due_on`, as plain JSON."""
    fired_seq: Mapped[int | None]
    """The occurrence that answers it; None while none does."""

    plan: Mapped[Plan] = relationship(lazy="raise", back_populates="triggers")
    meter: Mapped[Meter | None] = relationship(lazy="raise")
    sensor: Mapped[Sensor | None] = relationship(lazy="raise")
