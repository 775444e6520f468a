"""A year of maintenance before it is planned: hours a month, and what a given staff can keep.

Pure arithmetic.  Each working day the staff has so many minutes.  They work on what is open and
can still be in time, what is late soonest first, then on what is late already, and may go on with
a long job the next day.  A visit is in time when its last minute falls on or before its last day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from apm.maintenance.due import Interval, add_months

MONTHS = 12
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Load:
    """One plan as the simulation sees it."""

    group: int
    """Its department, from 0."""
    minutes: float
    first: date
    """Its next due date."""
    interval: Interval
    early_days: int = 0
    grace_days: int = 0
    anchor: date | None = None
    """What a fixed plan counts from; None: `first`."""


@dataclass(frozen=True, slots=True)
class Year:
    """What twelve months bring; months from the one of the first day.

    hours: shape (12, groups), by the month of the due date.  visits, in_time: shape (12,), by the
    same month.  worked, backlog: hours worked in each month, hours open at its end.
    """

    months: list[date]
    hours: Floats
    visits: Ints
    in_time: Ints
    worked: Floats
    backlog: Floats

    @property
    def compliance(self) -> float | None:
        """The share of visits in time; None without a visit."""
        visits = int(self.visits.sum())
        return float(self.in_time.sum()) / visits if visits else None


@dataclass(frozen=True, slots=True)
class Visits:
    """All visits of the year, as arrays of shape (n,): days from the first, minutes, group."""

    due: Ints
    opens: Ints
    late_after: Ints
    minutes: Floats
    group: Ints


def visits_of(loads: Sequence[Load], first: date) -> Visits:
    """Return every visit due within twelve months from `first`; overdue ones are due at once."""
    last = add_months(first, MONTHS)
    rows: list[tuple[int, int, int, float, int]] = []
    for load in loads:
        anchor, due = load.anchor or load.first, load.first
        while due < last:
            day = (due - first).days
            rows.append(
                (
                    max(day, 0),
                    day - load.early_days,
                    day + load.grace_days,
                    load.minutes,
                    load.group,
                )
            )
            if not load.interval:
                break
            due = load.interval.following(anchor, due)
    due_on, opens, late, minutes, group = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return Visits(
        np.array(due_on, np.int64),
        np.array(opens, np.int64),
        np.array(late, np.int64),
        np.array(minutes, np.float64),
        np.array(group, np.int64),
    )


def simulate(
    loads: Sequence[Load],
    *,
    first: date,
    groups: int,
    capacity: Sequence[float],
) -> Year:
    """Return what the plans bring in the twelve months from `first`.

    capacity: minutes that can be worked on each day from `first`; days beyond its end have none.
    """
    months = _months_from(first)
    starts = np.array([(month - first).days for month in months[1:]], np.int64)
    visits = visits_of(loads, first)
    month = np.searchsorted(starts, visits.due, side="right")
    hours = np.zeros((MONTHS, groups))
    np.add.at(hours, (month, visits.group), visits.minutes / 60)
    ended, worked_on = _work(visits, capacity)
    in_time = (ended >= 0) & (ended <= visits.late_after)
    # What may still be done after the year is not held against it.
    still_open = (ended < 0) & (visits.late_after >= len(capacity))
    days = np.searchsorted(starts, np.arange(len(capacity)), side="right")
    worked = np.zeros(MONTHS)
    np.add.at(worked, days, worked_on / 60)
    asked = np.bincount(month, weights=visits.minutes / 60, minlength=MONTHS)[:MONTHS]
    return Year(
        months=months,
        hours=hours,
        visits=np.bincount(month, minlength=MONTHS)[:MONTHS],
        in_time=np.bincount(month, weights=in_time | still_open, minlength=MONTHS)[:MONTHS].astype(
            np.int64
        ),
        worked=worked,
        backlog=np.maximum(0.0, np.cumsum(asked) - np.cumsum(worked)),
    )


def _work(visits: Visits, capacity: Sequence[float]) -> tuple[Ints, Floats]:
    """Return the day each visit ended (-1: not within the year) and the minutes of each day."""
    ended = np.full(len(visits.due), -1, np.int64)
    worked = np.zeros(len(capacity))
    waiting: list[tuple[int, int]] = []
    too_late: list[tuple[int, int]] = []
    left = visits.minutes.copy()
    order = np.argsort(visits.opens, kind="stable")
    opening = visits.opens[order]
    begun = 0
    for day, minutes in enumerate(capacity):
        while begun < len(order) and opening[begun] <= day:
            job = int(order[begun])
            heappush(waiting, (int(visits.late_after[job]), job))
            begun += 1
        free = float(minutes)
        while waiting and waiting[0][0] < day:
            heappush(too_late, heappop(waiting))
        while free > 0 and (queue := waiting or too_late):
            job = queue[0][1]
            spent = min(free, left[job])
            free, left[job] = free - spent, left[job] - spent
            worked[day] += spent
            if left[job] <= 1e-9:
                heappop(queue)
                ended[job] = day
    return ended, worked


def _months_from(first: date) -> list[date]:
    """Return the beginnings of the twelve months: `first`, then the same day of each month."""
    return [add_months(first, k) for k in range(MONTHS)]
