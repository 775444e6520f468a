"""Naming test instruments on a work order's page."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from flask.typing import ResponseReturnValue

from apm.core.errors import Invalid
from apm.core.http import context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.metrology import naming
from apm.metrology.schema import UseIn

order_pages = Blueprint("orders", __name__)


@order_pages.post("/work-orders/<no>/instruments")
@requires(Permission.WORK_DO)
def name_instrument(no: str) -> ResponseReturnValue:
    """Note which instrument measured what."""
    form = load(UseIn(), request.form)
    if form.data is None:
        raise Invalid(_("Choose an instrument."), fields=form.errors)
    naming.name_instrument(
        context(),
        no=no,
        instrument_id=form.data["instrument"],
        scope=form.data["scope"],
        used_on=form.data["used_on"],
    )
    flash(_("The instrument is noted."), "success")
    return redirect(f"/work-orders/{no}#instruments", 303)


@order_pages.post("/work-orders/<no>/instruments/<int:instrument_id>/remove")
@requires(Permission.WORK_DO)
def remove(no: str, instrument_id: int) -> ResponseReturnValue:
    """Take an instrument off that was named by mistake."""
    naming.unname_instrument(context(), no=no, instrument_id=instrument_id)
    flash(_("The instrument is taken off."), "success")
    return redirect(f"/work-orders/{no}#instruments", 303)
