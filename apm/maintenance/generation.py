"""How due dates become occurrences and work orders; run by the worker, safe to repeat.

Of a plan's due dates whose window is open only the newest gets work.  Older ones were never
started: they are recorded as missed, or as excused where the asset was out of use, so that the
record has no gaps.
"""

from __future__ import annotations

from datetime import date

from apm.assets.model import GONE, AssetState
from apm.core.clock import local_day
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.maintenance.due import Window, floating_due, next_fixed_due, window
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.maintenance.queries import (
    hospital_zone,
    occurrence_of_work,
    open_occurrence,
    plan_for_writing,
    today_of,
)
from apm.maintenance.withdrawal import UNSTARTED, withdraw
from apm.procedures.catalogue import template
from apm.work.commands import open_work
from apm.work.model import WorkOrder
from apm.work.states import WorkState, WorkType

FINISHED = frozenset({WorkState.DONE, WorkState.CLOSED})


@command("maintenance.generate", Permission.SYSTEM_RUN)
def generate(ctx: Context, *, plan_id: int) -> Occurrence | None:
    """Do what a plan asks for today; return the occurrence that got a work order, if any did."""
    plan = plan_for_writing(ctx, plan_id)
    if plan is None or not plan.is_active:
        return None
    today = today_of(ctx)
    if plan.asset.lifecycle in GONE:
        plan.is_active = False
        excuse_unstarted(ctx, plan, "retired")
        return None
    if plan.asset.lifecycle is not AssetState.IN_SERVICE:
        plan.held_why = plan.asset.lifecycle.value
        plan.held_since = plan.held_since or today
        return None
    made = _open_newest(ctx, plan, today)
    plan.held_why = plan.problem = None
    if made or not _open_dates(plan, today):  # else a window waits for the work before it to end
        plan.held_since = None
    return made


@command("maintenance.note_problem", Permission.SYSTEM_RUN)
def note_problem(ctx: Context, *, plan_id: int, problem: str) -> None:
    """Keep why a plan could not be worked on, for the list of plans; the next run tries again."""
    plan = plan_for_writing(ctx, plan_id)
    if plan is not None:
        plan.problem = problem[:500]


@command("maintenance.settle", Permission.SYSTEM_RUN)
def settle(ctx: Context, *, work_order_id: int) -> Occurrence | None:
    """Bring the occurrence of a work order in line with where that order stands now."""
    occurrence = occurrence_of_work(ctx, work_order_id)
    order = ctx.session.get(WorkOrder, work_order_id, populate_existing=True)
    if occurrence is None or order is None:
        return None
    if occurrence.state in {OccurrenceState.MISSED, OccurrenceState.CANCELLED}:
        return occurrence
    if order.state in FINISHED and order.done_at:
        occurrence.state = OccurrenceState.DONE
        occurrence.done_at = order.done_at
        occurrence.done_on = local_day(order.done_at, hospital_zone(ctx))
        _count_from_completion(occurrence, occurrence.done_on)
    elif order.state is WorkState.CANCELLED:
        occurrence.state, occurrence.outcome = OccurrenceState.MISSED, "cancelled"
    else:  # returned to work after it was done
        occurrence.state = OccurrenceState.OPEN
        occurrence.done_at = occurrence.done_on = None
    return occurrence


def _count_from_completion(occurrence: Occurrence, done_on: date) -> None:
    plan = occurrence.plan
    is_latest = occurrence.seq == plan.next_seq - 1
    if plan.mode is PlanMode.FLOATING and is_latest:
        plan.next_due = floating_due(done_on, plan.interval_months)


def _open_newest(ctx: Context, plan: Plan, today: date) -> Occurrence | None:
    due = _open_dates(plan, today)
    if not due or not _make_room(ctx, plan):
        return None
    for missed in due[:-1]:
        _record(ctx, plan, missed, None)
    return _record(ctx, plan, due[-1], today)


