"""What the page of an asset says about work."""

from __future__ import annotations

from sqlalchemy import func, select

from apm.accounts.queries import hospital_day
from apm.assets.model import Asset
from apm.assets.panels import Panel, panel
from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.work.model import Cost, WorkOrder
from apm.work.queries import with_place
from apm.work.states import OPEN_WORK, WorkState

LAST = 10


@panel(order=10, permission=Permission.WORK_READ)
def open_work_panel(ctx: Context, asset: Asset) -> Panel | None:
    """Work that is not finished."""
    query = with_place(select(WorkOrder)).where(
        WorkOrder.asset_id == asset.id, WorkOrder.state.in_(OPEN_WORK)
    )
    orders = list(ctx.session.scalars(query.order_by(WorkOrder.id.desc()).limit(LAST)))
    if not orders:
        return None
    data = {"orders": orders, "day": hospital_day(ctx)}
    return Panel(_l("Open work"), "tool", "work/_asset_work.html", data, tone="info")


@panel(order=60, permission=Permission.WORK_READ)
def history_panel(ctx: Context, asset: Asset) -> Panel | None:
    """Finished work, with what it cost and how long the asset was down."""
    query = with_place(select(WorkOrder)).where(
        WorkOrder.asset_id == asset.id,
        WorkOrder.state.in_([WorkState.CLOSED, WorkState.CANCELLED]),
    )
    orders = list(ctx.session.scalars(query.order_by(WorkOrder.id.desc()).limit(LAST)))
    if not orders:
        return None
    return Panel(
        _l("Work history"),
        "clock",
        "work/_asset_history.html",
        {"orders": orders, "costs": costs_of(ctx, orders)},
        url=f"/work-orders?asset={asset.code}",
        more=_l("All work orders"),
    )


def costs_of(ctx: Context, orders: list[WorkOrder]) -> dict[int, int]:
    """Return the sum of costs by order id, in fen, in one statement."""
    ids = [order.id for order in orders]
    query = (
        select(Cost.work_order_id, func.sum(Cost.amount))
        .where(Cost.work_order_id.in_(ids))
        .group_by(Cost.work_order_id)
    )
    return {order_id: int(total) for order_id, total in ctx.session.execute(query)}
