"""The page of one work order: what it shows, to whom, and with what was typed wrong."""

from __future__ import annotations

from itertools import groupby

from flask import g, render_template, request
from flask.typing import ResponseReturnValue

from apm.accounts.queries import colleagues, hospital_day
from apm.core.command import Context
from apm.core.errors import Conflict, DomainError, Invalid
from apm.core.http import Form, context
from apm.core.i18n import _, choose
from apm.core.permissions import Permission
from apm.work import queries
from apm.work.addenda import SIGNED, may_add
from apm.work.causes import causes_of_repairs
from apm.work.completion import is_intact
from apm.work.evidence import asks_as_found, findings_of
from apm.work.lifecycle import NEEDS_REASON, WAITING, is_assignee, work_actions
from apm.work.model import WorkOrder
from apm.work.phone import NOTEWORTHY_S
from apm.work.remedies import usual_remedies
from apm.work.results import failed_steps, missing_steps, takes_reference, verdict_of_person
from apm.work.sections import beside_of, sections_of
from apm.work.states import OPEN_WORK, AsFound, CostKind, DownKind, DownReason, WorkState
from apm.work.timeline import timeline_of
from apm.work.times import to_type

KEEP = "keep_page"
"""Set in `flask.g` for a page that the phone keeps for when there is no network."""
SOON = WAITING | {WorkState.ASSIGNED}
"""States from which the assignee comes to work with one step, even without a network."""


def order_page(no: str, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    """Return the page of a work order; `form` is what could not be taken."""
    ctx = context()
    order = queries.work_order(ctx, no)
    actions = work_actions(ctx.actor, order)
    is_mine = is_assignee(ctx.actor, order)
    setattr(g, KEEP, is_mine and order.state in OPEN_WORK)
    page = render_template(
        "work/work_order.html",
        order=order,
        sections=_sections(order),
        assignee=_assignee(ctx, order),
        can_answer=order.state is WorkState.IN_PROGRESS and is_mine,
        can_soon=order.state in SOON and is_mine,
        can_add_cost=_can_add_cost(order),
        can_add_remark=order.state in SIGNED and may_add(ctx, order),
        actions=actions,
        needs_reason=NEEDS_REASON,
        causes=causes_of_repairs(),
        remedies=usual_remedies(),
        as_found=list(AsFound) if asks_as_found(order) else [],
        cost_kinds=list(CostKind),
        down_kinds=list(DownKind),
        down_reasons=list(DownReason),
        missing=missing_steps(order),
        failed=failed_steps(order),
        photos=_photos(order),
        clocks=_clocks(order),
        findings=findings_of(order),
        panels=sections_of(ctx, order),
        beside=beside_of(ctx, order),
        linked=queries.linked_orders(ctx, order),
        timeline_lines=timeline_of(ctx, order),
        takes_reference=takes_reference,
        verdict_of_person=verdict_of_person,
        is_intact=is_intact(order),
        day=hospital_day(ctx),
        to_type=_typed_in(ctx),
        clock_time=_hours,
        form=form,
    )
    return page, status


def form_of(error: DomainError) -> Form:
    """Return what was typed, with what a command said against it."""
    fields = error.fields if isinstance(error, Invalid) else {}
    spoken = {name: [str(text) for text in texts] for name, texts in fields.items()}
    general = [] if isinstance(error, Conflict) and spoken else [str(error)]
    return Form(None, {**spoken, "_schema": general}, request.form)


def _typed_in(ctx: Context) -> object:
    return lambda at: to_type(ctx, at)


def _assignee(ctx: Context, order: WorkOrder) -> str | None:
    """Return whose job it is, in the language spoken."""
    for user in colleagues(ctx):
        if user.id == order.assignee_id:
            return choose(user.name, user.name_zh)
    return order.assignee_name


def _hours(minutes: int) -> str:
    """Return a length of time in words."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(n)s min", n=rest)
    return _("%(hours)s h %(minutes)s min", hours=hours, minutes=rest)


def _sections(order: WorkOrder) -> list[tuple[str, list[object]]]:
    by_section = groupby(order.steps, key=lambda step: step.section)
    return [(name, list(steps)) for name, steps in by_section]


def _photos(order: WorkOrder) -> dict[str, list[object]]:
    """Return the photos by the step they show; those of the whole under the empty key."""
    found: dict[str, list[object]] = {}
    for photo in order.photos:
        found.setdefault(photo.step_key, []).append(photo)
    return found


def _clocks(order: WorkOrder) -> list[tuple[str, int]]:
    """Return whose phone's clock was off, and by how many minutes; each once."""
    off = {
        (step.answered_by, round(step.clock_ahead_s / 60))
        for step in order.steps
        if step.answered_by and abs(step.clock_ahead_s or 0) >= NOTEWORTHY_S and step.clock_ahead_s
    }
    return sorted(off)


def _can_add_cost(order: WorkOrder) -> bool:
    actor = context().actor
    is_over = order.state in {WorkState.CLOSED, WorkState.CANCELLED}
    return not is_over and (is_assignee(actor, order) or actor.can(Permission.WORK_ASSIGN))
