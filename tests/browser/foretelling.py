"""Forecasts for the furnished hospital: a warning, a trend, what is muted, what lacks history."""

from __future__ import annotations

from datetime import timedelta

from apm.assets.model import Asset
from apm.core.command import Context
from apm.forecasts.handling import dismiss_forecast, schedule_forecast
from apm.forecasts.model import Dismissal, Forecast, ModelKind, ModelState, ModelVersion, Outcome
from apm.readings.commands import add_sensor, ingest
from tests.apm.foretold import foretell, freeze, make_model

LONG_AGO = (Outcome.HIT, Outcome.FALSE_ALARM, Outcome.AVERTED, Outcome.MISS, Outcome.QUIET)


def keep_forecasts(
    wang: Context, system: Context, assets: tuple[Asset, Asset, Asset],
    pages: dict[str, list[str]],
) -> None:  # fmt: skip
    """One of each, and where to look; `system` and `wang` share a session."""
    vent, chiller, monitor = assets
    sensor = add_sensor(
        wang, code="CH-TREND", name="Outlet temperature", name_zh="冷水机出水温度（维护后）",
        quantity="temperature", unit="°C", asset=chiller.code, profile="vaccine_fridge",
    )  # fmt: skip
    now = wang.now()
    seen = [(now - timedelta(days=day), 4 + (40 - day) / 20) for day in range(40, 0, -1)]
    ingest(wang, [{"sensor": sensor.code, "at": a.isoformat(), "value": v} for a, v in seen])
    wang.session.info["actor"] = system.actor
    life, trend = make_model(system), make_model(system, ModelKind.TREND)
    muted = make_model(system, ModelKind.SOON, ModelState.MUTED)
    drivers = [
        {"code": "since_failure", "weight": 0.8, "days": 312, "typical_days": 205.5, "ratio": 2.3},
        {"code": "failures_last_year", "weight": -0.3, "n": 1, "ratio": 0.7},
        {"code": "own_history", "weight": 0.0, "failures": 4, "of_make": 31},
    ]
    said, warning = foretell(system, vent, life, chance=0.62, warns=True, drivers=drivers)
    path = [[0, 5.9, 6.0, 6.1], [20, 6.6, 7.0, 7.4], [40, 7.2, 8.0, 8.8], [60, 7.8, 9.0, 10.2]]
    _trend, heading = foretell(
        system, chiller, trend, sensor=sensor, chance=0.41, path=path, life_median=40.0,
        life_low=27.0, life_high=61.0, warns=True, drivers=[],
    )  # fmt: skip
    foretell(system, monitor, muted, chance=0.7)
    foretell(system, monitor, None, chance=None)
    _turned_out(system, said, life)
    wang.session.info["actor"] = wang.actor
    assert warning
    assert heading
    order = schedule_forecast(wang, record_id=heading.id)
    dismiss_forecast(
        wang, record_id=warning.id, why=Dismissal.KNOWN_CAUSE, note="搬迁后自检，气路已复查"
    )
    pages["forecasts.of_asset.show"] = [f"/assets/{asset.code}/forecast" for asset in assets]
    pages["forecasts.why.show"] = [f"/assets/{asset.code}/forecast/why" for asset in assets]
    pages["forecasts.models.card"] = [f"/fleet/models/{kind}/1" for kind in ("life", "soon")]
    pages["forecasts.records.show"] = [
        f"/fleet/records/{record.id}" for record in (warning, heading)
    ]
    pages["forecasts.sensor"].append(f"/sensors/{sensor.code}?period=month")
    pages["work.show"].append(f"/work-orders/{order.no}")


def _turned_out(system: Context, said: Forecast, model: ModelVersion) -> None:
    with system.writing("test.history"):
        for k in range(15):
            outcome = LONG_AGO[k % len(LONG_AGO)]
            warned = outcome not in {Outcome.MISS, Outcome.QUIET}
            facts = {"outcome": outcome, "outcome_at": system.now(), "warned": warned}
            freeze(system, said, model, days_ago=95 + 10 * k, **facts)
