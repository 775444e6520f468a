"""Requests for staff: the list, one request, and what triage decides."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.errors import Conflict, Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, ngettext
from apm.core.permissions import Permission
from apm.procedures.shelf import templates_for
from apm.requests import harm, merging, queries, reporting
from apm.requests.deciding import decide
from apm.requests.harm import deadlines_of
from apm.requests.lifecycle import NEW, request_actions
from apm.requests.schema import CommentForm, HarmForm, TriageForm
from apm.requests.urgency import priority_of, reasons_of
from apm.work.states import Priority

staff_pages = Blueprint("staff", __name__)


@staff_pages.get("/requests")
@requires(Permission.REQUEST_READ)
def request_list() -> ResponseReturnValue:
    """All requests, newest first."""
    ctx = context()
    wanted = queries.RequestFilter.of(request.args)
    return render_template(
        "requests/requests.html",
        page=queries.request_page(ctx, wanted, after=request.args.get("after")),
        wanted=wanted,
        groups=queries.GROUPS,
        counts=queries.request_counts(ctx),
        adverse=queries.adverse_count(ctx),
        urgent=lambda found: priority_of(found) is Priority.URGENT,
    )


@staff_pages.get("/requests/<no>")
@requires(Permission.REQUEST_READ)
def show(no: str) -> ResponseReturnValue:
    """One request, with what may be decided about it."""
    return _page(no, None)


def _page(no: str, form: Form | None, status: int = 200) -> ResponseReturnValue:
    ctx = context()
    found = queries.request_by_no(ctx, no)
    others = [other for other in queries.open_on(ctx, found.asset) if other.id != found.id]
    page = render_template(
        "requests/request.html",
        request_=found,
        actions=request_actions(ctx.actor, found),
        comments=queries.comments_of(ctx, found),
        photos=queries.photos_of(ctx, found),
        others=others,
        to_gather=[other for other in others if other.state in NEW] if found.is_open else [],
        merged=queries.told_by(ctx, queries.merged_into(ctx, found)),
        deadlines=deadlines_of(ctx, found),
        proposed=priority_of(found),
        reasons=reasons_of(found),
        templates=[(t.code, t.name) for t in templates_for(ctx).values()],
        form=form,
    )
    return page, status


@staff_pages.get("/requests/<no>/photos/<int:photo_id>.jpg")
@requires(Permission.REQUEST_READ)
def photo(no: str, photo_id: int) -> ResponseReturnValue:
    """One photo."""
    ctx = context()
    found = queries.request_by_no(ctx, no)
    return Response(queries.photo_jpeg(ctx, found, photo_id), mimetype="image/jpeg")


@staff_pages.post("/requests/<no>/comment")
@requires(Permission.REQUEST_READ)
def comment(no: str) -> ResponseReturnValue:
    """A message to the reporter."""
    form = load(CommentForm(), request.form)
    if form.data is None:
        return _page(no, form, 422)
    reporting.add_comment(context(), no=no, **form.data)
    return redirect(url_for("requests.staff.show", no=no), 303)


@staff_pages.post("/requests/<no>/gather")
@requires(Permission.REQUEST_TRIAGE)
def gather(no: str) -> ResponseReturnValue:
    """All other new reports on the same equipment become part of this one."""
    merged = merging.gather(context(), no=no)
    flash(ngettext("%(n)s report is merged.", "%(n)s reports are merged.", merged), "success")
    return redirect(url_for("requests.staff.show", no=no), 303)


@staff_pages.post("/requests/<no>/harm")
@requires(Permission.REQUEST_REPORT)
def suspect_harm(no: str) -> ResponseReturnValue:
    """Somebody may have been harmed, or was not after all."""
    form = load(HarmForm(), request.form)
    if form.data is None:
        return _page(no, form, 422)
    try:
        harm.suspect_harm(
            context(), no=no, is_suspected=form.data["suspected"], reason=form.data["reason"]
        )
    except Invalid as error:
        return _page(no, _refused(form, error), 422)
    flash(_("Saved."), "success")
    return redirect(url_for("requests.staff.show", no=no), 303)


@staff_pages.post("/requests/<no>/quarantine")
@requires(Permission.REQUEST_TRIAGE)
def quarantine(no: str) -> ResponseReturnValue:
    """The equipment is put aside as it is."""
    harm.quarantine(context(), no=no)
    flash(_("The equipment is in quarantine. Leave it as it is."), "success")
    return redirect(url_for("requests.staff.show", no=no), 303)


@staff_pages.post("/requests/<no>/<action>")
@requires(Permission.REQUEST_READ)
def act(no: str, action: str) -> ResponseReturnValue:
    """A decision."""
    form = load(TriageForm(), request.form)
    if form.data is None:
        return _page(no, form, 422)
    try:
        order = decide(context(), no=no, action=action, said=form.data)
    except (Invalid, Conflict) as error:
        if isinstance(error, Conflict) and error.code == Conflict.code:
            raise  # somebody was faster: the page says to reload
        return _page(no, _refused(form, error), error.status)
    flash(_("Saved."), "success")
    if order is not None and action == "accept" and context().actor.can(Permission.WORK_READ):
        return redirect(url_for("work.show", no=order.no), 303)
    return redirect(url_for("requests.staff.show", no=no), 303)


def _refused(form: Form, error: Invalid | Conflict) -> Form:
    fields = error.fields if isinstance(error, Invalid) else {}
    spoken = {name: [str(text) for text in texts] for name, texts in fields.items()}
    return Form(None, spoken or {"_schema": [str(error)]}, form.typed)
