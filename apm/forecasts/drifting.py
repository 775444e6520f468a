"""Whether the equipment a model speaks of is still what it was trained on; else it is retrained.

Two signs count.  What it says, or what speaks for it, is spread otherwise than in its first
months (population stability index); or what came differs from what was said more and more in one
direction (Page-Hinkley on the residuals, in order of when the forecasts were made: failures are
clear sooner than their absence).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from apm.core.command import Context
from apm.forecasts.judged import judged_of
from apm.forecasts.model import ForecastRecord, ModelVersion
from apm.forecasts.scorecard import rows_of
from predict.errors import NotEnoughData
from predict.stability import LEAST, page_hinkley, shift_threshold, stability

RESTS = timedelta(days=30)
"""A version this young is what the latest training made of things."""
SLACK = 0.05
"""Failures a forecast: a bias of five in a hundred forecasts is nothing."""
CHANCE = 0.01
"""Of noticing a shift of the residuals where there is none."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One sign: `code` `inputs`, with what has moved, or `residuals`; the figure and its bound."""

    code: str
    what: str
    figure: float
    bound: float
    n: int


def drift_of(ctx: Context, version: ModelVersion) -> Drift | None:
    """Return the strongest sign of drift of a version, None without one."""
    if ctx.now() - version.trained_at < RESTS:
        return None
    rows = rows_of(ctx, [version.id]).get(version.id, [])
    return _moved(ctx, rows) or _biased(ctx, rows)


def _moved(ctx: Context, rows: Sequence[Any]) -> Drift | None:
    """Compare the older half of what was said, and of each driver's weight, with the newer."""
    half = len(rows) // 2
    drivers = _drivers(ctx, [row.id for row in rows])
    seen: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for k, row in enumerate(rows):
        seen["probability"][k >= half].append(row.probability)
        for code, weight in drivers.get(row.id, {}).items():
            seen[code][k >= half].append(weight)
    found = []
    for what, (before, now) in seen.items():
        try:
            moved = stability(before, now)
        except NotEnoughData:
            continue
        if moved.has_shifted:
            bound = max(moved.by_chance, 0.25)
            found.append(Drift("inputs", what, moved.index, bound, moved.n + moved.m))
    return max(found, key=lambda one: one.figure, default=None)


def _drivers(ctx: Context, ids: Sequence[int]) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    for start in range(0, len(ids), 5000):
        query = ctx.session.query(ForecastRecord.id, ForecastRecord.drivers).where(
            ForecastRecord.id.in_(ids[start : start + 5000])
        )
        for record_id, drivers in query:
            found[record_id] = {one["code"]: float(one["weight"]) for one in drivers}
    return found


def _biased(ctx: Context, rows: Sequence[Any]) -> Drift | None:
    known = judged_of(rows, ctx.now()).apart
    told = known.where(known.told)
    order = np.lexsort((told.unit, told.at))
    residuals = (told.came.astype(np.float64) - told.said)[order]
    if len(residuals) < LEAST:
        return None
    threshold = shift_threshold(residuals, slack=SLACK, chance=CHANCE)
    shift = page_hinkley(residuals, slack=SLACK, threshold=threshold)
    if shift is None:
        return None
    what = "more_failures" if shift.upwards else "fewer_failures"
    return Drift("residuals", what, shift.height, threshold, told.n)
