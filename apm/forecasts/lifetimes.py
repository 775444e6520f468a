"""The kind `life`: how long units run between failures, pooled unit -> make -> category -> fleet.

One Weibull shape for all, a rate for each make borrowed from its category and the fleet as far as
its own failures are few, and for each unit from its make.  `predict.pooled_life` has the formulas.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from apm.forecasts.histories import Histories, Unit
from apm.forecasts.model import ModelKind
from predict.pooled_life import LEAST_FAILURES, Rate, common_shape
from predict.pooling import pool
from predict.survival import Lives, lives
from predict.unit_rates import Make, unit_rates, unit_spread

Array = NDArray[np.float64]
AHEAD = (0, 30, 60, 90, 120, 180, 270, 365, 545, 730)
"""Days at which the fan of a life is drawn."""
WEARS = 1.5
"""From this shape on planned work lowers the risk: an older unit fails more."""
YEAR = 365.25
NO_LIFE = lives([], [])


def train(known: Histories) -> Trained | Needs:
    """Fit the lives of all makes to what was known."""
    groups = known.lives()
    everything = [own for makes in groups.values() for own in makes.values()]
    failures = sum(own.failures for own in everything)
    if failures < LEAST_FAILURES:
        return Needs("failures", failures, LEAST_FAILURES)
    shape = common_shape(everything)
    # Makes without any life of their own stand for those not seen yet.
    asked = {c: {**makes, f"{c}|": NO_LIFE} for c, makes in groups.items()}
    found = pool({**asked, "": {"": NO_LIFE}}, shape, CONFIDENCE)
    makes = {name: [one.rate, one.known, one.own, one.failures] for name, one in found.items()}
    parameters: dict[str, Any] = {
        "shape": shape,
        "makes": makes,
    }
    parameters["mtbf"], parameters["mtbf_all"] = mtbf_of(known)
    d, e = _counts(known.units, shape)
    rates = [make_of(parameters, unit).rate for unit in known.units]
    parameters["unit_spread"] = unit_spread(d, e, rates)
    rows = [np.column_stack([own.entry, own.exit, own.failed]) for own in everything]
    return Trained(parameters, len(known.units), failures, known.first, fingerprint(rows))


def foretell(known: Histories, parameters: dict[str, Any]) -> list[Foretold]:
    """Say of each unit in operation when it will fail; without a model, what is missing."""
    units = known.running
    if not units:
        return []
    shape = float(parameters["shape"])
    failures, exposure = _counts(units, shape)
    makes = [make_of(parameters, unit) for unit in units]
    rate, sure = unit_rates(failures, exposure, makes, float(parameters["unit_spread"]))
    ages = np.array([max(0.0, known.now - unit.since) for unit in units])
    judged = Rate(shape, rate, sure)
    within = {str(h): judged.fails_within(ages, h) for h in HORIZONS}
    tail = (1.0 - CONFIDENCE) / 2.0
    low, median, high = (judged.left(ages, q) for q in (tail, 0.5, 1.0 - tail))
    ratio = judged.hazard_ratio(ages)
    horizon = RECORD_DAYS[ModelKind.LIFE]
    said = []
    for k, unit in enumerate(units):
        own = Rate(shape, float(rate[k]), float(sure[k]))
        typical = float(own.left(0.0, 0.5))
        reasons = [
            _age(unit, known.now, float(ages[k]), float(ratio[k]), typical),
            _record(unit, known.now, float(rate[k]), makes[k]),
            driver(
                "own_history", 0.0, failures=int(failures[k]), of_make=makes[k].failures,
                share=round(makes[k].own, 2),
            ),
        ]  # fmt: skip
        said.append(
            Foretold(
                asset_id=unit.id,
                probabilities={h: rounded(p[k], 4) for h, p in within.items()},
                base=baseline(parameters, unit.category, horizon),
                life_median=rounded(median[k]),
                life_low=rounded(low[k]),
                life_high=rounded(high[k]),
                path=_path(own, float(ages[k])),
                drivers=heaviest(reasons),
                may_act=shape >= WEARS and not unit.is_down,
            )
        )
    return said


def baseline(parameters: dict[str, Any], category: str, horizon: float) -> float:
    """Return the naive probability: exponential, by the category's MTBF, else the fleet's."""
    mtbf = parameters["mtbf"].get(category) or parameters["mtbf_all"]
    return rounded(-np.expm1(-horizon / mtbf), 4) if mtbf else 0.0


def _age(unit: Unit, now: float, age: float, ratio: float, typical: float) -> dict[str, Any]:
    is_after_failure = len(unit.failures) and unit.failures[-1] == unit.since
    is_after_renewal = len(unit.renewals) and unit.renewals[-1] == unit.since
    since = (
        "since_failure" if is_after_failure
        else "since_renewal" if is_after_renewal
        else "since_new" if unit.is_from_new
        else "since_records"
    )  # fmt: skip
    weight = log(max(ratio, 1e-3)) / log(4.0)
    return driver(
        since, weight, days=rounded(age), typical_days=rounded(typical), ratio=rounded(ratio, 2)
    )


def _record(unit: Unit, now: float, rate: float, make: Make) -> dict[str, Any]:
    """Return how often it failed in the last year, and how its rate compares with its make's."""
    ratio = rate / make.rate
    n = int((unit.failures > now - YEAR).sum())
    return driver(
        "failures_last_year", log(max(ratio, 1e-3)) / log(4.0), n=n, ratio=rounded(ratio, 2)
    )


