"""How heavy the load of alarms is: rates, floods, chattering, and who answers how soon.

Sources: ISA-18.2-2016 (IEC 62682) clause 16 and EEMUA 191, as usually quoted: on average one alarm
in ten minutes for one operator is manageable and two the most, 150 a day acceptable and 300 the
most; ten alarms and more in ten minutes are a flood; fewer than ten standing alarms; an alarm that
comes three times within a minute chatters.  Recalled, to be verified.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TEN_MINUTES_S = 600.0
DAY_S = 86_400.0
FLOOD = 10
"""Alarms within ten minutes that make a flood."""
MANAGEABLE_PER_TEN, MOST_PER_TEN = 1.0, 2.0
ACCEPTABLE_PER_DAY, MOST_PER_DAY = 150.0, 300.0
STANDING_S = DAY_S
"""An alarm that stands for longer is a standing (stale) alarm."""
MOST_STANDING = 10


@dataclass(frozen=True, slots=True)
class Load:
    """Alarms of a period.

    n: how many.  per_day, per_ten_minutes: their mean rates over the period.
    most_in_ten_minutes: in the worst ten minutes, wherever they begin.
    floods: stretches with ten alarms and more in ten minutes.
    flood_share: of the period's whole ten minutes, counted from its start, those with ten or more.
    """

    n: int
    per_day: float
    per_ten_minutes: float
    most_in_ten_minutes: int
    floods: int
    flood_share: float


def load_of(times: NDArray[np.float64], start: float, end: float) -> Load:
    """Return the load of the alarms that came at `times` (seconds) in start <= t < end.

    Raises:
        ValueError: the period is empty.

    >>> load_of(np.arange(12) * 30.0, 0.0, 86_400.0)
    Load(n=12, per_day=12.0, per_ten_minutes=0.083..., most_in_ten_minutes=12, floods=1, ...)
    """
    if end <= start:
        raise ValueError("the period must end after it begins")
    inside = np.sort(times[(times >= start) & (times < end)])
    days = (end - start) / DAY_S
    before = np.searchsorted(inside, inside - TEN_MINUTES_S, side="right")
    within = np.arange(1, len(inside) + 1) - before
    in_flood = within >= FLOOD
    starts = in_flood & ~np.concatenate([[False], in_flood[:-1]])
    slots = np.bincount(((inside - start) // TEN_MINUTES_S).astype(np.int64))
    whole = max(1, int((end - start) // TEN_MINUTES_S))
    return Load(
        n=len(inside),
        per_day=len(inside) / days,
        per_ten_minutes=len(inside) / ((end - start) / TEN_MINUTES_S),
        most_in_ten_minutes=int(within.max(initial=0)),
        floods=int(np.count_nonzero(starts)),
        flood_share=int(np.count_nonzero(slots >= FLOOD)) / whole,
    )


def chatters(times: NDArray[np.float64], *, times_within: int = 3, within_s: float = 60.0) -> bool:
    """Tell whether one alarm came so often within so many seconds.

    >>> chatters(np.array([0.0, 20.0, 50.0])), chatters(np.array([0.0, 50.0, 90.0]))
    (True, False)
    """
    ordered = np.sort(times)
    if len(ordered) < times_within:
        return False
    return bool(np.any(ordered[times_within - 1 :] - ordered[: 1 - times_within] <= within_s))
