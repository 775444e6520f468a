"""What happens to the plans of equipment that is back in service."""

from __future__ import annotations

from datetime import date

from sqlalchemy import and_, select

from apm.maintenance import reasons
from apm.maintenance.due import Window
from apm.maintenance.holds import Hold, mark
from apm.maintenance.model import Occurrence, OccurrenceState, Plan
from apm.maintenance.rounds import Round
from apm.maintenance.withdrawal import UNSTARTED


def come_back(work: Round, plan: Plan) -> Hold | None:
    """End the hold of a plan whose equipment is in service again; None if it was not held.

    What is open becomes due before use, and what was done meanwhile gets the end of the hold.
    """
    since, plan.held_since = plan.held_since, None
    if plan.held_why is None:
        return None
    plan.held_why = None
    hold = Hold(min(since or work.today, work.today), work.today)
    done = and_(Occurrence.state == OccurrenceState.DONE, Occurrence.held_until.is_(None))
    query = select(Occurrence).where(
        Occurrence.plan_id == plan.id,
        (Occurrence.state == OccurrenceState.OPEN) | (done & Occurrence.held_since.is_not(None)),
    )
    for occurrence in work.ctx.session.scalars(query.order_by(Occurrence.seq)).all():
        is_concerned = mark(occurrence, hold, plan.grace_days)
        if is_concerned and occurrence.state is OccurrenceState.OPEN:
            _ask_again(work, occurrence, hold)
    return hold


def _ask_again(work: Round, occurrence: Occurrence, hold: Hold) -> None:
    told = reasons.before_use(hold.since, work.today)
    occurrence.why = told["trigger"]
    occurrence.reasons = [*(occurrence.reasons or ()), told]
    order = work.order_of(occurrence)
    if order is None:
        return
    work.ctx.session.flush()
    order.late_after = min(each.late_after for each in work.sharing(order))
    is_past = order.due_on is None or order.due_on < work.today
    if is_past and order.state in UNSTARTED:
        order.due_on = first_workday(work, order.late_after)


def first_workday(work: Round, last: date) -> date:
    """Return the working day nearest to today, up to `last`."""
    return work.workdays.within(Window(work.today, work.today, max(last, work.today)))
