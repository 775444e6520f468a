"""Who could do what nobody has yet, and when: proposed with the reason, never just done."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import select

from apm.accounts.queries import hospital_day
from apm.core.command import Context, command
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.maintenance.calendar import MOST, Entry, late_entries, minutes_there, timed
from apm.maintenance.calendar import entries_between as entries
from apm.teams.queries import Staff
from apm.work.assigning import candidates_for, is_fit, staff_with_load
from apm.work.model import WorkOrder
from apm.work.queries import with_place
from apm.work.scheduling import MOVABLE, reschedule

AHEAD = 28
"""Days that are looked at."""


class Limit(StrEnum):
    """What keeps work from being planned."""

    NOBODY = "nobody"
    """nobody may do it"""
    NO_TIME = "no_time"
    """whoever may do it has no time before its last day"""


@dataclass(frozen=True, slots=True)
class Move:
    """One order, the day and the person proposed; or why there is none."""

    entry: Entry
    day: date | None = None
    person_id: int | None = None
    person: str = ""
    is_late: bool = False
    """The day is after its last one: there was no room before."""
    limit: Limit | None = None

    def why(self) -> str:
        """Return the reason as a sentence."""
        if self.limit is Limit.NOBODY:
            return _("Nobody has a valid competence for this high-risk equipment.")
        if self.limit is Limit.NO_TIME:
            return _("Nobody who may do it has free hours within four weeks.")
        if self.is_late:
            return _("No free hours before its last day: the first free ones after it.")
        return _("The first free hours in its window, by team, competence and load.")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A proposal somebody takes over, as it was seen."""

    no: str
    version: int
    day: date
    person_id: int


def proposed(ctx: Context) -> list[Move]:
    """Return a day and a person for the coming work that nobody has, the most urgent first."""
    today, staff = hospital_day(ctx), staff_with_load(ctx)
    last = today + timedelta(days=AHEAD - 1)
    booked: dict[tuple[int, date], int] = defaultdict(int)
    for entry in [*entries(ctx, today, last), *late_entries(ctx)]:
        if entry.order.assignee_id is not None:
            day = max(entry.order.due_on or today, today)
            booked[entry.order.assignee_id, day] += entry.minutes
    query = (
        with_place(select(WorkOrder))
        .where(WorkOrder.state.in_(MOVABLE), WorkOrder.assignee_id.is_(None))
        .where(WorkOrder.due_on <= last)
        .order_by(WorkOrder.due_on, WorkOrder.id)
        .limit(MOST)
    )
    waiting = timed(ctx, ctx.session.scalars(query))
    waiting.sort(key=lambda e: (e.order.late_after or e.order.due_on or last, e.order.id))
    return [_placed(staff, booked, entry, today) for entry in waiting]


def _placed(staff: Staff, booked: dict[tuple[int, date], int], entry: Entry, today: date) -> Move:
    order = entry.order
    fit = [one for one in candidates_for(staff, order) if is_fit(staff, order, one)]
    if not fit:
        return Move(entry, limit=Limit.NOBODY)
    begin = max(today, order.due_on or today)
    end = order.late_after or begin
    all_days = [today + timedelta(days=k) for k in range(AHEAD)]
    # Its own day first, then later ones of its window, earlier ones, and what is late at last.
    days = sorted(all_days, key=lambda day: (day > end, day < begin, day))
    for day in days:
        for one in fit:
            there = minutes_there(staff, one.user_id, day)
            if booked[one.user_id, day] + entry.minutes <= there:
                booked[one.user_id, day] += entry.minutes
                return Move(entry, day, one.user_id, one.shown_name, is_late=day > end)
    return Move(entry, limit=Limit.NO_TIME)


@command("work_order.take_over_plan", Permission.WORK_ASSIGN)
def take_over(ctx: Context, *, chosen: list[Chosen]) -> int:
    """Plan work as it was proposed, all or nothing; return how many.

    Raises:
        Conflict: one of them has changed since it was proposed.
    """
    for one in chosen:
        reschedule(ctx, no=one.no, day=one.day, assignee_id=one.person_id, version=one.version)
    return len(chosen)