def _open_dates(plan: Plan, today: date) -> list[Window]:
    """Return the windows that have opened since the last run, oldest first."""
    found: list[Window] = []
    due = plan.next_due
    while (frame := _window(plan, due)).is_open(today):
        found.append(frame)
        if plan.mode is PlanMode.FLOATING:
            break  # the date after this depends on when this one is done
        due = next_fixed_due(plan.anchor, plan.interval_months, due)
    return found


def _window(plan: Plan, due: date) -> Window:
    return window(due, early_days=plan.early_days, grace_days=plan.grace_days)


def _make_room(ctx: Context, plan: Plan) -> bool:
    """Give up the open occurrence if nobody has started it; tell whether there is room now."""
    current = open_occurrence(ctx, plan)
    if current is None:
        return True
    if plan.mode is PlanMode.FLOATING or not _is_unstarted(ctx, current):
        return False
    _give_up(ctx, plan, current, "superseded")
    return True


def excuse_unstarted(ctx: Context, plan: Plan, outcome: str) -> None:
    """Excuse the open occurrence of a plan that ends, unless work on it has begun."""
    current = open_occurrence(ctx, plan)
    if current is not None and _is_unstarted(ctx, current):
        _give_up(ctx, plan, current, outcome)


def _is_unstarted(ctx: Context, occurrence: Occurrence) -> bool:
    order = _order_of(ctx, occurrence)
    return order is None or order.state in UNSTARTED


def _order_of(ctx: Context, occurrence: Occurrence) -> WorkOrder | None:
    if occurrence.work_order_id is None:
        return None
    return ctx.session.get(WorkOrder, occurrence.work_order_id, populate_existing=True)


def _give_up(ctx: Context, plan: Plan, occurrence: Occurrence, outcome: str) -> None:
    if outcome == "superseded" and _was_held(plan, occurrence.due):
        outcome = "held"
    is_missed = outcome == "superseded"
    occurrence.state = OccurrenceState.MISSED if is_missed else OccurrenceState.CANCELLED
    occurrence.outcome = outcome
    order = _order_of(ctx, occurrence)
    if order is not None and order.state in UNSTARTED:
        withdraw(ctx, order, outcome)


def _was_held(plan: Plan, due: date) -> bool:
    return plan.held_since is not None and due >= plan.held_since


def _record(ctx: Context, plan: Plan, frame: Window, today: date | None) -> Occurrence:
    """Add the next occurrence: with a work order if `today` is given, else as one that passed."""
    occurrence = Occurrence(
        plan_id=plan.id,
        seq=plan.next_seq,
        due=frame.due,
        opens=frame.opens,
        late_after=frame.late_after,
        state=OccurrenceState.OPEN,
        why=_why(plan),
    )
    ctx.session.add(occurrence)
    plan.next_seq += 1
    plan.next_due = _following(plan, frame.due)
    if today is None:
        _give_up(ctx, plan, occurrence, "superseded")
    else:
        occurrence.work_order_id = _order_for(ctx, plan, occurrence).id
    ctx.session.flush()
    return occurrence


def _following(plan: Plan, due: date) -> date:
    if plan.mode is PlanMode.FIXED:
        return next_fixed_due(plan.anchor, plan.interval_months, due)
    return floating_due(due, plan.interval_months)  # until the completion says better


def _why(plan: Plan) -> str:
    if plan.held_since is not None:
        return "before_use"
    return "calendar" if plan.mode is PlanMode.FIXED else "completion"


def _order_for(ctx: Context, plan: Plan, occurrence: Occurrence) -> WorkOrder:
    chosen = template(plan.template_code)
    return open_work(
        ctx,
        type=WorkType.PREVENTIVE,
        title=f"Maintenance: {chosen.en}",
        title_zh=f"维护保养：{chosen.zh}",
        asset=plan.asset,
        origin=f"occurrence:{plan.id}:{occurrence.seq}",
        template_code=chosen.code,
        due_on=occurrence.due,
        late_after=occurrence.late_after,
    )
