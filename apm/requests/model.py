"""Requests people make.

A request stores only what triage decided; once it has a work order its state is derived from
that, so the two cannot disagree.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.assets.model import Asset
from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.requests.states import FINISHED, RequestState, Triage, state_for_reporter
from apm.work.model import WorkOrder
from apm.work.states import Priority, WorkState


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
    adverse_at: Mapped[datetime | None]
    """When somebody first suspected that a person was harmed; None: nobody does."""
    adverse_note: Mapped[str | None]
    """Why it was found to be none."""
    reporter_name: Mapped[str | None]
    reporter_contact: Mapped[str | None]
    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    """Who reported it, when signed in."""
    reported_at: Mapped[datetime]
    said_at: Mapped[datetime | None]
    """When it was said, if it came later: a phone had no network."""
    client_key: Mapped[str]
    """The form's own random key: sent twice, it is one request."""
    priority: Mapped[Priority | None] = mapped_column(text_enum(Priority))
    """What was proposed when it was reported; what was decided stands on the work order."""
    priority_reasons: Mapped[list[str] | None] = mapped_column(JSON)
    """The facts it follows from; see `requests.urgency.Fact`."""
    priority_note: Mapped[str | None]
    """Why triage decided on another priority."""
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
            return state_for_reporter(self.work_order)
        closed = self.work_order.state is WorkState.CLOSED
        return RequestState.CLOSED if closed else RequestState.VERIFIED

    @property
    def followed(self) -> Request:
        """The report whose way this one goes: itself, or the one it is merged into (loaded)."""
        return self.duplicate_of or self

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
