"""One frozen forecast: what was said, how it turned out, and putting right what was found."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from apm.core.command import Context
from apm.core.errors import Conflict
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, _l
from apm.core.permissions import Permission
from apm.forecasts.happened import happened_to, limits_reached
from apm.forecasts.horizon_scores import at_horizon, story_by
from apm.forecasts.model import ForecastRecord
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
        horizons=_horizons(ctx, record),
        found=list(AsFound),
        can_put_right=ctx.actor.can(Permission.FORECAST_HANDLE)
        and answer_of(ctx, record) is not None,
        form=form,
        life_words=life_words,
        driver_words=driver_words,
        **record_words(),
    )
    return page, status


def _horizons(ctx: Context, record: ForecastRecord) -> list[Any]:
    """Return what the forecast said of each time ahead and how that turned out, the nearest first.

    Five statements at most.
    """
    assets = happened_to(ctx, [record.asset_id], record.at)
    sensors = limits_reached(ctx, [record.sensor_id], record.at) if record.sensor_id else {}
    story = story_by(assets, sensors)
    spoken = sorted(int(days) for days in record.probabilities or ())
    return [one for days in spoken for one in at_horizon([record], days, story, ctx.now())]
