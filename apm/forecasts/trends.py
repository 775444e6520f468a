"""The kind `trend`: where the readings of a sensor are heading, and when they reach their limit.

Each sensor speaks for itself, so there is nothing to fit beforehand; a version keeps how well the
method did on this hospital's own sensors when it was last tried.  `predict.degradation` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apm.forecasts.computing import each
from apm.forecasts.courses import Course
from apm.forecasts.foretold import (
    CONFIDENCE,
    HORIZONS,
    RECORD_DAYS,
    Foretold,
    Needs,
    Trained,
    driver,
    fingerprint,
    heaviest,
    rounded,
)
from apm.forecasts.histories import Histories
from apm.forecasts.lifetimes import baseline, mtbf_of
from apm.forecasts.model import ModelKind, ModelState
from apm.forecasts.proof import LEAST_FAILURES, Proof
from apm.forecasts.registry import Standing
from predict.degradation import (
    HORIZON,
    LEARN_DAYS,
    LEAST_DAYS,
    Heading,
    heading,
    last_reset,
)
from predict.errors import NotEnoughData

DAYS = RECORD_DAYS[ModelKind.TREND]
CUTS = range(DAYS + 2, 123, 10)
"""Days before now from which a trend is tried: what came in the 30 days after judges it."""
MOST_TRIED = 100
LEAST_TRIED = 5
"""Trends towards a limit below which the method is not yet tried here."""
LEAST_COVERED = 0.6
"""Of the 80 % intervals of the value; below it the trend promises too much."""
CHUNK = 40


def train(given: Sequence[Course], known: Histories) -> Trained | Needs:
    """Return what a version keeps; `Needs` where no sensor has a limit or days enough."""
    if not given:
        return Needs("sensors_with_limit", 0, 1)
    most = max(int(np.isfinite(one.values).sum()) for one in given)
    if most < LEAST_DAYS:
        return Needs("days", most, LEAST_DAYS)
    mtbf, mtbf_all = mtbf_of(known)
    crossed = sum(_came(one, len(one.values) - DAYS) for one in given)
    return Trained(
        {"mtbf": mtbf, "mtbf_all": mtbf_all, "least_days": LEAST_DAYS, "horizon": HORIZON},
        len(given),
        int(crossed),
        None,
        fingerprint([np.nan_to_num(one.values, nan=-1e300) for one in given]),
    )


def foretell(
    given: Sequence[Course], parameters: dict[str, Any], compute: str = "local"
) -> list[Foretold]:
    """Say of each sensor when its limit will be passed."""
    parts = [given[k : k + CHUNK] for k in range(0, len(given), CHUNK)]
    return [one for part in each(partial(_part, parameters), parts, compute) for one in part]


def _part(parameters: dict[str, Any], given: Sequence[Course]) -> list[Foretold]:
    return [_one(course, parameters) for course in given]


def _one(course: Course, parameters: dict[str, Any]) -> Foretold:
    try:
        found = head(course, course.values)
    except NotEnoughData:
        have = int(np.isfinite(course.values[last_reset(course.values) :]).sum())
        # Of enough days some were left out as wild.
        needs = Needs("days", min(have, LEAST_DAYS - 1), LEAST_DAYS)
        return Foretold(course.asset_id, course.sensor_id, needs=needs)
    is_near = found.is_heading
    return Foretold(
        asset_id=course.asset_id,
        sensor_id=course.sensor_id,
        probabilities={str(h): rounded(found.within(h), 4) for h in HORIZONS},
        base=baseline(parameters, course.category, DAYS),
        life_median=rounded(found.median) if is_near else None,
        life_low=rounded(found.low) if is_near else None,
        life_high=rounded(min(found.high, float(HORIZON))) if is_near else None,
        path=[[rounded(x, 4) for x in row] for row in found.fan.tolist()],
        drivers=_reasons(course, found),
        may_act=is_near and not course.is_down,
    )


def head(course: Course, values: NDArray[np.float64], cut: int = 0) -> Heading:
    """Return where values of a sensor are heading: the same values, the same.

    Args:
        course: whose limits.
        values: shape (days,), up to yesterday; days ahead are counted from today, not yet known.
        cut: days by which `values` is shorter than the course.

    Raises:
        NotEnoughData: too few days with readings.
    """
    rng = np.random.default_rng([course.sensor_id, course.day, cut])
    known = np.append(values, np.nan)
    return heading(known, rng, low=course.low, high=course.high, confidence=CONFIDENCE)


def _reasons(course: Course, found: Heading) -> list[dict[str, Any]]:
    if found.limit is None:
        return [
            driver(
                "not_heading", -1.0, value=rounded(found.level, 4),
                per_day=rounded(found.slope, 6), days=found.n,
            )
        ]  # fmt: skip
    sure = min(abs(found.slope_low), abs(found.slope_high)) / max(abs(found.slope), 1e-12)
    same_way = found.slope_low * found.slope_high > 0.0
    reasons = [
        driver(
            "slope", sure if same_way else 0.2, per_day=rounded(found.slope, 6),
            low=rounded(found.slope_low, 6), high=rounded(found.slope_high, 6), days=found.n,
        ),
        driver(
            "distance", 30.0 / max(30.0, found.median), value=rounded(found.level, 4),
            limit=found.limit,
        ),
    ]  # fmt: skip
    learnt_from = max(0, len(course.values) + 1 - LEARN_DAYS)  # today is one of the days
    if found.since > learnt_from:
        reasons.append(driver("since_change", 0.0, days=len(course.values) - found.since))
    if isfinite(found.median) and found.high > HORIZON:
        reasons.append(driver("open_end", -0.1, days=HORIZON))
    return heaviest(reasons)


def standing(given: Sequence[Course]) -> tuple[dict[str, Any], Standing]:
    """Return how trends did on this hospital's sensors, and where a new version begins.

    Where limits were passed often enough, the probabilities are judged; else the value foretold
    for 30 days ahead is judged against one that stays as it is.
    """
    proof, missed, stood, covered = Proof(), [], [], []
    step = max(1, len(given) // MOST_TRIED)
    for course in given[::step]:
        for cut in CUTS:
            n = len(course.values) - cut
            try:
                said = head(course, course.values[:n], cut)
            except NotEnoughData:
                continue
            if said.is_passed:
                continue  # what has come already is no forecast
            proof.said.append(said.within(DAYS))
            proof.came.append(float(_came(course, n + 1)))
            after = course.values[n + DAYS - 1 : n + DAYS + 2]
            if said.limit is None or not np.isfinite(after).any():
                continue
            came = float(np.nanmedian(after))
            low, middle, high = (
                float(np.interp(DAYS, said.fan[:, 0], said.fan[:, k])) for k in (1, 2, 3)
            )
            missed.append(abs(came - middle))
            stood.append(abs(came - said.level))
            covered.append(low <= came <= high)
    proof.base = [float(np.mean(proof.came))] * len(proof.came) if proof.came else []
    metrics = proof.metrics() | {
        "n_heading": len(missed),
        "mae": float(np.mean(missed)) if missed else None,
        "naive_mae": float(np.mean(stood)) if stood else None,
        "coverage": float(np.mean(covered)) if covered else None,
    }
    return metrics, _judged(metrics)


def _judged(metrics: dict[str, Any]) -> Standing:
    figures = {
        name: metrics[name]
        for name in ("brier", "base_brier", "n", "failures", "n_heading", "mae", "naive_mae")
    }
    if metrics["failures"] >= LEAST_FAILURES:
        good = metrics["brier"] < metrics["base_brier"]
        code = "beats_baseline" if good else "no_better_than_baseline"
    elif metrics["n_heading"] < LEAST_TRIED:
        good, code = False, "few_trends"
    else:
        good = metrics["mae"] < metrics["naive_mae"] and metrics["coverage"] >= LEAST_COVERED
        code = "beats_standing_still" if good else "no_better_than_standing_still"
    state = ModelState.ACTIVE if good else ModelState.SHADOW
    return Standing(state, {"code": code, "coverage": metrics["coverage"], **figures})


def _came(course: Course, n: int) -> bool:
    """Tell whether the value passed its limit in the days after the first n, for three days."""
    after = course.values[n : n + DAYS]
    after = after[np.isfinite(after)]
    if len(after) < 3:
        return False
    middle = np.median(np.lib.stride_tricks.sliding_window_view(after, 3), axis=1)
    above = course.high is not None and bool((middle > course.high).any())
    return above or (course.low is not None and bool((middle < course.low).any()))
