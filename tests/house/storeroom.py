"""Spare parts of the world: one of each thing, with the world's name in every text."""

from __future__ import annotations

from typing import Any

from apm.core.command import Context
from apm.parts.commands import add_part
from apm.parts.demand import recalculate
from apm.parts.issuing import issue, reserve
from apm.parts.keeping import Delivery
from apm.parts.purchasing import order_part, receive_order
from apm.parts.quarantine import quarantine
from apm.vendors.commands import add_vendor


def stock_up(wang: Context, name: str, no: str) -> dict[str, int]:
    """A part that was ordered, came in part, went into work order `no`, and was recalled."""
    vendor = add_vendor(wang, name=name[:100], name_zh=name[:100], contact=name, phone=name)
    part = add_part(
        wang, number=name[:100], name=name, name_zh=name, maker=name, note=name, price=100,
        minimum=9, supplier=vendor.id, barcodes=[name[:100]], category="VENT",
        fits=[{"manufacturer": name, "model": name}],
    )  # fmt: skip
    line = order_part(wang, part_id=part.id, vendor_id=vendor.id, quantity=5, note=name)
    said: dict[str, Any] = {"rejected": 1, "reject_reason": name}
    came = Delivery(4, name, lot=name, **said)
    receive_order(wang, line_id=line.id, delivery=came)
    [move] = issue(wang, no=no, part_id=part.id, quantity=2)
    reserve(wang, no=no, part_id=part.id, quantity=1)
    recalculate(wang)
    quarantine(wang, lot_id=move.lot_id, reason=name)
    return {"vendors": vendor.id, "parts": part.id, "orders": line.id, "lots": move.lot_id}
