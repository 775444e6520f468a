"""Forecasts as JSON."""

from __future__ import annotations

from typing import Any

from apm.assets.queries import asset_by_code
from apm.core.http import context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.forecasts.explaining import explanation_of
from apm.forecasts.horizons import muted_horizons
from apm.forecasts.model import Forecast
from apm.forecasts.queries import forecast_page, forecasts_of
from apm.forecasts.registry import at_work
from apm.forecasts.schema import (
    NOT_ENOUGH,
    OK,
    AssetForecastOut,
    ForecastPageOut,
    ForecastQuery,
)
from apm.forecasts.score_keeping import shown_cards
from apm.forecasts.score_schema import ModelScoresOut, score_shown
from apm.forecasts.why_schema import ForecastWhyOut
from apm.forecasts.why_schema import shown as why_shown

api = Blueprint(
    "forecasts_api", __name__, url_prefix="/api/v1", description="What is likely to fail, and when"
)


@api.get("/forecasts")
@api.arguments(ForecastQuery, location="query")
@api.response(200, ForecastPageOut)
@requires(Permission.FORECAST_READ)
def list_forecasts(wanted: dict[str, Any]) -> dict[str, Any]:
    """Forecasts by what a failure would cost people and money, times its probability."""
    page = forecast_page(context(), **wanted)
    return {"items": [_shown(row) for row in page.items], "next": page.next}


@api.get("/forecasts/scores")
@api.response(200, ModelScoresOut)
@requires(Permission.ANALYTICS_READ)
def forecast_scores() -> dict[str, Any]:
    """How right the forecasts were: warnings, and the chance within each time ahead."""
    ctx = context()
    return {"items": [score_shown(one) for one in shown_cards(ctx, at_work(ctx))]}


@api.get("/assets/<code>/forecast")
@api.response(200, AssetForecastOut)
@requires(Permission.FORECAST_READ)
def asset_forecast(code: str) -> dict[str, Any]:
    """What is foretold of one asset: remaining life, probabilities, what speaks for it."""
    ctx = context()
    asset = asset_by_code(ctx, code)
    rows = forecasts_of(ctx, asset)
    said = [row for row in rows if row.needs is None]
    needs = next((row.needs for row in rows if row.needs), None)
    return {
        "asset": asset.code,
        "status": OK if said else NOT_ENOUGH,
        "needs": None if said else needs or {"code": "no_forecast_yet", "have": 0, "need": 1},
        "forecasts": [_shown(row) for row in rows],
    }


@api.get("/assets/<code>/forecast/why")
@api.response(200, ForecastWhyOut)
@requires(Permission.FORECAST_READ)
def asset_forecast_why(code: str) -> dict[str, Any]:
    """What each fact adds to an asset's forecasts, similar past situations, what would fail."""
    ctx = context()
    return why_shown(explanation_of(ctx, asset_by_code(ctx, code)))


def _shown(row: Forecast) -> dict[str, Any]:
    life = None
    if row.life_median is not None:
        life = {
            "median": row.life_median,
            "low": row.life_low,
            "high": row.life_high,
            "confidence": row.confidence,
        }
    return {
        "asset": row.asset.code,
        "sensor": row.sensor.code if row.sensor else None,
        "kind": row.kind,
        "status": OK if row.needs is None else NOT_ENOUGH,
        "at": row.at,
        "probability": row.probabilities,
        "muted_horizons": sorted(muted_horizons(row.model)),
        "remaining_life_days": life,
        "drivers": row.drivers,
        "needs": row.needs,
        "model": row.model,
        "warns": row.warns,
        "rank": row.rank,
    }
