"""The rule that gives work out: a new repair goes to the proposed person of the team at once."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from apm.core.command import Context
from apm.work.assigning import candidates_for, is_fit, staff_with_load
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.states import WorkState, WorkType


def give_out(ctx: Context, no: str) -> WorkOrder | None:
    """Assign a new repair if its team wants that and somebody fit is on duty; else leave it.

    Safe to repeat: an order that somebody has already is left alone.
    """
    query = select(WorkOrder).where(WorkOrder.no == no).options(selectinload(WorkOrder.asset))
    order = ctx.session.scalar(query.execution_options(populate_existing=True))
    is_new = order is not None and order.state is WorkState.PLANNED
    if order is None or not is_new or order.type is not WorkType.CORRECTIVE:
        return None
    staff = staff_with_load(ctx)
    if order.team_id not in {team.id for team in staff.teams if team.gives_work_out}:
        return None
    for one in candidates_for(staff, order):
        if one.is_member and one.duty_until and is_fit(staff, order, one):
            return move_work(ctx, no=no, action="assign", facts=Facts(assignee_id=one.user_id))
    return None
