"""The editor of a draft: one page a step, no dragging, everything by plain forms."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.errors import Conflict, DomainError, Invalid, Stale
from apm.core.http import Form, context, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.core.typed import whole_number
from apm.core.units import KNOWN
from apm.procedures import commands, editing, queries
from apm.procedures.documents import Document
from apm.procedures.forms import head_typed, read_head, read_step, refused_form, step_typed
from apm.procedures.model import HospitalTemplate, OnFail, Section, StepKind
from apm.procedures.schema import STATED
from apm.procedures.shelf import content_of, templates_for
from apm.procedures.tolerance import RULES

EDIT = Permission.TEMPLATE_EDIT
draft_pages = Blueprint("drafts", __name__)


@draft_pages.route("/templates/new", methods=["GET", "POST"])
@requires(EDIT)
def new_template() -> ResponseReturnValue:
    """Begin a template: as a copy, or empty."""
    ctx = context()
    if request.method != "POST":
        return _new_page(None)
    typed = request.form
    try:
        own = commands.create_template(
            ctx,
            code=typed.get("code", ""),
            en=typed.get("en", ""),
            zh=typed.get("zh", ""),
            copy_of=typed.get("copy_of") or None,
        )
    except (Conflict, Invalid) as error:
        form = refused_form(error, typed)
        if isinstance(error, Conflict):
            form = Form(None, {"code": [str(error)]}, typed)
        return _new_page(form), error.status
    flash(_("The draft is made. Change it, try it, then release it."), "success")
    return _to_draft(own.code)


def _new_page(form: Form | None) -> str:
    ctx = context()
    known = templates_for(ctx)
    wanted = request.values.get("copy_of", "").upper()
    copied = content_of(ctx, wanted) if wanted in known else None
    return render_template(
        "procedures/new.html",
        form=form,
        copied=copied,
        known=[(t.code, f"{t.name} ({t.code})") for t in known.values()],
        is_free=copied is not None and queries.own_template(ctx, copied.code) is None,
    )


@draft_pages.get("/templates/<code>/draft")
@requires(EDIT)
def draft(code: str) -> ResponseReturnValue:
    """The draft, section by section."""
    own = queries.own_template_or_404(context(), code)
    document = commands.draft_of(own)
    return render_template(
        "procedures/draft.html",
        own=own,
        document=document,
        sections=editing.by_section(document),
    )


@draft_pages.post("/templates/<code>/draft")
@requires(EDIT)
def begin(code: str) -> ResponseReturnValue:
    """Begin the next version."""
    own = commands.begin_draft(context(), code=code)
    return _to_draft(own.code)


@draft_pages.post("/templates/<code>/draft/discard")
@requires(EDIT)
def discard(code: str) -> ResponseReturnValue:
    """Throw the draft away."""
    commands.discard_draft(context(), code=code)
    flash(_("The draft is discarded."), "success")
    return redirect(url_for("procedures.template_list"), 303)


@draft_pages.route("/templates/<code>/draft/head", methods=["GET", "POST"])
@requires(EDIT)
def head(code: str) -> ResponseReturnValue:
    """Name, interval, tools and so on."""
    ctx = context()
    own = queries.own_template_or_404(ctx, code)
    document = commands.draft_of(own)
    if request.method != "POST":
        form = Form(None, {}, head_typed(document))
        return render_template("procedures/head.html", own=own, form=form)
    try:
        changed = read_head(request.form)
        commands.edit_draft(
            ctx, code=code, base=_base(), change=lambda old: editing.with_head(old, changed)
        )
    except (Invalid, Stale) as error:
        form = refused_form(error, request.form)
        return render_template("procedures/head.html", own=own, form=form), error.status
    flash(_("Saved."), "success")
    return _to_draft(own.code)


@draft_pages.route("/templates/<code>/draft/add", methods=["GET", "POST"])
@requires(EDIT)
def add_step(code: str) -> ResponseReturnValue:
    """One more step."""
    own = queries.own_template_or_404(context(), code)
    document = commands.draft_of(own)
    if request.method != "POST":
        section = request.args.get("section", "")
        is_measured = section in {Section.MEASUREMENT, Section.SAFETY}
        blank = {
            "section": section if section in set(Section) else Section.FUNCTION.value,
            "kind": (StepKind.MEASURE if is_measured else StepKind.CHECK).value,
            "on_fail": OnFail.REPAIR.value, "mandatory": "true", "trust": "seen",
            "rule": "sum_of",
        }  # fmt: skip
        return _step_page(own, None, Form(None, {}, blank))
    wanted = request.form.get("id", "").strip()
    return _save(own, None, wanted or editing.next_id(document))


@draft_pages.route("/templates/<code>/draft/steps/<step_id>", methods=["GET", "POST"])
@requires(EDIT)
def change_step(code: str, step_id: str) -> ResponseReturnValue:
    """One step, to change.  Its ID stays: what was measured before is found by it."""
    own = queries.own_template_or_404(context(), code)
    step = editing.step_in(commands.draft_of(own), step_id)
    if request.method != "POST":
        return _step_page(own, step, Form(None, {}, step_typed(step)))
    return _save(own, step, step_id)


def _save(own: HospitalTemplate, step: Document | None, step_id: str) -> ResponseReturnValue:
    instead_of = step["id"] if step else None
    try:
        made = read_step(request.form, step_id)
        commands.edit_draft(
            context(),
            code=own.code,
            base=_base(),
            change=lambda old: editing.with_step(old, made, instead_of=instead_of),
        )
    except (Invalid, Stale) as error:
        return _step_page(own, step, refused_form(error, request.form)), error.status
    flash(_("Saved."), "success")
    return _to_draft(own.code, made["id"])


def _step_page(own: HospitalTemplate, step: Document | None, form: Form) -> str:
    return render_template(
        "procedures/step.html",
        own=own,
        step=step,
        form=form,
        units=list(KNOWN),
        rules=list(RULES),
        trusts=[trust.value for trust in STATED],
        sections=[section.value for section in Section],
        kinds=[kind.value for kind in StepKind],
        failures=[after.value for after in OnFail],
    )


@draft_pages.post("/templates/<code>/draft/steps/<step_id>/move")
@requires(EDIT)
def move_step(code: str, step_id: str) -> ResponseReturnValue:
    """One step, one place up or down in its section."""
    up = request.form.get("to") == "up"
    return _changed(code, step_id, lambda old: editing.moved(old, step_id, up=up))


@draft_pages.post("/templates/<code>/draft/steps/<step_id>/remove")
@requires(EDIT)
def remove_step(code: str, step_id: str) -> ResponseReturnValue:
    """Take a step out."""
    return _changed(code, None, lambda old: editing.without_step(old, step_id))


def _changed(code: str, step_id: str | None, change: commands.Change) -> ResponseReturnValue:
    try:
        own = commands.edit_draft(context(), code=code, base=_base(), change=change)
    except DomainError as error:
        if error.code != "stale":
            raise
        flash(str(error), "error")
        return _to_draft(code.upper())
    return _to_draft(own.code, step_id)


def _base() -> int | None:
    return whole_number(request.form.get("base"))


def _to_draft(code: str, step_id: str | None = None) -> ResponseReturnValue:
    anchor = f"step-{step_id}" if step_id else None
    return redirect(url_for("procedures.drafts.draft", code=code, _anchor=anchor), 303)
