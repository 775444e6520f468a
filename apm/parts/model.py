"""Parts, where they lie, and every move they made.

Quantities are whole thousandths of the part's unit, so that half a metre is exact on every
database.  What is on hand is kept beside the moves that led to it and changes only with one.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.parts.catalogue import DIVISIBLE, Part, PartBarcode, PartFit, PartTerm, Unit
from apm.vendors.model import Vendor
from apm.work.model import WorkOrder

__all__ = [
    "DIVISIBLE", "ChangedMove", "DemandForecast", "Lot", "MoveKind", "Part", "PartBarcode",
    "PartFit", "PartTerm", "PurchaseLine", "Quarantine", "Receipt", "Reservation", "Stock",
    "StockMove", "Store", "Unit",
]  # fmt: skip


class MoveKind(StrEnum):
    """Why stock changed."""

    RECEIVE = "receive"
    ISSUE = "issue"
    RETURN = "return"
    ADJUST = "adjust"
    SCRAP = "scrap"
    TRANSFER = "transfer"


class Store(Audited, HospitalScoped, Row):
    """A place where parts lie: a room, a cupboard, a shelf."""

    __tablename__ = "store"
    __table_args__ = (UniqueConstraint("hospital_id", "name"),)

    name: Mapped[str]
    name_zh: Mapped[str | None]


class Lot(Audited, HospitalScoped, Row):
    """One lot of a part; parts without lot numbers have one lot with an empty `code`."""

    __tablename__ = "part_lot"
    __table_args__ = (
        UniqueConstraint("part_id", "code"),
        Index("ix_part_lot_expiry", "hospital_id", "expires_on"),
    )

    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    code: Mapped[str]
    expires_on: Mapped[date | None]
    """The last day on which it may be used."""
    received_at: Mapped[datetime]
    is_quarantined: Mapped[bool] = mapped_column(default=False)

    part: Mapped[Part] = relationship(lazy="raise")


class Quarantine(Audited, HospitalScoped, Row):
    """A lot was set aside, why and by whom, until somebody released it."""

    __tablename__ = "part_quarantine"

    lot_id: Mapped[int] = mapped_column(ForeignKey("part_lot.id"), index=True)
    reason: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]
    release_note: Mapped[str | None]


class Stock(HospitalScoped, Row):
    """How much of a lot lies in one place: the sum of its moves there."""

    __tablename__ = "part_stock"
    __table_args__ = (
        UniqueConstraint("lot_id", "store_id"),
        CheckConstraint("on_hand_milli >= 0", name="not_negative"),
    )

    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"), index=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("part_lot.id"))
    store_id: Mapped[int] = mapped_column(ForeignKey("store.id"), index=True)
    on_hand_milli: Mapped[int] = mapped_column(default=0)

    lot: Mapped[Lot] = relationship(lazy="raise")
    store: Mapped[Store] = relationship(lazy="raise")


class Reservation(Audited, HospitalScoped, Row):
    """Parts promised to a work order; `left_milli` of them were not issued yet."""

    __tablename__ = "part_reservation"
    __table_args__ = (Index("ix_part_reservation_part", "part_id", "left_milli"),)

    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    quantity_milli: Mapped[int]
    left_milli: Mapped[int]
    by: Mapped[str]
    at: Mapped[datetime]

    part: Mapped[Part] = relationship(lazy="raise")
    work_order: Mapped[WorkOrder] = relationship(lazy="raise")


class PurchaseLine(Audited, HospitalScoped, Row):
    """Something ordered from a supplier: open until all has come or the rest is given up."""

    __tablename__ = "purchase_line"
    __table_args__ = (
        UniqueConstraint("hospital_id", "no"),
        Index("ix_purchase_line_open", "hospital_id", "closed_at"),
    )

    no: Mapped[str]
    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"), index=True)
    vendor_id: Mapped[int] = mapped_column(ForeignKey("vendor.id"), index=True)
    quantity_milli: Mapped[int]
    received_milli: Mapped[int] = mapped_column(default=0)
    """Taken into stock; what was rejected still has to come."""
    price: Mapped[int | None]
    ordered_on: Mapped[date]
    promised_on: Mapped[date | None]
    ordered_by: Mapped[str]
    closed_at: Mapped[datetime | None]
    note: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    part: Mapped[Part] = relationship(lazy="raise")
    vendor: Mapped[Vendor] = relationship(lazy="raise")

    __mapper_args__ = {"version_id_col": version}

    @property
    def open_milli(self) -> int:
        """How much is still to come."""
        return 0 if self.closed_at else max(self.quantity_milli - self.received_milli, 0)


class Receipt(Audited, HospitalScoped, Row):
    """One delivery of one part: what was accepted and what was not, against what was promised."""

    __tablename__ = "part_receipt"
    __table_args__ = (Index("ix_part_receipt_vendor", "vendor_id", "received_on"),)

    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"), index=True)
    purchase_line_id: Mapped[int | None] = mapped_column(
        ForeignKey("purchase_line.id"), index=True
    )
    vendor_id: Mapped[int | None] = mapped_column(ForeignKey("vendor.id"))
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("part_lot.id"), index=True)
    accepted_milli: Mapped[int]
    rejected_milli: Mapped[int]
    reject_reason: Mapped[str | None]
    promised_on: Mapped[date | None]
    received_on: Mapped[date]
    by: Mapped[str]


class StockMove(Audited, HospitalScoped, Row):
    """One change of stock, written once: a mistake is put right by another move."""

    __tablename__ = "stock_move"
    __table_args__ = (
        Index("ix_stock_move_part", "part_id", "at"),
        Index("ix_stock_move_lot", "lot_id", "store_id"),
    )

    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"))
    lot_id: Mapped[int] = mapped_column(ForeignKey("part_lot.id"))
    store_id: Mapped[int] = mapped_column(ForeignKey("store.id"), index=True)
    kind: Mapped[MoveKind] = mapped_column(text_enum(MoveKind))
    quantity_milli: Mapped[int]
    """What was added; negative when it was taken away."""
    at: Mapped[datetime]
    by: Mapped[str]
    work_order_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id"), index=True)
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("part_receipt.id"), index=True)
    returns_id: Mapped[int | None] = mapped_column(ForeignKey("stock_move.id"), index=True)
    """The issue that a return takes back."""
    price: Mapped[int | None]
    """Fen a unit, as it was charged to the work order."""
    reason: Mapped[str | None]

    part: Mapped[Part] = relationship(lazy="raise")
    lot: Mapped[Lot] = relationship(lazy="raise")
    store: Mapped[Store] = relationship(lazy="raise")
    work_order: Mapped[WorkOrder | None] = relationship(lazy="raise")


class DemandForecast(HospitalScoped, Row):
    """What the last calculation made of a part's use, in thousandths of its unit a month."""

    __tablename__ = "demand_forecast"

    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"), unique=True)
    at: Mapped[datetime]
    months: Mapped[int]
    demands: Mapped[int]
    """Months with any use, of `months`."""
    pattern: Mapped[str | None]
    """None: not enough history."""
    method: Mapped[str | None]
    mean_milli: Mapped[float | None]
    low_milli: Mapped[float | None]
    high_milli: Mapped[float | None]
    spread_milli: Mapped[float | None]


class ChangedMove(Exception):
    """Code tried to change or delete a stock move: a bug."""


@event.listens_for(StockMove, "before_update")
@event.listens_for(StockMove, "before_delete")
def _refuse_change(_mapper: Any, _connection: Any, move: StockMove) -> None:
    raise ChangedMove(f"stock move {move.id} is written once")
