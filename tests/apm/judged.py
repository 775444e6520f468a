"""Frozen forecasts for tests of how they are judged: rows as the program freezes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from apm.assets.model import Asset
from apm.core.command import Context
from apm.forecasts.model import ForecastRecord, ModelKind, ModelState, ModelVersion, Outcome
from tests.apm.hospital import make_work


def make_version(ctx: Context, **facts: Any) -> ModelVersion:
    """A version of a model; of lives, at work, unless said otherwise."""
    at = facts.pop("at", ctx.now())
    made = ModelVersion(
        **{
            "kind": ModelKind.LIFE,
            "version": 1,
            "state": ModelState.ACTIVE,
            "state_since": at,
            "trained_at": at,
            "trained_why": "first",
            "data_from": at - timedelta(days=900),
            "data_until": at,
            "data_hash": "0" * 64,
            "n_units": 40,
            "n_failures": 60,
            "metrics": {"brier": 0.11, "base_brier": 0.15, "n": 240},
            "parameters": {},
            "made_with": {"scipy": "1.17.0"},
            **facts,
        }
    )
    with ctx.writing("test.version"):
        ctx.session.add(made)
    return made


def make_record(
    ctx: Context, version: ModelVersion, asset: Asset, at: datetime, **facts: Any
) -> ForecastRecord:
    """A frozen forecast that warns, over 30 days, unless said otherwise."""
    made = record_of(version, asset.id, at, **facts)
    with ctx.writing("test.record"):
        ctx.session.add(made)
    return made


def record_of(version: ModelVersion, asset_id: int, at: datetime, **facts: Any) -> ForecastRecord:
    """The row alone, to be added with many."""
    days = facts.get("horizon_days", 30)
    return ForecastRecord(
        **{
            "asset_id": asset_id,
            "model_version_id": version.id,
            "at": at,
            "horizon_days": days,
            "until": at + timedelta(days=days),
            "probability": 0.6,
            "base_probability": 0.1,
            "drivers": [],
            "warned": True,
            "was_shadow": False,
            "outcome": Outcome.OPEN,
            **facts,
        }
    )


def live_through(ctx: Context, failures: Iterable[tuple[datetime, Asset]], days: float) -> None:
    """Repairs as the years brought them: opened at an instant, done so many days later."""
    deeds = [(at, 0, asset) for at, asset in failures]
    opened = {}
    for at, _, asset in list(deeds):
        deeds.append((at + timedelta(days=days), 1, asset))
    with ctx.writing("test.history"):
        for at, is_done, asset in sorted(deeds, key=lambda deed: deed[:2]):
            ctx.now = lambda at=at: at
            ctx.session.info["now"] = ctx.now
            if is_done:
                opened.pop((asset.id, at - timedelta(days=days))).done_at = at
            else:
                opened[asset.id, at] = make_work(ctx, ctx.session.merge(asset))
            ctx.session.flush()
