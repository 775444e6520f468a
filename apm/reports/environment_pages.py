"""Signed sheets about rooms and storage: as files, and held against the record."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from apm.accounts.model import Hospital
from apm.accounts.queries import own_hospital, visitor
from apm.core.codes import PublicCode, find_code
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.http import act_as, context, load, requires
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.environment import records, reporting
from apm.environment.places import place_by_code
from apm.environment.record_pages import asked
from apm.environment.schema import PeriodIn
from apm.reports.commands import LANGUAGES
from apm.reports.excursion_pdf import ExcursionSheet
from apm.reports.storage_pdf import Proof, RecordSheet

environment_pages = Blueprint("environment", __name__)


@environment_pages.get("/environment/excursions/<int:report_id>.pdf")
@requires(Permission.READING_READ)
def excursion(report_id: int) -> ResponseReturnValue:
    """A signed excursion report."""
    ctx = context()
    row = reporting.report_by_id(ctx, report_id)
    hospital, language = printable(ctx)
    if not reporting.is_as_signed(row):
        raise NotFound(_l("Only a signed report is printed. Sign it first."))
    sheet = ExcursionSheet(current_app.jinja_env, hospital, row, language)
    return as_pdf(sheet.pdf(verify_url(row.code or "")), f"excursion-{row.id}-{language}")


@environment_pages.get("/environment/<place>/record.pdf")
@requires(Permission.READING_READ)
def draft_record(place: str) -> ResponseReturnValue:
    """The record of any period as it is now; its code leads to the page that shows the same."""
    ctx = context()
    found = place_by_code(ctx, place)
    period = asked(load(PeriodIn(), request.args))
    hospital, language = printable(ctx)
    query = f"from={period.first}&to={period.last}&grain={period.grain}"
    base = current_app.config["APM_SETTINGS"].base_url
    url = f"{base}/environment/{found.location.code}/record?{query}"
    sheet = RecordSheet(current_app.jinja_env, hospital, language)
    content = sheet.pdf(records.record_of(ctx, found, period), Proof(url, None))
    return as_pdf(content, f"record-{found.location.code}-{period.first}-{language}")


@environment_pages.get("/environment/records/<int:record_id>.pdf")
@requires(Permission.READING_READ)
def record(record_id: int) -> ResponseReturnValue:
    """A signed record."""
    ctx = context()
    row = records.record_by_id(ctx, record_id)
    hospital, language = printable(ctx)
    if not records.is_as_signed(row):
        raise NotFound(_l("What is stored is not what was signed. Tell the administrator."))
    sheet = RecordSheet(current_app.jinja_env, hospital, language)
    content = sheet.pdf(row.document, Proof(verify_url(row.code), row))
    return as_pdf(content, f"record-{row.id}-{language}")


def printable(ctx: Context) -> tuple[Hospital, str]:
    """Return whose sheet is printed and in which languages, or raise `NotFound`."""
    hospital, language = own_hospital(ctx), request.args.get("language", "both")
    if hospital is None or language not in LANGUAGES:
        raise NotFound(_l("Choose Chinese, English or both."))
    return hospital, language


def verify_url(code: str) -> str:
    """Return the address behind a sheet's QR code."""
    return f"{current_app.config['APM_SETTINGS'].base_url}/verify/{code}"


def as_pdf(content: bytes, name: str) -> Response:
    """Return a file that browsers show."""
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(content, mimetype="application/pdf", headers=headers)


def verified_page(ctx: Context, code: str) -> str | None:
    """Return the page that holds such a sheet against its record; None: no sheet of ours."""
    for kind, page in _PAGES.items():
        if way := find_code(ctx.session, kind, code):
            act_as(visitor(way.hospital_id))
            return page(context(), way)
    return None


def _verified_excursion(ctx: Context, way: PublicCode) -> str:
    row = reporting.report_by_id(ctx, int(way.target))
    return render_template(
        "reports/verify_excursion.html", row=row, is_as_signed=reporting.is_as_signed(row)
    )


def _verified_record(ctx: Context, way: PublicCode) -> str:
    row = records.record_by_code(ctx, way.code)
    return render_template(
        "reports/verify_storage.html", row=row, is_as_signed=records.is_as_signed(row)
    )


_PAGES = {"excursion": _verified_excursion, "storage": _verified_record}
