"""What is known of equipment at a moment, in numbers: what the kind `soon` learns from.

Each number is a function of what was known at that moment alone: a failure counts from when it
was reported, an alarm from when it was noticed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apm.assets.model import Risk
from apm.forecasts.histories import NONE, Histories, Unit
from predict.failure_soon import event_features, fails_within

Array = NDArray[np.float64]
WINDOWS = (30.0, 90.0, 365.0)
RISKS = {Risk.LOW: 0.0, Risk.MEDIUM: 1.0, Risk.HIGH: 2.0}
EVERY = 30.0
"""Days between two moments of a unit: as regular as in service."""
MOST_ROWS = 60_000
"""Rows learnt from; with more, units are left out by turns."""
MONTHS = 24
NEVER = 3653.0
"""Days since what has never happened: a number, since a column without one cannot be learnt."""
PLAIN = ("age", "make", "risk")


@dataclass(frozen=True, slots=True)
class Moments:
    """rows: shape (n, k).  label: shape (n,), by `fails_within`.  unit: shape (n,), ids."""

    rows: Array
    label: Array
    unit: NDArray[np.int64]
    at: Array


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a category fails: when units came under watch, and when failures were reported."""

    began: Array
    reported: Array

    def at(self, moments: Array) -> Array:
        """Return the log of failures a year by what was known at each moment, shape (n,)."""
        past = np.searchsorted(self.began, moments, side="right")
        sums = np.concatenate([[0.0], np.cumsum(self.began)])
        watched = past * moments - sums[past]
        failed = np.searchsorted(self.reported, moments, side="right")
        return np.asarray(np.log((failed + 0.5) / (watched / 365.25 + 1.0)), dtype=np.float64)


def paces(known: Histories) -> dict[str, Pace]:
    """Return the pace of each category."""
    began, reported = defaultdict(list), defaultdict(list)
    for unit in known.units:
        began[unit.category].append(unit.known_at)
        reported[unit.category].extend(unit.reported.tolist())
    return {
        category: Pace(np.sort(starts), np.sort(reported[category]))
        for category, starts in began.items()
    }


def events_of(unit: Unit, kinds: Sequence[str]) -> dict[str, Array]:
    """Return when what happened to a unit became known, by kind, the same kinds for all."""
    return {
        "failures": unit.reported,
        "upkeep": unit.upkeep,
        **{kind: unit.logs.get(kind, NONE) for kind in kinds},
    }


def features(unit: Unit, at: Array, pace: Array, kinds: Sequence[str]) -> Array:
    """Return what is known of a unit at some moments, shape (n, columns).

    pace: shape (n,), that of its category at each moment.
    """
    plain = np.column_stack([at - unit.origin, pace, np.full(len(at), RISKS[unit.risk])])
    told = event_features(events_of(unit, kinds), at, WINDOWS)
    return np.column_stack([plain, np.where(np.isnan(told), NEVER, told)])


def labels(known: Histories, found: Moments, horizon: float) -> Array:
    """Return the labels of the same moments for another horizon, shape (n,)."""
    failures = {unit.id: unit.failures for unit in known.units}
    label = np.empty(len(found.at))
    for unit_id in np.unique(found.unit):
        own = found.unit == unit_id
        label[own] = fails_within(
            failures[int(unit_id)], found.at[own], horizon, known_until=known.now
        )
    return label


def groups(kinds: Sequence[str]) -> dict[str, list[int]]:
    """Return the columns of `features` by what they tell of.

    >>> groups(["alarms"])["alarms"]
    [11, 12, 13, 14]
    """
    found = {name: [k] for k, name in enumerate(PLAIN)}
    width = len(WINDOWS) + 1
    for k, name in enumerate(("failures", "upkeep", *kinds)):
        start = len(PLAIN) + k * width
        found[name] = list(range(start, start + width))
    return found


def moments(known: Histories, horizon: float, kinds: Sequence[str]) -> Moments:
    """Return monthly moments of all units up to `known.now`, with their labels."""
    pace = paces(known)
    start = known.now - MONTHS * EVERY
    grid = np.arange(start, known.now, EVERY)
    step = max(1, len(known.units) * MONTHS // MOST_ROWS)
    rows, labels, ids, when = [], [], [], []
    for unit in known.units[::step]:
        inside = np.zeros(len(grid), dtype=np.bool_)
        for begin, end in unit.spans:
            inside |= (grid >= begin) & (grid < end)
        at = grid[inside]
        if not len(at):
            continue
        rows.append(features(unit, at, pace[unit.category].at(at), kinds))
        labels.append(fails_within(unit.failures, at, horizon, known_until=known.now))
        ids.append(np.full(len(at), unit.id, dtype=np.int64))
        when.append(at)
    if not rows:
        return Moments(np.empty((0, 0)), np.empty(0), np.empty(0, np.int64), np.empty(0))
    return Moments(*(np.concatenate(part) for part in (rows, labels, ids, when)))
