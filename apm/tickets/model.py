"""Requests people make and work orders people do.

A request stores only what triage decided; once it has a work order its state is derived from
that, so the two cannot disagree.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.assets.model import Asset, Location
from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.procedures.model import StepKind, Verdict
from apm.tickets.states import (
    FINISHED,
    OPEN_WORK,
    PRIORITY_RANK,
    STATE_OF_WORK,
    CostKind,
    Priority,
    RequestState,
    Triage,
    WorkState,
    WorkType,
)

__all__ = [
    "OPEN_WORK", "PRIORITY_RANK", "Comment", "Cost", "CostKind", "Counter", "Photo", "Priority",
    "Request", "RequestState", "Signature", "Triage", "WorkOrder", "WorkState", "WorkStep",
    "WorkType",
]  # fmt: skip


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

    @property
    def state_for_reporter(self) -> RequestState:
        """What its state means to whoever reported the fault.

        High-risk equipment is not repaired until a second person has approved it.
        """
        if self.state is WorkState.DONE and self.high_risk:
            return RequestState.IN_PROGRESS
        return STATE_OF_WORK[self.state]


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


class Request(Audited, HospitalScoped, Row):
    """A fault somebody reported on one asset."""

    __tablename__ = "request"
    __table_args__ = (
        UniqueConstraint("hospital_id", "no"),
        UniqueConstraint("hospital_id", "client_key"),
        Index("ix_request_asset", "asset_id", "triage"),
        Index("ix_request_triage", "hospital_id", "triage"),
    )
    not_in_trail = frozenset({"client_key"})

    no: Mapped[str]
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    symptom: Mapped[str]
    description: Mapped[str | None]
    patient_involved: Mapped[bool] = mapped_column(default=False)
    reporter_name: Mapped[str | None]
    reporter_contact: Mapped[str | None]
    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    """Who reported it, when signed in."""
    reported_at: Mapped[datetime]
    client_key: Mapped[str]
    """The form's own random key: sent twice, it is one request."""
    triage: Mapped[Triage] = mapped_column(text_enum(Triage), default=Triage.OPEN)
    triage_note: Mapped[str | None]
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("request.id"))
    work_order_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"), index=True)
    verified_at: Mapped[datetime | None]
    verified_by_silence: Mapped[bool] = mapped_column(default=False)
    rating: Mapped[int | None]
    rating_comment: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    asset: Mapped[Asset] = relationship(lazy="raise")
    work_order: Mapped[WorkOrder | None] = relationship(lazy="raise")
    duplicate_of: Mapped[Request | None] = relationship(lazy="raise", remote_side="Request.id")

    __mapper_args__ = {"version_id_col": version}

    @property
    def state(self) -> RequestState:
        """Where it stands: triage first, then whatever its work order says."""
        if self.triage is not Triage.ACCEPTED:
            return RequestState(self.triage.value)
        if self.work_order is None:
            return RequestState.OPEN
        if not self.verified_at:
            return self.work_order.state_for_reporter
        closed = self.work_order.state is WorkState.CLOSED
        return RequestState.CLOSED if closed else RequestState.VERIFIED

    @property
    def is_open(self) -> bool:
        """Whether the fault is still to be looked at or repaired."""
        return self.state not in FINISHED


class Comment(Audited, HospitalScoped, Row):
    """A remark on a request, from its reporter or from staff."""

    __tablename__ = "comment"

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    author: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]


class Photo(Audited, HospitalScoped, Row):
    """A picture of a request, re-encoded: nothing of the sender's file survives but the image."""

    __tablename__ = "photo"
    not_in_trail = frozenset({"jpeg"})

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    jpeg: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    width: Mapped[int]
    height: Mapped[int]
    at: Mapped[datetime]
