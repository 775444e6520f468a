"""Printing a record, and holding a printed one against the record."""

from __future__ import annotations

import re

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

import apm.reports.panels  # noqa: F401  (registers the section of the work-order page)
from apm.accounts.queries import hospital_day, own_hospital, visitor
from apm.core.codes import find_code, normal_code
from apm.core.errors import NotFound
from apm.core.guessing import count_miss
from apm.core.http import act_as, context, public, requires
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.core.typed import whole_number
from apm.reports.commands import LANGUAGES, issue
from apm.reports.compliance import Span, compliance
from apm.reports.compliance_pdf import BEFORE_USE, FORMULA, compliance_pdf
from apm.reports.environment_pages import environment_pages, verified_page
from apm.reports.printing import OrderReport
from apm.reports.queries import report_by_code, verified
from apm.reports.self_audit import self_audit
from apm.reports.self_audit_pdf import BASIS, self_audit_pdf

web = Blueprint("reports", __name__)
web.register_blueprint(environment_pages)
_UNSAFE = re.compile(r"[^\w-]")


@web.post("/work-orders/<no>/reports")
@requires(Permission.WORK_READ)
def make(no: str) -> ResponseReturnValue:
    """Print the record of a finished order."""
    report = issue(context(), no=no, language=request.form.get("language", ""))
    return redirect(url_for("reports.download", code=report.code), 303)


@web.get("/reports/<code>.pdf")
@requires(Permission.WORK_READ)
def download(code: str) -> ResponseReturnValue:
    """One printed record; refused once the record says something else."""
    ctx = context()
    sheet = verified(ctx, normal_code(code))
    hospital = own_hospital(ctx)
    if hospital is None or not sheet.is_as_printed:
        raise NotFound(_l("The record has changed since. Print it again from its work order."))
    settings = current_app.config["APM_SETTINGS"]
    printed = OrderReport(current_app.jinja_env, hospital, sheet.order, sheet.report)
    pdf = printed.pdf(f"{settings.base_url}/verify/{sheet.report.code}")
    name = _UNSAFE.sub("-", f"{sheet.order.no}-{sheet.report.language}")
    return Response(
        pdf,
        mimetype="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}.pdf"'},
    )


@web.get("/analytics/compliance")
@requires(Permission.ANALYTICS_READ)
def punctuality() -> ResponseReturnValue:
    """How punctual maintenance was in a month or a year."""
    ctx = context()
    span = _span()
    today = hospital_day(ctx)
    return render_template(
        "reports/compliance.html",
        span=span, found=compliance(ctx, span), formula=FORMULA, rule=BEFORE_USE,
        years=range(today.year + 1, today.year - 6, -1),
    )  # fmt: skip


@web.get("/analytics/compliance.pdf")
@requires(Permission.ANALYTICS_READ)
def punctuality_pdf() -> ResponseReturnValue:
    """The same on paper."""
    ctx = context()
    span, language = _span(), request.args.get("language", "zh")
    hospital = own_hospital(ctx)
    if hospital is None or language not in LANGUAGES:
        raise NotFound(_l("Choose Chinese, English or both."))
    base = current_app.config["APM_SETTINGS"].base_url
    page = f"{base}/analytics/compliance?year={span.year}&month={span.month or ''}"
    pdf = compliance_pdf(
        current_app.jinja_env, hospital, span, compliance(ctx, span), language=language, url=page
    )
    return Response(pdf, mimetype="application/pdf")


@web.get("/analytics/self-audit")
@requires(Permission.ANALYTICS_READ)
def audit() -> ResponseReturnValue:
    """The skeleton of a year's self-audit."""
    ctx = context()
    year, today = _span().year, hospital_day(ctx)
    return render_template(
        "reports/self_audit.html",
        year=year, parts=self_audit(ctx, year), basis=BASIS,
        years=range(today.year, today.year - 6, -1),
    )  # fmt: skip


@web.get("/analytics/self-audit.pdf")
@requires(Permission.ANALYTICS_READ)
def audit_pdf() -> ResponseReturnValue:
    """The same on paper, with room to write."""
    ctx = context()
    year, language = _span().year, request.args.get("language", "zh")
    hospital = own_hospital(ctx)
    if hospital is None or language not in LANGUAGES:
        raise NotFound(_l("Choose Chinese, English or both."))
    page = f"{current_app.config['APM_SETTINGS'].base_url}/analytics/self-audit?year={year}"
    pdf = self_audit_pdf(
        current_app.jinja_env, hospital, year, self_audit(ctx, year), language=language, url=page
    )
    return Response(pdf, mimetype="application/pdf")


def _span() -> Span:
    """Read month and year from the address; without them, this year."""
    year = whole_number(request.args.get("year")) or hospital_day(context()).year
    return Span(year, whole_number(request.args.get("month")))


@web.get("/verify/<code>")
@public
def verify(code: str) -> ResponseReturnValue:
    """What the QR code of a printed record opens: whether the sheet can be believed."""
    ctx = context()
    way = find_code(ctx.session, "report", normal_code(code))
    if way is None and (page := verified_page(ctx, normal_code(code))):
        return page
    if way is None:
        count_miss(ctx)
        return render_template("reports/unknown.html"), 404
    act_as(visitor(way.hospital_id))
    ctx = context()
    report = report_by_code(ctx, way.code)
    return render_template("reports/verify.html", sheet=verified(ctx, report.code))
