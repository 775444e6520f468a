"""The parts of a work order: the section of its page, and what the page of its parts shows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.parts.issuing import BRINGING_BACK, TAKING, still_out
from apm.parts.model import MoveKind, Reservation, StockMove
from apm.work.lifecycle import is_assignee
from apm.work.model import WorkOrder
from apm.work.sections import Panel, beside


@dataclass(frozen=True, slots=True)
class OrderParts:
    """What an order holds.  `out`: of each issue, what was not brought back, in thousandths."""

    reserved: list[Reservation]
    issued: list[StockMove]
    out: dict[int, int]
    may_take: bool
    may_return: bool


def parts_of(ctx: Context, order: WorkOrder) -> OrderParts:
    """Return what is promised and issued to an order, with always three statements."""
    reserved = (
        select(Reservation)
        .where(Reservation.work_order_id == order.id, Reservation.left_milli > 0)
        .options(joinedload(Reservation.part))
        .order_by(Reservation.id)
    )
    issues = (
        select(StockMove)
        .where(StockMove.work_order_id == order.id, StockMove.kind == MoveKind.ISSUE)
        .options(
            joinedload(StockMove.part), joinedload(StockMove.lot), joinedload(StockMove.store)
        )
        .order_by(StockMove.id)
    )
    issued = list(ctx.session.scalars(issues))
    may = ctx.actor.can(Permission.PART_ISSUE) and (
        is_assignee(ctx.actor, order) or ctx.actor.can(Permission.WORK_ASSIGN)
    )
    return OrderParts(
        reserved=list(ctx.session.scalars(reserved)),
        issued=issued,
        out=still_out(ctx, issued),
        may_take=may and order.state in TAKING,
        may_return=may and order.state in BRINGING_BACK,
    )


@beside(order=40, permission=Permission.PART_READ)
def parts_section(ctx: Context, order: WorkOrder) -> Panel | None:
    """Parts that are promised to the order or went into it."""
    held = parts_of(ctx, order)
    if not (held.reserved or held.issued or held.may_take):
        return None
    return Panel(
        _l("Spare parts"),
        "layers",
        "parts/_work_section.html",
        {"held": held, "no": order.no},
        url=f"/work-orders/{order.no}/parts",
        more=_l("Scan and return"),
    )
