"""A round and its scans."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.assets.model import Asset, Department
from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped


class Found(StrEnum):
    """What a scanned code turned out to be."""

    EXPECTED = "expected"
    UNEXPECTED = "unexpected"
    """ours, but registered in another department"""
    UNKNOWN = "unknown"
    """not a label of this hospital"""


class Stocktake(Audited, HospitalScoped, Row):
    """One count of one department."""

    __tablename__ = "stocktake"
    __table_args__ = (UniqueConstraint("hospital_id", "no"),)

    no: Mapped[str]
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"))
    started_by: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    finished_by: Mapped[str | None]
    expected: Mapped[int]
    """How many were registered in the department when the count began."""
    version: Mapped[int] = mapped_column()

    department: Mapped[Department] = relationship(lazy="raise")
    expectations: Mapped[list[Expectation]] = relationship(lazy="raise")

    __mapper_args__ = {"version_id_col": version}


class Expectation(HospitalScoped, Row):
    """An asset that should be there, frozen when the count began."""

    __tablename__ = "expectation"
    __table_args__ = (UniqueConstraint("stocktake_id", "asset_id"),)

    stocktake_id: Mapped[int] = mapped_column(ForeignKey("stocktake.id"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))

    asset: Mapped[Asset] = relationship(lazy="raise")


class Scan(Audited, HospitalScoped, Row):
    """One code seen in a count; the same code again changes nothing."""

    __tablename__ = "scan"
    __table_args__ = (UniqueConstraint("stocktake_id", "code"),)

    stocktake_id: Mapped[int] = mapped_column(ForeignKey("stocktake.id"), index=True)
    code: Mapped[str]
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    found: Mapped[Found] = mapped_column(text_enum(Found))
    scanned_by: Mapped[str]
    scanned_at: Mapped[datetime]

    asset: Mapped[Asset | None] = relationship(lazy="raise")
