"""Reminders of work with a day: ahead, due, in grace, overdue; each told once an order and date.

First the person hears of it, then their team, too, and at last the manager.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, not_, or_, select

from apm.accounts.queries import zone_of
from apm.assets.model import Asset
from apm.core.clock import local_day
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.maintenance.queries import HELD
from apm.notify.events import WorkRemembered
from apm.notify.model import Told
from apm.work.model import WorkOrder
from apm.work.states import OPEN_WORK, WorkState, WorkType

AHEAD = timedelta(days=3)
LOOK_BACK = timedelta(days=3)
"""A worker that stood still catches up this far; older lateness is known, and on the lists."""
PLANNED = frozenset({WorkType.PREVENTIVE, WorkType.INSPECTION})
"""Work whose day is known long before; a repair has its own clocks."""


class Stage(StrEnum):
    """How near its last day work is."""

    AHEAD = "due_soon"
    DUE = "due_today"
    GRACE = "in_grace"
    OVERDUE = "overdue"


def stage_of(order: WorkOrder, today: date) -> Stage | None:
    """Return what is to be told of an open order today; None for nothing."""
    due, last = order.due_on, order.late_after or order.due_on
    if due is None or last is None:
        return None
    if last < today:
        return Stage.OVERDUE if last >= today - LOOK_BACK else None
    if order.type not in PLANNED or order.state is WorkState.DONE or due > today + AHEAD:
        return None
    if due < today:
        return Stage.GRACE
    return Stage.DUE if due == today else Stage.AHEAD


def _waits_for_return() -> ColumnElement[bool]:
    """Return the condition that planned work is on equipment out of use: due when it is back."""
    is_away = select(Asset.id).where(Asset.id == WorkOrder.asset_id, Asset.lifecycle.in_(HELD))
    return and_(WorkOrder.type == WorkType.PREVENTIVE, is_away.exists())


@command("notify.overdue", Permission.SYSTEM_RUN)
def remind(ctx: Context) -> int:
    """Announce what is to be told of open orders today; return how many are new."""
    today = local_day(ctx.now(), zone_of(ctx))
    last_day = func.coalesce(WorkOrder.late_after, WorkOrder.due_on)
    is_near = WorkOrder.type.in_(PLANNED) & (WorkOrder.due_on <= today + AHEAD)
    query = (
        select(WorkOrder)
        .where(WorkOrder.state.in_(OPEN_WORK), last_day >= today - LOOK_BACK)
        .where(or_(last_day < today, is_near), not_(_waits_for_return()))
        .order_by(WorkOrder.id)
    )
    due = {}
    for order in ctx.session.scalars(query):
        if stage := stage_of(order, today):
            day = order.due_on if stage is not Stage.OVERDUE else order.late_after or order.due_on
            due[f"{stage}:{order.id}:{day}"] = (stage, order)
    have = set(ctx.session.scalars(select(Told.key).where(Told.key.in_(due)))) if due else set()
    for key in due.keys() - have:
        stage, order = due[key]
        ctx.session.add(Told(key=key, at=ctx.now()))
        ctx.emit(WorkRemembered(stage, order.no, order.asset_id, order.assignee_id, order.team_id))
    return len(due.keys() - have)
