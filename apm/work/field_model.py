"""What comes from the place of work: photos, hours, remarks after signing, answers chosen between.

`WorkOrder` and its checklist stand in `model`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.audit import Audited
from apm.core.db import Row
from apm.core.hospital_scope import HospitalScoped


class WorkPhoto(Audited, HospitalScoped, Row):
    """A picture of the work or of one step, re-encoded; its digest is part of what is signed."""

    __tablename__ = "work_photo"
    __table_args__ = (UniqueConstraint("work_order_id", "step_key", "sha256"),)
    not_in_trail = frozenset({"jpeg"})

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    step_key: Mapped[str] = mapped_column(default="")
    """The step it shows; empty for the work as a whole."""
    jpeg: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    sha256: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    author: Mapped[str]
    at: Mapped[datetime]
    device_at: Mapped[datetime | None]


class Labour(Audited, HospitalScoped, Row):
    """One stretch of work of one person."""

    __tablename__ = "labour"

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    user_id: Mapped[int | None]
    name: Mapped[str]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    minutes: Mapped[int]


class Addendum(Audited, HospitalScoped, Row):
    """A remark on a signed record: it stands below the record and changes nothing of it."""

    __tablename__ = "addendum"

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    user_id: Mapped[int | None]
    author: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]
    device_at: Mapped[datetime | None]


class AnswerChoice(Audited, HospitalScoped, Row):
    """Two people answered one step; somebody saw both answers and chose."""

    __tablename__ = "answer_choice"

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    step_key: Mapped[str]
    chosen: Mapped[str]
    """`mine`: of who chose; `theirs`: the one that was stored already."""
    mine: Mapped[dict[str, Any]] = mapped_column(JSON)
    theirs: Mapped[dict[str, Any]] = mapped_column(JSON)
    chosen_by: Mapped[str]
    at: Mapped[datetime]
