"""The pages of test instruments."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.queries import hospital_day
from apm.assets.queries import asset_by_code
from apm.core.errors import DomainError, Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.metrology import instruments
from apm.metrology.certificates import Issued, newest
from apm.metrology.instruments import Details
from apm.metrology.lights import light_of_instrument
from apm.metrology.model import Result
from apm.metrology.schema import CertificateIn, InstrumentForm, InstrumentIn, ReasonIn

READ, EDIT = Permission.METROLOGY_READ, Permission.METROLOGY_EDIT
instrument_pages = Blueprint("instruments", __name__)


@instrument_pages.get("/metrology/instruments")
@requires(READ)
def instrument_list() -> ResponseReturnValue:
    """All test instruments, and a form for a new one."""
    return _list_page()


@instrument_pages.post("/metrology/instruments")
@requires(EDIT)
def add() -> ResponseReturnValue:
    """Add an instrument."""
    form = load(InstrumentIn(), request.form)
    if form.data is None:
        return _list_page(form, 422)
    try:
        made = instruments.add_instrument(context(), details=_details(form.data))
    except DomainError as error:
        return _list_page(_refused(error), error.status)
    flash(_("The instrument is added. Record its calibration now."), "success")
    return redirect(url_for("metrology.instruments.show", instrument_id=made.id), 303)


@instrument_pages.get("/metrology/instruments/<int:instrument_id>")
@requires(READ)
def show(instrument_id: int) -> ResponseReturnValue:
    """One instrument: its calibrations, what was measured with it, what is in doubt."""
    return _page(instrument_id)


@instrument_pages.post("/metrology/instruments/<int:instrument_id>")
@requires(EDIT)
def change(instrument_id: int) -> ResponseReturnValue:
    """Correct what is known of it."""
    form = load(InstrumentForm(), request.form)
    if form.data is None:
        return _page(instrument_id, {"details": form}, 422)
    is_active = form.data.pop("is_active")
    try:
        instruments.change_instrument(
            context(),
            instrument_id=instrument_id,
            details=_details(form.data),
            is_active=is_active,
        )
    except Invalid as error:
        return _page(instrument_id, {"details": _refused(error)}, error.status)
    flash(_("The instrument is changed."), "success")
    return redirect(url_for("metrology.instruments.show", instrument_id=instrument_id), 303)


@instrument_pages.post("/metrology/instruments/<int:instrument_id>/calibrations")
@requires(EDIT)
def calibrate(instrument_id: int) -> ResponseReturnValue:
    """Record a calibration, with its file."""
    instruments.instrument_by_id(context(), instrument_id)
    form = load(CertificateIn(), request.form)
    if form.data is None:
        return _page(instrument_id, {"certificate": form}, 422)
    file = request.files.get("file")
    try:
        instruments.calibrate(
            context(),
            instrument_id=instrument_id,
            issued=Issued(**form.data),
            data=file.read() if file else b"",
        )
    except DomainError as error:
        return _page(instrument_id, {"certificate": _refused(error)}, error.status)
    flash(_("The calibration is recorded."), "success")
    return redirect(url_for("metrology.instruments.show", instrument_id=instrument_id), 303)


@instrument_pages.post("/metrology/instruments/<int:instrument_id>/withdraw")
@requires(EDIT)
def withdraw(instrument_id: int) -> ResponseReturnValue:
    """Take back a calibration that was recorded wrongly."""
    instrument = instruments.instrument_by_id(context(), instrument_id)
    form = load(ReasonIn(), request.form)
    known = {str(c.id): c.id for c in instrument.certificates}
    chosen = known.get(request.form.get("certificate", ""))
    if form.data is None or chosen is None:
        raise Invalid(_("Say why the certificate is withdrawn."), fields=form.errors)
    instruments.withdraw_calibration(context(), certificate_id=chosen, **form.data)
    flash(_("The certificate is withdrawn."), "success")
    return redirect(url_for("metrology.instruments.show", instrument_id=instrument_id), 303)


def _details(data: dict[str, str | None]) -> Details:
    code = data.get("asset")
    asset = asset_by_code(context(), code) if code else None
    return Details(
        name=data["name"] or "",
        serial=(data["serial"] or "").strip(),
        name_zh=data["name_zh"],
        manufacturer=data["manufacturer"],
        model=data["model"],
        asset_id=asset.id if asset else None,
    )


def _refused(error: DomainError) -> Form:
    fields = {name: [str(text) for text in texts] for name, texts in error.fields.items()}
    return Form(None, fields or {"_schema": [str(error)]}, request.form)


def _list_page(form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    ctx = context()
    page = instruments.instrument_page(ctx, after=request.args.get("after"))
    today = hospital_day(ctx)
    rows = [(one, light_of_instrument(one, today)) for one in page.items]
    return render_template(
        "metrology/instruments.html", page=page, rows=rows, form=form, today=today
    ), status


def _page(
    instrument_id: int, forms: Mapping[str, Form] | None = None, status: int = 200
) -> ResponseReturnValue:
    ctx = context()
    instrument = instruments.instrument_by_id(ctx, instrument_id)
    today = hospital_day(ctx)
    last = newest(instrument.certificates)
    failed = last if last and last.result is Result.FAIL else None
    return render_template(
        "metrology/instrument.html",
        instrument=instrument,
        light=light_of_instrument(instrument, today),
        uses=instruments.uses_of(ctx, instrument),
        failed=failed,
        since=instruments.doubtful_since(instrument.certificates, failed) if failed else None,
        affected=instruments.affected_by(ctx, instrument, failed) if failed else [],
        forms=forms or {},
        results=[Result.PASS, Result.FAIL],
        today=today,
    ), status
