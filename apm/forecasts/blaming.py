"""What each fact and each stretch of time adds to a forecast, by putting it back to what is usual.

The arithmetic is `predict.why.blame`: Shapley values, which sum to the chance less what is usual.
What a fact is put back to, and what chance is meant:

- *life*: new, with the rate of its make, whose rate is that of its category; the chance of a
  failure within 90 days;
- *soon*: what was usual among the moments the model learnt from; a failure within 30 days;
- *trend*: the readings of a stretch are not known; the limit passed within the horizon that has
  its middle in it.  Without any reading the chance is the baseline's.

A life takes no model but its numbers and is explained when the page is asked for; the others are
explained by the worker (`why_keeping`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apm.forecasts.artifact import Unreadable, check, unpack
from apm.forecasts.courses import Course
from apm.forecasts.foretold import HORIZONS, RECORD_DAYS
from apm.forecasts.histories import Unit
from apm.forecasts.lifetimes import baseline, make_of, rate_of
from apm.forecasts.model import ModelKind, ModelVersion
from apm.forecasts.moments import NEVER, PLAIN, WINDOWS, features, groups
from apm.forecasts.soon import chance_of, pace_of
from apm.forecasts.trends import head
from predict.errors import NotEnoughData
from predict.pooled_life import Rate
from predict.why import Why, blame, blame_each

Array = NDArray[np.float64]
STRETCHES = (("last_days", 0, 7), ("days_between", 7, 30), ("days_between", 30, 90),
             ("days_before", 90, 0))  # fmt: skip
"""Stretches of readings: how many days ago they end and begin; 0: as far back as is read."""
TOLD_WITHIN = 365.0
"""Days whose events a fact is told by; the model is asked about all its windows."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact behind a forecast.

    code: the word for it; figures: what the word names.  now, usual: its value, None where it has
    none.  change: by how much it moves the chance, -1..1.  last: for events, how many days ago
    the last one was; None: never.
    """

    code: str
    figures: Mapping[str, int]
    now: float | None
    usual: float | None
    change: float
    last: float | None = None


@dataclass(frozen=True, slots=True)
class Blame:
    """The chance within `days`, what it would be if all were usual; the facts sum to the rest."""

    days: int
    chance: float
    usual: float
    facts: list[Fact]

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Blame:
        """Return it from what `dataclasses.asdict` made of it."""
        facts = [Fact(**fact) for fact in kept["facts"]]
        return cls(kept["days"], kept["chance"], kept["usual"], facts)


def blame_life(version: ModelVersion, unit: Unit, now: float) -> Blame:
    """Return what the time since the last failure, the unit's own record and its make add."""
    parameters = version.parameters
    own, of_make = rate_of(parameters, unit), make_of(parameters, unit)
    of_category = make_of(parameters, replace(unit, make=f"{unit.category}|")).rate
    shape, days = float(parameters["shape"]), RECORD_DAYS[ModelKind.LIFE]
    age = max(0.0, now - unit.since)
    record, make = float(own.rate) / of_make.rate, of_make.rate / of_category

    def chance(rows: Array) -> Array:
        rate = of_category * np.exp(rows[:, 1] + rows[:, 2])
        return Rate(shape, rate, own.known).fails_within(rows[:, 0], days)

    names = {"age": [0], "record": [1], "make": [2]}
    why = blame(chance, [age, log(record), log(make)], [0.0, 0.0, 0.0], names)
    values = {"age": (float(age), 0.0), "record": (record, 1.0), "make": (make, 1.0)}
    facts = [Fact(f"life_{p.name}", {}, *values[p.name], p.change) for p in why.parts]
    return _blame(why, days, facts)


def blame_soon(version: ModelVersion, units: Sequence[Unit], now: float) -> list[Blame]:
    """Return, for each unit, what its age, category and risk and each kind of event add.

    Raises:
        Unreadable: the stored model cannot be used.
    """
    check(version)
    if version.artifact is None:
        raise Unreadable("has no stored model")
    days = RECORD_DAYS[ModelKind.SOON]
    model = unpack(version.artifact)[str(days)]
    kinds = version.parameters["kinds"]
    rows = np.vstack(
        [
            features(
                unit,
                np.array([now]),
                np.array([pace_of(version.parameters, unit.category)]),
                kinds,
            )
            for unit in units
        ]
    )
    usual = np.asarray(model["usual"], dtype=np.float64)
    columns = groups(kinds)
    said = blame_each(lambda asked: chance_of(model, asked), rows, usual, columns)
    return [
        _blame(why, days, [_of_events(p.name, p.change, columns, row, usual) for p in why.parts])
        for row, why in zip(rows, said, strict=True)
    ]


def _of_events(
    name: str, change: float, columns: Mapping[str, list[int]], row: Array, usual: Array
) -> Fact:
    own = columns[name]
    if name == "age":
        return Fact("soon_age", {}, float(row[own[0]]), float(usual[own[0]]), change)
    if name in PLAIN:  # a pace on a log scale, or a class: no value that says anything
        return Fact(f"soon_{name}", {}, None, None, change)
    counted, since = own[WINDOWS.index(TOLD_WITHIN)], float(row[own[-1]])
    return Fact(
        f"soon_{name}",
        {"days": int(TOLD_WITHIN)},
        float(row[counted]),
        float(usual[counted]),
        change,
        None if since >= NEVER else since,
    )


def blame_trend(parameters: dict[str, Any], course: Course, median: float | None) -> Blame:
    """Return what each stretch of the readings adds: a fit for every subset of them."""
    days = next((h for h in HORIZONS if median is not None and h >= median), HORIZONS[-1])
    n = len(course.values)
    nothing = _within(baseline(parameters, course.category, 30.0), days)

    def chance(rows: Array) -> Array:
        return np.array([_reached(course, row, days, nothing) for row in rows])

    stretches = {
        f"{k}": list(range(n - begin if begin else 0, n - end))
        for k, (_code, end, begin) in enumerate(STRETCHES)
        if n > end and np.isfinite(course.values[n - begin if begin else 0 : n - end]).any()
    }
    why = blame(chance, course.values, np.full(n, np.nan), stretches)
    facts = []
    for part in why.parts:
        code, end, begin = STRETCHES[int(part.name)]
        mean = float(np.nanmean(course.values[stretches[part.name]]))
        figures = {"from": begin or end, "to": end}
        facts.append(Fact(f"trend_{code}", figures, mean, None, part.change))
    return _blame(why, days, facts)


def _reached(course: Course, values: Array, days: int, nothing: float) -> float:
    try:
        return head(course, values).within(days)
    except NotEnoughData:
        return nothing


def _within(chance: float, days: int) -> float:
    """Turn the chance within 30 days into that within others, failures coming evenly."""
    return float(1.0 - (1.0 - chance) ** (days / 30.0))


def _blame(why: Why, days: int, facts: list[Fact]) -> Blame:
    return Blame(days, why.forecast, why.baseline, facts)
