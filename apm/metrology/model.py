"""Which equipment the law has verified, the certificates, and the instruments that measure."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.assets.model import Asset, Availability
from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.work.model import WorkOrder


class Result(StrEnum):
    """What a certificate says."""

    PASS = "pass"  # noqa: S105  (a verdict, no password)
    LIMITED = "limited"
    """good for some uses only; the note says which"""
    FAIL = "fail"


class ProtectionClass(StrEnum):
    """How equipment protects against electric shock (IEC 60601-1)."""

    I = "I"  # noqa: E741  (the standard's own name)
    II = "II"


class AppliedPart(StrEnum):
    """How well what touches the patient is insulated (IEC 60601-1)."""

    B = "B"
    BF = "BF"
    CF = "CF"


class Method(StrEnum):
    """How leakage is measured (IEC 62353)."""

    DIRECT = "direct"
    DIFFERENTIAL = "differential"
    ALTERNATIVE = "alternative"


class VerificationDuty(Audited, HospitalScoped, Row):
    """Whether one asset is subject to mandatory verification, and how it stands.

    There is a row where somebody said something about the asset, or it has a certificate; for all
    others the list of categories speaks (`catalogue.verified_categories`).
    """

    __tablename__ = "verification_duty"
    __table_args__ = (
        UniqueConstraint("asset_id"),
        Index("ix_verification_duty_until", "hospital_id", "valid_until", "id"),
    )
    untracked = frozenset({"told_of"})

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    is_subject: Mapped[bool | None]
    """What somebody decided for this asset; None: as its category."""
    reason: Mapped[str | None]
    result: Mapped[Result | None] = mapped_column(text_enum(Result))
    """Of the certificate in force; it and the next follow from `Certificate`."""
    valid_until: Mapped[date | None]
    """Last day it is valid; of a failure the day it was found."""
    blocked_since: Mapped[datetime | None]
    blocked_why: Mapped[str | None]
    """`overdue` or `failed`, while use is blocked."""
    available_before: Mapped[Availability | None] = mapped_column(text_enum(Availability))
    """What it comes back to when the block ends."""
    told_of: Mapped[str | None]
    """The reminder given last, so that each is given once."""

    asset: Mapped[Asset] = relationship(lazy="raise")


class Instrument(Audited, HospitalScoped, Row):
    """A test instrument: what other equipment is measured with."""

    __tablename__ = "instrument"
    __table_args__ = (UniqueConstraint("hospital_id", "serial"),)
    untracked = frozenset({"told_of"})

    name: Mapped[str]
    name_zh: Mapped[str | None]
    manufacturer: Mapped[str | None]
    model: Mapped[str | None]
    serial: Mapped[str]
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"), index=True)
    """Its entry in the equipment register, where it has one."""
    is_active: Mapped[bool] = mapped_column(default=True)
    result: Mapped[Result | None] = mapped_column(text_enum(Result))
    calibrated_until: Mapped[date | None]
    """Both follow from its newest certificate."""
    told_of: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    asset: Mapped[Asset | None] = relationship(lazy="raise")
    certificates: Mapped[list[Certificate]] = relationship(
        lazy="raise", order_by="Certificate.issued_on.desc(), Certificate.id.desc()"
    )

    __mapper_args__ = {"version_id_col": version}


class Certificate(Audited, HospitalScoped, Row):
    """One verification of an asset, or one calibration of an instrument."""

    __tablename__ = "certificate"
    __table_args__ = (
        UniqueConstraint("asset_id", "number"),
        UniqueConstraint("instrument_id", "number"),
        CheckConstraint("(asset_id IS NULL) <> (instrument_id IS NULL)", name="of_one"),
    )
    not_in_trail = frozenset({"content"})

    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"))
    instrument_id: Mapped[int | None] = mapped_column(ForeignKey("instrument.id"))
    number: Mapped[str]
    body: Mapped[str]
    """Who verified or calibrated."""
    issued_on: Mapped[date]
    valid_until: Mapped[date]
    """Last day it is valid; of a failure the day it was found."""
    result: Mapped[Result] = mapped_column(text_enum(Result))
    note: Mapped[str | None]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    media_type: Mapped[str | None]
    sha256: Mapped[str | None]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_why: Mapped[str | None]

    @property
    def is_in_force(self) -> bool:
        """Whether nobody has withdrawn it."""
        return self.withdrawn_at is None


class InstrumentUse(Audited, HospitalScoped, Row):
    """With which instrument one step of a work order was measured, and on which day."""

    __tablename__ = "instrument_use"
    __table_args__ = (
        UniqueConstraint("work_order_id", "step_key", "instrument_id"),
        Index("ix_instrument_use_instrument", "instrument_id", "used_on"),
    )

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"))
    step_key: Mapped[str] = mapped_column(default="")
    """Empty: the work as a whole, of an order without a checklist."""
    instrument_id: Mapped[int] = mapped_column(ForeignKey("instrument.id"))
    used_on: Mapped[date]
    calibrated_until: Mapped[date | None]
    """What its calibration said when it was named; whether it held is asked anew at sign-off."""
    named_by: Mapped[str]
    named_at: Mapped[datetime]

    instrument: Mapped[Instrument] = relationship(lazy="raise")
    work_order: Mapped[WorkOrder] = relationship(lazy="raise")


class SafetyProfile(Audited, HospitalScoped, Row):
    """What one asset's limits of electrical safety depend on (IEC 62353)."""

    __tablename__ = "safety_profile"
    __table_args__ = (UniqueConstraint("asset_id"),)

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    protection: Mapped[ProtectionClass] = mapped_column(text_enum(ProtectionClass))
    parts: Mapped[list[str]] = mapped_column(JSON)
    """Types of applied part; empty where nothing touches a patient."""
    method: Mapped[Method] = mapped_column(text_enum(Method))
    has_cord: Mapped[bool] = mapped_column(default=True)
    """Whether its mains cord can be taken off, and is then measured by itself."""
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
