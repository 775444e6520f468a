"""Work orders: what people do, step by step, what it cost, who signed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.assets.model import Asset, Location
from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.procedures.model import StepKind, Verdict
from apm.work.field_model import Addendum, Labour, WorkPhoto
from apm.work.states import (
    AsFound,
    CostKind,
    DownKind,
    DownReason,
    Priority,
    WorkState,
    WorkType,
)


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
        Index("ix_work_order_team", "team_id", "state"),
        Index("ix_work_order_clock", "hospital_id", "clock_from"),
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
    performed_by: Mapped[str | None]
    """Who did the work when nobody of the hospital did: a name and a company."""
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None]
    expected_on: Mapped[date | None]
    reason: Mapped[str | None]
    """Why it waits, was returned or cancelled."""
    note: Mapped[str | None]
    """What was said when it was handed over or its priority changed, last."""
    cause_code: Mapped[str | None]
    remedy: Mapped[str | None]
    as_found: Mapped[AsFound | None] = mapped_column(text_enum(AsFound))
    """What work that a forecast asked for found: the forecast is judged by it."""
    labour_minutes: Mapped[int] = mapped_column(default=0)
    down_from: Mapped[datetime | None]
    down_until: Mapped[datetime | None]
    usable_again_at: Mapped[datetime | None]
    """When it was usable again, as the technician says; else the moment the work ends counts."""
    down_kind: Mapped[DownKind | None] = mapped_column(text_enum(DownKind))
    down_reason: Mapped[DownReason | None] = mapped_column(text_enum(DownReason))
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What a detector saw: series, score, since when."""
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    assigned_why: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What spoke for the assignee when they got it; see `teams.routing.Candidate`."""
    clock_from: Mapped[datetime | None]
    """When the fault was reported; the times below count from here.  See `work.clocks`."""
    respond_by: Mapped[datetime | None]
    resolve_by: Mapped[datetime | None]
    responded_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    """Since when the resolution clock stands still."""
    version: Mapped[int] = mapped_column()

    asset: Mapped[Asset | None] = relationship(lazy="raise")
    location: Mapped[Location | None] = relationship(lazy="raise")
    steps: Mapped[list[WorkStep]] = relationship(
        lazy="raise", order_by="WorkStep.position", back_populates="work_order"
    )
    costs: Mapped[list[Cost]] = relationship(lazy="raise", order_by="Cost.id")
    signatures: Mapped[list[Signature]] = relationship(lazy="raise", order_by="Signature.id")
    photos: Mapped[list[WorkPhoto]] = relationship(lazy="raise", order_by="WorkPhoto.id")
    labour: Mapped[list[Labour]] = relationship(lazy="raise", order_by="Labour.id")
    addenda: Mapped[list[Addendum]] = relationship(lazy="raise", order_by="Addendum.id")

    __mapper_args__ = {"version_id_col": version}  # two technicians, one winner


class WorkStep(Audited, HospitalScoped, Row):
    """One step of the checklist as it was when the order was made, and its answer."""

    __tablename__ = "work_step"
    __table_args__ = (UniqueConstraint("work_order_id", "key"),)
    untracked = frozenset({"revision", "changed_by", "device", "received_at"})

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
    confirmed_by: Mapped[str | None]
    """Which engineer signed for the limit at this hospital, and when."""
    needs_photo: Mapped[bool] = mapped_column(default=False, server_default=false())
    on_fail: Mapped[str] = mapped_column(default="repair", server_default="repair")
    """What follows when it fails; see `procedures.model.OnFail`."""
    value: Mapped[float | None]
    verdict: Mapped[Verdict | None] = mapped_column(text_enum(Verdict))
    note: Mapped[str | None]
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    """When it was answered: by the phone's clock, put right by how far that clock was off."""
    revision: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often the answer has changed: an answer names the one it was based on."""
    changed_by: Mapped[str | None]
    device: Mapped[str | None]
    """Which phone the answer came from: two phones of one person differ too."""
    device_at: Mapped[datetime | None]
    """What the phone's own clock said."""
    received_at: Mapped[datetime | None]
    clock_ahead_s: Mapped[int | None]
    """By how many seconds the phone's clock was ahead of ours when it sent the answer."""

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
    """Somebody put their name to a record: by password, or drawn by hand (21 CFR 11.50)."""

    __tablename__ = "signature"

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    user_id: Mapped[int]
    name: Mapped[str]
    meaning: Mapped[str]
    """`performed` or `approved`."""
    at: Mapped[datetime]
    record_hash: Mapped[str]
    """SHA-256 of the record as it was signed."""
    method: Mapped[str] = mapped_column(default="password", server_default="password")
    """How it was given: `password`, `drawn` by hand, or `both`."""
    drawn: Mapped[str | None]
    """The strokes of a hand, as the path of an SVG 1000 wide."""
    once: Mapped[str | None]
    """The key its sender gave it."""
