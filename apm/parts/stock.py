"""Changing stock: one part at a time under its lock, never below zero, each change with its move.

Whoever changes stock holds the part's row until the end of the command, so that of two people
who want the last piece the second finds it gone.  Lock order everywhere: work order, purchase
line, part; and no write before the last lock, because the audit trail's head is a lock as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.accounts.queries import colleague, hospital_day
from apm.core.command import Context
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.parts.model import Lot, MoveKind, Part, Stock, StockMove, Store
from apm.parts.quantities import plain
from apm.parts.queries import first_expiring, is_usable

FRESH = {"populate_existing": True}
"""What was read before the lock was taken may be old by now."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a move is written with, beside what moved."""

    kind: MoveKind
    work_order_id: int | None = None
    receipt_id: int | None = None
    returns_id: int | None = None
    price: int | None = None
    reason: str | None = None


def part_to_change(ctx: Context, part_id: int) -> Part:
    """Return a part, fresh and locked until the command ends, or raise `NotFound`."""
    query = select(Part).where(Part.id == part_id).with_for_update(of=Part)
    found = ctx.session.scalar(query.execution_options(**FRESH))
    if found is None:
        raise NotFound(_l("There is no such part here. Look in the list of parts."))
    return found


def change(ctx: Context, stock: Stock, milli: int, facts: Facts) -> StockMove:
    """Add `milli` (negative: take away) to what lies there, and write the move.

    Raises:
        Conflict: less lies there.
    """
    if stock.on_hand_milli + milli < 0:
        raise too_few(stock.on_hand_milli)
    stock.on_hand_milli += milli
    move = StockMove(
        part_id=stock.part_id,
        lot_id=stock.lot_id,
        store_id=stock.store_id,
        quantity_milli=milli,
        kind=facts.kind,
        work_order_id=facts.work_order_id,
        receipt_id=facts.receipt_id,
        returns_id=facts.returns_id,
        price=facts.price,
        reason=facts.reason,
        at=ctx.now(),
        by=who(ctx),
    )
    ctx.session.add(move)
    return move


def too_few(milli: int) -> Conflict:
    """Return the refusal to take more than `milli`."""
    return Conflict(
        _l("Only %(n)s left. Somebody else may have taken the others just now.", n=plain(milli)),
        code="not_enough",
    )


def stock_in(ctx: Context, lot: Lot, store: Store) -> Stock:
    """Return what lies of a lot in a place (fresh), an empty row if nothing ever did."""
    query = select(Stock).where(Stock.lot_id == lot.id, Stock.store_id == store.id)
    found = ctx.session.scalar(query.execution_options(**FRESH))
    if found is None:
        found = Stock(part_id=lot.part_id, lot_id=lot.id, store_id=store.id, on_hand_milli=0)
        found.lot, found.store = lot, store
        ctx.session.add(found)
        ctx.session.flush()
    return found


def stock_by_id(ctx: Context, part: Part, stock_id: int) -> Stock:
    """Return a row of the part's stock (fresh, with lot and place), or raise `NotFound`."""
    query = select(Stock).where(Stock.id == stock_id, Stock.part_id == part.id)
    query = query.options(joinedload(Stock.lot), joinedload(Stock.store))
    found = ctx.session.scalar(query.execution_options(**FRESH))
    if found is None:
        raise NotFound(_l("Nothing of this part lies there. Reload the page."))
    return found


def usable_stock(ctx: Context, part: Part, lot: str | None = None) -> list[Stock]:
    """Return what may be issued today, what expires first first; of one lot if given.

    Raises:
        NotFound: there is no such lot.
        Conflict: that lot has expired or is in quarantine.
    """
    today = hospital_day(ctx)
    query = (
        select(Stock)
        .join(Stock.lot)
        .where(Stock.part_id == part.id, Stock.on_hand_milli > 0, is_usable(today))
        .options(joinedload(Stock.lot), joinedload(Stock.store))
        .order_by(*first_expiring())
        .execution_options(**FRESH)
    )
    if lot is not None:
        chosen = _usable_lot(ctx, part, lot, today)
        query = query.where(Stock.lot_id == chosen.id)
    return list(ctx.session.scalars(query))


def lot_by_code(ctx: Context, part: Part, code: str) -> Lot | None:
    """Return a part's lot by what its label says."""
    query = select(Lot).where(Lot.part_id == part.id, Lot.code == code)
    return ctx.session.scalar(query.execution_options(**FRESH))


def _usable_lot(ctx: Context, part: Part, code: str, today: date) -> Lot:
    found = lot_by_code(ctx, part, code)
    if found is None:
        message = _l("This part has no lot %(lot)s. Check the label.", lot=code)
        raise Invalid(message, fields={"lot": [message]}, code="unknown_lot")
    if found.is_quarantined:
        raise Conflict(
            _l("Lot %(lot)s is in quarantine and must not be used. Take another.", lot=code),
            code="quarantined",
        )
    if found.expires_on is not None and found.expires_on < today:
        raise Conflict(
            _l(
                "Lot %(lot)s expired on %(day)s and must not be used. Take another.",
                lot=code,
                day=found.expires_on.isoformat(),
            ),
            code="expired",
        )
    return found


def shares(stocks: list[Stock], milli: int) -> list[tuple[Stock, int]]:
    """Return how much to take from each, in the order given, until `milli` is reached.

    Raises:
        Conflict: there is less in all of them.
    """
    taken, rest = [], milli
    for stock in stocks:
        share = min(stock.on_hand_milli, rest)
        if share:
            taken.append((stock, share))
            rest -= share
    if rest:
        raise too_few(milli - rest)
    return taken


def store_named(ctx: Context, name: str) -> Store:
    """Return the place of this name, in either language; a new one if there is none."""
    query = select(Store).where((Store.name == name) | (Store.name_zh == name))
    rows = list(ctx.session.scalars(query.order_by(Store.id)))
    found = next((row for row in rows if row.name == name), rows[0] if rows else None)
    if found is None:
        found = Store(name=name)
        ctx.session.add(found)
        ctx.session.flush()
    return found


def who(ctx: Context) -> str:
    """Return the name of whoever acts, as records show it."""
    return colleague(ctx, ctx.actor.user_id).name if ctx.actor.user_id else ctx.actor.name
