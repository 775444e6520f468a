"""What a forecast looks like drawn: a fan from now on, what went before, and what others do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, isfinite, log

from apm.alarms.queries import rules_for
from apm.core.command import Context
from apm.forecasts.courses import Limits, limits_in_force
from apm.forecasts.model import Forecast, ForecastRecord, ModelKind
from apm.readings.series import series

Ahead = tuple[datetime, float, float, float]
"""An instant to come; low, middle and high of what is foretold for it."""
BEFORE = timedelta(days=90)
"""Readings drawn before a trend."""
POINTS = 200


@dataclass(frozen=True, slots=True)
class Fan:
    """What the chart of a forecast shows.

    ahead: in the unit.  before: readings, None a gap.  peers: the chance of equipment of its
    category of any age.
    """

    unit: str
    ahead: list[Ahead]
    before: list[tuple[datetime, float | None]]
    peers: list[tuple[datetime, float]]
    limits: Limits | None


def fan_of(ctx: Context, forecast: Forecast, record: ForecastRecord | None) -> Fan | None:
    """Return the chart of a forecast, None for one without a curve.  A trend reads its sensor."""
    ahead = ahead_of(forecast)
    if len(ahead) < 2:
        return None
    if forecast.kind is ModelKind.TREND and forecast.sensor is not None:
        seen = series(
            ctx, forecast.sensor.id, start=forecast.at - BEFORE, end=forecast.at, most=POINTS
        )
        limits = limits_in_force(forecast.sensor, rules_for(ctx, forecast.sensor))
        return Fan(forecast.sensor.unit, ahead, seen.broken_points(), [], limits)
    chance = [(at, *_failed(low, middle, high)) for at, low, middle, high in ahead]
    return Fan("%", chance, [], _peers(chance, forecast.at, record), None)


def ahead_of(forecast: Forecast) -> list[Ahead]:
    """Return the rows of a forecast's curve at their instants; what is no number is left out."""
    return [
        (forecast.at + timedelta(days=days), low, middle, high)
        for days, low, middle, high in forecast.path or []
        if all(isfinite(value) for value in (days, low, middle, high))
    ]


def _failed(low: float, middle: float, high: float) -> tuple[float, float, float]:
    """Turn the share that still runs into the share that has failed, in per cent."""
    return 100 * (1 - high), 100 * (1 - middle), 100 * (1 - low)


def _peers(
    ahead: list[Ahead], start: datetime, record: ForecastRecord | None
) -> list[tuple[datetime, float]]:
    """Return the chance of failures that come evenly, as the baseline has them."""
    if record is None or not 0 < record.base_probability < 1:
        return []
    a_day = -log(1 - record.base_probability) / record.horizon_days
    day = timedelta(days=1)
    return [(at, 100 * (1 - exp(-a_day * ((at - start) / day)))) for at, *_rest in ahead]
