"""How often a plan is due, and how far around the day its window reaches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.maintenance.due import LONGEST_EARLY_DAYS, first_fixed_due, widest_window_days
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

    def check(self) -> None:
        """Raise `Invalid` when two windows of this rhythm could meet."""
        widest = widest_window_days(self.interval_months)
        if self.early_days > LONGEST_EARLY_DAYS:
            text = _l("The window may open at most %(n)s days early.", n=LONGEST_EARLY_DAYS)
            raise Invalid(text, fields={"early_days": [text]})
        if self.early_days + self.grace_days > widest:
            text = _l("Days early and days of grace may be %(n)s together.", n=widest)
            raise Invalid(text, fields={"grace_days": [text]})

    def first_due(self, today: date) -> date:
        """Return the first due date; of a fixed plan the first that is not past."""
        if self.mode is PlanMode.FIXED:
            return first_fixed_due(self.anchor, self.interval_months, today)
        return self.anchor


def usual_days(interval_months: int) -> int:
    """Return the days a window usually opens early, and lasts after: two weeks, if they fit.

    >>> usual_days(1), usual_days(6)
    (13, 14)
    """
    return min(USUAL_DAYS, widest_window_days(interval_months) // 2)
