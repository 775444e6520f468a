"""Work by day and by person: what is planned, against the hours there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from apm.accounts.model import User
from apm.accounts.queries import hospital_day, zone_of
from apm.assets.model import Asset
from apm.core.command import Context
from apm.maintenance.coming import Coming, coming_between, settled_between
from apm.maintenance.workdays import workdays_in
from apm.maintenance.workload import minutes_of
from apm.procedures.shelf import templates_for
from apm.teams.queries import Staff
from apm.work.assigning import staff_with_load
from apm.work.model import WorkOrder
from apm.work.scheduling import MOVABLE
from apm.work.states import OPEN_WORK, WorkState

WEEK = 7
MOST = 2_000
"""Orders of one page: a month of a large hospital."""
STANDING = OPEN_WORK - {WorkState.DONE}


@dataclass(frozen=True, slots=True)
class Entry:
    """One order in the calendar, and how long it takes."""

    order: WorkOrder
    minutes: int

    @property
    def is_movable(self) -> bool:
        """Nobody has begun."""
        return self.order.state in MOVABLE

    def is_late(self, today: date) -> bool:
        """Tell whether its last day has passed."""
        last = self.order.late_after or self.order.due_on
        return last is not None and last < today


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a month."""

    day: date
    is_workday: bool
    entries: list[Entry]
    coming: list[Coming]
    """What will be due, and has no work order yet."""
    settled: dict[str, int]
    """How many of its due dates are done, missed or excused, by state."""

    @property
    def is_empty(self) -> bool:
        """Nothing is, was or will be."""
        return not (self.entries or self.coming or self.settled)


@dataclass(slots=True)
class Cell:
    """One day of one person."""

    day: date
    free: int
    """Minutes they are there; 0 on a day off."""
    entries: list[Entry] = field(default_factory=list)
    coming: list[Coming] = field(default_factory=list)
    """What will be due, and has no work order yet: nobody's so far."""

    @property
    def expected(self) -> int:
        """Minutes of what has no work order yet."""
        return sum(one.minutes for one in self.coming)

    @property
    def booked(self) -> int:
        """Minutes of the work that is planned."""
        return sum(entry.minutes for entry in self.entries)

    @property
    def is_over(self) -> bool:
        """More is planned than there is time for."""
        return self.booked > self.free


@dataclass(slots=True)
class Row:
    """The week of one person; None is the tray of what nobody has."""

    person: User | None
    cells: list[Cell]

    @property
    def booked(self) -> int:
        """Minutes of the week that are planned."""
        return sum(cell.booked for cell in self.cells)

    @property
    def expected(self) -> int:
        """Minutes of the week that have no work order yet."""
        return sum(cell.expected for cell in self.cells)

    @property
    def free(self) -> int:
        """Minutes of the week they are there."""
        return sum(cell.free for cell in self.cells)


def monday_of(day: date) -> date:
    """Return the Monday of the week of a day.

    >>> monday_of(date(2026, 11, 29))
    datetime.date(2026, 11, 23)
    """
    return day - timedelta(days=day.weekday())


def entries_between(
    ctx: Context, first: date, last: date, *, person_id: int | None = None
) -> list[Entry]:
    """Return the open work of these days, both included, by day; of one person if given."""
    query = (
        select(WorkOrder)
        .where(WorkOrder.state.in_(STANDING), WorkOrder.due_on >= first, WorkOrder.due_on <= last)
        .options(joinedload(WorkOrder.asset).joinedload(Asset.department))
        .order_by(WorkOrder.due_on, WorkOrder.id)
        .limit(MOST)
    )
    if person_id is not None:
        query = query.where(WorkOrder.assignee_id == person_id)
    return timed(ctx, ctx.session.scalars(query))


def timed(ctx: Context, orders: Iterable[WorkOrder]) -> list[Entry]:
    """Return orders with the time each takes."""
    shelf = templates_for(ctx)
    return [Entry(order, minutes_of(shelf.get(order.template_code or ""))) for order in orders]


def month_of(ctx: Context, first: date, *, person_id: int | None = None) -> list[Day]:
    """Return the days of the month that begins on `first`."""
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    by_day: dict[date, list[Entry]] = defaultdict(list)
    for entry in entries_between(ctx, first, last, person_id=person_id):
        by_day[entry.order.due_on or first].append(entry)
    coming = {} if person_id else coming_between(ctx, first, last)
    settled = {} if person_id else settled_between(ctx, first, last)
    worked = workdays_in(zone_of(ctx))
    days = [first + timedelta(days=k) for k in range((last - first).days + 1)]
    return [
        Day(d, worked.is_workday(d), by_day.get(d, []), coming.get(d, []), settled.get(d, {}))
        for d in days
    ]


def week_of(ctx: Context, monday: date) -> list[Row]:
    """Return the week of everybody who works; what nobody has comes first."""
    days = [monday + timedelta(days=k) for k in range(WEEK)]
    staff = staff_with_load(ctx)
    coming = coming_between(ctx, days[0], days[-1])
    nobody = Row(None, [Cell(day, 0, coming=coming.get(day, [])) for day in days])
    rows = {
        user.id: Row(user, [Cell(day, minutes_there(staff, user.id, day)) for day in days])
        for user in staff.people
    }
    for entry in entries_between(ctx, days[0], days[-1]):
        row = rows.get(entry.order.assignee_id or 0, nobody)
        row.cells[((entry.order.due_on or monday) - monday).days].entries.append(entry)
    return [nobody, *rows.values()]


def minutes_there(staff: Staff, user_id: int, day: date) -> int:
    """Return how many minutes somebody is there on a day."""
    span = staff.rotas[user_id].duty_of(day)
    return int((span[1] - span[0]).total_seconds() // 60) if span else 0


def count_late(ctx: Context) -> int:
    """Return how much open work is past its day."""
    late = select(func.count(WorkOrder.id)).where(*_past_its_day(ctx))
    return ctx.session.scalar(late) or 0


def _past_its_day(ctx: Context) -> tuple[ColumnElement[bool], ...]:
    return WorkOrder.state.in_(STANDING), WorkOrder.due_on < hospital_day(ctx)


def late_entries(ctx: Context) -> list[Entry]:
    """Return the open work whose day has passed, the oldest first."""
    query = (
        select(WorkOrder)
        .where(*_past_its_day(ctx))
        .options(joinedload(WorkOrder.asset).joinedload(Asset.department))
        .order_by(WorkOrder.due_on, WorkOrder.id)
        .limit(MOST)
    )
    return timed(ctx, ctx.session.scalars(query))
