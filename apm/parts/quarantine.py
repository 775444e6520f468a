"""Setting a lot aside: why, by whom, and where the parts of it went that are out already."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.parts.model import Lot, MoveKind, Quarantine, Stock, StockMove
from apm.parts.stock import part_to_change, who
from apm.work.model import WorkOrder


@dataclass(frozen=True, slots=True)
class Received:
    """A work order that received parts of a lot, and how many of them it kept (thousandths)."""

    order: WorkOrder
    milli: int


def lot_by_id(ctx: Context, lot_id: int) -> Lot:
    """Return a lot with its part, or raise `NotFound`."""
    query = select(Lot).where(Lot.id == lot_id).options(joinedload(Lot.part))
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such lot here. Open it from its part."))
    return found


def quarantines_of(ctx: Context, lot: Lot) -> list[Quarantine]:
    """Return every time the lot was set aside, the latest first."""
    query = select(Quarantine).where(Quarantine.lot_id == lot.id)
    return list(ctx.session.scalars(query.order_by(Quarantine.id.desc())))


def places_of(ctx: Context, lot: Lot) -> list[Stock]:
    """Return where the lot lies."""
    query = select(Stock).where(Stock.lot_id == lot.id, Stock.on_hand_milli > 0)
    return list(ctx.session.scalars(query.options(joinedload(Stock.store)).order_by(Stock.id)))


def receivers_of(ctx: Context, lot: Lot) -> list[Received]:
    """Return the work orders (asset loaded) that hold parts of a lot, the latest first."""
    query = (
        select(StockMove)
        .where(
            StockMove.lot_id == lot.id,
            StockMove.kind.in_([MoveKind.ISSUE, MoveKind.RETURN]),
        )
        .options(joinedload(StockMove.work_order).joinedload(WorkOrder.asset))
        .order_by(StockMove.id.desc())
    )
    kept: dict[int, int] = {}
    orders: dict[int, WorkOrder] = {}
    for move in ctx.session.scalars(query):
        if move.work_order is not None:
            orders.setdefault(move.work_order.id, move.work_order)
            kept[move.work_order.id] = kept.get(move.work_order.id, 0) - move.quantity_milli
    return [Received(orders[key], milli) for key, milli in kept.items() if milli > 0]


@command("part.quarantine", Permission.PART_STOCK)
def quarantine(ctx: Context, *, lot_id: int, reason: str) -> Quarantine:
    """Set a lot aside: nothing of it is issued until it is released.

    Raises:
        NotFound: no such lot.
        Invalid: no reason.
        Conflict: it is set aside already.
    """
    lot = _locked(ctx, lot_id)
    if not reason.strip():
        message = _l("Say why, so that others understand.")
        raise Invalid(message, fields={"reason": [message]})
    if lot.is_quarantined:
        raise Conflict(_l("This lot is in quarantine already."), code="quarantined")
    lot.is_quarantined = True
    made = Quarantine(lot_id=lot.id, reason=reason.strip(), by=who(ctx), at=ctx.now())
    ctx.session.add(made)
    ctx.session.flush()
    return made


@command("part.unquarantine", Permission.PART_STOCK)
def unquarantine(ctx: Context, *, lot_id: int, note: str) -> Quarantine:
    """Release a lot, saying what was found; errors as `quarantine`."""
    lot = _locked(ctx, lot_id)
    if not note.strip():
        message = _l("Say what was found, so that others may rely on it.")
        raise Invalid(message, fields={"note": [message]})
    query = select(Quarantine).where(Quarantine.lot_id == lot.id, Quarantine.released_at.is_(None))
    held = ctx.session.scalar(query)
    if not lot.is_quarantined or held is None:
        raise Conflict(_l("This lot is not in quarantine."), code="not_now")
    lot.is_quarantined = False
    held.released_at, held.released_by, held.release_note = ctx.now(), who(ctx), note.strip()
    ctx.session.flush()
    return held


def _locked(ctx: Context, lot_id: int) -> Lot:
    part_to_change(ctx, lot_by_id(ctx, lot_id).part_id)
    query = select(Lot).where(Lot.id == lot_id).options(joinedload(Lot.part))
    return ctx.session.scalars(query.execution_options(populate_existing=True)).one()
