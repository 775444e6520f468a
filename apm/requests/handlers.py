"""What requests do when their work order goes on."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.core.command import Context
from apm.requests.model import Request
from apm.requests.taking import announce
from apm.work.model import WorkOrder
from apm.work.moving import when_moved


@when_moved
def announce_requests(ctx: Context, order: WorkOrder, action: str) -> None:
    """A request that an order answers moves with it."""
    query = select(Request).where(Request.work_order_id == order.id)
    for request in list(ctx.session.scalars(query.options(joinedload(Request.work_order)))):
        announce(ctx, request, action)
