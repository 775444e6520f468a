"""Why a forecast says what it says: what each fact adds, the past cases like it, what fails."""

from __future__ import annotations

from dataclasses import dataclass

from apm.assets.model import Asset
from apm.core.command import Context
from apm.forecasts.artifact import Unreadable
from apm.forecasts.asset_view import Foretold, forecasts_of
from apm.forecasts.blaming import Blame, blame_life, blame_soon, blame_trend
from apm.forecasts.cases import Cases, cases_of, peers_of
from apm.forecasts.components import Components, components_of
from apm.forecasts.courses import courses
from apm.forecasts.fleet_model import Standing
from apm.forecasts.foretold import RECORD_DAYS
from apm.forecasts.histories import Histories, Unit
from apm.forecasts.model import Forecast, ModelKind
from apm.forecasts.trend_cases import TrendCases, trend_cases

MOST_TRENDS = 3
"""Sensors explained: those that matter most."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One forecast, explained.

    blame: None where its model cannot be asked any more.  cases: None where no past situation can
    be judged yet.
    """

    one: Foretold
    blame: Blame | None
    cases: Cases | TrendCases | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All forecasts of an asset, explained, and what fails in equipment like it."""

    asset: Asset
    explained: list[Explained]
    components: Components | None


def explanation_of(ctx: Context, asset: Asset) -> Explanation:
    """Explain the forecasts that may be shown, from the records as of their instant."""
    shown = [one for one in forecasts_of(ctx, asset).foretold if one.standing is Standing.FORETOLD]
    trends = [one for one in shown if one.forecast.kind is ModelKind.TREND][:MOST_TRENDS]
    wanted = [one for one in shown if one.forecast.kind is not ModelKind.TREND or one in trends]
    records = {
        at: peers_of(ctx, asset, at)
        for at in {one.forecast.at for one in wanted if one.forecast.kind is not ModelKind.TREND}
    }
    explained = []
    for one in wanted:
        if one.forecast.kind is ModelKind.TREND:
            explained.append(_trend(ctx, asset, one))
        else:
            explained.append(_events(ctx, asset, one, records[one.forecast.at]))
    components = components_of(ctx, asset, wanted[0].forecast.at) if wanted else None
    return Explanation(asset, explained, components)


def _events(ctx: Context, asset: Asset, one: Foretold, known: Histories) -> Explained:
    said = one.forecast
    unit = next((unit for unit in known.units if unit.id == asset.id), None)
    if unit is None:
        return Explained(one, None, None)
    return Explained(
        one,
        _blame(said, unit, known.now),
        cases_of(ctx, unit, known, RECORD_DAYS[said.kind]),
    )


def _blame(said: Forecast, unit: Unit, now: float) -> Blame | None:
    if said.model is None:
        return None
    if said.kind is ModelKind.LIFE:
        return blame_life(said.model, unit, now)
    try:
        return blame_soon(said.model, unit, now)
    except Unreadable:
        return None  # the next night retires it and trains anew; the page says so


def _trend(ctx: Context, asset: Asset, one: Foretold) -> Explained:
    said = one.forecast
    found = courses(ctx, said.at, {asset.id: (asset.category, False)})
    course = next((each for each in found if each.sensor_id == said.sensor_id), None)
    if course is None or said.model is None or said.sensor is None:
        return Explained(one, None, None)
    return Explained(
        one,
        blame_trend(said.model, course, said.life_median),
        trend_cases(ctx, said.sensor, course, said.at),
    )
