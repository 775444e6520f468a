"""Equipment out of use: what that does to due dates, and until when they are due before use.

A hold is the time from the day equipment goes on standby, on loan, under repair, into quarantine
or missing, to the day it is back in service.  A due date whose own day or whose last day falls in
a hold is *due before use*: it is asked for on the day of return, and is in time until its window
ends or, if that is later, some days after the return.  What was frozen stays on record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, func

from apm.maintenance.model import Occurrence, Plan

DAYS_BEFORE_USE = 7
"""Equipment that is back may be without the maintenance it owes for so many days, or for the
plan's own days of grace if these are fewer: long enough to plan a visit, short of a free ride."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Days out of use: from `since` to the day before `until`; None: it is still out."""

    since: date
    until: date | None = None

    def covers(self, day: date) -> bool:
        """Tell whether the equipment was out of use on a day.

        >>> hold = Hold(date(2026, 3, 1), date(2026, 4, 1))
        >>> hold.covers(date(2026, 3, 1)), hold.covers(date(2026, 4, 1))
        (True, False)
        """
        return self.since <= day and (self.until is None or day < self.until)

    def touches(self, due: date, late_after: date) -> bool:
        """Tell whether it makes a due date due before use: out on its day, or on its last day."""
        return self.covers(due) or self.covers(late_after)


def last_day(returned: date, grace_days: int) -> date:
    """Return until when work is still before use after equipment has returned.

    >>> last_day(date(2026, 4, 1), 14), last_day(date(2026, 4, 1), 3)
    (datetime.date(2026, 4, 8), datetime.date(2026, 4, 4))
    """
    return returned + timedelta(days=min(grace_days, DAYS_BEFORE_USE))


def mark(occurrence: Occurrence, hold: Hold, grace_days: int) -> bool:
    """Give a due date its proof and its days before use; tell whether the hold concerns it."""
    if hold.until is None or not hold.touches(occurrence.due, occurrence.late_after):
        return False
    occurrence.held_since, occurrence.held_until = hold.since, hold.until
    _in_time_until(occurrence, last_day(hold.until, grace_days))
    return True


def mark_done_meanwhile(occurrence: Occurrence, plan: Plan) -> None:
    """Note work that ended on equipment still out of use, after the window: it was before use."""
    if plan.held_since is None or occurrence.done_on is None:
        return
    if Hold(plan.held_since).covers(occurrence.late_after):
        occurrence.held_since = plan.held_since
        _in_time_until(occurrence, occurrence.done_on)


def _in_time_until(occurrence: Occurrence, day: date) -> None:
    if day > occurrence.late_after:
        occurrence.window_end = occurrence.window_end or occurrence.late_after
        occurrence.late_after = day


def unmark(occurrence: Occurrence) -> None:
    """Give a due date its frozen last day back."""
    occurrence.late_after = occurrence.window_end or occurrence.late_after
    occurrence.window_end = None


def is_within_its_days(occurrence: Occurrence, today: date) -> bool:
    """Tell whether equipment is back, and what it owes is still in time."""
    return occurrence.held_until is not None and today <= occurrence.late_after


def still_covers_last_day() -> ColumnElement[bool]:
    """Return the condition that an occurrence's last day fell in a hold of its plan that goes on.

    Never null, so that its opposite can be asked for, too.
    """
    since = func.coalesce(Plan.held_since, date.max)
    return and_(Plan.held_why.is_not(None), since <= Occurrence.late_after)
