"""Trying a draft, and what is signed: releasing it, confirming a limit."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.errors import DomainError, Invalid
from apm.core.http import Form, context, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.procedures import commands, queries, releasing, trial
from apm.procedures.difference import difference
from apm.procedures.forms import refused_form
from apm.procedures.model import HospitalTemplate, Verdict
from apm.procedures.shelf import content_of, template_for
from apm.procedures.tolerance import COMPARED, RULES
from apm.procedures.wording import BadWords, read_tolerance, tolerance_words

EDIT = Permission.TEMPLATE_EDIT
ASKED = ("value", "verdict", "low", "high", "reference")
signed_pages = Blueprint("signed", __name__)


@signed_pages.route("/templates/<code>/draft/try", methods=["GET", "POST"])
@requires(EDIT)
def try_draft(code: str) -> ResponseReturnValue:
    """The draft as a work order would show it; nothing is stored on any equipment."""
    ctx = context()
    own = queries.own_template_or_404(ctx, code)
    if request.method != "POST":
        return _trial_page(own, None)
    steps = trial.draft_steps(ctx, own)
    answers = {
        step.key: {
            name: request.form.get(_input(position, name, step.kind.value), "") for name in ASKED
        }
        for position, step in enumerate(steps)
    }
    try:
        trial.try_draft(ctx, code=code, answers=answers)
    except Invalid as error:
        names = {
            f"{step.key}.{name}": _input(position, name, step.kind.value)
            for position, step in enumerate(steps)
            for name in ASKED
        }
        errors = {names[path]: [str(m) for m in texts] for path, texts in error.fields.items()}
        form = Form(None, errors or {"_schema": [str(error)]}, request.form)
        return _trial_page(own, form), error.status
    return redirect(url_for("procedures.signed.try_draft", code=own.code), 303)


def _input(position: int, name: str, kind: str) -> str:
    is_main = name == ("verdict" if kind == "check" else "value")
    return f"t{position}" if is_main else f"t{position}_{name}"


def _trial_page(own: HospitalTemplate, form: Form | None) -> str:
    ctx = context()
    run = trial.tried(ctx, own)
    results = run.results if run.is_current else {}
    counts = {
        verdict: sum(one["verdict"] == verdict for one in results.values()) for verdict in Verdict
    }
    return render_template(
        "procedures/try.html",
        own=own,
        steps=list(enumerate(trial.draft_steps(ctx, own))),
        run=run,
        results=results,
        counts=counts,
        compared=COMPARED,
        form=form,
    )


@signed_pages.route("/templates/<code>/draft/release", methods=["GET", "POST"])
@requires(EDIT)
def release(code: str) -> ResponseReturnValue:
    """Sign the draft as the next version."""
    ctx = context()
    own = queries.own_template_or_404(ctx, code)
    if request.method != "POST":
        return _release_page(own, None)
    try:
        version = releasing.release(
            ctx,
            code=code,
            note=request.form.get("note", ""),
            password=request.form.get("password"),
        )
    except DomainError as error:
        if error.status not in {409, 422}:
            raise
        return _release_page(own, refused_form(error, request.form)), error.status
    flash(_("Version %(n)s is released. New work is done by it.", n=version.number), "success")
    return redirect(url_for("procedures.template_page", code=own.code), 303)


def _release_page(own: HospitalTemplate, form: Form | None) -> str:
    ctx = context()
    draft = commands.draft_of(own)
    found = queries.released_versions(ctx, own.code)
    before = found[0][1].document if found else None
    run = trial.tried(ctx, own)
    return render_template(
        "procedures/release.html",
        own=own,
        form=form,
        run=run,
        tried_at=datetime.fromisoformat(run.at) if run.at else None,
        changes=difference(before, draft) if before else None,
        next_number=own.released + 1,
    )


@signed_pages.route("/templates/<code>/limits/<step_id>", methods=["GET", "POST"])
@requires(EDIT)
def confirm(code: str, step_id: str) -> ResponseReturnValue:
    """Sign that a limit holds at this hospital, as it is or changed."""
    ctx = context()
    if request.method != "POST":
        return _confirm_page(code, step_id, None)
    typed = request.form
    try:
        step = releasing.measurement_in(content_of(ctx, code), step_id)
        made = releasing.confirm_limit(
            ctx,
            code=code,
            said=releasing.Confirmed(
                step=step_id,
                source=typed.get("source", ""),
                tolerance=read_tolerance(typed, step.unit),
                everywhere=typed.get("everywhere") == "true",
            ),
            password=typed.get("password"),
        )
    except BadWords as error:
        errors = {name: [str(m) for m in texts] for name, texts in error.errors.items()}
        return _confirm_page(code, step_id, Form(None, errors, typed)), 422
    except Invalid as error:
        return _confirm_page(code, step_id, refused_form(error, typed)), error.status
    flash(_("The limit is confirmed. New work orders carry it."), "success")
    return redirect(url_for("procedures.template_page", code=made[0].template_code), 303)


def _confirm_page(code: str, step_id: str, form: Form | None) -> str:
    ctx = context()
    written = content_of(ctx, code)
    step = releasing.measurement_in(written, step_id)
    holds = releasing.measurement_in(template_for(ctx, code), step_id)
    return render_template(
        "procedures/confirm.html",
        entry=written,
        step=step,
        holds=holds,
        form=form or Form(None, {}, tolerance_words(holds.tolerance)),
        rules=list(RULES),
        others=releasing.same_limit(ctx, written, step),
    )
