"""Signed sheets about rooms and storage: as files, and held against the record."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from apm.accounts.model import Hospital
from apm.accounts.queries import own_hospital, visitor
from apm.core.codes import find_code
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.http import act_as, context, requires
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.environment import reporting
from apm.reports.commands import LANGUAGES
from apm.reports.excursion_pdf import ExcursionSheet

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
    for kind in ("excursion",):
        if way := find_code(ctx.session, kind, code):
            act_as(visitor(way.hospital_id))
            return _PAGES[kind](context(), int(way.target))
    return None


def _verified_excursion(ctx: Context, report_id: int) -> str:
    row = reporting.report_by_id(ctx, report_id)
    return render_template(
        "reports/verify_excursion.html", row=row, is_as_signed=reporting.is_as_signed(row)
    )


_PAGES = {"excursion": _verified_excursion}
