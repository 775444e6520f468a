"""The clock of a report nobody has decided about: it must not wait unheard.

Its answer is due as the proposed priority promises.  When a work order is made for it, the order
takes the clock over, with what was told already.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.dispatch.watching import Lapse, due_watches, people_for, tell
from apm.requests.model import Request
from apm.requests.states import Triage
from apm.requests.urgency import priority_of
from apm.teams.queries import Staff, calendar_of, staff_of
from apm.teams.working_time import WorkingCalendar
from apm.work.clock_model import ServiceEscalation, ServiceWatch
from apm.work.clocks import (
    NEAR,
    REQUEST,
    RESPOND,
    new_watch,
    point,
    promise_anew,
    steps_of,
    told_of,
    watch_of,
)


def watch_request(ctx: Context, request: Request) -> None:
    """Begin the clock of a new report."""
    calendar = calendar_of(ctx)
    watch = new_watch(
        ctx, request.no, REQUEST, priority_of(request), request.reported_at, calendar
    )
    watch.next_check_at = point(watch, calendar, RESPOND, NEAR)


def watch_anew(ctx: Context, request: Request) -> None:
    """Let the clock promise what the priority says now; it began when it began."""
    if watch := watch_of(ctx, request.no):
        promise_anew(ctx, watch, priority_of(request))
        resume_clock(ctx, request)


def forget_clock(ctx: Context, request: Request) -> None:
    """Stop the clock: somebody has decided."""
    if watch := watch_of(ctx, request.no):
        watch.next_check_at = None


def resume_clock(ctx: Context, request: Request) -> None:
    """Let the clock run (again): the reporter has answered."""
    if watch := watch_of(ctx, request.no):
        watch.next_check_at = _next(watch, calendar_of(ctx), told_of(ctx, request.no))


def hand_clock_on(ctx: Context, request: Request, order_no: str) -> None:
    """Let the work order take over: what was told of the report is not told again."""
    forget_clock(ctx, request)
    told = select(ServiceEscalation).where(ServiceEscalation.no == request.no)
    ctx.session.add_all(
        ServiceEscalation(no=order_no, step=row.step, due_at=row.due_at, at=row.at)
        for row in list(ctx.session.scalars(told))
    )


def answer_expected_at(ctx: Context, request: Request) -> datetime | None:
    """Return by when somebody should answer a report; None once that was done, or is late.

    Who waits is not told of a time that has passed.
    """
    order, due = request.work_order, None
    if order is not None:
        due = order.respond_by if order.responded_at is None else None
    elif request.triage is Triage.OPEN and (watch := watch_of(ctx, request.no)):
        due = point(watch, calendar_of(ctx), RESPOND, 1.0)
    return due if due is not None and due > ctx.now() else None


@command("service_level.watch_reports", Permission.SYSTEM_RUN)
def watch_reports(ctx: Context) -> int:
    """Tell of reports that wait for a decision too long; return how many were told of."""
    watches = due_watches(ctx, REQUEST)
    if not watches:
        return 0
    staff = staff_of(ctx)
    query = select(Request).where(Request.no.in_([watch.no for watch in watches]))
    found = ctx.session.scalars(query.options(selectinload(Request.asset)))
    requests = {request.no: request for request in found}
    return sum(_look(ctx, staff, watch, requests.get(watch.no)) for watch in watches)


def _look(ctx: Context, staff: Staff, watch: ServiceWatch, request: Request | None) -> int:
    if request is None or request.triage is not Triage.OPEN:
        watch.next_check_at = None
        return 0
    told = told_of(ctx, watch.no)
    due = [s for s in steps_of(watch, staff.calendar, RESPOND, (), told) if s[1] <= ctx.now()]
    if due:
        team = staff.team_for(request.asset.category, request.asset.department_id)
        step, due_at = due[-1][0], point(watch, staff.calendar, RESPOND, 1.0)
        lapse = Lapse(
            request.no, f"/requests/{request.no}", RESPOND, step, due_at,
            priority_of(request).value, team.id if team else None, None,
        )  # fmt: skip
        tell(ctx, lapse, people_for(ctx, staff, lapse))
        told |= {f"{RESPOND}_{step}"}
    watch.next_check_at = _next(watch, staff.calendar, told)
    return len(due[-1:])


def _next(watch: ServiceWatch, calendar: WorkingCalendar, told: frozenset[str]) -> datetime | None:
    return min((at for _s, at in steps_of(watch, calendar, RESPOND, (), told)), default=None)
