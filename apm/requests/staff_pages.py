"""Requests for staff: the list, one request, and what triage decides."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.errors import Conflict, Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.procedures.catalogue import templates
from apm.requests import queries, reporting
from apm.requests.deciding import decide
from apm.requests.lifecycle import request_actions
from apm.requests.schema import CommentForm, TriageForm
from apm.requests.urgency import priority_of, reasons_of

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
        urgent=reasons_of,
    )


@staff_pages.get("/requests/<no>")
@requires(Permission.REQUEST_READ)
def show(no: str) -> ResponseReturnValue:
    """One request, with what may be decided about it."""
    return _page(no, None)


def _page(no: str, form: Form | None, status: int = 200) -> ResponseReturnValue:
    ctx = context()
    found = queries.request_by_no(ctx, no)
    page = render_template(
        "requests/request.html",
        request_=found,
        actions=request_actions(ctx.actor, found),
        comments=queries.comments_of(ctx, found),
        photos=queries.photos_of(ctx, found),
        others=[other for other in queries.open_on(ctx, found.asset) if other.id != found.id],
        proposed=priority_of(found),
        reasons=reasons_of(found),
        templates=[(t.code, t.name) for t in templates().values()],
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
        fields = error.fields if isinstance(error, Invalid) else {}
        spoken = {name: [str(text) for text in texts] for name, texts in fields.items()}
        return _page(no, Form(None, spoken or {"_schema": [str(error)]}, form.typed), error.status)
    flash(_("Saved."), "success")
    if order is not None and action == "accept" and context().actor.can(Permission.WORK_READ):
        return redirect(url_for("work.show", no=order.no), 303)
    return redirect(url_for("requests.staff.show", no=no), 303)
