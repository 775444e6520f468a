"""The queue of a team: what nobody has taken, who is there, who should take what, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, case, func, select

from apm.core.command import Context
from apm.teams.model import Team
from apm.teams.queries import Staff
from apm.teams.routing import Candidate
from apm.work.assigning import candidates_for, is_fit, staff_with_load
from apm.work.clock_view import ClockView, clock_of
from apm.work.lifecycle import HELD, work_actions
from apm.work.model import WorkOrder
from apm.work.queries import with_place
from apm.work.states import PRIORITY_RANK, WorkState

MOST = 60
"""Rows of one section; a longer queue is worked from its top."""
UNROUTED = 0
"""Stands for work that belongs to no team."""


@dataclass(frozen=True, slots=True)
class Row:
    """One order of the queue."""

    order: WorkOrder
    clock: ClockView | None
    actions: list[str]
    candidates: list[Candidate]
    """Who it may go to, the best first."""
    fit: frozenset[int]
    """Those of them who need no confirmation."""

    @property
    def best(self) -> Candidate | None:
        """Who is proposed: the best, if they are fit."""
        first = self.candidates[0] if self.candidates else None
        return first if first and first.user_id in self.fit else None


@dataclass(slots=True)
class Queue:
    """What a team sees."""

    team: Team | None
    staff: Staff
    on_duty: list[Candidate]
    unassigned: list[Row] = field(default_factory=list)
    held: list[Row] = field(default_factory=list)


def queue_of(ctx: Context, team_id: int | None) -> Queue:
    """Return the queue of a team, of no team (`UNROUTED`), or of all (None).

    The statements are as many however long the queue is.
    """
    staff = staff_with_load(ctx)
    team = next((t for t in staff.teams if t.id == team_id), None)
    queue = Queue(team, staff, staff.on_duty(team.id if team else None))
    queue.unassigned = _rows(ctx, staff, team_id, WorkOrder.state == WorkState.PLANNED)
    queue.held = _rows(ctx, staff, team_id, WorkOrder.state.in_(HELD))
    return queue


def _rows(
    ctx: Context, staff: Staff, team_id: int | None, is_wanted: ColumnElement[bool]
) -> list[Row]:
    query = with_place(select(WorkOrder)).where(is_wanted)
    if team_id is not None:
        query = query.where(_of_team(team_id))
    rank = case(dict(PRIORITY_RANK), value=WorkOrder.priority)
    due = case(
        (WorkOrder.responded_at.is_(None), WorkOrder.respond_by), else_=WorkOrder.resolve_by
    )
    query = query.order_by(
        rank, due.asc().nulls_last(), WorkOrder.due_on.asc().nulls_last(), WorkOrder.id
    )
    return [_row(ctx, staff, order) for order in ctx.session.scalars(query.limit(MOST))]


def _row(ctx: Context, staff: Staff, order: WorkOrder) -> Row:
    candidates = candidates_for(staff, order)
    fit = frozenset(one.user_id for one in candidates if is_fit(staff, order, one))
    return Row(order, clock_of(order, ctx.now()), work_actions(ctx.actor, order), candidates, fit)


def _of_team(team_id: int) -> ColumnElement[bool]:
    if team_id == UNROUTED:
        return WorkOrder.team_id.is_(None)
    return WorkOrder.team_id == team_id


def waiting_counts(ctx: Context) -> Mapping[int, int]:
    """Return how many orders nobody has taken, by team; `UNROUTED` are those of none."""
    query = (
        select(WorkOrder.team_id, func.count(WorkOrder.id))
        .where(WorkOrder.state == WorkState.PLANNED)
        .group_by(WorkOrder.team_id)
    )
    return {team_id or UNROUTED: n for team_id, n in ctx.session.execute(query)}