def _path(own: Rate, age: float) -> list[list[float]]:
    low_median_high = own.surviving(age, np.array(AHEAD, dtype=np.float64), CONFIDENCE)
    return [
        [float(h), *(rounded(share, 3) for share in row)]
        for h, row in zip(AHEAD, low_median_high, strict=True)
    ]


def _counts(units: Sequence[Unit], shape: float) -> tuple[Array, Array]:
    """Return failures and exposure of each unit."""
    d, e = np.zeros(len(units)), np.zeros(len(units))
    for k, unit in enumerate(units):
        for entry, leave, failed in unit.lives():
            d[k] += failed
            e[k] += leave**shape - entry**shape
    return d, e


def rate_of(parameters: dict[str, Any], unit: Unit) -> Rate:
    """Return what is known of one unit's rate: its own failures, and those of its make."""
    shape = float(parameters["shape"])
    failures, exposure = _counts([unit], shape)
    spread = float(parameters["unit_spread"])
    rate, sure = unit_rates(failures, exposure, [make_of(parameters, unit)], spread)
    return Rate(shape, float(rate[0]), float(sure[0]))


def make_of(parameters: dict[str, Any], unit: Unit) -> Make:
    """Return what is known of its make; of one never seen, of its category or the hospital."""
    rate, known, own, failures = _entry(parameters, unit.make, unit.category)
    return Make(rate, known, own, int(failures))


def rate_of_make(parameters: dict[str, Any], make: str, category: str) -> float:
    """Return the mean rate of a make, in failures per day ** shape."""
    return float(_entry(parameters, make, category)[0])


def _entry(parameters: dict[str, Any], make: str, category: str) -> list[float]:
    makes: dict[str, list[float]] = parameters["makes"]
    return next(makes[name] for name in (make, f"{category}|", "") if name in makes)


def mtbf_of(known: Histories) -> tuple[dict[str, float], float | None]:
    """Return the mean days between failures by category, where one failed, and of all."""
    groups = known.lives()
    own = {category: _mtbf(list(makes.values())) for category, makes in groups.items()}
    everything = [lives for makes in groups.values() for lives in makes.values()]
    return {category: mean for category, mean in own.items() if mean}, _mtbf(everything)


def _mtbf(groups: Sequence[Lives]) -> float | None:
    failures = sum(own.failures for own in groups)
    watched = sum(float((own.exit - own.entry).sum()) for own in groups)
    return watched / failures if failures else None
