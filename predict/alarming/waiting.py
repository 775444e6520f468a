"""Rules that wait for their on-delay to pass: many at once, as `timers` counts them one by one.

A step of zero between two readings begins the wait of two days for `FLAT`; of ten thousand sensors
with one decimal half are in such a wait at any time, and hardly any ever comes to an alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predict.alarming.rules import Rule, State
from predict.alarming.signals import BETWEEN, BEYOND, CLEAR, Floats, Ints, severity

_NONE = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Segments:
    """Readings of k sensors one after another, shape (n,): the one judged last, then the new ones.

    times: microseconds.  measure: what the rule compares.  side: where it stands.
    first, sizes: where each sensor's begin and how many they are, shape (k,).
    """

    times: Ints
    measure: Floats
    side: NDArray[np.int8]
    first: Ints
    sizes: Ints


def waiting_states(rule: Rule, states: Sequence[State], segments: Segments) -> list[State | None]:
    """Return the state after the readings, shape (k,); None where stretches must be counted.

    That is where the alarm is active or may become so, where the rule counts in all, and where
    there are no readings.
    """
    if rule.is_cumulative or not rule.on_delay_us or not len(segments.times):
        return [None] * len(states)
    is_open = np.array([not state.is_active for state in states]) & (segments.sizes > 0)
    if not is_open.any():
        return [None] * len(states)
    return _settled(rule, states, segments, is_open)


def _settled(
    rule: Rule, states: Sequence[State], segments: Segments, is_open: NDArray[np.bool_]
) -> list[State | None]:
    filled = np.flatnonzero(segments.sizes)
    first = segments.first[filled]
    owner = np.repeat(np.arange(len(filled)), segments.sizes[filled])
    times, side = segments.times, segments.side
    lasted = _lasting(times, first, rule.hold_us)
    place = np.arange(len(times))
    is_on = side == BEYOND
    # The count begins anew at every reading that is not beyond.
    is_reset = (side == CLEAR) | (side == BETWEEN)
    reset = np.maximum.reduceat(np.where(is_reset, place, -1), first)
    is_tail = is_on & (place > reset[owner])
    bad = np.where(is_tail, severity(rule, segments.measure), -np.inf)
    worst = np.maximum.reduceat(bad, first)
    worst_at = np.minimum.reduceat(np.where(is_tail & (bad == worst[owner]), place, _NONE), first)
    begin = np.minimum.reduceat(np.where(is_tail, place, _NONE), first)
    columns = (
        filled,
        reset >= 0,
        np.add.reduceat(np.where(is_on, lasted, 0), first),
        np.add.reduceat(np.where(is_tail, lasted, 0), first),
        begin,
        worst,
        worst_at,
    )
    before = severity(rule, np.array([np.nan if s.peak is None else s.peak for s in states]))
    found: list[State | None] = [None] * len(states)
    for k, has_reset, most_us, on_us, start, peak, peak_at in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        known = states[k]
        if not is_open[k] or known.on_us + most_us >= rule.on_delay_us:
            continue
        if has_reset:
            known = _QUIET
        if start == _NONE:
            found[k] = known
            continue
        is_worse = known.peak is None or peak > before[k]
        found[k] = State(
            on_us=known.on_us + on_us,
            began=int(times[start]) if known.began is None else known.began,
            peak=float(segments.measure[peak_at]) if is_worse else known.peak,
            peak_at=int(times[peak_at]) if is_worse else known.peak_at,
        )
    return found


_QUIET = State()


def _lasting(times: Ints, first: Ints, hold_us: int) -> Ints:
    """Return how long each reading speaks: until the next of its sensor, its hold at most."""
    found = np.zeros(len(times), dtype=np.int64)
    np.minimum(np.diff(times), hold_us, out=found[:-1])
    found[first[1:] - 1] = 0
    return found
