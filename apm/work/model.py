"""Work orders: what people do, step by step, what it cost, who signed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.assets.model import Asset, Location
from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.procedures.model import StepKind, Verdict
from apm.work.states import CostKind, Priority, WorkState, WorkType


class Counter(HospitalScoped, Row):
    """The last number given out for one kind of document in one hospital and year."""

    __tablename__ = "counter"
    __table_args__ = (UniqueConstraint("hospital_id", "kind"),)

    kind: Mapped[str]
    """For example `WO-2026`."""
    last: Mapped[int] = mapped_column(default=0)


class WorkOrder(Audited, HospitalScoped, Row):
    """One job on one asset or in one place."""

    __tablename__ = "work_order"
    __table_args__ = (
        UniqueConstraint("hospital_id", "no"),
        UniqueConstraint("hospital_id", "origin"),
        Index("ix_work_order_state", "hospital_id", "state", "assignee_id"),
        Index("ix_work_order_asset", "asset_id", "state"),
        Index("ix_work_order_closed", "hospital_id", "closed_at"),
        Index("ix_work_order_down", "hospital_id", "down_from"),
    )

    no: Mapped[str]
    type: Mapped[WorkType] = mapped_column(text_enum(WorkType))
    origin: Mapped[str | None]
    """What opened it, once: `request:R-2026-000012`, `alarm:17`, `occurrence:9`.  Unique."""
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"), index=True)
    title: Mapped[str]
    title_zh: Mapped[str | None]
    state: Mapped[WorkState] = mapped_column(text_enum(WorkState), default=WorkState.PLANNED)
    priority: Mapped[Priority] = mapped_column(text_enum(Priority), default=Priority.NORMAL)
    high_risk: Mapped[bool] = mapped_column(default=False)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    assignee_name: Mapped[str | None]
    template_code: Mapped[str | None]
    template_version: Mapped[str | None]
    due_on: Mapped[date | None]
    late_after: Mapped[date | None]
    created_at: Mapped[datetime]
    assigned_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None]
    expected_on: Mapped[date | None]
    reason: Mapped[str | None]
    """Why it waits, was returned or cancelled."""
    cause_code: Mapped[str | None]
    remedy: Mapped[str | None]
    labour_minutes: Mapped[int] = mapped_column(default=0)
    down_from: Mapped[datetime | None]
    down_until: Mapped[datetime | None]
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What a detector saw: series, score, since when."""
    version: Mapped[int] = mapped_column()

    asset: Mapped[Asset | None] = relationship(lazy="raise")
    location: Mapped[Location | None] = relationship(lazy="raise")
    steps: Mapped[list[WorkStep]] = relationship(
        lazy="raise", order_by="WorkStep.position", back_populates="work_order"
    )
    costs: Mapped[list[Cost]] = relationship(lazy="raise", order_by="Cost.id")
    signatures: Mapped[list[Signature]] = relationship(lazy="raise", order_by="Signature.id")

    __mapper_args__ = {"version_id_col": version}  # two technicians, one winner


class WorkStep(Audited, HospitalScoped, Row):
    """One step of the checklist as it was when the order was made, and its answer."""

    __tablename__ = "work_step"
    __table_args__ = (UniqueConstraint("work_order_id", "key"),)

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"))
    key: Mapped[str]
    """The template's step id, with its set point: `vt@400`."""
    position: Mapped[int]
    section: Mapped[str]
    kind: Mapped[StepKind] = mapped_column(text_enum(StepKind))
    text: Mapped[str]
    text_zh: Mapped[str]
    unit: Mapped[str | None]
    reference: Mapped[float | None]
    reference_text: Mapped[str | None]
    tolerance: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    source: Mapped[str | None]
    to_verify: Mapped[bool] = mapped_column(default=False)
    """The limit is from memory: shown with "verify" until an engineer confirms it."""
    mandatory: Mapped[bool] = mapped_column(default=True)
    value: Mapped[float | None]
    verdict: Mapped[Verdict | None] = mapped_column(text_enum(Verdict))
    note: Mapped[str | None]
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]

    work_order: Mapped[WorkOrder] = relationship(lazy="raise", back_populates="steps")


class Cost(Audited, HospitalScoped, Row):
    """Money one work order cost."""

    __tablename__ = "cost"

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    kind: Mapped[CostKind] = mapped_column(text_enum(CostKind))
    amount: Mapped[int]
    """In minor units (fen)."""
    currency: Mapped[str]
    note: Mapped[str | None]


class Signature(Audited, HospitalScoped, Row):
    """Somebody put their name to a record, after giving the password again (21 CFR 11.50)."""

    __tablename__ = "signature"

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    user_id: Mapped[int]
    name: Mapped[str]
    meaning: Mapped[str]
    """`performed` or `approved`."""
    at: Mapped[datetime]
    record_hash: Mapped[str]
    """SHA-256 of the record as it was signed."""
