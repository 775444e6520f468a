"""The page that shows what the evidence of a failure says, and takes the engineer's decision."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.attribution import panels, story
from apm.attribution.commands import confirm_cause
from apm.attribution.log_pages import log_pages
from apm.attribution.needs import NEEDS
from apm.attribution.queries import agrees, cause_of
from apm.attribution.schema import CauseIn
from apm.attribution.wording import cause_word, said, weight_words
from apm.core.errors import DomainError
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.work.addenda import SIGNED
from apm.work.causes import causes_of_repairs
from apm.work.states import WorkState
from predict.cause_table import CAUSES, KINDS

web = Blueprint("attribution", __name__)
web.register_blueprint(log_pages)
PANELS = (panels.cause_section, panels.log_panel)
"""Registered with the pages of work orders and assets by being imported here."""


@web.app_context_processor
def _words() -> dict[str, object]:
    return {"root_cause": cause_word}


@web.get("/work-orders/<no>/cause")
@requires(Permission.WORK_READ)
def show(no: str) -> ResponseReturnValue:
    """The evidence of one failure and the proposed cause."""
    return _page(no)


@web.post("/work-orders/<no>/cause/confirm")
@requires(Permission.CAUSE_CONFIRM)
def confirm(no: str) -> ResponseReturnValue:
    """Confirm the proposal, or say what it was instead."""
    form = load(CauseIn(), request.form)
    if form.data is None:
        return _page(no, form, 422)
    try:
        confirm_cause(context(), no=no, **form.data)
    except DomainError as error:
        if error.status == 404:
            raise
        return _page(no, _refused(error), error.status)
    flash(_("The cause is recorded."), "success")
    return redirect(url_for("attribution.show", no=no), 303)


def _refused(error: DomainError) -> Form:
    fields = {name: [str(text) for text in texts] for name, texts in error.fields.items()}
    return Form(None, fields or {"_schema": [str(error)]}, request.form)


def _page(no: str, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    ctx = context()
    view = cause_of(ctx, no)
    order, assessment = view.failure.order, view.assessment
    pieces = [(p, assessment.of(p.kind)) for p in assessment.proposal.pieces]
    marks = story.marks_of(view.failure, assessment)
    page = render_template(
        "attribution/cause.html",
        view=view,
        order=order,
        proposal=assessment.proposal,
        priors=assessment.priors,
        telling=[pair for pair in pieces if KINDS[pair[0].kind].quiet != pair[0].level],
        quiet=[pair for pair in pieces if KINDS[pair[0].kind].quiet == pair[0].level],
        unseen=[(kind, NEEDS[kind]) for kind in KINDS if kind not in assessment.seen],
        kinds=len(KINDS),
        causes=[(cause.value, cause_word(cause)) for cause in CAUSES],
        codes=[(code.code, code.name) for code in causes_of_repairs()],
        curves=[(c, story.drawn(c, marks)) for c in story.curves_of(ctx, view.failure)],
        marks=marks,
        may_confirm=ctx.actor.can(Permission.CAUSE_CONFIRM)
        and order.state is not WorkState.CANCELLED,
        is_signed=order.state in SIGNED,
        is_at_odds=view.decided is not None
        and order.cause_code is not None
        and not agrees(order.cause_code, view.decided.cause),
        said=said,
        weight_words=weight_words,
        form=form,
    )
    return page, status
