"""Files of test instruments that were read, and what the values measured over the years say."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.assets.model import Asset
from apm.core.audit import Audited
from apm.core.db import Row
from apm.core.hospital_scope import HospitalScoped


class ResultProfile(Audited, HospitalScoped, Row):
    """How the files of one maker are read: which column says what."""

    __tablename__ = "result_profile"
    __table_args__ = (UniqueConstraint("hospital_id", "name"),)

    name: Mapped[str]
    columns: Mapped[dict[str, str]] = mapped_column(JSON)
    """What we want to know (`asset`, `test`, `value`, ...) to the file's column of that name."""
    tests: Mapped[dict[str, str]] = mapped_column(JSON)
    """The maker's name of a test to the key of our step."""
    record: Mapped[str | None]
    """Of XML: the element that is one result."""
    saved_by: Mapped[str]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class ResultFile(Audited, HospitalScoped, Row):
    """One file that was read; what it brought."""

    __tablename__ = "result_file"

    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(index=True)
    profile: Mapped[str]
    stored: Mapped[int]
    known: Mapped[int]
    """Results that had come before, in this file or another."""
    left_out: Mapped[int]
    read_by: Mapped[str]
    read_at: Mapped[datetime]


class ResultRow(HospitalScoped, Row):
    """One result of a file, so that it is stored once however often it comes."""

    __tablename__ = "result_row"
    __table_args__ = (UniqueConstraint("hospital_id", "digest"),)

    file_id: Mapped[int] = mapped_column(ForeignKey("result_file.id"), index=True)
    digest: Mapped[str]
    """SHA-256 of asset, test, moment, value and instrument."""
    row: Mapped[int]
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    step_key: Mapped[str]
    raw: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The record as it stood in the file."""


class Drift(HospitalScoped, Row):
    """How one measured value of one asset has moved, as last computed (`drifting`)."""

    __tablename__ = "measured_drift"
    __table_args__ = (
        UniqueConstraint("asset_id", "step_key"),
        Index("ix_measured_drift_crosses", "hospital_id", "crosses_on", "id"),
    )

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    step_key: Mapped[str]
    text: Mapped[str]
    text_zh: Mapped[str]
    unit: Mapped[str | None]
    n: Mapped[int]
    last: Mapped[float]
    limit: Mapped[float]
    """The limit it moves towards."""
    slope: Mapped[float]
    """A year."""
    slope_low: Mapped[float]
    slope_high: Mapped[float]
    crosses_on: Mapped[date]
    earliest: Mapped[date]
    latest: Mapped[date | None]
    computed_at: Mapped[datetime]

    asset: Mapped[Asset] = relationship(lazy="raise")
