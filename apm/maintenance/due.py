"""When maintenance is due: date arithmetic alone, without a database or a clock.

A fixed plan counts whole intervals from its anchor, so that late work moves no later date and a
month that is too short bends one date without bending the next.  A floating plan counts from the
last completion.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

LONGEST_EARLY_DAYS = 60
"""No window opens earlier than this before its due date."""
NEVER = date(9999, 12, 31)
"""When a plan without a calendar is due by the calendar; sorts behind every real day."""


def add_months(day: date, months: int) -> date:
    """Return the same day of the month `months` later, or that month's last day.

    >>> add_months(date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def fixed_due(anchor: date, interval_months: int, k: int) -> date:
    """Return due date number `k` (0 is the anchor itself) of a fixed plan.

    >>> [fixed_due(date(2026, 1, 31), 1, k).day for k in range(3)]
    [31, 28, 31]
    """
    return add_months(anchor, k * interval_months)


def first_fixed_due(anchor: date, interval_months: int, not_before: date) -> date:
    """Return the first due date of a fixed plan on or after `not_before`, never before the anchor.

    >>> first_fixed_due(date(2025, 1, 31), 6, date(2026, 2, 1))
    datetime.date(2026, 7, 31)
    """
    k = max(0, _months_between(anchor, not_before) // interval_months)
    due = fixed_due(anchor, interval_months, k)
    return due if due >= not_before else fixed_due(anchor, interval_months, k + 1)


def next_fixed_due(anchor: date, interval_months: int, due: date) -> date:
    """Return the fixed due date that follows `due`, itself one of them.

    >>> next_fixed_due(date(2026, 1, 31), 1, date(2026, 2, 28))
    datetime.date(2026, 3, 31)
    """
    k = _months_between(anchor, due) // interval_months
    return fixed_due(anchor, interval_months, k + 1)


def floating_due(completed: date, interval_months: int) -> date:
    """Return when a floating plan is due after work was completed.

    >>> floating_due(date(2026, 8, 31), 6)
    datetime.date(2027, 2, 28)
    """
    return add_months(completed, interval_months)


def _months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


@dataclass(frozen=True, slots=True)
class Window:
    """The days in which work counts for one due date, all inclusive."""

    opens: date
    due: date
    late_after: date

    def is_open(self, today: date) -> bool:
        """Tell whether the work may begin; a window once open stays so until it is dealt with."""
        return today >= self.opens

    def was_met(self, done: date) -> bool:
        """Tell whether work done on that day was in time."""
        return done <= self.late_after


def window(due: date, *, early_days: int, grace_days: int) -> Window:
    """Return the window around `due`.

    >>> window(date(2026, 3, 1), early_days=14, grace_days=7).opens
    datetime.date(2026, 2, 15)
    """
    return Window(due - timedelta(days=early_days), due, due + timedelta(days=grace_days))


def widest_window_days(interval_months: int) -> int:
    """Return how many days early and grace may take together, so that two windows never meet.

    The shortest month has 28 days, and the day after one window must still be free.

    >>> widest_window_days(1)
    27
    """
    return 28 * interval_months - 1


@dataclass(frozen=True, slots=True)
class Interval:
    """From one due date to the next: whole months or whole days, or neither (no calendar)."""

    months: int = 0
    days: int = 0

    def __bool__(self) -> bool:
        """Tell whether there is a calendar at all."""
        return bool(self.months or self.days)

    def as_plain(self) -> dict[str, int]:
        """Return it as the API says it.

        >>> Interval(days=90).as_plain()
        {'days': 90}
        """
        return {"months": self.months} if self.months else {"days": self.days} if self.days else {}

    def following(self, anchor: date, due: date) -> date:
        """Return the fixed due date after `due`, itself one of them.

        >>> Interval(days=10).following(date(2026, 1, 1), date(2026, 1, 11))
        datetime.date(2026, 1, 21)
        """
        if self.months:
            return next_fixed_due(anchor, self.months, due)
        return due + timedelta(days=self.days) if self.days else NEVER

    def first(self, anchor: date, not_before: date) -> date:
        """Return the first fixed due date on or after `not_before`, never before the anchor.

        >>> Interval(days=10).first(date(2026, 1, 1), date(2026, 1, 12))
        datetime.date(2026, 1, 21)
        """
        if self.months:
            return first_fixed_due(anchor, self.months, not_before)
        if not self.days:
            return NEVER
        k = max(0, -(-(not_before - anchor).days // self.days))
        return anchor + timedelta(days=k * self.days)

    def after(self, completed: date) -> date:
        """Return when a floating plan is due after work was completed."""
        if self.months:
            return floating_due(completed, self.months)
        return completed + timedelta(days=self.days) if self.days else NEVER

    def widest_window_days(self) -> int:
        """Return how many days early and grace may take together, so that no windows meet."""
        if self.months:
            return widest_window_days(self.months)
        return self.days - 1 if self.days else 366
