"""The kind `soon`: how likely a failure within 30 and 90 days is, learnt from what goes before.

Gradient boosting on monthly moments of all equipment (`moments`), calibrated on equipment left
out; `predict.failure_soon` has it.  Stored by skops, read back only as it was stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apm.forecasts.artifact import pack, unpack
from apm.forecasts.computing import each
from apm.forecasts.foretold import (
    RECORD_DAYS,
    Foretold,
    Needs,
    Trained,
    driver,
    fingerprint,
    heaviest,
    rounded,
)
from apm.forecasts.histories import LOGS, Histories, Unit
from apm.forecasts.lifetimes import baseline, mtbf_of
from apm.forecasts.model import ModelKind
from apm.forecasts.moments import features, groups, labels, moments, paces
from predict.errors import NotEnoughData
from predict.failure_soon import LEAST_FAILURES, fit_failure_soon

Array = NDArray[np.float64]
HORIZONS = (30, 90)
CHUNK = 2500
MOST_DRIVERS = 4
LIKELY = 0.01
"""A group of facts that changes the probability by less is no reason."""
SIGNS = 2.0
"""Times the usual probability from which something has changed: planned work may help.  Equipment
that always fails often fails by chance, and a visit more changes nothing."""
SEED = 20


def train(known: Histories) -> Trained | Needs:
    """Learn from the monthly moments of all units."""
    kinds = sorted(LOGS)
    rng = np.random.default_rng(SEED)
    models: dict[str, Any] = {}
    found = moments(known, HORIZONS[0], kinds)
    for horizon in HORIZONS:
        label = labels(known, found, horizon)
        try:
            model = fit_failure_soon(found.rows, label, found.unit, rng)
        except NotEnoughData:
            return Needs("failures_to_learn_from", int(np.nansum(label)), LEAST_FAILURES)
        models[str(horizon)] = {
            "classifier": model.classifier,
            "calibration": model.calibration,
            "usual": np.nanmedian(found.rows, axis=0),
        }
    mtbf, mtbf_all = mtbf_of(known)
    now = np.array([known.now])
    pace = {category: float(one.at(now)[0]) for category, one in paces(known).items()}
    return Trained(
        {"kinds": kinds, "mtbf": mtbf, "mtbf_all": mtbf_all, "paces": pace},
        len(known.units),
        int(np.nansum(found.label)),
        float(found.at.min()),
        fingerprint([np.nan_to_num(found.rows, nan=-1.0), np.nan_to_num(found.label, nan=-1.0)]),
        pack(models),
    )


def foretell(
    known: Histories, parameters: dict[str, Any], artifact: bytes, compute: str = "local"
) -> list[Foretold]:
    """Say of each unit in operation how likely it fails soon.

    Raises:
        Unreadable: the stored model cannot be used.
    """
    units = known.running
    chunks = [units[k : k + CHUNK] for k in range(0, len(units), CHUNK)]
    ask = partial(_part, parameters, artifact, known.now)
    return [one for part in each(ask, chunks, compute) for one in part]


def _part(
    parameters: dict[str, Any], artifact: bytes, now: float, units: Sequence[Unit]
) -> list[Foretold]:
    models = unpack(artifact)
    at = np.array([now])
    rows = np.vstack(
        [
            features(unit, at, np.array([pace_of(parameters, unit.category)]), parameters["kinds"])
            for unit in units
        ]
    )
    said = _said(models, rows)
    days = RECORD_DAYS[ModelKind.SOON]
    first = models[str(days)]
    without = {}
    for name, columns in groups(parameters["kinds"]).items():
        usual = rows.copy()
        usual[:, columns] = first["usual"][columns]
        without[name] = said[str(days)] - chance_of(first, usual)
    found = []
    for k, unit in enumerate(units):
        parts = {name: float(change[k]) for name, change in without.items()}
        base = baseline(parameters, unit.category, days)
        found.append(
            Foretold(
                asset_id=unit.id,
                probabilities={h: rounded(p[k], 4) for h, p in said.items()},
                base=base,
                drivers=_reasons(unit, now, parts, float(said[str(days)][k])),
                may_act=not unit.is_down and float(said[str(days)][k]) >= SIGNS * base,
            )
        )
    return found


def _said(models: dict[str, Any], rows: Array) -> dict[str, Array]:
    """Return the chances by horizon: what fails within a month fails within three."""
    found: dict[str, Array] = {}
    least = np.zeros(len(rows))
    for horizon in sorted(models, key=int):
        least = found[horizon] = np.maximum(least, chance_of(models[horizon], rows))
    return found


def pace_of(parameters: dict[str, Any], category: str) -> float:
    """Return how often a category fails, as it was taught; one not seen then, as the middle."""
    pace: dict[str, float] = parameters["paces"]
    return pace[category] if category in pace else float(np.median(list(pace.values())))


def chance_of(model: dict[str, Any], rows: Array) -> Array:
    """Return the calibrated chance of rows of features, shape (n, k) -> (n,)."""
    raw = model["classifier"].predict_proba(rows)[:, 1]
    return np.asarray(model["calibration"].predict(raw), dtype=np.float64)


def _reasons(
    unit: Unit, now: float, parts: dict[str, float], probability: float
) -> list[dict[str, Any]]:
    """Return what changes the probability when it is put back to what is usual."""
    reasons = []
    for name, change in parts.items():
        if abs(change) < LIKELY:
            continue
        without = max(probability - change, 1e-3)
        weight = log(max(probability, 1e-3) / without) / log(4.0)
        figures: dict[str, Any] = {"change": rounded(change, 3)}
        events = {"failures": unit.reported, "upkeep": unit.upkeep, **unit.logs}.get(name)
        if events is not None:
            figures |= {"n": int((events > now - 90.0).sum()), "days": 90}
        elif name == "age":
            figures["days"] = rounded(now - unit.origin)
        reasons.append(driver(f"soon_{name}", weight, **figures))
    return heaviest(reasons)[:MOST_DRIVERS]
