"""The two clocks of a repair: until somebody answers, and until it works again.

Both begin when the fault was reported.  The first never stands still; it ends with the first
thing a person does about it: taking, assigning, handing over or starting the order.  The second
stands still only while nobody can get at the equipment, and ends when the work is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select

from apm.core.command import Context
from apm.teams.queries import calendar_of
from apm.teams.working_time import Span, WorkingCalendar, deadline
from apm.work.clock_model import Runs, ServiceEscalation, ServiceWatch, WorkPause
from apm.work.model import WorkOrder
from apm.work.service_levels import promise_for
from apm.work.states import Priority, WorkState

NEAR = 0.75
"""Of the time that was promised: then whoever has the job is told."""
RESPONSES = frozenset({"take", "assign", "hand_over", "start"})
"""What a person does that counts as an answer."""
OVER = frozenset({WorkState.DONE, WorkState.CLOSED, WorkState.CANCELLED})
WORK, REQUEST = "work", "request"
RESPOND, RESOLVE = "respond", "resolve"
NEARLY, MISSED = "near", "missed"


def start_clocks(ctx: Context, order: WorkOrder, since: datetime) -> None:
    """Begin both clocks of a new order."""
    calendar = calendar_of(ctx)
    watch = new_watch(ctx, order.no, WORK, order.priority, since, calendar)
    order.clock_from = since
    _set_times(order, watch, calendar, [])
    watch.next_check_at = next_check(order, watch, calendar, [], frozenset())


def new_watch(
    ctx: Context,
    no: str,
    kind: str,
    priority: Priority,
    since: datetime,
    calendar: WorkingCalendar,
) -> ServiceWatch:
    """Write down what is promised now for a document of this priority."""
    promise = promise_for(ctx, priority)
    watch = ServiceWatch(
        no=no,
        kind=kind,
        begins=since,
        runs=promise.runs,
        respond_minutes=_minutes(promise.respond.length(promise.runs, calendar)),
        resolve_minutes=_minutes(promise.resolve.length(promise.runs, calendar)),
        next_check_at=None,
    )
    ctx.session.add(watch)
    return watch


def note_step(ctx: Context, order: WorkOrder, action: str) -> None:
    """Let the clocks know of a step that is being taken."""
    if order.clock_from is None:
        return
    if action == "wait_access":
        order.paused_at = ctx.now()
        ctx.session.add(WorkPause(work_order_id=order.id, begins=ctx.now(), ends=None))
    elif action in {"resume", "cancel"} and order.paused_at is not None:
        _end_pause(ctx, order)
    if action in RESPONSES and ctx.actor.user_id is not None:
        order.responded_at = order.responded_at or ctx.now()


def _end_pause(ctx: Context, order: WorkOrder) -> None:
    # Everything is read before anything is written: the step leaves one line in the trail.
    watch, calendar, pauses = watch_of(ctx, order.no), calendar_of(ctx), _pauses(ctx, order)
    for pause in pauses:
        pause.ends = pause.ends or ctx.now()
    order.paused_at = None
    if watch is not None:
        _set_times(order, watch, calendar, _spans(pauses))


def change_priority(ctx: Context, order: WorkOrder, priority: Priority) -> None:
    """Set another priority and wind the clocks anew; they began when they began."""
    watch, pauses = watch_of(ctx, order.no), _pauses(ctx, order)
    calendar = promise_anew(ctx, watch, priority) if watch else None
    order.priority = priority
    if watch is not None and calendar is not None:
        _set_times(order, watch, calendar, _spans(pauses))


def promise_anew(ctx: Context, watch: ServiceWatch, priority: Priority) -> WorkingCalendar:
    """Write down what is promised for another priority; return the calendar it counts by."""
    calendar, promise = calendar_of(ctx), promise_for(ctx, priority)
    watch.runs = promise.runs
    watch.respond_minutes = _minutes(promise.respond.length(promise.runs, calendar))
    watch.resolve_minutes = _minutes(promise.resolve.length(promise.runs, calendar))
    return calendar


def wind(ctx: Context, order: WorkOrder) -> None:
    """Set when an order is looked at next, after it has moved."""
    watch = watch_of(ctx, order.no) if order.clock_from else None
    if watch is None:
        return
    if order.state in OVER:
        watch.next_check_at = None
        return
    calendar, pauses = calendar_of(ctx), pauses_of(ctx, order)
    watch.next_check_at = next_check(order, watch, calendar, pauses, told_of(ctx, order.no))


def _set_times(
    order: WorkOrder, watch: ServiceWatch, calendar: WorkingCalendar, pauses: list[Span]
) -> None:
    order.respond_by = point(watch, calendar, RESPOND, 1.0)
    order.resolve_by = point(watch, calendar, RESOLVE, 1.0, pauses)


def point(
    watch: ServiceWatch,
    calendar: WorkingCalendar,
    clock: str,
    share: float,
    pauses: Iterable[Span] = (),
) -> datetime:
    """Return when a share of the promised time is over."""
    minutes = watch.respond_minutes if clock == RESPOND else watch.resolve_minutes
    hours = calendar if watch.runs is Runs.WORKING else None
    return deadline(watch.begins, share * timedelta(minutes=minutes), hours, list(pauses))


def next_check(
    order: WorkOrder,
    watch: ServiceWatch,
    calendar: WorkingCalendar,
    pauses: list[Span],
    told: frozenset[str],
) -> datetime | None:
    """Return when something of an open order runs out, or nearly, that nobody was told of."""
    coming = []
    for clock in running(order):
        still = pauses if clock == RESOLVE else []
        coming += [at for _step, at in steps_of(watch, calendar, clock, still, told)]
    return min(coming, default=None)


def running(order: WorkOrder) -> list[str]:
    """Return which clocks of an order run now."""
    if order.clock_from is None or order.state in OVER:
        return []
    clocks = [] if order.responded_at else [RESPOND]
    return clocks if order.paused_at else [*clocks, RESOLVE]


def steps_of(
    watch: ServiceWatch,
    calendar: WorkingCalendar,
    clock: str,
    pauses: Iterable[Span],
    told: frozenset[str],
) -> list[tuple[str, datetime]]:
    """Return the steps still to be told on one clock, with their instants.

    Who was told that it is too late need not be told that it will be.
    """
    if f"{clock}_{MISSED}" in told:
        return []
    still = list(pauses)
    missed = (MISSED, point(watch, calendar, clock, 1.0, still))
    if f"{clock}_{NEARLY}" in told:
        return [missed]
    return [(NEARLY, point(watch, calendar, clock, NEAR, still)), missed]


def watch_of(ctx: Context, no: str) -> ServiceWatch | None:
    """Return the clocks of a document, fresh and locked."""
    query = select(ServiceWatch).where(ServiceWatch.no == no).with_for_update()
    return ctx.session.scalar(query.execution_options(populate_existing=True))


def pauses_of(ctx: Context, order: WorkOrder) -> list[Span]:
    """Return the pauses of an order that are over."""
    return _spans(_pauses(ctx, order))


def _pauses(ctx: Context, order: WorkOrder) -> list[WorkPause]:
    query = select(WorkPause).where(WorkPause.work_order_id == order.id)
    return list(ctx.session.scalars(query.order_by(WorkPause.id)))


def _spans(pauses: Iterable[WorkPause]) -> list[Span]:
    return [(pause.begins, pause.ends) for pause in pauses if pause.ends is not None]


def told_of(ctx: Context, no: str) -> frozenset[str]:
    """Return the steps of a document somebody was told of."""
    return frozenset(
        ctx.session.scalars(select(ServiceEscalation.step).where(ServiceEscalation.no == no))
    )


def _minutes(length: timedelta) -> int:
    return round(length.total_seconds() / 60)
