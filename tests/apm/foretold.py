"""Models and forecasts for tests, written as the jobs write them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from apm.assets.model import Asset
from apm.core.command import Context
from apm.forecasts.arranging import arrange
from apm.forecasts.model import (
    Forecast,
    ForecastRecord,
    ModelKind,
    ModelState,
    ModelVersion,
    Outcome,
)
from apm.readings.model import Sensor

CURVE = [[0.0, 1.0, 1.0, 1.0], [30.0, 0.8, 0.9, 0.95], [90.0, 0.5, 0.75, 0.9]]
"""The share still running after so many days: low, middle, high."""

DRIVER = {"code": "failures_last_year", "weight": 0.7, "n": 3, "ratio": 2.4}


MAKES = {"": [0.002, 8.0, 0.5, 7]}
"""What is known of every make: mean rate, about how many failures it rests on, ..."""
PARAMETERS: dict[ModelKind, dict[str, Any]] = {
    ModelKind.LIFE: {
        "shape": 1.1, "makes": MAKES, "unit_spread": 0.4, "mtbf": {}, "mtbf_all": 500.0,
    },
    ModelKind.TREND: {"mtbf": {}, "mtbf_all": 500.0},
    ModelKind.SOON: {},
}  # fmt: skip


def make_model(
    ctx: Context, kind: ModelKind = ModelKind.LIFE, state: ModelState = ModelState.ACTIVE
) -> ModelVersion:
    """The next version of a kind of model."""
    last = select(func.max(ModelVersion.version)).where(ModelVersion.kind == kind)
    now = ctx.now()
    with ctx.writing("test.model"):
        made = ModelVersion(
            kind=kind, version=(ctx.session.scalar(last) or 0) + 1, state=state, state_since=now,
            trained_at=now, trained_why="first", data_until=now, data_hash="0" * 64, n_units=80,
            n_failures=31, metrics={}, parameters=PARAMETERS[kind], made_with={},
        )  # fmt: skip
        ctx.session.add(made)
    return made


def foretell(
    ctx: Context,
    asset: Asset,
    model: ModelVersion | None,
    *,
    chance: float | None = 0.16,
    sensor: Sensor | None = None,
    record: bool = True,
    **facts: Any,
) -> tuple[Forecast, ForecastRecord | None]:
    """A forecast of an asset, and its frozen form unless there is nothing to freeze.

    `chance` within 90 days; None: too little history.
    """
    weight = {"high": 1.0, "medium": 0.5, "low": 0.2}[asset.risk.value]
    has = chance is not None
    said: dict[str, Any] = {
        "at": ctx.now(),
        "probabilities": {"30": chance / 3, "90": chance} if chance is not None else None,
        "life_median": 62.0 if has else None,
        "life_low": 41.0 if has else None,
        "life_high": 95.0 if has else None,
        "confidence": 0.8 if has else None,
        "path": CURVE if has else None,
        "drivers": [{"code": "failures_last_year", "weight": 0.7, "n": 3, "ratio": 2.4}]
        if has
        else [],
        "needs": None if has else {"code": "failures", "have": 1, "need": 5},
        "rank": weight * (chance or 0.0),
        "warns": False,
        **facts,
    }
    kind = said.pop("kind", model.kind if model else ModelKind.LIFE)
    with ctx.writing("test.forecast"):
        forecast = Forecast(
            asset_id=asset.id, kind=kind, sensor_id=sensor.id if sensor else None,
            model_version_id=model.id if model else None, **said,
        )  # fmt: skip
        ctx.session.add(forecast)
        frozen = None
        if record and has and model is not None:
            frozen = freeze(ctx, forecast, model)
        arrange(ctx, [asset.id])
    return forecast, frozen


def freeze(
    ctx: Context, said: Forecast, model: ModelVersion, *, days_ago: float = 0, **facts: Any
) -> ForecastRecord:
    """A frozen form of a forecast; inside a command."""
    at = said.at - timedelta(days=days_ago)
    made = ForecastRecord(**{
        "asset_id": said.asset_id, "sensor_id": said.sensor_id, "model_version_id": model.id,
        "at": at, "horizon_days": 90, "until": at + timedelta(days=90),
        "probability": (said.probabilities or {}).get("90", 0.1), "base_probability": 0.05,
        "life_median": said.life_median, "life_low": said.life_low, "life_high": said.life_high,
        "confidence": said.confidence, "drivers": said.drivers, "warned": said.warns,
        "was_shadow": model.state is not ModelState.ACTIVE, "outcome": Outcome.OPEN, **facts,
    })  # fmt: skip
    ctx.session.add(made)
    return made
