"""Parts for tests, made by the commands people use."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from apm.core.command import Context
from apm.parts.commands import add_part
from apm.parts.keeping import Delivery, receive
from apm.parts.model import Part, Stock, StockMove
from apm.parts.queries import Standing, standings, stock_of
from apm.vendors.commands import add_vendor
from apm.vendors.model import Vendor
from apm.work.model import WorkOrder
from tests.apm.hospital import make_work, start_work


def make_part(ctx: Context, **details: Any) -> Part:
    """A part of the actor's hospital, 12.50 a piece, unless said otherwise."""
    number = details.pop("number", f"P-{uuid4().hex[:8]}")
    return add_part(
        ctx,
        **{"number": number, "name": "Oxygen cell", "name_zh": "氧电池", "price": 1250} | details,
    )


def make_vendor(ctx: Context, name: str = "Example Supplies") -> Vendor:
    """A supplier."""
    return add_vendor(ctx, name=name, name_zh=None)


def stocked(ctx: Context, quantity: object = 5, **details: Any) -> Part:
    """A part of which some lie in the store."""
    lot = {name: details.pop(name) for name in ("lot", "expires_on") if name in details}
    part = make_part(ctx, **details)
    fill(ctx, part, quantity, **lot)
    return part


def fill(ctx: Context, part: Part, quantity: object, store: str = "Store", **lot: Any) -> None:
    """Receive some."""
    receive(ctx, part_id=part.id, delivery=Delivery(quantity, store, **lot))


def job(as_: Any, who: str = "chen") -> WorkOrder:
    """A work order in progress, of Chen unless said otherwise."""
    order = make_work(as_("wang"))
    start_work(as_(who), as_("wang"), order)
    return order


def standing(as_: Any, part: Part) -> Standing:
    """How a part stands now."""
    return standings(as_("wang"), [part.id])[part.id]


def lies(as_: Any, part: Part) -> dict[tuple[str, str], int]:
    """How many of a part lie where: by place and lot."""
    return {
        (row.store.name, row.lot.code): row.on_hand_milli // 1000
        for row in stock_of(as_("wang"), part.id)
    }


def books_balance(ctx: Context) -> bool:
    """Whether what is on hand is the sum of its moves, everywhere."""
    query = select(
        StockMove.lot_id, StockMove.store_id, func.sum(StockMove.quantity_milli)
    ).group_by(StockMove.lot_id, StockMove.store_id)
    moved = {(lot, store): int(total) for lot, store, total in ctx.session.execute(query)}
    stocks = ctx.session.scalars(select(Stock)).all()
    return moved == {(row.lot_id, row.store_id): row.on_hand_milli for row in stocks}
