"""Stock that comes, is corrected, thrown away or carried elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from apm.accounts.queries import hospital_day
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.parts.model import Lot, MoveKind, Part, Receipt, StockMove
from apm.parts.quantities import milli_of
from apm.parts.stock import (
    Facts,
    change,
    lot_by_code,
    part_to_change,
    stock_by_id,
    stock_in,
    store_named,
    who,
)

LATEST = date(2200, 1, 1)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came: how much, where to, which lot, and what of it was not accepted."""

    quantity: object
    store: str
    lot: str | None = None
    expires_on: date | None = None
    rejected: object = 0
    reject_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a delivery comes from, when it is known."""

    purchase_line_id: int | None = None
    vendor_id: int | None = None
    promised_on: date | None = None


@command("part.receive", Permission.PART_STOCK)
def receive(ctx: Context, *, part_id: int, delivery: Delivery) -> Receipt:
    """Take a delivery into stock that nobody ordered here (a first count, a gift).

    Raises:
        NotFound: no such part.
        Conflict: the lot is in quarantine.
        Invalid: a wrong quantity, an expired lot, another expiry for a known lot, no place.
    """
    part = part_to_change(ctx, part_id)
    return take_in(ctx, part, delivery, Origin(vendor_id=part.supplier_id))


def take_in(ctx: Context, part: Part, delivery: Delivery, origin: Origin) -> Receipt:
    """Write a delivery of a part that is locked; errors as `receive`."""
    accepted = milli_of(delivery.quantity, part.unit, least=0)
    rejected = milli_of(delivery.rejected, part.unit, field="rejected", least=0)
    if not accepted and not rejected:
        message = _l("Give a quantity above zero.")
        raise Invalid(message, fields={"quantity": [message]}, code="bad_quantity")
    if rejected and not (delivery.reject_reason or "").strip():
        message = _l("Say why it was not accepted; the supplier's score shows it.")
        raise Invalid(message, fields={"reject_reason": [message]})
    today = hospital_day(ctx)
    lot = _lot_of(ctx, part, delivery, today) if accepted else None
    receipt = Receipt(
        part_id=part.id,
        purchase_line_id=origin.purchase_line_id,
        vendor_id=origin.vendor_id,
        lot_id=lot.id if lot else None,
        accepted_milli=accepted,
        rejected_milli=rejected,
        reject_reason=delivery.reject_reason if rejected else None,
        promised_on=origin.promised_on,
        received_on=today,
        by=who(ctx),
    )
    ctx.session.add(receipt)
    ctx.session.flush()
    if lot:
        stock = stock_in(ctx, lot, store_named(ctx, delivery.store))
        change(ctx, stock, accepted, Facts(MoveKind.RECEIVE, receipt_id=receipt.id))
        ctx.session.flush()
    return receipt


def _lot_of(ctx: Context, part: Part, delivery: Delivery, today: date) -> Lot:
    if not delivery.store:
        message = _l("Say where it is put.")
        raise Invalid(message, fields={"store": [message]})
    expires = delivery.expires_on
    if expires is not None and not today <= expires < LATEST:
        message = _l("This lot has expired, or the date is wrong. Reject it, or correct the date.")
        raise Invalid(message, fields={"expires_on": [message]}, code="expired")
    code = delivery.lot or ""
    known = lot_by_code(ctx, part, code)
    if known is None:
        known = Lot(
            part_id=part.id, code=code, expires_on=expires, received_at=ctx.now(),
            is_quarantined=False,
        )  # fmt: skip
        ctx.session.add(known)
        ctx.session.flush()
        return known
    return _checked(known, expires)


def _checked(known: Lot, expires: date | None) -> Lot:
    if known.is_quarantined:
        raise Conflict(
            _l("Lot %(lot)s is in quarantine. Release it first, or reject the delivery."),
            code="quarantined",
            lot=known.code,
        )
    if expires is not None and known.expires_on not in (None, expires):
        message = _l("This lot is known with another expiry date. Check the label.")
        raise Invalid(message, fields={"expires_on": [message]}, code="other_expiry")
    known.expires_on = known.expires_on or expires
    return known


@command("part.adjust", Permission.PART_STOCK)
def adjust(
    ctx: Context, *, part_id: int, stock_id: int, counted: object, reason: str
) -> StockMove | None:
    """Correct what lies in one place to what was counted there; None if it was right.

    Raises:
        NotFound: no such part, or nothing of it ever lay there.
        Invalid: a wrong quantity, or no reason.
    """
    part = part_to_change(ctx, part_id)
    stock = stock_by_id(ctx, part, stock_id)
    difference = milli_of(counted, part.unit, field="counted", least=0) - stock.on_hand_milli
    facts = Facts(MoveKind.ADJUST, reason=_reason(reason))
    if not difference:
        return None
    move = change(ctx, stock, difference, facts)
    ctx.session.flush()
    return move


@command("part.scrap", Permission.PART_STOCK)
def scrap(
    ctx: Context, *, part_id: int, stock_id: int, quantity: object, reason: str
) -> StockMove:
    """Throw parts away: expired, damaged.

    Raises:
        NotFound: no such part, or nothing of it lies there.
        Conflict: there are fewer.
        Invalid: a wrong quantity, or no reason.
    """
    part = part_to_change(ctx, part_id)
    stock = stock_by_id(ctx, part, stock_id)
    milli = milli_of(quantity, part.unit)
    move = change(ctx, stock, -milli, Facts(MoveKind.SCRAP, reason=_reason(reason)))
    ctx.session.flush()
    return move


@command("part.transfer", Permission.PART_STOCK)
def transfer(
    ctx: Context, *, part_id: int, stock_id: int, quantity: object, store: str
) -> tuple[StockMove, StockMove]:
    """Carry parts to another place; returns the move out and the move in.

    Raises:
        NotFound: no such part, or nothing of it lies there.
        Conflict: there are fewer.
        Invalid: a wrong quantity, or the same place.
    """
    part = part_to_change(ctx, part_id)
    stock = stock_by_id(ctx, part, stock_id)
    milli = milli_of(quantity, part.unit)
    if not store or store in (stock.store.name, stock.store.name_zh):
        message = _l("Name the other place.")
        raise Invalid(message, fields={"store": [message]})
    facts = Facts(MoveKind.TRANSFER)
    out = change(ctx, stock, -milli, facts)
    into = change(ctx, stock_in(ctx, stock.lot, store_named(ctx, store)), milli, facts)
    ctx.session.flush()
    return out, into


def _reason(reason: str | None) -> str:
    text = (reason or "").strip()
    if not text:
        message = _l("Say why, so that others understand.")
        raise Invalid(message, fields={"reason": [message]})
    return text
