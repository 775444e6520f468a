"""The figures of a scorecard, from judged forecasts: warnings, probabilities, baselines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apm.forecasts.judged import Array, Flags, Judged
from predict.errors import NotEnoughData
from predict.forecast_score import (
    LEAST_WARNINGS,
    Figure,
    ReliabilityBin,
    Skill,
    by_time,
    reliability,
    share,
    skill,
)

MONTH = 30.44
"""Days."""
SEED = 20260301
"""The same forecasts give the same intervals."""


@dataclass(frozen=True, slots=True)
class Lead:
    """Days from a warning to what it warned of: median and the middle half.  n: warnings."""

    median: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Warnings:
    """How warnings did.  None: too few to say.

    right, n: warnings that were right, of how many.  caught, events: failures and findings that a
    warning came before, of how many.  false_alarms: per device and month.
    """

    right: int
    n: int
    caught: int
    events: int
    precision: Figure | None
    recall: Figure | None
    false_alarms: Figure | None
    lead: Lead | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What is counted of one version; n: judged forecasts that do not overlap.

    months: of devices, while the model was at work; warnings and baselines are of that time alone.
    """

    n: int
    events: int
    units: int
    months: float
    warnings: Warnings
    skill: Skill | None
    reliability: tuple[ReliabilityBin, ...]
    baselines: dict[str, Warnings]


@dataclass(frozen=True, slots=True)
class HorizonFigures:
    """How right the chances within `days` were; n: judged forecasts that do not overlap.

    said, base: their mean and that of the baseline's, None without a forecast.  seen: the share
    that failed.  waiting: forecasts whose horizon is not over.  versions: how many versions of the
    model they are of.
    """

    days: int
    n: int
    events: int
    units: int
    waiting: int
    versions: int
    said: float | None
    base: float | None
    seen: Figure | None
    skill: Skill | None
    reliability: tuple[ReliabilityBin, ...]


def horizon_figures_of(
    days: int, known: Judged, *, waiting: int = 0, versions: int = 1
) -> HorizonFigures:
    """Return the figures of one horizon, from what was said of it and judged."""
    told = known.apart
    told = told.where(told.told)
    return HorizonFigures(
        days,
        told.n,
        int(told.came.sum()),
        len(np.unique(told.asset)),
        waiting,
        versions,
        float(told.said.mean()) if told.n else None,
        float(told.base.mean()) if told.n else None,
        share(int(told.came.sum()), told.n),
        _skill_of(told),
        reliability(told.said, told.came),
    )


def _skill_of(told: Judged) -> Skill | None:
    rng = np.random.default_rng(SEED)
    try:
        return skill(told.said, told.base, told.came, told.asset, rng)
    except NotEnoughData:
        return None


def figures_of(known: Judged, since: Array | None = None) -> Figures:
    """Return the figures.

    Args:
        known: the judged forecasts of one version.
        since: shape (n,), days since the last failure when each was made (or since it was new),
            NaN where not known; without it there is no such baseline.
    """
    told = known.apart
    told = told.where(told.told)
    # Not at work it may not warn: what failed meanwhile it has not missed.
    heard = known.where(known.at_work)
    apart = heard.apart
    months = float((apart.end - apart.at).sum()) / MONTH
    return Figures(
        told.n,
        int(told.came.sum()),
        len(np.unique(told.asset)),
        months,
        warnings_of(heard, heard.warned, months),
        _skill_of(told),
        reliability(told.said, told.came),
        _baselines(heard, None if since is None else since[known.at_work], months),
    )


def warnings_of(known: Judged, warned: Flags, months: float) -> Warnings:
    """Return how these warnings did; each failure counts once, however often it was foretold."""
    told = known.where(known.told)
    loud = warned[known.told]
    rung = told.where(loud).apart
    right, n = int(rung.came.sum()), rung.n
    events = np.unique(told.event[told.came])
    caught = np.unique(told.event[told.came & loud])
    return Warnings(
        right,
        n,
        len(caught),
        len(events),
        share(right, n),
        share(len(caught), len(events)),
        by_time(n - right, months),
        _lead((rung.end - rung.at)[rung.came]),
    )


def _lead(days: Array) -> Lead | None:
    if not len(days):
        return None
    low, median, high = np.quantile(days, [0.25, 0.5, 0.75])
    return Lead(float(median), float(low), float(high), len(days))


def _baselines(known: Judged, since: Array | None, months: float) -> dict[str, Warnings]:
    """Return how simple rules would have warned at the same moments.

    always: of every device.  calendar: of every k-th, as many warnings as the model gave, without
    a look at the device.  mtbf: where the last failure plus the mean time between failures, which
    the baseline's probability is made of, comes within the horizon.
    """
    found = {"always": warnings_of(known, np.ones(known.n, np.bool_), months)}
    if known.warned.any() and not known.warned.all():
        found["calendar"] = warnings_of(known, _evenly(known), months)
    if since is not None and np.isfinite(since).any():
        with np.errstate(divide="ignore"):
            mean = -known.horizon / np.log1p(-np.minimum(known.base, 1.0 - 1e-9))
        found["mtbf"] = warnings_of(known, since + known.horizon >= mean, months)
    return found


def _evenly(known: Judged) -> Flags:
    """Return as many warnings as were given, spread evenly over the moments in order of time."""
    order: NDArray[np.int64] = np.lexsort((known.unit, known.at))
    count = int(known.warned.sum())
    chosen = np.zeros(known.n, np.bool_)
    places = np.floor((np.arange(count) + 0.5) * known.n / count).astype(np.int64)
    chosen[order[places]] = True
    return chosen


def lacking(figures: Figures) -> list[tuple[str, int, int]]:
    """Return what is missing before figures are shown: a code, what there is, what it takes."""
    found = []
    if figures.warnings.n < LEAST_WARNINGS:
        found.append(("warnings", figures.warnings.n, LEAST_WARNINGS))
    if figures.warnings.events < LEAST_WARNINGS:
        found.append(("failures", figures.warnings.events, LEAST_WARNINGS))
    return found
