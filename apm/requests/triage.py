"""Deciding what becomes of a report, and what its reporter says in the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, or_, select

from apm.accounts.queries import own_hospital
from apm.assets.commands import set_availability
from apm.assets.model import Availability
from apm.core.clock import local_day
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.requests.events import RequestMoved
from apm.requests.lifecycle import REQUEST
from apm.requests.loading import request_to_change
from apm.requests.model import Request
from apm.requests.reporting import refuse_retired
from apm.requests.states import Triage
from apm.requests.symptoms import SYMPTOMS
from apm.requests.urgency import priority_of, time_for
from apm.work.model import WorkOrder
from apm.work.opening import NewWork, make_order
from apm.work.states import Priority, WorkState, WorkType

SILENCE = timedelta(days=3)
"""After this time without a word from the reporter, a repair counts as confirmed."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How a request is taken on; None: the proposed priority, no checklist."""

    priority: Priority | None = None
    template_code: str | None = None
    is_out_of_use: bool = False


@command("request.accept", Permission.REQUEST_TRIAGE)
def accept(
    ctx: Context, *, no: str, how: Acceptance | None = None, version: int | None = None
) -> WorkOrder:
    """Take a request on: open a repair for it, and say at once if the asset must not be used."""
    request = _step(ctx, no, "accept", version)
    refuse_retired(request.asset)
    chosen = how or Acceptance()
    order = _repair(ctx, request, f"request:{request.no}", chosen)
    request.triage = Triage.ACCEPTED
    request.work_order = order
    if chosen.is_out_of_use:
        set_availability(request.asset, Availability.DOWN)
        order.down_from = ctx.now()
    _announce(ctx, request, "accept")
    return order


@command("request.ask", Permission.REQUEST_TRIAGE)
def ask(ctx: Context, *, no: str, reason: str | None, version: int | None = None) -> Request:
    """Ask the reporter for more; their answer puts the request before triage again."""
    request = _step(ctx, no, "ask", version)
    request.triage_note = _needed(reason)
    request.triage = Triage.NEEDS_INFO
    _announce(ctx, request, "ask")
    return request


@command("request.reject", Permission.REQUEST_TRIAGE)
def reject(ctx: Context, *, no: str, reason: str | None, version: int | None = None) -> Request:
    """End a request without work, saying why."""
    request = _step(ctx, no, "reject", version)
    request.triage_note = _needed(reason)
    request.triage = Triage.REJECTED
    _announce(ctx, request, "reject")
    return request


@command("request.mark_duplicate", Permission.REQUEST_TRIAGE)
def mark_duplicate(
    ctx: Context, *, no: str, of: str | None, version: int | None = None
) -> Request:
    """Attach a request to another about the same fault; its reporter follows that one."""
    request = _step(ctx, no, "mark_duplicate", version)
    other = ctx.session.scalar(select(Request).where(Request.no == (of or "").strip().upper()))
    if other is None or other.id == request.id or other.triage is Triage.DUPLICATE:
        message = _l("Give the number of another request that is no duplicate itself.")
        raise Invalid(message, fields={"of": [message]})
    request.duplicate_of_id = other.id
    request.triage = Triage.DUPLICATE
    _announce(ctx, request, "mark_duplicate")
    return request


@command("request.verify", Permission.REQUEST_REPORT)
def verify(
    ctx: Context, *, no: str, rating: int | None = None, comment: str | None = None
) -> Request:
    """The reporter says that it works again, and how content they are, from 1 to 5."""
    if rating is not None and not 1 <= rating <= 5:
        message = _l("Choose from 1 to 5 stars.")
        raise Invalid(message, fields={"rating": [message]})
    request = _step(ctx, no, "verify", None)
    request.verified_at = ctx.now()
    request.rating, request.rating_comment = rating, comment
    _announce(ctx, request, "verify")
    return request


@command("request.reopen", Permission.REQUEST_REPORT)
def reopen(ctx: Context, *, no: str, comment: str | None = None) -> WorkOrder:
    """The reporter says that it is still broken: a new repair follows the old one."""
    request = _step(ctx, no, "reopen", None)
    old = request.work_order
    if old is None:  # cannot be: a repaired request has its order
        raise Conflict(_l("Reload and try again."))
    order = _repair(ctx, request, f"rework:{old.no}", Acceptance(Priority.HIGH))
    request.work_order = order
    request.triage_note = comment
    _announce(ctx, request, "reopen")
    return order


@command("request.verify_silent", Permission.SYSTEM_RUN)
def verify_silent(ctx: Context) -> int:
    """Confirm the repairs nobody has said anything about for three days; return how many."""
    # High-risk equipment is not repaired before its order is closed: silence confirms nothing.
    is_done_and_usable = and_(WorkOrder.state == WorkState.DONE, WorkOrder.high_risk.is_(False))
    query = (
        select(Request.no)
        .join(WorkOrder, Request.work_order_id == WorkOrder.id)
        .where(
            Request.triage == Triage.ACCEPTED,
            Request.verified_at.is_(None),
            or_(WorkOrder.state == WorkState.CLOSED, is_done_and_usable),
            WorkOrder.done_at <= ctx.now() - SILENCE,
        )
        .order_by(Request.id)
        .limit(500)
    )
    silent = list(ctx.session.scalars(query))
    for no in silent:
        request = request_to_change(ctx, no)
        request.verified_at = ctx.now()
        request.verified_by_silence = True
        _announce(ctx, request, "verify")
    return len(silent)


def _step(ctx: Context, no: str, action: str, version: int | None) -> Request:
    request = request_to_change(ctx, no, version)
    REQUEST.take(action, request.state, ctx.actor, request)
    return request


def _repair(ctx: Context, request: Request, origin: str, how: Acceptance) -> WorkOrder:
    asset, symptom = request.asset, SYMPTOMS[request.symptom]
    priority = how.priority or priority_of(request)
    hospital = own_hospital(ctx)
    today = local_day(ctx.now(), hospital.timezone) if hospital else ctx.now().date()
    work = NewWork(
        type=WorkType.CORRECTIVE,
        title=f"{asset.name}: {symptom.en}",
        title_zh=f"{asset.name_zh or asset.name}：{symptom.zh}",
        asset=asset,
        priority=priority,
        origin=origin,
        template_code=how.template_code,
        due_on=today + time_for(priority),
    )
    return make_order(ctx, work)


def _needed(reason: str | None) -> str:
    if not reason or not reason.strip():
        message = _l("Say why, so that the reporter understands.")
        raise Invalid(message, fields={"reason": [message]})
    return reason.strip()


def _announce(ctx: Context, request: Request, action: str) -> None:
    ctx.session.flush()
    ctx.emit(
        RequestMoved(request.id, request.no, action, request.state.value, request.reporter_id)
    )
