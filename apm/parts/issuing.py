"""Parts for a work order: promised, handed out, brought back; and what that costs it."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.parts.model import MoveKind, Part, Reservation, StockMove
from apm.parts.quantities import cost_of, milli_of, plain
from apm.parts.queries import standings
from apm.parts.stock import (
    Facts,
    change,
    part_to_change,
    shares,
    stock_in,
    too_few,
    usable_stock,
    who,
)
from apm.work.lifecycle import is_assignee
from apm.work.loading import order_to_change
from apm.work.model import Cost, WorkOrder
from apm.work.states import OPEN_WORK, CostKind, WorkState

TAKING = OPEN_WORK - {WorkState.DONE}
"""States in which an order may be given parts: what was signed for does not change."""
BRINGING_BACK = TAKING | {WorkState.CANCELLED}
ENDED = frozenset({WorkState.DONE, WorkState.CLOSED, WorkState.CANCELLED})


@command("part.reserve", Permission.PART_ISSUE)
def reserve(ctx: Context, *, no: str, part_id: int, quantity: object) -> Reservation:
    """Promise parts to a work order, so that nobody else takes them.

    Raises:
        NotFound: no such order or part.
        NotAllowed: the work is somebody else's.
        Conflict: the order takes no parts now, the part is retired, or too few are free.
        Invalid: a wrong quantity.
    """
    order, part = _locked(ctx, no, part_id, TAKING)
    milli = milli_of(quantity, part.unit)
    _refuse_retired(part)
    if milli > (available := standings(ctx, [part.id])[part.id].available):
        raise too_few(max(available, 0))
    made = Reservation(
        part_id=part.id,
        work_order_id=order.id,
        quantity_milli=milli,
        left_milli=milli,
        by=who(ctx),
        at=ctx.now(),
    )
    ctx.session.add(made)
    ctx.session.flush()
    return made


@command("part.release", Permission.PART_ISSUE)
def release(ctx: Context, *, no: str, reservation_id: int) -> None:
    """Give up what is left of a reservation; errors as `reserve`."""
    query = select(Reservation).where(Reservation.id == reservation_id)
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such reservation. Reload the page."))
    order, _part = _locked(ctx, no, found.part_id, OPEN_WORK | ENDED)
    if found.work_order_id != order.id:
        raise NotFound(_l("There is no such reservation. Reload the page."))
    found.left_milli = 0


@command("part.issue", Permission.PART_ISSUE)
def issue(
    ctx: Context, *, no: str, part_id: int, quantity: object, lot: str | None = None
) -> list[StockMove]:
    """Hand out parts to a work order; its own reservation is used up first.

    Without a lot, what expires first is taken first, from several lots if need be.  The price
    becomes a cost of the order.

    Raises:
        NotFound: no such order or part.
        NotAllowed: the work is somebody else's.
        Conflict: the order takes no parts now, too few are there or the rest is promised to
            others, or the lot has expired or is in quarantine.
        Invalid: a wrong quantity, or no such lot.
    """
    order, part = _locked(ctx, no, part_id, TAKING)
    milli = milli_of(quantity, part.unit)
    own = _own_reservations(ctx, part, order)
    promised = sum(each.left_milli for each in own)
    standing = standings(ctx, [part.id])[part.id]
    stocks = usable_stock(ctx, part, lot)
    taken = shares(stocks, milli)
    free = standing.available + promised
    if milli > free:
        raise _promised_to_others(max(free, 0))
    _use_up(own, milli)
    facts = Facts(MoveKind.ISSUE, work_order_id=order.id, price=part.price)
    moves = [change(ctx, stock, -share, facts) for stock, share in taken]
    _charge(ctx, order, part, milli, sum(cost_of(part.price, share) for _stock, share in taken))
    ctx.session.flush()
    return moves


@command("part.give_back", Permission.PART_ISSUE)
def give_back(
    ctx: Context,
    *,
    no: str,
    move_id: int,
    quantity: object,
    reason: str | None = None,
    part_id: int | None = None,
) -> StockMove:
    """Bring back parts of one issue to where they lay; their cost is taken off the order.

    Raises:
        NotFound: no such order, or no such issue to it (of `part_id`, if given).
        NotAllowed: the work is somebody else's.
        Conflict: the order is done or closed.
        Invalid: a wrong quantity, or more than is still out.
    """
    query = select(StockMove).where(StockMove.id == move_id, StockMove.kind == MoveKind.ISSUE)
    query = query.options(joinedload(StockMove.lot), joinedload(StockMove.store))
    issued = ctx.session.scalar(query)
    if issued is None or part_id not in (None, issued.part_id):
        raise _no_such_issue()
    order, part = _locked(ctx, no, issued.part_id, BRINGING_BACK)
    if issued.work_order_id != order.id:
        raise _no_such_issue()
    milli = milli_of(quantity, part.unit)
    out = still_out(ctx, [issued])[issued.id]
    if milli > out:
        message = _l("Only %(n)s of this issue are still out.", n=plain(out))
        raise Invalid(message, fields={"quantity": [message]}, code="too_many_back")
    facts = Facts(
        MoveKind.RETURN, order.id, returns_id=issued.id, price=issued.price, reason=reason
    )
    move = change(ctx, stock_in(ctx, issued.lot, issued.store), milli, facts)
    # What is still out keeps its cost to the fen, in however many pieces it comes back.
    kept, before = cost_of(issued.price, out - milli), cost_of(issued.price, out)
    _charge(ctx, order, part, -milli, kept - before)
    ctx.session.flush()
    return move


def still_out(ctx: Context, issues: list[StockMove]) -> dict[int, int]:
    """Return how much of each issue was not brought back, in thousandths, in one statement."""
    query = (
        select(StockMove.returns_id, func.sum(StockMove.quantity_milli))
        .where(StockMove.returns_id.in_([each.id for each in issues]))
        .group_by(StockMove.returns_id)
    )
    back = {issue_id: int(total) for issue_id, total in ctx.session.execute(query)}
    return {each.id: -each.quantity_milli - back.get(each.id, 0) for each in issues}


def release_all(ctx: Context, order: WorkOrder) -> None:
    """Give up every reservation of an order that ended; inside the command that ended it.

    The order's lock is held, and reserving asks for it: nothing is promised meanwhile.
    """
    if order.state in ENDED:
        query = select(Reservation).where(
            Reservation.work_order_id == order.id, Reservation.left_milli > 0
        )
        for each in ctx.session.scalars(query.execution_options(populate_existing=True)):
            each.left_milli = 0


def _locked(
    ctx: Context, no: str, part_id: int, states: frozenset[WorkState]
) -> tuple[WorkOrder, Part]:
    order = order_to_change(ctx, no)
    part = part_to_change(ctx, part_id)
    if not (is_assignee(ctx.actor, order) or ctx.actor.can(Permission.WORK_ASSIGN)):
        raise NotAllowed(_l("This work order is somebody else's. Ask an engineer."))
    if order.state not in states:
        raise Conflict(
            _l("This work order is done or closed: its parts do not change any more."),
            code="not_now",
        )
    return order, part


def _own_reservations(ctx: Context, part: Part, order: WorkOrder) -> list[Reservation]:
    query = (
        select(Reservation)
        .where(
            Reservation.part_id == part.id,
            Reservation.work_order_id == order.id,
            Reservation.left_milli > 0,
        )
        .order_by(Reservation.id)
        .execution_options(populate_existing=True)
    )
    return list(ctx.session.scalars(query))


def _use_up(reservations: list[Reservation], milli: int) -> None:
    for each in reservations:
        share = min(each.left_milli, milli)
        each.left_milli -= share
        milli -= share


def _charge(ctx: Context, order: WorkOrder, part: Part, milli: int, amount: int) -> None:
    """Write an amount (fen; below zero takes a cost back) for so many parts onto the order."""
    if amount:
        ctx.session.add(
            Cost(
                work_order_id=order.id, kind=CostKind.PARTS, amount=amount,
                currency=part.currency, note=f"{part.number} × {plain(milli)}",
            )
        )  # fmt: skip


def _promised_to_others(milli: int) -> Conflict:
    return Conflict(
        _l("Only %(n)s free; the rest is reserved for other work orders.", n=plain(milli)),
        code="reserved",
    )


def _refuse_retired(part: Part) -> None:
    if not part.is_active:
        raise Conflict(
            _l("This part is retired. Choose the one that replaced it."), code="retired"
        )


def _no_such_issue() -> NotFound:
    return NotFound(_l("Nothing of this was issued to the work order. Reload the page."))
