"""Sheets that were printed, so that each can be held against the record it was printed from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.audit import Audited
from apm.core.db import Row
from apm.core.hospital_scope import HospitalScoped


class IssuedReport(Audited, HospitalScoped, Row):
    """One work order as it was printed."""

    __tablename__ = "issued_report"
    __table_args__ = (UniqueConstraint("work_order_id", "record_hash", "language"),)

    code: Mapped[str] = mapped_column(unique=True)
    """What its QR code names; the way to it stands in `PublicCode`, kind `report`."""
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"))
    record_hash: Mapped[str]
    """SHA-256 of the record as it was printed, see `work.completion.record_hash`."""
    language: Mapped[str]
    """`en`, `zh` or `both`."""
    issued_at: Mapped[datetime]
    issued_by: Mapped[str]
