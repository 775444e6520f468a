"""What parts there are: number, names, what they go into, what their package says."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.core.audit import Audited
from apm.core.db import Base, Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.vendors.model import Vendor


class Unit(StrEnum):
    """What a part is counted in."""

    PIECE = "piece"
    BOX = "box"
    PAIR = "pair"
    SET = "set"
    METRE = "metre"
    LITRE = "litre"
    KILOGRAM = "kilogram"


DIVISIBLE = frozenset({Unit.METRE, Unit.LITRE, Unit.KILOGRAM})
"""Units of which there may be a fraction."""


class Part(Audited, HospitalScoped, Row):
    """One kind of spare part or consumable."""

    __tablename__ = "part"
    __table_args__ = (
        UniqueConstraint("hospital_id", "number"),
        Index("ix_part_category", "hospital_id", "category"),
    )

    number: Mapped[str]
    """The hospital's or the maker's part number."""
    name: Mapped[str]
    name_zh: Mapped[str | None]
    unit: Mapped[Unit] = mapped_column(text_enum(Unit), default=Unit.PIECE)
    maker: Mapped[str | None]
    category: Mapped[str | None]
    """Category of equipment it goes into; see `assets.categories`."""
    is_consumable: Mapped[bool] = mapped_column(default=False)
    price: Mapped[int | None]
    """In minor units (fen) of `currency`, for one unit."""
    currency: Mapped[str] = mapped_column(default="CNY")
    lead_days: Mapped[int | None]
    """From ordering to receiving."""
    supplier_id: Mapped[int | None] = mapped_column(ForeignKey("vendor.id"), index=True)
    minimum_milli: Mapped[int] = mapped_column(default=0)
    note: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    """False: retired, no longer ordered or reserved; what is left may be used up."""
    version: Mapped[int] = mapped_column()

    supplier: Mapped[Vendor | None] = relationship(lazy="raise")
    fits: Mapped[list[PartFit]] = relationship(
        lazy="raise", order_by="PartFit.id", cascade="all, delete-orphan"
    )
    barcodes: Mapped[list[PartBarcode]] = relationship(
        lazy="raise", order_by="PartBarcode.id", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}  # two editors, one winner


class PartFit(Audited, HospitalScoped, Row):
    """A model of equipment that a part goes into; without a model, all of the manufacturer."""

    __tablename__ = "part_fit"
    __table_args__ = (Index("ix_part_fit_model", "hospital_id", "manufacturer", "model"),)

    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"), index=True)
    manufacturer: Mapped[str]
    model: Mapped[str | None]


class PartBarcode(Audited, HospitalScoped, Row):
    """What a scanner reads on a part or its package: a GTIN or a code of our own."""

    __tablename__ = "part_barcode"
    __table_args__ = (UniqueConstraint("hospital_id", "code"),)

    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"), index=True)
    code: Mapped[str]


class PartTerm(HospitalScoped, Base):
    """A word a part is found by; see `parts.search`, which keeps it."""

    __tablename__ = "part_term"
    __table_args__ = (
        Index("ix_part_term_part", "part_id", "hospital_id", "term"),
        {"sqlite_with_rowid": False},
    )

    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"), primary_key=True)
    term: Mapped[str] = mapped_column(
        String().with_variant(String(collation="C"), "postgresql"), primary_key=True
    )
    part_id: Mapped[int] = mapped_column(
        ForeignKey("part.id", ondelete="CASCADE"), primary_key=True
    )
