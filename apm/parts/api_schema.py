"""Parts, their moves and the reorder proposal as the JSON API shows them.

Quantities are numbers in the part's unit.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from apm.parts.model import Part, StockMove
from apm.parts.quantities import MILLI
from apm.parts.queries import Standing
from apm.parts.reorder import Proposal


def units(milli: float | None) -> float | None:
    """Return thousandths as units; whole ones as whole numbers."""
    return None if milli is None else milli / MILLI


class FitOut(Schema):
    """A model of equipment that a part goes into."""

    manufacturer = fields.String()
    model = fields.String(allow_none=True)


class PartOut(Schema):
    """A part and what there is of it."""

    id = fields.Integer()
    number = fields.String()
    name = fields.String()
    name_zh = fields.String(allow_none=True)
    unit = fields.String()
    maker = fields.String(allow_none=True)
    category = fields.String(allow_none=True)
    is_consumable = fields.Boolean()
    price = fields.Integer(allow_none=True, metadata={"description": "Minor units of currency."})
    currency = fields.String()
    lead_days = fields.Integer(allow_none=True)
    supplier = fields.Integer(allow_none=True)
    supplier_name = fields.String(allow_none=True)
    minimum = fields.Float()
    note = fields.String(allow_none=True)
    fits = fields.List(fields.Nested(FitOut))
    barcodes = fields.List(fields.String())
    is_active = fields.Boolean()
    on_hand = fields.Float()
    usable = fields.Float()
    reserved = fields.Float()
    available = fields.Float()
    on_order = fields.Float()
    version = fields.Integer()


class PartPageOut(Schema):
    """Some parts."""

    items = fields.List(fields.Nested(PartOut))
    next = fields.String(allow_none=True)


class MoveOut(Schema):
    """A change of stock; `quantity` is negative when it was taken away."""

    id = fields.Integer()
    kind = fields.String()
    quantity = fields.Float()
    store = fields.String()
    lot = fields.String()
    expires_on = fields.Date(allow_none=True)
    work_order = fields.String(allow_none=True)
    returns = fields.Integer(allow_none=True)
    price = fields.Integer(allow_none=True)
    reason = fields.String(allow_none=True)
    by = fields.String()
    at = fields.AwareDateTime(format="iso")


class MovePageOut(Schema):
    """Some moves, the newest first."""

    items = fields.List(fields.Nested(MoveOut))
    next = fields.String(allow_none=True)


class ForecastOut(Schema):
    """What is expected to be used a month; null without enough history."""

    mean = fields.Float(allow_none=True)
    low = fields.Float(allow_none=True)
    high = fields.Float(allow_none=True)
    months = fields.Integer()
    demands = fields.Integer()
    pattern = fields.String(allow_none=True)
    method = fields.String(allow_none=True)


class ProposalOut(Schema):
    """A part to order."""

    part = fields.Integer()
    number = fields.String()
    quantity = fields.Float()
    unit = fields.String()
    supplier = fields.Integer(allow_none=True)
    available = fields.Float()
    on_order = fields.Float()
    minimum = fields.Float()
    reorder_point = fields.Float()
    lead_days = fields.Integer()
    lead_assumed = fields.Boolean()
    reason = fields.String()
    cost = fields.Integer(allow_none=True)
    currency = fields.String()
    forecast = fields.Nested(ForecastOut, allow_none=True)


class ReorderOut(Schema):
    """The reorder proposal."""

    items = fields.List(fields.Nested(ProposalOut))
    service_level = fields.Float()


def part_out(part: Part, standing: Standing) -> dict[str, Any]:
    """Return a part (details loaded) and its stock, ready for `PartOut`."""
    plain = (
        "id", "number", "name", "name_zh", "maker", "category", "is_consumable", "price",
        "currency", "lead_days", "note", "is_active", "version",
    )  # fmt: skip
    amounts = ("on_hand", "usable", "reserved", "available", "on_order")
    return {
        **{name: getattr(part, name) for name in plain},
        **{name: units(getattr(standing, name)) for name in amounts},
        "unit": part.unit.value,
        "supplier": part.supplier_id,
        "supplier_name": part.supplier.name if part.supplier else None,
        "minimum": units(part.minimum_milli),
        "fits": part.fits,
        "barcodes": [barcode.code for barcode in part.barcodes],
    }


def move_out(move: StockMove) -> dict[str, Any]:
    """Return a move (lot, place and order loaded), ready for `MoveOut`."""
    return {
        "id": move.id,
        "kind": move.kind.value,
        "quantity": units(move.quantity_milli),
        "store": move.store.name,
        "lot": move.lot.code,
        "expires_on": move.lot.expires_on,
        "work_order": move.work_order.no if move.work_order else None,
        "returns": move.returns_id,
        "price": move.price,
        "reason": move.reason,
        "by": move.by,
        "at": move.at,
    }


def proposal_out(each: Proposal) -> dict[str, Any]:
    """Return a proposal, ready for `ProposalOut`."""
    part, forecast = each.part, each.forecast
    known = None
    if forecast is not None:
        known = {
            "mean": units(forecast.mean_milli),
            "low": units(forecast.low_milli),
            "high": units(forecast.high_milli),
            "months": forecast.months,
            "demands": forecast.demands,
            "pattern": forecast.pattern,
            "method": forecast.method,
        }
    return {
        "part": part.id,
        "number": part.number,
        "quantity": units(each.quantity),
        "unit": part.unit.value,
        "supplier": part.supplier_id,
        "available": units(each.standing.available),
        "on_order": units(each.standing.on_order),
        "minimum": units(part.minimum_milli),
        "reorder_point": units(each.level),
        "lead_days": each.lead_days,
        "lead_assumed": each.is_lead_assumed,
        "reason": each.reason,
        "cost": each.cost,
        "currency": part.currency,
        "forecast": known,
    }
