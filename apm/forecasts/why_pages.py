"""Why the forecasts of one asset say what they say."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from apm.assets.queries import asset_by_code
from apm.core.http import context, requires
from apm.core.permissions import Permission
from apm.forecasts import why_words
from apm.forecasts.explaining import explanation_of
from apm.forecasts.fleet_pages import words

why_pages = Blueprint("why", __name__)


@why_pages.get("/assets/<code>/forecast/why")
@requires(Permission.FORECAST_READ)
def show(code: str) -> ResponseReturnValue:
    """What each fact adds, the most similar past situations, and the component blamed."""
    ctx = context()
    asset = asset_by_code(ctx, code)
    return render_template(
        "forecasts/why.html",
        asset=asset,
        found=explanation_of(ctx, asset),
        say=why_words,
        **words(ctx),
    )
