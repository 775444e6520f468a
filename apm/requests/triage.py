"""Deciding what becomes of a report, and what its reporter says in the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apm.accounts.queries import own_hospital
from apm.assets.commands import set_availability
from apm.assets.model import Availability
from apm.core.clock import local_day
from apm.core.command import Context, command
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.requests.model import Request
from apm.requests.reporting import refuse_retired
from apm.requests.states import Triage
from apm.requests.symptoms import SYMPTOMS
from apm.requests.taking import announce, take_step
from apm.requests.urgency import priority_of, time_for
from apm.requests.waiting import forget_clock, hand_clock_on
from apm.work.model import WorkOrder
from apm.work.opening import NewWork, make_order
from apm.work.states import PRIORITY_RANK, Priority, WorkType


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How a request is taken on; None: the proposed priority, no checklist."""

    priority: Priority | None = None
    template_code: str | None = None
    is_out_of_use: bool = False
    why: str | None = None
    """Why the fault is less urgent than the table says."""


@command("request.accept", Permission.REQUEST_TRIAGE)
def accept(
    ctx: Context, *, no: str, how: Acceptance | None = None, version: int | None = None
) -> WorkOrder:
    """Take a request on: open a repair for it, and say at once if the asset must not be used."""
    request = take_step(ctx, no, "accept", version)
    refuse_retired(request.asset)
    chosen = how or Acceptance()
    _refuse_unexplained(request, chosen)
    order = repair(ctx, request, f"request:{request.no}", chosen, reported_at=request.reported_at)
    hand_clock_on(ctx, request, order.no)
    request.priority_note = chosen.why
    request.triage = Triage.ACCEPTED
    request.work_order = order
    if chosen.is_out_of_use:
        set_availability(request.asset, Availability.DOWN)
        order.down_from = ctx.now()
    announce(ctx, request, "accept")
    return order


@command("request.ask", Permission.REQUEST_TRIAGE)
def ask(ctx: Context, *, no: str, reason: str | None, version: int | None = None) -> Request:
    """Ask the reporter for more; their answer puts the request before triage again."""
    request = take_step(ctx, no, "ask", version)
    request.triage_note = _needed(reason)
    request.triage = Triage.NEEDS_INFO
    forget_clock(ctx, request)
    announce(ctx, request, "ask")
    return request


@command("request.reject", Permission.REQUEST_TRIAGE)
def reject(ctx: Context, *, no: str, reason: str | None, version: int | None = None) -> Request:
    """End a request without work, saying why."""
    request = take_step(ctx, no, "reject", version)
    request.triage_note = _needed(reason)
    request.triage = Triage.REJECTED
    forget_clock(ctx, request)
    announce(ctx, request, "reject")
    return request


def repair(
    ctx: Context,
    request: Request,
    origin: str,
    how: Acceptance,
    reported_at: datetime | None = None,
) -> WorkOrder:
    """Open a repair for a request, inside another command."""
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
        reported_at=reported_at,
    )
    return make_order(ctx, work)


def _refuse_unexplained(request: Request, chosen: Acceptance) -> None:
    """Whoever finds a fault less urgent than the table says why; more urgent needs no words."""
    proposed = priority_of(request)
    wanted = chosen.priority or proposed
    if PRIORITY_RANK[wanted] > PRIORITY_RANK[proposed] and not (chosen.why or "").strip():
        message = _l("Say why it is less urgent than proposed.")
        raise Invalid(message, fields={"why": [message]})


def _needed(reason: str | None) -> str:
    if not reason or not reason.strip():
        message = _l("Say why, so that the reporter understands.")
        raise Invalid(message, fields={"reason": [message]})
    return reason.strip()
