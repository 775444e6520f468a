"""What the page of an asset says about reports and work."""

from __future__ import annotations

from sqlalchemy import func, select

from apm.assets.model import Asset
from apm.assets.panels import Panel, panel
from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.tickets.model import Cost, WorkOrder
from apm.tickets.queries import with_place
from apm.tickets.request_queries import open_on
from apm.tickets.states import OPEN_WORK, WorkState
from apm.tickets.today import hospital_day

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
    return Panel(_l("Open work"), "tool", "tickets/_asset_work.html", data, tone="info")


@panel(order=20, permission=Permission.REQUEST_READ)
def requests_panel(ctx: Context, asset: Asset) -> Panel | None:
    """Reports that are not finished."""
    requests = open_on(ctx, asset)
    if not requests:
        return None
    return Panel(
        _l("Open reports"), "bell", "tickets/_asset_requests.html", {"requests": requests},
        tone="warn",
    )  # fmt: skip


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
        "tickets/_asset_history.html",
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
