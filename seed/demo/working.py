"""The steps of a work order as people took them, by the tables and rules of `apm.work`.

The commands there ask for a password at each signature and read the order anew at each step;
two years of that would take many minutes.  So history takes the same steps with what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import inspect, select
from sqlalchemy.orm.attributes import set_committed_value

from apm.core.command import Context
from apm.work.clocks import OVER, note_step, wind
from apm.work.completion import APPROVED, PERFORMED, record_hash
from apm.work.lifecycle import WORK
from apm.work.model import Cost, Signature, WorkOrder, WorkStep
from apm.work.moving import put_back_in_use, take_out_of_use
from apm.work.results import missing_steps
from apm.work.states import CostKind
from seed.demo.world import Person

Spent = Mapping[CostKind, int]
LABOUR_FEN_A_MINUTE = 200
"""120 yuan an hour."""


def assign(ctx: Context, order: WorkOrder, person: Person) -> None:
    """Give the job to somebody."""
    _take(ctx, order, "assign")
    order.assignee_id, order.assignee_name = person.id, person.name
    order.assigned_at = ctx.now()


def start(ctx: Context, order: WorkOrder) -> None:
    """Begin; of a repair, take the asset out of use."""
    _take(ctx, order, "start")
    order.started_at = ctx.now()
    take_out_of_use(ctx, order)


def wait(ctx: Context, order: WorkOrder, action: str, reason: str, days: int) -> None:
    """Wait for somebody or something, expected in so many days."""
    _take(ctx, order, action)
    order.reason = reason
    order.expected_on = (ctx.now() + timedelta(days=days)).date()


def resume(ctx: Context, order: WorkOrder) -> None:
    """Go on."""
    _take(ctx, order, "resume")
    order.reason = order.expected_on = None


def cancel(ctx: Context, order: WorkOrder, reason: str) -> None:
    """Give the job up."""
    _take(ctx, order, "cancel")
    order.reason = reason


def complete(
    ctx: Context, order: WorkOrder, person: Person, *, minutes: int, spent: Spent | None = None
) -> None:
    """Finish the job, note the money spent on it (fen), and sign for it."""
    _take(ctx, order, "complete")
    order.labour_minutes = minutes
    spending = {**(spent or {}), CostKind.LABOUR: minutes * LABOUR_FEN_A_MINUTE}
    costs = [
        Cost(work_order_id=order.id, kind=kind, amount=fen, currency="CNY")
        for kind, fen in spending.items()
        if fen
    ]
    ctx.session.add_all(costs)
    order.done_at, order.done_by = ctx.now(), person.id
    if not order.high_risk:
        put_back_in_use(ctx, order)
    # What a signature covers, at hand instead of read back: nobody else writes this database.
    set_committed_value(order, "costs", costs)
    set_committed_value(order, "steps", steps_of(ctx, order) if order.template_code else [])
    if missing := missing_steps(order):
        raise ValueError(f"{order.no}: {[step.key for step in missing]} not answered")
    _sign(ctx, order, person, PERFORMED)


def close(ctx: Context, order: WorkOrder, person: Person) -> None:
    """Approve the job and sign for it."""
    _take(ctx, order, "close")
    order.closed_at, order.closed_by = ctx.now(), person.id
    put_back_in_use(ctx, order)
    _sign(ctx, order, person, APPROVED)


def steps_of(ctx: Context, order: WorkOrder) -> list[WorkStep]:
    """Return the checklist in order."""
    query = select(WorkStep).where(WorkStep.work_order_id == order.id)
    return list(ctx.session.scalars(query.order_by(WorkStep.position)))


def _take(ctx: Context, order: WorkOrder, action: str) -> None:
    step = WORK.take(action, order.state, ctx.actor, order)
    note_step(ctx, order, action)
    order.state = step.target
    if order.state in OVER:
        wind(ctx, order)


def _sign(ctx: Context, order: WorkOrder, person: Person, meaning: str) -> None:
    for absent in {"photos", "labour"} & inspect(order).unloaded:  # history has none of these
        set_committed_value(order, absent, [])
    if {"costs", "steps"} & inspect(order).unloaded:
        costs = select(Cost).where(Cost.work_order_id == order.id).order_by(Cost.id)
        set_committed_value(order, "costs", list(ctx.session.scalars(costs)))
        set_committed_value(order, "steps", steps_of(ctx, order))
    ctx.session.add(
        Signature(
            work_order_id=order.id,
            user_id=person.id,
            name=person.name,
            meaning=meaning,
            at=ctx.now(),
            record_hash=record_hash(order),
        )
    )
