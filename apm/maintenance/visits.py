"""What people decide about due dates: excused, credited, or visited before they are due."""

from __future__ import annotations

from sqlalchemy import select

from apm.assets.model import AssetState
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.maintenance.generation import visit
from apm.maintenance.model import Occurrence, OccurrenceState
from apm.maintenance.rounds import Round, begin_round
from apm.maintenance.settling import credit_to_next
from apm.maintenance.triggers import let_go
from apm.maintenance.wishes import LONGEST_NOTE, Excuse
from apm.maintenance.withdrawal import UNSTARTED, give_up


@command("plan.excuse", Permission.PLAN_EDIT)
def excuse(ctx: Context, *, occurrence_id: int, reason: Excuse, note: str) -> Occurrence:
    """Excuse an open due date: it counts apart, neither done nor missed.

    Raises:
        NotFound: no such due date.
        Invalid: no note says what proves it.
        Conflict: it is settled already, or work on it has begun.
    """
    _need_note(note)
    work, occurrence = _locked(ctx, occurrence_id)
    if occurrence.state is not OccurrenceState.OPEN:
        raise Conflict(_l("This due date is settled already. Reload the page."))
    order = work.order_of(occurrence)
    if order is not None and order.state not in UNSTARTED:
        raise Conflict(_l("Work has begun. Finish it, or cancel the work order."))
    give_up(work, occurrence, reason.value)
    _sign(ctx, occurrence, note)
    let_go(ctx, occurrence.plan, occurrence.seq)
    return occurrence


@command("plan.credit", Permission.PLAN_EDIT)
def credit(ctx: Context, *, occurrence_id: int, note: str) -> Occurrence:
    """Let a finished extra visit count for the next fixed due date, which is then done.

    Raises:
        NotFound: no such visit.
        Invalid: no note says why.
        Conflict: it is no finished extra visit, or a due date has opened since.
    """
    _need_note(note)
    work, extra = _locked(ctx, occurrence_id)
    plan = extra.plan
    if not extra.is_extra or extra.state is not OccurrenceState.DONE or not plan.interval:
        raise Conflict(_l("Only a finished extra visit of a plan with dates can be credited."))
    if not plan.is_active or extra.seq != plan.next_seq - 1 or plan.id in work.open:
        raise Conflict(_l("Another visit came after this one. It cannot be credited any more."))
    made = credit_to_next(ctx, extra)
    _sign(ctx, made, note)
    return made


@command("plan.visit", Permission.PLAN_EDIT)
def visit_now(ctx: Context, *, plan_id: int, note: str) -> Occurrence:
    """Open the work of a plan now, before it is due.

    Raises:
        NotFound: no such plan.
        Invalid: no note says why.
        Conflict: stopped, out of use, or open already.
    """
    _need_note(note)
    work = begin_round(ctx, [plan_id])
    if not work.plans:
        raise NotFound(_l("There is no such plan. Look for it in the list of plans."))
    plan = work.plans[0]
    if not plan.is_active:
        raise Conflict(_l("This plan has already been stopped."))
    if plan.asset.lifecycle is not AssetState.IN_SERVICE:
        raise Conflict(_l("The equipment is not in service. It is due before use again."))
    if plan.id in work.open:
        raise Conflict(_l("There is open work for this plan already."))
    told = {
        "trigger": "by_hand", "due": work.today.isoformat(), "by": ctx.actor.name,
        "note": note.strip(),
    }  # fmt: skip
    made = visit(work, plan, work.today, ([told], []))
    work.end()
    return made


def _need_note(note: str) -> None:
    if not 1 <= len(note.strip()) <= LONGEST_NOTE:
        message = _l("Say why, so that others understand.")
        raise Invalid(message, fields={"note": [message]})


def _sign(ctx: Context, occurrence: Occurrence, note: str) -> None:
    occurrence.note = note.strip()
    occurrence.decided_by, occurrence.decided_at = ctx.actor.name, ctx.now()


def _locked(ctx: Context, occurrence_id: int) -> tuple[Round, Occurrence]:
    query = select(Occurrence.plan_id).where(Occurrence.id == occurrence_id)
    plan_id = ctx.session.scalar(query)
    if plan_id is None:
        raise NotFound(_l("There is no such due date. Look for it on the page of its plan."))
    work = begin_round(ctx, [plan_id])
    found = ctx.session.get(Occurrence, occurrence_id, populate_existing=True)
    if found is None:
        raise NotFound(_l("There is no such due date. Look for it on the page of its plan."))
    found.plan = work.plans[0]
    return work, found
