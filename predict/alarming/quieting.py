"""How much higher a threshold must be, so that the alarms judged false keep to their budget.

A rule of ours, no standard: ISA-18.2 asks that nuisance alarms be found and dealt with, not how.
What people judged is all it rests on, and an alarm that was real is never put out.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

BUDGET = 1.0
"""False alarms a sensor and month."""
LEAST = 3
"""False alarms below which nothing is said: with a true rate of the budget, three and more come
in one month of twelve by chance (Poisson, 1 - e^-1 (1 + 1 + 1/2) = 0.080)."""
MARGIN = 1.05
MOST = 3.0


def is_over_budget(false: int, months: float, budget: float = BUDGET) -> bool:
    """Tell whether so many false alarms in so many months are too many, and enough to say so.

    >>> is_over_budget(3, 1.5), is_over_budget(2, 1.0), is_over_budget(3, 3.0)
    (True, False, False)
    """
    return false >= LEAST and false > budget * months


def quieter_factor(
    false: Sequence[float],
    real: Sequence[float],
    months: float,
    *,
    budget: float = BUDGET,
    now: float = 1.0,
) -> float | None:
    """Return the factor on a detector's threshold that would have kept the budget.

    Args:
        false: peaks of the alarms judged false, in multiples of the threshold.
        real: peaks of those judged real; the factor stays below each of them.
        months: how long it was watched.
        budget: false alarms a month that may be.
        now: the factor in force.

    Returns:
        Two decimals, at most `MOST`; None: within the budget, too few verdicts, or what would be
        needed puts out an alarm that was real.

    >>> quieter_factor([1.1, 1.2, 1.6, 1.3], [2.4], months=1.0)
    1.36
    >>> quieter_factor([1.1, 1.2, 1.3], [1.04], months=1.0) is None
    True
    """
    if not is_over_budget(len(false), months, budget):
        return None
    too_many = sorted(false, reverse=True)[floor(budget * months)]
    highest = min([MOST, *(peak / MARGIN for peak in real)])
    found = floor(100 * min(MARGIN * too_many, highest)) / 100
    return found if found > now else None


def quieter_limit(
    false: Sequence[float],
    real: Sequence[float],
    months: float,
    limit: float,
    *,
    budget: float = BUDGET,
) -> float | None:
    """Return the upper limit that would have kept the budget; for a lower one, change all signs.

    Args:
        false: worst values of the alarms judged false, in the unit of the limit.
        real: worst values of those judged real; the limit stays below each of them.
        months: how long it was watched.
        limit: what is in force.
        budget: false alarms a month that may be.

    Returns:
        The next whole tenth above the value that was one too many; None as above.

    >>> quieter_limit([26.2, 26.4, 27.5, 26.1], [29.0], 1.0, 26.0)
    26.5
    >>> quieter_limit([26.2, 26.4, 27.5, 26.1], [26.3], 1.0, 26.0) is None
    True
    """
    if not is_over_budget(len(false), months, budget):
        return None
    too_many = sorted(false, reverse=True)[floor(budget * months)]
    found = (floor(round(10 * too_many, 6)) + 1) / 10
    return found if found > limit and all(found < worst for worst in real) else None
