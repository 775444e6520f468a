"""What becomes of an occurrence when its work order moves on."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from apm.accounts.queries import zone_of
from apm.core.clock import local_day
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.maintenance.due import window
from apm.maintenance.holds import mark_done_meanwhile, unmark
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.maintenance.triggers import begin_again, let_go
from apm.maintenance.withdrawal import UNSTARTED, withdraw
from apm.work.model import WorkOrder
from apm.work.states import WorkState

FINISHED = frozenset({WorkState.DONE, WorkState.CLOSED})
SETTLED = frozenset({OccurrenceState.MISSED, OccurrenceState.EXCUSED, OccurrenceState.CANCELLED})


@command("maintenance.settle", Permission.SYSTEM_RUN)
def settle(ctx: Context, *, work_order_id: int) -> list[Occurrence]:
    """Bring the occurrences of a work order in line with where that order stands now."""
    order = ctx.session.get(WorkOrder, work_order_id, populate_existing=True)
    if order is None:
        return []
    found = _occurrences_of(ctx, work_order_id)
    for occurrence in found:
        if occurrence.state not in SETTLED:
            _settle_one(ctx, occurrence, order)
    return found


def _occurrences_of(ctx: Context, work_order_id: int) -> list[Occurrence]:
    """Return the occurrences of an order with their plans, locked: plans first, as everywhere."""
    mine = select(Occurrence.plan_id).where(Occurrence.work_order_id == work_order_id)
    plans = (
        select(Plan)
        .where(Plan.id.in_(mine))
        .options(selectinload(Plan.triggers))
        .order_by(Plan.id)
        .with_for_update(of=Plan)
        .execution_options(populate_existing=True)
    )
    held = {plan.id: plan for plan in ctx.session.scalars(plans)}
    query = (
        select(Occurrence)
        .where(Occurrence.work_order_id == work_order_id, Occurrence.plan_id.in_(held))
        .options(selectinload(Occurrence.plan).selectinload(Plan.triggers))
        .order_by(Occurrence.plan_id, Occurrence.seq)
        .execution_options(populate_existing=True)
    )
    return list(ctx.session.scalars(query))


def _settle_one(ctx: Context, occurrence: Occurrence, order: WorkOrder) -> None:
    plan = occurrence.plan
    if order.state in FINISHED and order.done_at:
        is_news = occurrence.state is not OccurrenceState.DONE
        occurrence.state = OccurrenceState.DONE
        occurrence.done_at = order.done_at
        occurrence.done_on = local_day(order.done_at, zone_of(ctx))
        mark_done_meanwhile(occurrence, plan)
        _count_from_completion(occurrence, occurrence.done_on)
        if is_news:
            begin_again(ctx, plan, order.done_at)
            _count_in_window(ctx, occurrence)
    elif order.state is WorkState.CANCELLED:
        is_due = not occurrence.is_extra
        occurrence.state = OccurrenceState.MISSED if is_due else OccurrenceState.CANCELLED
        occurrence.outcome = "cancelled"
        let_go(ctx, plan, occurrence.seq)
    elif occurrence.state is OccurrenceState.DONE:  # returned to work after it was done
        _reopen(ctx, occurrence, order)


def _count_from_completion(occurrence: Occurrence, done_on: date) -> None:
    plan = occurrence.plan
    is_latest = occurrence.seq == plan.next_seq - 1
    if plan.mode is PlanMode.FLOATING and is_latest:
        plan.next_due = plan.interval.after(done_on)


def _count_in_window(ctx: Context, occurrence: Occurrence) -> None:
    """Count an extra visit that ended in the window of the next fixed date for that date."""
    plan = occurrence.plan
    if not occurrence.is_extra or not plan.interval or not plan.is_active:
        return
    coming = window(plan.next_due, early_days=plan.early_days, grace_days=plan.grace_days)
    if occurrence.done_on and occurrence.done_on >= coming.opens:
        credit_to_next(ctx, occurrence)


def credit_to_next(ctx: Context, extra: Occurrence) -> Occurrence:
    """Let a finished extra visit count for the next fixed due date; return that date's record."""
    plan = extra.plan
    frame = window(plan.next_due, early_days=plan.early_days, grace_days=plan.grace_days)
    made = Occurrence(
        plan_id=plan.id,
        plan=plan,
        seq=plan.next_seq,
        due=frame.due,
        opens=frame.opens,
        late_after=frame.late_after,
        state=OccurrenceState.DONE,
        why=extra.why,
        reasons=extra.reasons,
        outcome="credited",
        work_order_id=extra.work_order_id,
        done_at=extra.done_at,
        done_on=extra.done_on,
    )
    extra.state, extra.outcome = OccurrenceState.CANCELLED, "merged"
    ctx.session.add(made)
    plan.next_seq += 1
    plan.next_due = plan.interval.following(plan.anchor, frame.due)
    ctx.session.flush()
    return made


def _reopen(ctx: Context, occurrence: Occurrence, order: WorkOrder) -> None:
    """Open a due date again; a newer one of the plan nobody has begun is done with it."""
    occurrence.state = OccurrenceState.OPEN
    occurrence.done_at = occurrence.done_on = None
    if occurrence.held_until is None:  # counted as before use because it was done
        unmark(occurrence)
    query = select(Occurrence).where(
        Occurrence.plan_id == occurrence.plan_id,
        Occurrence.state == OccurrenceState.OPEN,
        Occurrence.id != occurrence.id,
        Occurrence.work_order_id != order.id,
    )
    for newer in ctx.session.scalars(query.execution_options(populate_existing=True)):
        theirs = ctx.session.get(WorkOrder, newer.work_order_id, populate_existing=True)
        if theirs is not None and theirs.state in UNSTARTED and not _ticks_more(ctx, newer):
            newer.work_order_id = order.id
            ctx.session.flush()
            withdraw(ctx, theirs, "joined")


def _ticks_more(ctx: Context, occurrence: Occurrence) -> bool:
    """Tell whether the order of an occurrence is meant for other due dates, too."""
    query = select(Occurrence.id).where(
        Occurrence.work_order_id == occurrence.work_order_id,
        Occurrence.state == OccurrenceState.OPEN,
        Occurrence.id != occurrence.id,
    )
    return ctx.session.scalar(query.limit(1)) is not None
