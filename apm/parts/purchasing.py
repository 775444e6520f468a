"""What was ordered, and how it comes."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.accounts.queries import hospital_day
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.core.permissions import Permission
from apm.parts.keeping import Delivery, Origin, take_in
from apm.parts.model import PurchaseLine, Receipt
from apm.parts.quantities import milli_of
from apm.parts.stock import FRESH, part_to_change, who
from apm.vendors.queries import vendor_by_id
from apm.work.numbers import next_number


def line_by_id(ctx: Context, line_id: int) -> PurchaseLine:
    """Return an ordered line with part and supplier, or raise `NotFound`."""
    query = select(PurchaseLine).where(PurchaseLine.id == line_id)
    found = ctx.session.scalar(
        query.options(joinedload(PurchaseLine.part), joinedload(PurchaseLine.vendor))
    )
    if found is None:
        raise NotFound(_l("Nothing like this was ordered here. Look in the list of orders."))
    return found


def line_page(
    ctx: Context, *, is_open: bool = True, after: str | None = None, limit: int = 50
) -> Page[PurchaseLine]:
    """Return what is still to come, or what has come, the latest ordered first."""
    closed = PurchaseLine.closed_at
    query = (
        select(PurchaseLine)
        .where(closed.is_(None) if is_open else closed.is_not(None))
        .options(joinedload(PurchaseLine.part), joinedload(PurchaseLine.vendor))
    )
    return page_of(
        ctx.session, query, by=[PurchaseLine.id], after=after, limit=limit, descending=True
    )


def open_lines_of(ctx: Context, part_id: int) -> list[PurchaseLine]:
    """Return what is still to come of a part, the first promised first."""
    query = (
        select(PurchaseLine)
        .where(PurchaseLine.part_id == part_id, PurchaseLine.closed_at.is_(None))
        .options(joinedload(PurchaseLine.vendor))
        .order_by(PurchaseLine.promised_on.is_(None), PurchaseLine.promised_on, PurchaseLine.id)
    )
    return list(ctx.session.scalars(query))


@command("part.order", Permission.PART_STOCK)
def order_part(
    ctx: Context,
    *,
    part_id: int,
    vendor_id: int,
    quantity: object,
    promised_on: date | None = None,
    note: str | None = None,
) -> PurchaseLine:
    """Note that a part was ordered, and for when it was promised.

    Raises:
        NotFound: no such part or supplier here.
        Conflict: the part is retired.
        Invalid: a wrong quantity, or a promise in the past.
    """
    part = part_to_change(ctx, part_id)
    vendor = vendor_by_id(ctx, vendor_id)
    if not part.is_active:
        raise Conflict(
            _l("This part is retired. Choose the one that replaced it."), code="retired"
        )
    today = hospital_day(ctx)
    if promised_on is not None and promised_on < today:
        message = _l("It cannot be promised for a day in the past.")
        raise Invalid(message, fields={"promised_on": [message]})
    milli = milli_of(quantity, part.unit)
    line = PurchaseLine(
        no=next_number(ctx, "PO"),
        part_id=part.id,
        vendor_id=vendor.id,
        quantity_milli=milli,
        received_milli=0,
        price=part.price,
        ordered_on=today,
        promised_on=promised_on,
        ordered_by=who(ctx),
        note=note,
    )
    ctx.session.add(line)
    ctx.session.flush()
    return line


@command("part.receive_order", Permission.PART_STOCK)
def receive_order(ctx: Context, *, line_id: int, delivery: Delivery) -> Receipt:
    """Take in what came of an order; it stays open until all of it has come.

    Raises:
        NotFound: nothing like this was ordered.
        Conflict: it has all come already, or the lot is in quarantine.
        Invalid: a wrong quantity, more than is still to come, an expired lot, no place.
    """
    line = _to_change(ctx, line_id)
    part = part_to_change(ctx, line.part_id)
    _refuse_closed(line)
    accepted = milli_of(delivery.quantity, part.unit, least=0)
    if accepted > line.open_milli:
        message = _l("More came than was ordered. Receive the rest on the part's own page.")
        raise Invalid(message, fields={"quantity": [message]}, code="too_many")
    receipt = take_in(ctx, part, delivery, Origin(line.id, line.vendor_id, line.promised_on))
    line.received_milli += accepted
    if not line.open_milli:
        line.closed_at = ctx.now()
    ctx.session.flush()
    return receipt


@command("part.close_order", Permission.PART_STOCK)
def close_order(ctx: Context, *, line_id: int) -> PurchaseLine:
    """Give up what has not come of an order; errors as `receive_order`."""
    line = _to_change(ctx, line_id)
    _refuse_closed(line)
    line.closed_at = ctx.now()
    ctx.session.flush()
    return line


def _to_change(ctx: Context, line_id: int) -> PurchaseLine:
    query = select(PurchaseLine).where(PurchaseLine.id == line_id)
    found = ctx.session.scalar(query.with_for_update(of=PurchaseLine).execution_options(**FRESH))
    if found is None:
        raise NotFound(_l("Nothing like this was ordered here. Look in the list of orders."))
    return found


def _refuse_closed(line: PurchaseLine) -> None:
    if line.closed_at:
        raise Conflict(
            _l("This order is closed. Receive what came on the part's own page."), code="not_now"
        )
