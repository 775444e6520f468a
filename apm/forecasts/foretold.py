"""What a training gives and what a forecast says, whatever the kind of model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apm.forecasts.model import ModelKind

HORIZONS = (7, 30, 90, 365)
"""Days ahead that probabilities are said for."""
RECORD_DAYS = {ModelKind.LIFE: 90, ModelKind.TREND: 30, ModelKind.SOON: 30}
"""Days ahead that a frozen forecast is judged by."""
CONFIDENCE = 0.8
"""Of every interval of a remaining life."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What one training found: see `model.ModelVersion` for the fields of the same name."""

    parameters: dict[str, Any]
    n_units: int
    n_failures: int
    data_from: float | None
    """Days since 1970."""
    data_hash: str
    artifact: bytes | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """Too little history: what is missing, what there is, what it takes."""

    code: str
    have: int
    need: int

    def as_plain(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {"code": self.code, "have": self.have, "need": self.need}


@dataclass(frozen=True, slots=True)
class Foretold:
    """What one model says of one asset or sensor; see `model.Forecast`.

    base: what the naive baseline says for the horizon of the kind's records.  may_act: whether
    planned work would help at all, as far as the model knows.
    """

    asset_id: int
    sensor_id: int | None = None
    probabilities: dict[str, float] | None = None
    base: float = 0.0
    life_median: float | None = None
    life_low: float | None = None
    life_high: float | None = None
    path: list[list[float]] | None = None
    drivers: list[dict[str, Any]] = field(default_factory=list)
    needs: Needs | None = None
    may_act: bool = True

    def within(self, kind: ModelKind) -> float | None:
        """Return the probability for the horizon the kind is judged by."""
        return (self.probabilities or {}).get(str(RECORD_DAYS[kind]))


def fingerprint(arrays: Iterable[NDArray[np.float64]]) -> str:
    """Return the SHA-256 of training rows: the same data give the same."""
    found = hashlib.sha256()
    for rows in arrays:
        found.update(np.ascontiguousarray(rows, dtype=np.float64).tobytes())
    return found.hexdigest()


def driver(code: str, weight: float, **figures: Any) -> dict[str, Any]:
    """Return one reason: `weight` from -1 (speaks against) to 1, and figures for the sentence."""
    return {"code": code, "weight": round(max(-1.0, min(1.0, weight)), 3), **figures}


def heaviest(drivers: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return reasons, the heaviest first."""
    return sorted(drivers, key=lambda one: -abs(one["weight"]))


def rounded(number: float, digits: int = 1) -> float:
    """Return a float of numpy or Python, rounded for storing."""
    return round(float(number), digits)
