"""Work whose last day has passed: told once an order and date."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from apm.core.clock import local_day
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.notify.events import WorkOverdue
from apm.notify.model import Told
from apm.notify.queries import zone_of
from apm.work.model import WorkOrder
from apm.work.states import OPEN_WORK

LOOK_BACK = timedelta(days=3)
"""A worker that stood still catches up this far; older lateness is known, and on the lists."""


@command("notify.overdue", Permission.SYSTEM_RUN)
def tell_of_overdue_work(ctx: Context) -> int:
    """Announce open orders whose last day passed lately; return how many are new."""
    today = local_day(ctx.now(), zone_of(ctx))
    last_day = func.coalesce(WorkOrder.late_after, WorkOrder.due_on)
    query = (
        select(WorkOrder)
        .where(WorkOrder.state.in_(OPEN_WORK), last_day < today, last_day >= today - LOOK_BACK)
        .order_by(WorkOrder.id)
    )
    late = {f"overdue:{o.id}:{o.late_after or o.due_on}": o for o in ctx.session.scalars(query)}
    have = set(ctx.session.scalars(select(Told.key).where(Told.key.in_(late)))) if late else set()
    for key in late.keys() - have:
        order = late[key]
        ctx.session.add(Told(key=key, at=ctx.now()))
        ctx.emit(WorkOverdue(order.no, order.asset_id, order.assignee_id))
    return len(late.keys() - have)
