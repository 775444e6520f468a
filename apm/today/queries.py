"""My work today: what is urgent, what is mine, what waits, what anybody may take."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import case, or_, select

from apm.accounts.queries import hospital_day
from apm.core.command import Context
from apm.core.permissions import Permission
from apm.forecasts.fleet import FleetRow, asking_without_work
from apm.requests.model import Request
from apm.requests.queries import to_triage
from apm.work.lifecycle import WAITING, is_assignee, is_second_person
from apm.work.model import WorkOrder
from apm.work.queries import with_place
from apm.work.states import OPEN_WORK, PRIORITY_RANK, Priority, WorkState, WorkType

MOST = 100
"""Rows shown, one's own first: nobody works more than that in a day; the list has the rest."""


@dataclass(slots=True)
class Today:
    """One person's day; each order stands in one section only."""

    day: date
    new: list[Request] = field(default_factory=list)
    now: list[WorkOrder] = field(default_factory=list)
    mine: list[WorkOrder] = field(default_factory=list)
    to_close: list[WorkOrder] = field(default_factory=list)
    to_take: list[WorkOrder] = field(default_factory=list)
    waiting: list[WorkOrder] = field(default_factory=list)
    predicted: list[WorkOrder] = field(default_factory=list)
    foretold: list[FleetRow] = field(default_factory=list)
    """Equipment whose forecast asks for work that nobody has planned."""
    is_cut: bool = False
    """There is more than is shown."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing at all to do."""
        sections = (self.new, self.now, self.mine, self.to_close, self.to_take, self.waiting)
        return not any(sections) and not self.predicted and not self.foretold


def my_today(ctx: Context) -> Today:
    """Return what concerns the actor today, the most pressing first."""
    today = Today(hospital_day(ctx))
    if ctx.actor.can(Permission.REQUEST_TRIAGE):
        today.new = to_triage(ctx)
    if ctx.actor.can(Permission.FORECAST_READ):
        today.foretold = asking_without_work(ctx)
    orders = _orders(ctx)
    today.is_cut = len(orders) > MOST
    for order in sorted(orders[:MOST], key=_pressing_first):
        _section(ctx, today, order).append(order)
    return today


def _orders(ctx: Context) -> list[WorkOrder]:
    actor = ctx.actor
    states = OPEN_WORK if actor.can(Permission.WORK_CLOSE) else OPEN_WORK - {WorkState.DONE}
    concerns_me = or_(
        WorkOrder.assignee_id.is_(None), WorkOrder.assignee_id == (actor.user_id or 0)
    )
    if actor.can(Permission.WORK_ASSIGN):  # who hands out work also chases what waits
        concerns_me = or_(concerns_me, WorkOrder.state.in_(WAITING | {WorkState.DONE}))
    query = with_place(select(WorkOrder)).where(WorkOrder.state.in_(states), concerns_me)
    is_others = case((WorkOrder.assignee_id == (actor.user_id or 0), 0), else_=1)
    rank = case(dict(PRIORITY_RANK), value=WorkOrder.priority)
    due = WorkOrder.due_on.asc().nulls_last()
    query = query.order_by(is_others, rank, due, WorkOrder.id).limit(MOST + 1)
    return list(ctx.session.scalars(query))


def _pressing_first(order: WorkOrder) -> tuple[int, date, int]:
    return PRIORITY_RANK[order.priority], order.due_on or date.max, order.id


def _section(ctx: Context, today: Today, order: WorkOrder) -> list[WorkOrder]:
    is_mine = is_assignee(ctx.actor, order)
    if order.state is WorkState.DONE:
        return today.to_close if is_second_person(ctx.actor, order) else today.waiting
    if order.state in WAITING:
        return today.waiting
    if order.type is WorkType.PREDICTIVE and not is_mine:
        return today.predicted
    if _is_pressing(today, order):
        return today.now
    return today.mine if is_mine else today.to_take


def _is_pressing(today: Today, order: WorkOrder) -> bool:
    is_late = order.due_on is not None and order.due_on < today.day
    return order.priority is Priority.URGENT or is_late
