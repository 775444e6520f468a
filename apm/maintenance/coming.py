"""Due dates that have no work order yet, on the days their work will be planned for.

Of each plan all dates of the days asked for are found, not only the next one: a fixed plan's by
its anchor, a floating one's as if each were done on its day.  Plans that agree in all that counts
are read and worked out together, so that a hundred thousand plans cost hardly more than the
rhythms they share.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import joinedload

from apm.accounts.queries import zone_of
from apm.assets.model import Asset, AssetState
from apm.core.command import Context
from apm.core.paging import Page, page_of
from apm.maintenance.due import Interval, Window, window
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.maintenance.workdays import workdays_in
from apm.maintenance.workload import minutes_of
from apm.procedures.shelf import templates_for

SHIFT = timedelta(days=21)
"""No working day is farther from a due date: the longest holidays are shorter."""
LIKE = (
    Plan.template_code, Plan.mode, Plan.interval_months, Plan.interval_days, Plan.anchor,
    Plan.next_due, Plan.early_days, Plan.grace_days,
)  # fmt: skip
"""Plans that agree in these fall due on the same days."""
IN_USE = (Plan.is_active, Asset.lifecycle == AssetState.IN_SERVICE)
MOST_KINDS = 400
"""Kinds of plans looked up at once for the list of a day: a database takes only so many values."""


@dataclass(frozen=True, slots=True)
class Coming:
    """Work of one procedure that is planned for a day."""

    template_code: str
    n: int
    minutes: int
    """Of all of them together."""


@dataclass(frozen=True, slots=True)
class _Kind:
    template_code: str
    mode: PlanMode
    interval_months: int
    interval_days: int
    anchor: date
    next_due: date
    early_days: int
    grace_days: int

    def dues(self, first: date, last: date) -> Iterator[date]:
        """Yield the due dates from `first` to `last`, none before the next one."""
        interval = Interval(self.interval_months or 0, self.interval_days or 0)
        anchor = self.anchor if self.mode is PlanMode.FIXED else self.next_due
        due = self.next_due
        if due < first and interval:
            due = interval.first(anchor, first)
        while first <= due <= last:
            yield due
            if not interval:
                return
            due = interval.following(anchor, due)


def coming_between(ctx: Context, first: date, last: date) -> dict[date, list[Coming]]:
    """Return what is planned from `first` to `last`, both included, by day and procedure."""
    planned = cache(workdays_in(zone_of(ctx)).within)
    numbers: dict[date, Counter[str]] = defaultdict(Counter)
    for kind, n in _kinds(ctx, last):
        for day in _days_of(kind, first, last, planned):
            numbers[day][kind.template_code] += n
    shelf = templates_for(ctx)
    return {
        day: [
            Coming(code, n, n * minutes_of(shelf.get(code))) for code, n in sorted(codes.items())
        ]
        for day, codes in numbers.items()
    }


def plans_coming_on(
    ctx: Context, day: date, template_code: str, *, after: str | None = None
) -> Page[Plan]:
    """Return the plans of a procedure whose work is planned for a day, their assets loaded."""
    planned = cache(workdays_in(zone_of(ctx)).within)
    kinds = [
        kind
        for kind, _n in _kinds(ctx, day, template_code)
        if day in _days_of(kind, day, day, planned)
    ]
    like = [tuple(getattr(kind, column.key) for column in LIKE) for kind in kinds[:MOST_KINDS]]
    query = (
        select(Plan)
        .join(Asset, Asset.id == Plan.asset_id)
        .where(*IN_USE, tuple_(*LIKE).in_(like))
        .options(joinedload(Plan.asset).joinedload(Asset.department))
        .options(joinedload(Plan.asset).joinedload(Asset.location))
    )
    return page_of(ctx.session, query, by=(Plan.id,), after=after)


def settled_between(ctx: Context, first: date, last: date) -> dict[date, dict[str, int]]:
    """Return what became of the due dates from `first` to `last`: numbers by day and state."""
    query = (
        select(Occurrence.due, Occurrence.state, func.count())
        .where(Occurrence.due >= first, Occurrence.due <= last, Occurrence.is_extra.is_(False))
        .where(Occurrence.state.not_in({OccurrenceState.OPEN, OccurrenceState.CANCELLED}))
        .group_by(Occurrence.due, Occurrence.state)
        .order_by(Occurrence.due, Occurrence.state)
    )
    found: dict[date, dict[str, int]] = defaultdict(dict)
    for due, state, n in ctx.session.execute(query):
        found[due][state.value] = n
    return found


def _kinds(
    ctx: Context, last: date, template_code: str | None = None
) -> Iterator[tuple[_Kind, int]]:
    query = (
        select(*LIKE, func.count())
        .join(Asset, Asset.id == Plan.asset_id)
        .where(*IN_USE, Plan.next_due <= last + SHIFT)
    )
    if template_code is not None:
        query = query.where(Plan.template_code == template_code)
    for row in ctx.session.execute(query.group_by(*LIKE).order_by(*LIKE)):
        plain: tuple[Any, ...] = tuple(row)
        yield _Kind(*plain[:-1]), plain[-1]


def _days_of(
    kind: _Kind, first: date, last: date, planned: Callable[[Window], date]
) -> list[date]:
    """Return the days in question on which the work of a kind of plans will be planned."""
    days = [
        planned(window(due, early_days=kind.early_days, grace_days=kind.grace_days))
        for due in kind.dues(first - SHIFT, last + SHIFT)
    ]
    return [day for day in days if first <= day <= last]
