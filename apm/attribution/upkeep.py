"""Evidence of how the equipment was maintained: plans, last results, recent work on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.accounts.queries import zone_of
from apm.attribution.finding import FINISHED, Failure, Found
from apm.core.clock import local_day
from apm.core.command import Context
from apm.maintenance.model import Occurrence, OccurrenceState, Plan
from apm.metrology.limits import ends
from apm.procedures.model import StepKind, Verdict
from apm.work.model import WorkOrder, WorkStep
from apm.work.states import WorkType

RECENT, WEEK = timedelta(days=30), timedelta(days=7)
NEAR_TWO_SIDED, NEAR_ONE_SIDED = 0.2, 0.1
"""Closer to a limit than this share: of half the width between two limits, or of the one limit."""
WORST = ("missed", "overdue", "in_time")
MOST_DATES = 24


def upkeep(ctx: Context, failure: Failure) -> Iterator[Found]:
    """Yield what the plans, the last measured values and recent work say."""
    yield from _maintenance(ctx, failure)
    yield from _last_result(ctx, failure)
    yield _recent_work(ctx, failure)


def _maintenance(ctx: Context, failure: Failure) -> Iterator[Found]:
    """Tell how the last due date of each plan was kept, as it stood at the failure."""
    day = local_day(failure.at, zone_of(ctx))
    query = (
        select(Occurrence)
        .join(Plan, Plan.id == Occurrence.plan_id)
        .where(Plan.asset_id == failure.asset.id, Occurrence.due <= day)
        .where(Occurrence.state.not_in([OccurrenceState.CANCELLED, OccurrenceState.EXCUSED]))
        .options(joinedload(Occurrence.plan))
        .order_by(Occurrence.due.desc(), Occurrence.id.desc())
        .limit(MOST_DATES)
    )
    last: dict[int, Occurrence] = {}
    for occurrence in ctx.session.scalars(query):
        last.setdefault(occurrence.plan_id, occurrence)
    if not last:
        return
    standing = {one.plan_id: _standing(one, failure, day) for one in last.values()}
    worst = min(last.values(), key=lambda one: WORST.index(standing[one.plan_id]))
    facts = {"due": worst.due.isoformat(), "late_after": worst.late_after.isoformat(),
             "template": worst.plan.template_code}  # fmt: skip
    yield Found("maintenance", standing[worst.plan_id], facts, f"/plans/{worst.plan_id}")


def _standing(one: Occurrence, failure: Failure, day: date) -> str:
    if one.done_at is not None and one.done_at <= failure.at:
        return "in_time"
    if one.state is OccurrenceState.MISSED:
        return "missed"
    return "overdue" if one.late_after < day else "in_time"


def _last_result(ctx: Context, failure: Failure) -> Iterator[Found]:
    """Tell how close to their limits the last measured values were."""
    done = (
        select(WorkOrder.id, WorkOrder.no)
        .join(WorkStep, WorkStep.work_order_id == WorkOrder.id)
        .where(
            WorkOrder.asset_id == failure.asset.id,
            WorkOrder.type != WorkType.CORRECTIVE,
            WorkOrder.state.in_(FINISHED),
            WorkOrder.done_at < failure.at,
            WorkStep.kind == StepKind.MEASURE,
            WorkStep.value.is_not(None),
        )
        .order_by(WorkOrder.done_at.desc(), WorkOrder.id.desc())
    )
    order = ctx.session.execute(done.limit(1)).first()
    if order is None:
        return
    query = select(WorkStep).where(WorkStep.work_order_id == order.id).order_by(WorkStep.position)
    steps = list(ctx.session.scalars(query))
    failed = [s for s in steps if s.verdict is Verdict.FAIL]
    close = [s for s in steps if s.value is not None and is_near(s)]
    chosen = next(iter([*failed, *close]), None)
    level = "failed" if failed else "near" if close else "well"
    facts = {"no": order.no, "n": sum(s.value is not None for s in steps)}
    if chosen is not None:
        facts |= {"step": chosen.text, "step_zh": chosen.text_zh, "value": chosen.value,
                  "unit": chosen.unit or ""}  # fmt: skip
    yield Found("last_result", level, facts, f"/work-orders/{order.no}")


def is_near(step: WorkStep) -> bool:
    """Tell whether a measured value passed, but close to a limit."""
    low, high = ends(step.tolerance, step.reference)
    value = step.value
    if value is None or (low is None and high is None):
        return False
    if low is not None and high is not None:
        half = (high - low) / 2
        gap = min(value - low, high - value)
        return half > 0 and 0 <= gap < NEAR_TWO_SIDED * half
    limit = low if low is not None else high or 0.0
    gap = value - limit if low is not None else limit - value
    return 0 <= gap < NEAR_ONE_SIDED * abs(limit)


def _recent_work(ctx: Context, failure: Failure) -> Found:
    query = (
        select(WorkOrder)
        .where(
            WorkOrder.asset_id == failure.asset.id,
            WorkOrder.id != failure.order.id,
            WorkOrder.state.in_(FINISHED),
            WorkOrder.done_at < failure.at,
            WorkOrder.done_at >= failure.at - RECENT,
        )
        .order_by(WorkOrder.done_at.desc(), WorkOrder.id.desc())
    )
    last = ctx.session.scalars(query.limit(1)).first()
    if last is None or last.done_at is None:
        return Found("recent_work", "none", {"days": RECENT.days})
    gap = failure.at - last.done_at
    facts = {"no": last.no, "days": gap.days, "type": last.type.value,
             "by": last.performed_by or ""}  # fmt: skip
    level = "week" if gap <= WEEK else "month"
    return Found("recent_work", level, facts, f"/work-orders/{last.no}", (last.done_at,))
