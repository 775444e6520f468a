"""Forecasts of a large register, written straight into the database, then arranged."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Engine, insert, select

from apm.accounts.queries import system_actor
from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.db import make_sessions
from apm.forecasts.arranging import arrange_fleet
from apm.forecasts.model import (
    Forecast,
    ForecastRecord,
    ModelKind,
    ModelState,
    ModelVersion,
    Outcome,
)
from apm.forecasts.score_keeping import count_scores

CHUNK = 5_000
WEIGHT = {"high": 1.0, "medium": 0.5, "low": 0.2}


def foretell_fleet(engine: Engine, hospital_id: int, *, seed: int = 7) -> float:
    """Foretell every asset (one of ten lacks history); return the seconds it took to arrange."""
    rng, now = Random(seed), datetime.now(UTC)
    with make_sessions(engine)() as session:
        ctx = Context(session, system_actor(hospital_id))
        risks = dict(iter(session.execute(select(Asset.id, Asset.risk))))
        model = _model(now)
        with ctx.writing("bench.model"):
            session.add(model)
        rows = [_forecast(rng, now, asset, risk, model.id) for asset, risk in risks.items()]
        records = [_record(row, now) for row in rows if row["warns"]]
        records += [_past(rng, row, now) for row in rows if row["probabilities"]]
        for kind, every in ((Forecast, rows), (ForecastRecord, records)):
            _insert(engine, kind, hospital_id, every)
        started = time.perf_counter()
        arrange_fleet(ctx)
        arranged = time.perf_counter() - started
        started = time.perf_counter()
        count_scores(ctx)
        counted = time.perf_counter() - started
        print(f"{len(records)} forecasts scored in {counted:.1f} s", file=sys.stderr)
        return arranged


def _model(now: datetime) -> ModelVersion:
    return ModelVersion(
        kind=ModelKind.LIFE, version=1, state=ModelState.ACTIVE, state_since=now, trained_at=now,
        trained_why="first", data_until=now, data_hash="0" * 64, n_units=1, n_failures=1,
        metrics={}, parameters={}, made_with={},
    )  # fmt: skip


def _forecast(rng: Random, now: datetime, asset: int, risk: Any, model: int) -> dict[str, Any]:
    has = rng.random() > 0.1
    chance = round(rng.betavariate(1, 8), 4)
    days = [0, 7, 30, 60, 90, 120, 180, 365, 730]
    return {
        "asset_id": asset, "kind": ModelKind.LIFE, "at": now, "sensor_id": None,
        "model_version_id": model if has else None,
        "probabilities": {"7": chance / 12, "30": chance / 3, "90": chance} if has else None,
        "life_median": 200.0 if has else None, "life_low": 40.0 if has else None,
        "life_high": 700.0 if has else None, "confidence": 0.8 if has else None,
        "path": [[d, 0.5, 0.75, 0.9] for d in days] if has else None,
        "drivers": [{"code": "failures_last_year", "weight": 0.4, "n": 2, "ratio": 1.7}],
        "needs": None if has else {"code": "failures", "have": 2, "need": 5},
        "rank": round(chance * WEIGHT[risk.value], 5) if has else 0.0,
        "warns": has and chance > 0.4,
    }  # fmt: skip


def _record(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    kept = ("asset_id", "sensor_id", "model_version_id", "at", "life_median", "life_low",
            "life_high", "confidence", "drivers")  # fmt: skip
    return {
        **{name: row[name] for name in kept}, "horizon_days": 90, "probabilities": None,
        "outcome_at": None, "outcome_why": None,
        "until": now + timedelta(days=90), "probability": row["probabilities"]["90"],
        "base_probability": 0.1, "warned": True, "was_shadow": False, "outcome": Outcome.OPEN,
    }  # fmt: skip


def _past(rng: Random, row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A forecast of 100 days ago that is judged: what was said was right."""
    at, said = now - timedelta(days=100), row["probabilities"]
    has_failed = rng.random() < said["90"]
    until = at + timedelta(days=90)
    return {
        **_record(row, now), "at": at, "until": until, "probabilities": said, "warned": False,
        "outcome": Outcome.MISS if has_failed else Outcome.QUIET,
        "outcome_at": at + timedelta(days=90 * rng.random()) if has_failed else until,
        "outcome_why": {"code": "failure"} if has_failed else {"code": "horizon"},
    }  # fmt: skip


def _insert(engine: Engine, kind: Any, hospital_id: int, rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), CHUNK):
        some = [{**row, "hospital_id": hospital_id} for row in rows[start : start + CHUNK]]
        with engine.execution_options(apm_writing=True).begin() as connection:
            connection.execute(insert(kind), some)
