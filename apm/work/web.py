"""Work orders on a phone: the list, one order from taking to closing."""

from __future__ import annotations

from itertools import groupby

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

import apm.work.panels  # noqa: F401  (registers the sections of the asset page)
from apm.core.errors import Conflict, DomainError, Invalid
from apm.core.http import Form, context, is_htmx, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.work import queries
from apm.work.answers import asked_steps, read_answers
from apm.work.causes import cause_name, causes_of_repairs
from apm.work.completion import is_intact
from apm.work.evidence import findings_of
from apm.work.lifecycle import NEEDS_REASON, is_assignee, work_actions
from apm.work.model import WorkOrder
from apm.work.proceeding import proceed
from apm.work.results import (
    add_cost,
    answer_steps,
    missing_steps,
    record_work,
    takes_reference,
    verdict_of_person,
)
from apm.work.schema import CostForm, WorkForm
from apm.work.sections import sections_of
from apm.work.states import CostKind, WorkState, WorkType
from apm.work.timeline import timeline_of

web = Blueprint("work", __name__)


@web.app_context_processor
def _words() -> dict[str, object]:
    """Give templates the words that only work knows."""
    return {"cause_name": cause_name}


@web.get("/work-orders")
@requires(Permission.WORK_READ)
def work_list() -> ResponseReturnValue:
    """All work orders, newest first."""
    ctx = context()
    wanted = queries.WorkFilter.of(request.args)
    return render_template(
        "work/work_orders.html",
        page=queries.work_page(ctx, wanted, after=request.args.get("after")),
        counts=queries.work_counts(ctx),
        states=list(WorkState),
        types=list(WorkType),
        day=queries.hospital_day(ctx),
    )


@web.get("/work-orders/<no>")
@requires(Permission.WORK_READ)
def show(no: str) -> ResponseReturnValue:
    """One work order."""
    return _page(no)


def _page(no: str, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    ctx = context()
    order = queries.work_order(ctx, no)
    actions = work_actions(ctx.actor, order)
    page = render_template(
        "work/work_order.html",
        order=order,
        sections=_sections(order),
        can_answer=order.state is WorkState.IN_PROGRESS and is_assignee(ctx.actor, order),
        can_add_cost=_can_add_cost(order),
        actions=actions,
        needs_reason=NEEDS_REASON,
        workers=queries.workers(ctx) if "assign" in actions else [],
        causes=causes_of_repairs(),
        cost_kinds=list(CostKind),
        missing=missing_steps(order),
        findings=findings_of(order),
        panels=sections_of(ctx, order),
        linked=queries.linked_orders(ctx, order),
        timeline_lines=timeline_of(ctx, order),
        takes_reference=takes_reference,
        verdict_of_person=verdict_of_person,
        is_intact=is_intact(order),
        day=queries.hospital_day(ctx),
        form=form,
    )
    return page, status


def _sections(order: WorkOrder) -> list[tuple[str, list[object]]]:
    by_section = groupby(order.steps, key=lambda step: step.section)
    return [(name, list(steps)) for name, steps in by_section]


def _can_add_cost(order: WorkOrder) -> bool:
    actor = context().actor
    is_over = order.state in {WorkState.CLOSED, WorkState.CANCELLED}
    return not is_over and (is_assignee(actor, order) or actor.can(Permission.WORK_ASSIGN))


@web.post("/work-orders/<no>/results")
@requires(Permission.WORK_DO)
def save_answers(no: str) -> ResponseReturnValue:
    """Store the answers of the form: one that was just given, or all of them at once."""
    ctx = context()
    order = queries.work_order(ctx, no)
    answers, errors = read_answers(order.steps, request.form)
    if errors:
        return _answers_refused(no, Form(None, errors, request.form))
    try:
        answer_steps(ctx, no=no, answers=answers)
    except Invalid as error:
        return _answers_refused(no, _form_of(error))
    if is_htmx():
        return _said(no, None)
    flash(_("Answers saved."), "success")
    return redirect(url_for("work.show", no=no, _anchor="checklist"), 303)


def _answers_refused(no: str, form: Form) -> ResponseReturnValue:
    return _said(no, form) if is_htmx() else _page(no, form, 422)


def _said(no: str, form: Form | None) -> ResponseReturnValue:
    """Return what the page shows beside an answer that was just given: saved, or why not."""
    order = queries.work_order(context(), no)
    asked = asked_steps(request.form)
    page = render_template(
        "work/_answered.html",
        order=order,
        steps=[step for step in order.steps if step.key in asked],
        missing=missing_steps(order),
        form=form,
    )
    return page, 422 if form else 200


@web.post("/work-orders/<no>/record")
@requires(Permission.WORK_DO)
def record(no: str) -> ResponseReturnValue:
    """Note time, cause and remedy on the way."""
    form = load(WorkForm(only=("labour_minutes", "cause", "remedy")), request.form)
    if form.data is None:
        return _page(no, form, 422)
    record_work(context(), no=no, **form.data)
    flash(_("Saved."), "success")
    return redirect(url_for("work.show", no=no, _anchor="record"), 303)


@web.post("/work-orders/<no>/costs")
@requires(Permission.WORK_READ)
def cost(no: str) -> ResponseReturnValue:
    """Note money spent."""
    form = load(CostForm(), request.form)
    if form.data is None:
        return _page(no, form, 422)
    fen = round(form.data["amount"] * 100)
    try:
        add_cost(context(), no=no, kind=form.data["kind"], amount=fen, note=form.data["note"])
    except Invalid as error:
        return _page(no, _form_of(error), 422)
    flash(_("Saved."), "success")
    return redirect(url_for("work.show", no=no, _anchor="costs"), 303)


@web.post("/work-orders/<no>/<action>")
@requires(Permission.WORK_READ)
def act(no: str, action: str) -> ResponseReturnValue:
    """A step of the order's life."""
    form = load(WorkForm(), request.form)
    if form.data is None:
        return _page(no, form, 422)
    try:
        proceed(context(), no=no, action=action, said=form.data)
    except Invalid as error:
        return _page(no, _form_of(error), error.status)
    flash(_("Saved."), "success")
    return redirect(url_for("work.show", no=no), 303)


def _form_of(error: DomainError) -> Form:
    fields = error.fields if isinstance(error, Invalid) else {}
    spoken = {name: [str(text) for text in texts] for name, texts in fields.items()}
    general = [] if isinstance(error, Conflict) and spoken else [str(error)]
    return Form(None, {**spoken, "_schema": general}, request.form)
