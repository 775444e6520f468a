"""The pages of excursion reports: the list, writing one, signing it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.errors import Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.environment import reporting
from apm.environment.model import Decision
from apm.environment.schema import ReportIn, SignIn, StartIn

READ, EDIT = Permission.READING_READ, Permission.ENVIRONMENT_EDIT
report_pages = Blueprint("excursions", __name__)


@report_pages.get("/environment/excursions")
@requires(READ)
def all_reports() -> ResponseReturnValue:
    """The reports, the newest first."""
    page = reporting.reports_page(context(), after=request.args.get("after"))
    return render_template("environment/reports.html", page=page)


@report_pages.post("/environment/excursions")
@requires(EDIT)
def begin() -> ResponseReturnValue:
    """Begin the report of one excursion."""
    form = load(StartIn(), request.form)
    if form.data is None:
        raise Invalid(_("Choose an excursion from the page of its place."), fields=form.errors)
    made = reporting.begin_report(context(), **form.data)
    return redirect(url_for("environment.excursions.show", report_id=made.id), 303)


@report_pages.get("/environment/excursions/<int:report_id>")
@requires(READ)
def show(report_id: int) -> ResponseReturnValue:
    """One report."""
    return _page(report_id)


@report_pages.post("/environment/excursions/<int:report_id>")
@requires(EDIT)
def write(report_id: int) -> ResponseReturnValue:
    """Save what is said."""
    form = load(ReportIn(), request.form)
    if form.data is None:
        return _page(report_id, form, 422)
    reporting.write_report(context(), report_id=report_id, **form.data)
    flash(_("The report is saved. Sign it when it is complete."), "success")
    return redirect(url_for("environment.excursions.show", report_id=report_id) + "#sign", 303)


@report_pages.post("/environment/excursions/<int:report_id>/sign")
@requires(EDIT)
def sign(report_id: int) -> ResponseReturnValue:
    """Sign it."""
    form = load(SignIn(), request.form)
    password = form.data.get("password") if form.data else None
    try:
        reporting.sign_report(context(), report_id=report_id, password=password)
    except Invalid as error:
        fields = {name: [str(text) for text in texts] for name, texts in error.fields.items()}
        if "password" not in fields:
            fields["_schema"] = [str(error)]
        return _page(report_id, Form(None, fields, {}), error.status)
    flash(
        _("The report is signed. It can be printed now and does not change any more."), "success"
    )
    return redirect(url_for("environment.excursions.show", report_id=report_id), 303)


def _page(report_id: int, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    row = reporting.report_by_id(context(), report_id)
    typed = form
    if form is not None and form.typed == {}:  # refused at signing: what was saved is shown
        saved = {name: getattr(row, name) or "" for name in reporting.SAID}
        saved["decision"] = row.decision.value if row.decision else ""
        typed = Form(None, form.errors, saved)
    page = render_template(
        "environment/report.html",
        row=row,
        facts=row.facts,
        form=typed,
        decisions=[(decision.value, decision) for decision in Decision],
        meaning=reporting.MEANS,
        is_as_signed=reporting.is_as_signed(row),
    )
    return page, status
