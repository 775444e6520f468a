"""How often a plan is due, and how far around the day its window reaches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.maintenance.due import LONGEST_EARLY_DAYS, Interval
from apm.maintenance.model import PlanMode

USUAL_DAYS = 14


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a plan is due; the arithmetic is in `maintenance.due`."""

    mode: PlanMode
    interval_months: int
    anchor: date
    """The first due date; a fixed plan counts all others from it."""
    early_days: int
    grace_days: int
    interval_days: int = 0
    """Instead of months; neither: the plan is due by its other triggers alone."""

    @property
    def interval(self) -> Interval:
        """From one due date to the next."""
        return Interval(self.interval_months, self.interval_days)

    def check(self) -> None:
        """Raise `Invalid` when two windows of this rhythm could meet."""
        widest = self.interval.widest_window_days()
        if self.early_days > LONGEST_EARLY_DAYS:
            text = _l("The window may open at most %(n)s days early.", n=LONGEST_EARLY_DAYS)
            raise Invalid(text, fields={"early_days": [text]})
        if self.early_days + self.grace_days > widest:
            text = _l("Days early and days of grace may be %(n)s together.", n=widest)
            raise Invalid(text, fields={"grace_days": [text]})

    def first_due(self, today: date) -> date:
        """Return the first due date; of a fixed plan the first that is not past."""
        if self.mode is PlanMode.FIXED or not self.interval:
            return self.interval.first(self.anchor, today)
        return self.anchor


def usual_days(interval: Interval | int) -> int:
    """Return the days a window usually opens early, and lasts after: two weeks, if they fit.

    >>> usual_days(1), usual_days(6), usual_days(Interval(days=7))
    (13, 14, 3)
    """
    length = Interval(interval) if isinstance(interval, int) else interval
    return min(USUAL_DAYS, length.widest_window_days() // 2)
