"""Forecasts beside what came: how far off they were, and how far off the baseline was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from apm.forecasts.foretold import RECORD_DAYS, Foretold
from apm.forecasts.histories import Histories
from apm.forecasts.model import ModelKind
from predict.failure_soon import brier

LEAST_FAILURES = 10
"""Failures among the judged forecasts below which nothing is proved."""
BINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
"""Of the reliability table: what was said."""


@dataclass(slots=True)
class Proof:
    """Judged forecasts: what was said, what the baseline said, what came (0 or 1)."""

    said: list[float] = field(default_factory=list)
    base: list[float] = field(default_factory=list)
    came: list[float] = field(default_factory=list)

    @property
    def failures(self) -> int:
        """How many of the judged subjects failed."""
        return int(sum(self.came))

    def metrics(self) -> dict[str, Any]:
        """Return the figures of `ModelVersion.metrics`; None where nothing was judged."""
        if not self.said:
            return {"n": 0, "failures": 0, "brier": None, "base_brier": None,
                    "reliability": [], "coverage": None}  # fmt: skip
        return {
            "n": len(self.said),
            "failures": self.failures,
            "brier": brier(self.said, self.came),
            "base_brier": brier(self.base, self.came),
            "reliability": reliability(self.said, self.came),
            "coverage": None,
        }


def judge(
    proof: Proof,
    kind: ModelKind,
    said: Sequence[Foretold],
    then: Histories,
    truth: Histories,
    horizon: int | None = None,
) -> None:
    """Add forecasts made `then` to the proof, as far as `truth` can judge them.

    A unit that left operation before the horizon without a failure is censored: left out.  So is
    one whose repair was open when the forecast was made.  `horizon`: in days, by default the one
    the kind is judged by.
    """
    own_days = RECORD_DAYS[kind]
    days = horizon or own_days
    end = then.now + days
    if end > truth.now + 1e-6:
        return
    later = {unit.id: unit for unit in truth.units}
    down = {unit.id for unit in then.units if unit.is_down}
    for one in said:
        unit = later.get(one.asset_id)
        within = (one.probabilities or {}).get(str(days))
        if unit is None or within is None or one.asset_id in down:
            continue
        failed = bool(((unit.failures > then.now) & (unit.failures <= end)).any())
        ran = any(start <= then.now + 1.0 and stop >= end - 1e-6 for start, stop in unit.spans)
        if failed or ran:
            proof.said.append(within)
            # A constant rate: what it said of one horizon it says of all.
            proof.base.append(1.0 - (1.0 - one.base) ** (days / own_days))
            proof.came.append(float(failed))


def reliability(said: Sequence[float], came: Sequence[float]) -> list[list[float]]:
    """Return rows of [mean said, share that came, n] by what was said.

    >>> reliability([0.01, 0.4, 0.4], [0.0, 1.0, 0.0])
    [[0.01, 0.0, 1], [0.4, 0.5, 2]]
    """
    p, y = np.asarray(said, dtype=np.float64), np.asarray(came, dtype=np.float64)
    bins = np.clip(np.searchsorted(BINS, p, side="right") - 1, 0, len(BINS) - 2)
    return [
        [round(float(p[inside].mean()), 4), round(float(y[inside].mean()), 4), int(inside.sum())]
        for k in range(len(BINS) - 1)
        if (inside := bins == k).any()
    ]
