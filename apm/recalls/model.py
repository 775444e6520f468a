"""Notices of makers and authorities, and each asset that one touches."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.assets.model import Asset
from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.work.model import WorkOrder


class Issuer(StrEnum):
    """Who published a notice."""

    NMPA = "nmpa"
    FDA = "fda"
    MAKER = "maker"
    OTHER = "other"


class RecallClass(StrEnum):
    """How grave it is; the three classes mean the same with NMPA (order 29 of 2017) and FDA."""

    I = "class_1"  # noqa: E741  (the name the authorities give it)
    II = "class_2"
    III = "class_3"
    NOTICE = "notice"
    """a safety notice without a class"""


class CaseState(StrEnum):
    """What became of one asset that a notice touches."""

    TO_CHECK = "to_check"
    NOT_AFFECTED = "not_affected"
    CORRECTED = "corrected"
    REMOVED = "removed"


class SafetyNotice(Audited, HospitalScoped, Row):
    """One recall or safety notice, and which equipment it is about."""

    __tablename__ = "safety_notice"
    __table_args__ = (UniqueConstraint("hospital_id", "issuer", "number"),)

    number: Mapped[str]
    issuer: Mapped[Issuer] = mapped_column(text_enum(Issuer))
    recall_class: Mapped[RecallClass] = mapped_column(text_enum(RecallClass))
    published_on: Mapped[date]
    title: Mapped[str]
    title_zh: Mapped[str | None]
    text: Mapped[str | None]
    action: Mapped[str | None]
    link: Mapped[str | None]
    manufacturer: Mapped[str]
    models: Mapped[str | None]
    """Models as typed, with commas or line breaks between them; None: all of the maker."""
    lot_from: Mapped[str | None]
    lot_to: Mapped[str | None]
    serial_from: Mapped[str | None]
    serial_to: Mapped[str | None]
    entered_by: Mapped[str]
    entered_at: Mapped[datetime]
    closed_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class RecallCase(Audited, HospitalScoped, Row):
    """One asset that a notice touches: checked once, by one work order."""

    __tablename__ = "recall_case"
    __table_args__ = (
        UniqueConstraint("notice_id", "asset_id"),
        Index("ix_recall_case_state", "hospital_id", "state", "notice_id"),
    )

    notice_id: Mapped[int] = mapped_column(ForeignKey("safety_notice.id"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), index=True)
    state: Mapped[CaseState] = mapped_column(text_enum(CaseState), default=CaseState.TO_CHECK)
    found_at: Mapped[datetime]
    note: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    work_order_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"), index=True)
    version: Mapped[int] = mapped_column()

    notice: Mapped[SafetyNotice] = relationship(lazy="raise")
    asset: Mapped[Asset] = relationship(lazy="raise")
    work_order: Mapped[WorkOrder | None] = relationship(lazy="raise")

    __mapper_args__ = {"version_id_col": version}
