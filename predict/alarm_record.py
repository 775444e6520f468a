"""How alarms turned out: events caught, how early, and false ones for each unit and month.

An alarm is told once: it opens where the score rises to the threshold and ends where it stays
below it for `rest`.  It is true if an event follows within the horizon of its opening, an event is
caught if any alarm stands in the horizon before it.  Source of the terms: N. Tatbul et al.,
"Precision and recall for time series", NeurIPS 2018 (existence reward).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predict.errors import NotEnoughData
from predict.maintenance_yield import Estimate, rate, share

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Watch:
    """One unit while it was watched: moments (n,) with a score each, and times of its events."""

    at: Array
    score: Array
    events: Array


@dataclass(frozen=True, slots=True)
class AlarmRecord:
    """The record.

    recall: of events.  lead: median time from the first alarm before an event to it, NaN without
    one.  precision: of alarms, None without one.  false_rate: false alarms a unit and time unit.
    """

    recall: Estimate | None
    lead: float
    precision: Estimate | None
    false_rate: Estimate | None


def openings(at: Array, score: Array, threshold: float, rest: float) -> Array:
    """Return the moments at which an alarm opens.

    >>> openings(np.arange(6.0), np.array([0, 1, 1, 0, 0, 1.0]), 0.5, rest=2.5).tolist()
    [1.0, 5.0]
    """
    above = at[score >= threshold]
    return above[np.append([True], np.diff(above) > rest)] if len(above) else above


def alarm_record(
    watches: Sequence[Watch], threshold: float, horizon: float, *, rest: float
) -> AlarmRecord:
    """Return how alarms at `threshold` would have turned out.

    Raises:
        NotEnoughData: nothing was watched.
    """
    if not any(len(w.at) for w in watches):
        raise NotEnoughData("nothing was watched")
    caught = events = true = alarms = 0
    time, leads = 0.0, []
    for watch in watches:
        if not len(watch.at):
            continue
        above = watch.at[watch.score >= threshold]
        opened = openings(watch.at, watch.score, threshold, rest)
        after = np.append(np.sort(watch.events), np.inf)
        true += int(
            (after[np.searchsorted(after[:-1], opened, side="right")] <= opened + horizon).sum()
        )
        alarms += len(opened)
        time += float(watch.at[-1] - watch.at[0])
        for event in watch.events[(watch.events > watch.at[0]) & (watch.events <= watch.at[-1])]:
            before = above[(above < event) & (above >= event - horizon)]
            events += 1
            caught += bool(len(before))
            leads += [float(event - before[0])] if len(before) else []
    return AlarmRecord(
        share(caught, events),
        float(np.median(leads)) if leads else float("nan"),
        share(true, alarms),
        rate(alarms - true, time),
    )
