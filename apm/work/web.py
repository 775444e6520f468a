"""Work orders on a phone: the list, one order from taking to closing."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

import apm.work.panels  # noqa: F401  (registers sections of pages)
from apm.accounts.identity import signed_in_at
from apm.accounts.queries import hospital_day
from apm.core.errors import Invalid
from apm.core.http import context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.core.typed import own_path
from apm.work import queries
from apm.work.causes import cause_name
from apm.work.field_pages import field_pages
from apm.work.page import form_of, order_page
from apm.work.proceeding import proceed
from apm.work.round_pages import round_pages
from apm.work.schema import WorkForm
from apm.work.shell_pages import shell_pages
from apm.work.states import WorkState, WorkType

web = Blueprint("work", __name__)
for part in (field_pages, round_pages, shell_pages):
    web.register_blueprint(part)


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
        day=hospital_day(ctx),
    )


@web.get("/work-orders/<no>")
@requires(Permission.WORK_READ)
def show(no: str) -> ResponseReturnValue:
    """One work order."""
    return order_page(no)


@web.post("/work-orders/<no>/<action>")
@requires(Permission.WORK_READ)
def act(no: str, action: str) -> ResponseReturnValue:
    """A step of the order's life."""
    form = load(WorkForm(), request.form)
    if form.data is None:
        return order_page(no, form, 422)
    ctx = context()
    try:
        proceed(ctx, no=no, action=action, said=form.data, signed_in_at=signed_in_at(request, ctx))
    except Invalid as error:
        return order_page(no, form_of(error), error.status)
    flash(_("Saved."), "success")
    return redirect(own_path(request.form.get("back"), url_for("work.show", no=no)), 303)
