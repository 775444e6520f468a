"""The pages of recalls and safety notices."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.errors import DomainError, Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, ngettext
from apm.core.permissions import Permission
from apm.recalls import commands, panels, queries
from apm.recalls.model import CaseState, Issuer, RecallClass, SafetyNotice
from apm.recalls.schema import DecisionIn, NoticeIn, NoticeOut

READ, EDIT = Permission.RECALL_READ, Permission.RECALL_EDIT
web = Blueprint("recalls", __name__)
PANELS = (panels.recall_panel, panels.order_section)
"""Registered with the pages of assets and work orders by being imported here."""
STATES = ("open", "closed", "all")


@web.get("/recalls")
@requires(READ)
def notices() -> ResponseReturnValue:
    """The register, the newest first."""
    ctx = context()
    asked = request.args.get("state", "open")
    state = asked if asked in STATES else "open"
    q = request.args.get("q", "")[:200]
    page = queries.notice_page(ctx, state=state, q=q, after=request.args.get("after"))
    return render_template(
        "recalls/notices.html",
        page=page,
        counts=queries.counts_of(ctx, page.items),
        state=state,
        q=q,
    )


@web.route("/recalls/new", methods=["GET", "POST"])
@requires(EDIT)
def new() -> ResponseReturnValue:
    """The form for a new notice."""
    if request.method != "POST":
        return _form_page(None, None)
    form = load(NoticeIn(), request.form)
    if form.data is None:
        return _form_page(form, None), 422
    try:
        made = commands.add_notice(context(), details=form.data)
    except Invalid as error:
        return _form_page(_refused(error), None), error.status
    flash(_("The notice is entered. This is the equipment it touches."), "success")
    return redirect(url_for("recalls.show", notice_id=made.id), 303)


@web.get("/recalls/<int:notice_id>")
@requires(READ)
def show(notice_id: int) -> ResponseReturnValue:
    """One notice, and the equipment it touches."""
    return _page(notice_id)


@web.route("/recalls/<int:notice_id>/edit", methods=["GET", "POST"])
@requires(EDIT)
def edit(notice_id: int) -> ResponseReturnValue:
    """The form for corrections."""
    notice = queries.notice_by_id(context(), notice_id)
    if request.method != "POST":
        return _form_page(None, notice)
    form = load(NoticeIn(), request.form)
    if form.data is None:
        return _form_page(form, notice), 422
    try:
        commands.change_notice(context(), notice_id=notice_id, details=form.data)
    except Invalid as error:
        notice = queries.notice_by_id(context(), notice_id)
        return _form_page(_refused(error), notice), error.status
    flash(_("The notice is changed, and its equipment looked for again."), "success")
    return redirect(url_for("recalls.show", notice_id=notice_id), 303)


@web.post("/recalls/<int:notice_id>/assets/<code>")
@requires(EDIT)
def decide(notice_id: int, code: str) -> ResponseReturnValue:
    """Say what became of one asset."""
    queries.notice_by_id(context(), notice_id)
    form = load(DecisionIn(), request.form)
    if form.data is None:
        return _page(notice_id, (code, form), 422)
    try:
        case = commands.decide(context(), notice_id=notice_id, asset=code, **form.data)
    except Invalid as error:
        return _page(notice_id, (code, _refused(error)), error.status)
    flash(_("That is recorded."), "success")
    return redirect(_back(notice_id, case.id), 303)


@web.post("/recalls/<int:notice_id>/assets/<code>/quarantine")
@requires(EDIT)
def quarantine(notice_id: int, code: str) -> ResponseReturnValue:
    """Take one asset out of use."""
    commands.take_out_of_use(context(), notice_id=notice_id, asset=code)
    flash(_("The equipment is in quarantine. Its own page releases it again."), "success")
    return redirect(_back(notice_id, None), 303)


@web.post("/recalls/<int:notice_id>/orders")
@requires(EDIT)
def open_orders(notice_id: int) -> ResponseReturnValue:
    """Open the work for what is to be checked."""
    made = commands.open_orders(context(), notice_id=notice_id)
    text = ngettext("%(n)s work order is open.", "%(n)s work orders are open.", len(made))
    flash(text if made else _("Each device to check has its work order already."), "success")
    return redirect(url_for("recalls.show", notice_id=notice_id), 303)


@web.post("/recalls/<int:notice_id>/close")
@requires(EDIT)
def close(notice_id: int) -> ResponseReturnValue:
    """Close a notice."""
    commands.close_notice(context(), notice_id=notice_id)
    flash(_("The notice is closed."), "success")
    return redirect(url_for("recalls.show", notice_id=notice_id), 303)


@web.post("/recalls/<int:notice_id>/reopen")
@requires(EDIT)
def reopen(notice_id: int) -> ResponseReturnValue:
    """Open a closed notice again."""
    commands.reopen_notice(context(), notice_id=notice_id)
    flash(_("The notice is open again."), "success")
    return redirect(url_for("recalls.show", notice_id=notice_id), 303)


def _back(notice_id: int, case_id: int | None) -> str:
    after = request.form.get("after") or None
    anchor = f"case-{case_id}" if case_id else None
    return url_for("recalls.show", notice_id=notice_id, after=after, _anchor=anchor)


def _refused(error: DomainError) -> Form:
    fields = {name: [str(text) for text in texts] for name, texts in error.fields.items()}
    return Form(None, fields or {"_schema": [str(error)]}, request.form)


def _form_page(form: Form | None, notice: SafetyNotice | None) -> str:
    shown: dict[str, Any] = NoticeOut().dump(notice) if notice else {}
    return render_template(
        "recalls/form.html",
        form=form,
        recall=notice,
        shown=shown,
        issuers=list(Issuer),
        classes=list(RecallClass),
    )


def _page(
    notice_id: int, refused: tuple[str, Form] | None = None, status: int = 200
) -> ResponseReturnValue:
    ctx = context()
    notice = queries.notice_by_id(ctx, notice_id)
    after = request.args.get("after") or request.form.get("after") or None
    page = queries.case_page(ctx, notice, after=after)
    return render_template(
        "recalls/notice.html",
        recall=notice,
        scope=queries.scope_of(notice),
        counts=queries.counts_of(ctx, [notice])[notice.id],
        without_work=queries.without_work(ctx, notice),
        page=page,
        after=after,
        refused=refused,
        states=list(CaseState),
        is_grave=notice.recall_class is RecallClass.I,
    ), status
