"""Base dates so that each department has about the same work every month: a proposal.

Pure arithmetic.  A plan may only be moved to an earlier date, and not into the window of its last
one: no interval becomes longer by levelling, and no two windows meet.  Plans with much work are
placed first; each goes to the month where it disturbs least, then to the least busy working day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from apm.maintenance.due import add_months
from apm.maintenance.workdays import Workdays

MONTHS = 12
LAST_DAY = 28
"""No base date later in the month: every month has it."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Movable:
    """A fixed plan that may be moved."""

    plan_id: int
    group: int
    """Its department, from 0."""
    minutes: float
    interval_months: int
    due: date
    """Its next due date."""
    not_before: date
    """The earliest day its next date may be moved to."""


@dataclass(frozen=True, slots=True)
class Move:
    """The next due date of a plan before and after."""

    plan_id: int
    before: date
    after: date


@dataclass(frozen=True, slots=True)
class Proposal:
    """Which plans move, and the minutes a month before and after: shape (12, groups)."""

    moves: list[Move]
    before: Floats
    after: Floats

    @property
    def spread(self) -> tuple[float, float]:
        """How far the busiest month is above the mean, before and after; 0 is level."""
        return _spread(self.before), _spread(self.after)


def propose(plans: Sequence[Movable], *, today: date, groups: int, days: Workdays) -> Proposal:
    """Return level base dates for these plans."""
    first = today.replace(day=1)
    before, load = np.zeros((MONTHS, groups)), np.zeros((MONTHS, groups))
    busy: dict[date, float] = defaultdict(float)
    moves = []
    for plan in plans:
        before[_months(plan, plan.due, first), plan.group] += plan.minutes
    for plan in sorted(plans, key=lambda p: (-p.minutes / p.interval_months, p.plan_id)):
        month = min(
            _choices(plan), key=lambda due: (_cost(load, plan, due, first), -due.toordinal())
        )
        after = _day(plan, month, days, busy)
        busy[after] += plan.minutes
        load[_months(plan, after, first), plan.group] += plan.minutes
        if after != plan.due:
            moves.append(Move(plan.plan_id, plan.due, after))
    return Proposal(moves, before, load)


def _choices(plan: Movable) -> list[date]:
    """Return the due date as it is, and whole months earlier as far as it may go."""
    found = [plan.due]
    for months in range(1, plan.interval_months):
        due = add_months(plan.due, -months)
        if due < plan.not_before:
            break
        found.append(due)
    return found


def _months(plan: Movable, due: date, first: date) -> list[int]:
    """Return in which of the twelve months from `first` the plan is due."""
    month = (due.year - first.year) * 12 + due.month - first.month
    return list(range(max(month, 0), MONTHS, plan.interval_months))


def _cost(load: Floats, plan: Movable, due: date, first: date) -> float:
    """Return how much less level the department, and a little the whole, would be."""
    months = _months(plan, due, first)
    own = load[months, plan.group]
    total = load[months].sum(axis=1)
    grown = ((own + plan.minutes) ** 2 - own**2).sum()
    whole = ((total + plan.minutes) ** 2 - total**2).sum()
    per_visit = max(1, len(months))  # else the choice with a visit less would always win
    return float(grown + whole / load.shape[1]) / per_visit


def _day(plan: Movable, due: date, days: Workdays, busy: dict[date, float]) -> date:
    """Return the least busy working day of the month that the plan may be moved to."""
    last = due if due == plan.due else due.replace(day=LAST_DAY)
    last = min(last, due.replace(day=LAST_DAY), plan.due)
    first = max(due.replace(day=1), plan.not_before)
    free = [day for day in days.between(first, last) if day.day <= LAST_DAY]
    if not free:
        return due
    return min(free, key=lambda day: (busy[day], abs(day - due) // timedelta(days=1)))


def _spread(load: Floats) -> float:
    total = load.sum(axis=1)
    mean = float(total.mean())
    return float(total.max()) / mean - 1 if mean > 0 else 0.0
