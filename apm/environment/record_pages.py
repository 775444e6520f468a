"""The pages of records and of checks by hand."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.queries import hospital_day
from apm.core.errors import DomainError, Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.environment import checks, records
from apm.environment.model import Slot, StorageRecord
from apm.environment.places import Place, place_by_code
from apm.environment.record_files import record_csv, record_xlsx
from apm.environment.records import Document, Period
from apm.environment.schema import CheckIn, PeriodIn, SignIn

READ, EDIT, CHECK = (
    Permission.READING_READ, Permission.ENVIRONMENT_EDIT, Permission.ENVIRONMENT_CHECK,
)  # fmt: skip
record_pages = Blueprint("records", __name__)
KINDS = {
    "csv": (record_csv, "text/csv; charset=utf-8"),
    "xlsx": (
        record_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
}  # fmt: skip
SHOWN_DAYS = 14


@record_pages.get("/environment/<place>/record")
@requires(READ)
def show(place: str) -> ResponseReturnValue:
    """The record of a place for a period."""
    found = place_by_code(context(), place)
    form = load(PeriodIn(), request.args)
    try:
        period = asked(form)
    except Invalid as error:
        return _page(found, _refused(error), status=error.status)
    return _page(found, form, period=period)


@record_pages.post("/environment/<place>/record")
@requires(EDIT)
def sign(place: str) -> ResponseReturnValue:
    """Sign the record of a period."""
    found = place_by_code(context(), place)
    period = asked(load(PeriodIn(), request.form))
    form = load(SignIn(), request.form)
    password = form.data.get("password") if form.data else None
    try:
        made = records.sign_record(context(), place=place, period=period, password=password)
    except Invalid as error:
        found = place_by_code(context(), place)
        return _page(found, _refused(error), period=period, status=error.status)
    flash(_("The record is signed. It can be printed and does not change any more."), "success")
    return redirect(url_for("environment.records.signed", record_id=made.id), 303)


@record_pages.get("/environment/<place>/record.<any(csv, xlsx):kind>")
@requires(READ)
def export(place: str, kind: str) -> ResponseReturnValue:
    """The record as a spreadsheet."""
    ctx = context()
    found = place_by_code(ctx, place)
    period = asked(load(PeriodIn(), request.args))
    write, media = KINDS[kind]
    name = f"record-{found.location.code}-{period.first}-{period.last}.{kind}"
    answer = Response(write(records.record_of(ctx, found, period)), content_type=media)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@record_pages.get("/environment/records/<int:record_id>")
@requires(READ)
def signed(record_id: int) -> ResponseReturnValue:
    """A record as it was signed."""
    row = records.record_by_id(context(), record_id)
    place = Place(row.location, None)
    return _page(place, None, row=row)


@record_pages.get("/environment/checks")
@requires(CHECK)
def due() -> ResponseReturnValue:
    """The places that are checked by hand, and what is still to be done today."""
    return render_template(
        "environment/checks_due.html", due=checks.due_today(context()), slots=list(Slot)
    )


@record_pages.route("/environment/<place>/checks", methods=["GET", "POST"])
@requires(CHECK)
def check(place: str) -> ResponseReturnValue:
    """Write down a check."""
    found = place_by_code(context(), place)
    if request.method != "POST":
        return _checks(found, None)
    form = load(CheckIn(), request.form)
    if form.data is None:
        return _checks(found, form), 422
    try:
        checks.check_by_hand(context(), place=place, **form.data)
    except DomainError as error:
        return _checks(place_by_code(context(), place), _refused(error)), error.status
    flash(_("The check is written down."), "success")
    return redirect(url_for("environment.records.check", place=found.location.code), 303)


def asked(form: Form) -> Period:
    """Return the period that a form or an address asks for.

    Raises:
        Invalid: it names none that can be shown.
    """
    if form.data is None:
        raise Invalid(_("Give days such as 2026-11-22."), fields=form.errors)
    said = form.data
    return records.period_of(context(), said.get("from"), said.get("to"), said["grain"])


def _refused(error: DomainError) -> Form:
    fields = {name: [str(text) for text in texts] for name, texts in error.fields.items()}
    return Form(None, fields or {"_schema": [str(error)]}, request.values)


def _checks(place: Place, form: Form | None) -> str:
    ctx = context()
    today = hospital_day(ctx)
    first = today - timedelta(days=SHOWN_DAYS)
    return render_template(
        "environment/checks.html",
        place=place,
        form=form,
        wanted=checks.wanted_in(ctx, place),
        rows=checks.checks_between(ctx, place.location.id, first, today)[::-1],
        slots=list(Slot),
        today=today,
        yesterday=today - timedelta(days=1),
    )


def _page(
    place: Place,
    form: Form | None,
    *,
    period: Period | None = None,
    row: StorageRecord | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    ctx = context()
    document: Document | None = row.document if row else None
    if period is not None:
        document = records.record_of(ctx, place, period)
    today: date = hospital_day(ctx)
    page = render_template(
        "environment/record.html",
        place=place,
        form=form if form and form.errors else None,
        period=period,
        document=document,
        row=row,
        is_as_signed=records.is_as_signed(row) if row else None,
        signed=records.signed_records(ctx, place.location.id),
        today=today,
    )
    return page, status
