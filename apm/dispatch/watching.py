"""Looking at the clocks: who is told that one runs out, or has.

The work grows with what is due, not with what is open: each document says when it is to be
looked at next.  A step is told once, whoever looks and however late.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from apm.accounts.queries import colleagues
from apm.core.command import Context, command
from apm.core.permissions import ROLES, Permission, Role
from apm.dispatch.events import ServiceLevelMissed, ServiceLevelNear
from apm.teams.queries import Staff, staff_of
from apm.work.clock_model import ServiceEscalation, ServiceWatch
from apm.work.clocks import (
    MISSED,
    NEARLY,
    RESOLVE,
    RESPOND,
    WORK,
    next_check,
    pauses_of,
    point,
    running,
    steps_of,
    told_of,
)
from apm.work.model import WorkOrder

AT_ONCE = 200
"""Documents looked at in one run; the rest follow a minute later."""
DECIDING = frozenset(role for role in Role if Permission.WORK_ASSIGN in ROLES[role])


@dataclass(frozen=True, slots=True)
class Lapse:
    """One clock of one document that runs out, or has."""

    no: str
    url: str
    clock: str
    step: str
    due_at: datetime
    priority: str
    team_id: int | None
    assignee_id: int | None


@command("service_level.watch", Permission.SYSTEM_RUN)
def watch_orders(ctx: Context) -> int:
    """Tell of the clocks of work orders that run out; return how many were told of."""
    return sum(_look(ctx, watch) for watch in due_watches(ctx, WORK))


def due_watches(ctx: Context, kind: str) -> list[ServiceWatch]:
    """Return what is to be looked at now, locked: a second worker finds nothing left."""
    query = (
        select(ServiceWatch)
        .where(ServiceWatch.kind == kind, ServiceWatch.next_check_at <= ctx.now())
        .order_by(ServiceWatch.next_check_at, ServiceWatch.id)
        .limit(AT_ONCE)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(ctx.session.scalars(query))


def _look(ctx: Context, watch: ServiceWatch) -> int:
    query = (
        select(WorkOrder).where(WorkOrder.no == watch.no).options(selectinload(WorkOrder.asset))
    )
    order = ctx.session.scalar(query.execution_options(populate_existing=True))
    if order is None:
        watch.next_check_at = None
        return 0
    staff, told = staff_of(ctx), told_of(ctx, watch.no)
    pauses, found = pauses_of(ctx, order), 0
    for clock in running(order):
        still = pauses if clock == RESOLVE else []
        due = [s for s in steps_of(watch, staff.calendar, clock, still, told) if s[1] <= ctx.now()]
        if not due:
            continue
        step = due[-1][0]
        due_at = point(watch, staff.calendar, clock, 1.0, still)
        lapse = Lapse(
            order.no, f"/work-orders/{order.no}", clock, step, due_at, order.priority.value,
            order.team_id, order.assignee_id,
        )  # fmt: skip
        tell(ctx, lapse, people_for(ctx, staff, lapse))
        told |= {f"{clock}_{step}"}
        found += 1
    watch.next_check_at = next_check(order, watch, staff.calendar, pauses, told)
    return found


def tell(ctx: Context, lapse: Lapse, people: list[int]) -> None:
    """Announce a lapse and note that it was told."""
    ctx.session.add(
        ServiceEscalation(
            no=lapse.no, step=f"{lapse.clock}_{lapse.step}", due_at=lapse.due_at, at=ctx.now()
        )
    )
    event = ServiceLevelNear if lapse.step == NEARLY else ServiceLevelMissed
    ctx.emit(
        event(
            lapse.no,
            lapse.url,
            lapse.clock,
            lapse.due_at.isoformat(),
            lapse.priority,
            lapse.team_id,
            people,
        )
    )


def people_for(ctx: Context, staff: Staff, lapse: Lapse) -> list[int]:
    """Return who is told: first whoever has it, then the team's lead, then who decides.

    Where a rung of the ladder is empty, the next one is told instead: nothing lapses unheard.
    """
    ladder: dict[tuple[str, str], list[Callable[[], list[int]]]] = {
        (RESPOND, NEARLY): [lambda: _assignee(lapse), lambda: _on_duty(staff, lapse)],
        (RESOLVE, NEARLY): [lambda: _assignee(lapse), lambda: _on_duty(staff, lapse)],
        (RESPOND, MISSED): [lambda: _lead(staff, lapse)],
        (RESOLVE, MISSED): [],
    }
    for rung in ladder[lapse.clock, lapse.step]:
        if people := rung():
            return people
    return sorted({*_lead(staff, lapse), *(user.id for user in colleagues(ctx, DECIDING))})


def _assignee(lapse: Lapse) -> list[int]:
    return [lapse.assignee_id] if lapse.assignee_id else []


def _on_duty(staff: Staff, lapse: Lapse) -> list[int]:
    return [one.user_id for one in staff.on_duty(lapse.team_id)]


def _lead(staff: Staff, lapse: Lapse) -> list[int]:
    leads = [team.lead_id for team in staff.teams if team.id == lapse.team_id]
    return [lead for lead in leads if lead is not None]
