"""The equipment register."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.core.audit import Audited
from apm.core.db import Base, Row, text_enum
from apm.core.hospital_scope import HospitalScoped


class AssetState(StrEnum):
    """Where an asset stands in its life."""

    PLANNED = "planned"
    ORDERED = "ordered"
    RECEIVED = "received"
    ACCEPTANCE = "acceptance"
    IN_SERVICE = "in_service"
    STANDBY = "standby"
    ON_LOAN = "on_loan"
    UNDER_REPAIR = "under_repair"
    QUARANTINED = "quarantined"
    MISSING = "missing"
    RETIRED = "retired"
    DISPOSED = "disposed"


GONE = frozenset({AssetState.RETIRED, AssetState.DISPOSED})
"""States in which an asset is not used, planned for or counted any more."""


class Availability(StrEnum):
    """Whether it can be used now."""

    UP = "up"
    PARTIAL = "partial"
    DOWN = "down"


class Condition(StrEnum):
    """How it is judged to be; `unknown` until something says more."""

    UNKNOWN = "unknown"
    GOOD = "good"
    WATCH = "watch"
    POOR = "poor"


class Risk(StrEnum):
    """Risk class of the device type."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Department(Audited, HospitalScoped, Row):
    """A ward or unit that holds equipment."""

    __tablename__ = "department"
    __table_args__ = (UniqueConstraint("hospital_id", "name"),)

    name: Mapped[str]
    name_zh: Mapped[str | None]


class Location(Audited, HospitalScoped, Row):
    """A room or place."""

    __tablename__ = "location"
    __table_args__ = (UniqueConstraint("hospital_id", "name"),)

    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_zh: Mapped[str | None]
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"), index=True)

    department: Mapped[Department | None] = relationship(lazy="raise")


class Asset(Audited, HospitalScoped, Row):
    """One piece of equipment: `code` is what its label says, `number` is the hospital's own."""

    __tablename__ = "asset"
    __table_args__ = (
        UniqueConstraint("hospital_id", "number"),
        # Covers the counts beside the register, which then never read the table.
        Index(
            "ix_asset_facets",
            "hospital_id",
            "department_id",
            "category",
            "lifecycle",
            "availability",
        ),
        Index("ix_asset_category", "hospital_id", "category"),
        Index("ix_asset_lifecycle", "hospital_id", "lifecycle"),
        Index("ix_asset_availability", "hospital_id", "availability"),
    )

    code: Mapped[str] = mapped_column(unique=True)
    number: Mapped[str]
    name: Mapped[str]
    name_zh: Mapped[str | None]
    category: Mapped[str]
    """Template code such as VENT; see `assets.categories`."""
    manufacturer: Mapped[str | None]
    model: Mapped[str | None]
    serial: Mapped[str | None]
    udi_di: Mapped[str | None]
    lot: Mapped[str | None]
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"), index=True)
    lifecycle: Mapped[AssetState] = mapped_column(
        text_enum(AssetState), default=AssetState.IN_SERVICE
    )
    return_to: Mapped[AssetState | None] = mapped_column(text_enum(AssetState))
    """The state a side state (under repair, quarantined, missing) goes back to."""
    availability: Mapped[Availability] = mapped_column(
        text_enum(Availability), default=Availability.UP
    )
    condition: Mapped[Condition] = mapped_column(text_enum(Condition), default=Condition.UNKNOWN)
    risk: Mapped[Risk] = mapped_column(text_enum(Risk), default=Risk.MEDIUM)
    purchased_on: Mapped[date | None]
    in_service_on: Mapped[date | None]
    warranty_until: Mapped[date | None]
    purchase_cost: Mapped[int | None]
    """In minor units (fen) of `currency`."""
    currency: Mapped[str] = mapped_column(default="CNY")
    note: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    department: Mapped[Department | None] = relationship(lazy="raise")
    location: Mapped[Location | None] = relationship(lazy="raise")

    __mapper_args__ = {"version_id_col": version}  # two editors, one winner


class AssetTerm(HospitalScoped, Base):
    """A word an asset is found by: a small inverted index that works on every database.

    Kept by `assets.search`; a prefix is a range of the primary key.
    """

    __tablename__ = "asset_term"
    __table_args__ = (
        # Does this very asset have the word?  With the hospital, so that the row is not read.
        Index("ix_asset_term_asset", "asset_id", "hospital_id", "term"),
        {"sqlite_with_rowid": False},
    )

    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"), primary_key=True)
    # By code point, as SQLite does by itself: a range of words is then what begins alike.
    term: Mapped[str] = mapped_column(
        String().with_variant(String(collation="C"), "postgresql"), primary_key=True
    )
    asset_id: Mapped[int] = mapped_column(
        ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True
    )
