"""One frozen forecast: what was said, how it turned out, and putting right what was found."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from apm.core.errors import Conflict
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, _l
from apm.core.permissions import Permission
from apm.forecasts.model_pages import record_by_id, record_words
from apm.forecasts.outcomes import answer_of, put_right
from apm.forecasts.wording import driver_words, life_words
from apm.work.states import AsFound

record_pages = Blueprint("records", __name__)


class FoundForm(Schema):
    """What the work had found in truth."""

    as_found = fields.Enum(
        AsFound,
        by_value=True,
        required=True,
        error_messages={"required": [_l("Say in what condition the equipment was found.")]},
    )
    note = fields.String(load_default=None, validate=validate.Length(max=500))


@record_pages.get("/fleet/records/<int:record_id>")
@requires(Permission.FORECAST_READ)
def show(record_id: int) -> ResponseReturnValue:
    """One frozen forecast."""
    return _page(record_id)


@record_pages.post("/fleet/records/<int:record_id>/as-found")
@requires(Permission.FORECAST_HANDLE)
def correct(record_id: int) -> ResponseReturnValue:
    """Put right what the work had found, after it was signed."""
    ctx = context()
    record_by_id(ctx, record_id)
    form = load(FoundForm(), request.form)
    if form.data is None:
        return _page(record_id, form, 422)
    try:
        put_right(ctx, record_id=record_id, **form.data)
    except Conflict as error:
        failed = Form(None, {"_schema": [str(error)]}, request.form)
        return _page(record_id, failed, error.status)
    flash(_("Saved. The forecast is judged anew."), "success")
    return redirect(url_for(".show", record_id=record_id), 303)


def _page(record_id: int, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    ctx = context()
    record = record_by_id(ctx, record_id)
    page = render_template(
        "forecasts/record.html",
        record=record,
        said=(record.outcome_why or {}).get("said"),
        found=list(AsFound),
        can_put_right=ctx.actor.can(Permission.FORECAST_HANDLE)
        and answer_of(ctx, record) is not None,
        form=form,
        life_words=life_words,
        driver_words=driver_words,
        **record_words(),
    )
    return page, status
