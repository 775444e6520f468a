"""What the reporter says in the end, and what counts when they say nothing."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import case, select

from apm.accounts.queries import own_hospital
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.requests.loading import request_to_change
from apm.requests.model import Request
from apm.requests.states import Triage
from apm.requests.taking import announce, take_step
from apm.requests.triage import Acceptance, repair
from apm.work.model import WorkOrder
from apm.work.states import Priority, WorkState

SILENCE = timedelta(days=3)
"""After this time without a word a repair counts as confirmed; a hospital may set another."""
MOST_SILENCE = 60


@command("request.verify", Permission.REQUEST_REPORT)
def verify(
    ctx: Context, *, no: str, rating: int | None = None, comment: str | None = None
) -> Request:
    """The reporter says that it works again, and how content they are, from 1 to 5."""
    if rating is not None and not 1 <= rating <= 5:
        message = _l("Choose from 1 to 5 stars.")
        raise Invalid(message, fields={"rating": [message]})
    request = take_step(ctx, no, "verify", None)
    request.verified_at = ctx.now()
    request.rating, request.rating_comment = rating, comment
    announce(ctx, request, "verify")
    return request


@command("request.reopen", Permission.REQUEST_REPORT)
def reopen(ctx: Context, *, no: str, comment: str | None = None) -> WorkOrder:
    """The reporter says that it is still broken: a new repair follows the old one."""
    request = take_step(ctx, no, "reopen", None)
    old = request.work_order
    if old is None:  # cannot be: a repaired request has its order
        raise Conflict(_l("Reload and try again."))
    order = repair(ctx, request, f"rework:{old.no}", Acceptance(Priority.HIGH))
    request.work_order = order
    request.triage_note = comment
    announce(ctx, request, "reopen")
    return order


@command("request.verify_silent", Permission.SYSTEM_RUN)
def verify_silent(ctx: Context) -> int:
    """Confirm the repairs nobody has said anything about for some days; return how many."""
    hospital = own_hospital(ctx)
    silence = timedelta(days=hospital.silence_days) if hospital else SILENCE
    # High-risk equipment is back in use when its order is closed, all other when it is done.
    back_at = case((WorkOrder.high_risk, WorkOrder.closed_at), else_=WorkOrder.done_at)
    query = (
        select(Request.no)
        .join(WorkOrder, Request.work_order_id == WorkOrder.id)
        .where(
            Request.triage == Triage.ACCEPTED,
            Request.verified_at.is_(None),
            WorkOrder.state.in_({WorkState.DONE, WorkState.CLOSED}),
            back_at <= ctx.now() - silence,
        )
        .order_by(Request.id)
        .limit(500)
    )
    silent = list(ctx.session.scalars(query))
    for no in silent:
        request = request_to_change(ctx, no)
        request.verified_at = ctx.now()
        request.verified_by_silence = True
        announce(ctx, request, "verify")
    return len(silent)


@command("hospital.set_silence", Permission.USER_ADMIN)
def set_silence(ctx: Context, *, days: int) -> None:
    """Say after how many days without a word a repair counts as confirmed."""
    hospital = own_hospital(ctx)
    if hospital is None:
        raise Conflict(_l("Choose a hospital first."))
    if not 1 <= days <= MOST_SILENCE:
        message = _l("Choose from 1 to %(most)s days.", most=MOST_SILENCE)
        raise Invalid(message, fields={"silence_days": [message]})
    hospital.silence_days = days
