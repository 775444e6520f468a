"""What is foretold of one asset, why, how sure that is, and what to do about it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.assets.queries import asset_by_code
from apm.core.errors import Conflict
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.forecasts.asset_view import FEWEST, forecasts_of
from apm.forecasts.choosing import choices_of
from apm.forecasts.fan import fan_of
from apm.forecasts.fleet_model import Standing
from apm.forecasts.fleet_pages import words
from apm.forecasts.forms import DismissIn
from apm.forecasts.handling import code_of, dismiss_forecast
from apm.forecasts.model import Dismissal
from apm.labels import label

asset_pages = Blueprint("of_asset", __name__)


@asset_pages.get("/assets/<code>/forecast")
@requires(Permission.FORECAST_READ)
def show(code: str) -> ResponseReturnValue:
    """The forecasts of one asset."""
    return _page(code)


@asset_pages.post("/fleet/forecasts/<int:record_id>/dismiss")
@requires(Permission.FORECAST_HANDLE)
def dismiss(record_id: int) -> ResponseReturnValue:
    """Set a forecast aside and say why."""
    ctx = context()
    code = code_of(ctx, record_id)
    form = load(DismissIn(), request.form)
    if form.data is None:
        return _page(code, form, 422, record_id)
    try:
        record = dismiss_forecast(ctx, record_id=record_id, **form.data)
    except Conflict as error:
        return _page(code, Form(None, {"_schema": [str(error)]}, request.form), 409, record_id)
    said = _("The forecast is set aside. It asks for no work until its horizon ends.")
    if record.work_order_no:
        said = _(
            "The forecast is set aside. Work order %(no)s remains: call it off there if nobody "
            "needs it.",
            no=record.work_order_no,
        )
    flash(said, "success")
    return redirect(url_for("forecasts.of_asset.show", code=code), 303)


def _page(
    code: str, form: Form | None = None, status: int = 200, record_id: int | None = None
) -> ResponseReturnValue:
    ctx = context()
    asset = asset_by_code(ctx, code)
    view = forecasts_of(ctx, asset)
    told = [one for one in view.foretold if one.standing is Standing.FORETOLD]
    shown = [one.forecast for one in told]
    fans = {one.forecast.id: fan_of(ctx, one.forecast, one.record) for one in told}
    page = render_template(
        "forecasts/asset.html",
        asset=asset,
        view=view,
        fans=fans,
        choices=choices_of(ctx, asset, shown),
        fewest=FEWEST,
        reasons=[(one.value, label("dismissal", one)) for one in Dismissal],
        form=form,
        form_of=record_id,
        **words(ctx),
    )
    return page, status
