"""Many rules on many sensors at once; the result does not depend on how the stream was cut.

Almost every rule sees nothing in almost every batch, and of the others nearly all have not lasted
long enough to be raised: numpy settles both in one pass over all readings (`waiting`).  Only what
may begin or end an alarm is counted one by one, stretch by stretch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predict.alarming.rules import Kind, Outcome, Rule, State
from predict.alarming.signals import (
    BEYOND,
    UNKNOWN,
    Floats,
    Ints,
    rates,
    severity,
    sides,
    steps,
)
from predict.alarming.timers import Stretch, Timers
from predict.alarming.waiting import Segments, waiting_states

QUIET = State()
_QUIET = Outcome(QUIET)


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings of one sensor: times int64 (microseconds, ascending), values float64, shape (n,).

    Those before index `begin` were judged before; they are what the others are compared with.
    The last of them must be the last reading judged, if there was one.
    """

    times: Ints
    values: Floats
    begin: int = 0


@dataclass(frozen=True, slots=True)
class Watch:
    """One rule on the sensor whose batch has this number."""

    batch: int
    rule: Rule
    state: State = QUIET


def advance(rule: Rule, state: State, batch: Batch) -> Outcome:
    """Return what a batch does to one rule.

    >>> batch = Batch(np.arange(4) * 60_000_000, np.array([7.0, 9.0, 9.5, 7.0]))
    >>> rule = Rule(Kind.HIGH, 8.0, on_delay_us=60_000_000)
    >>> [one] = advance(rule, QUIET, batch).episodes
    >>> one.began, one.raised_at, one.ended_at, one.peak
    (60000000, 120000000, 180000000, 9.5)
    """
    return advance_all([batch], [Watch(0, rule, state)])[0]


def advance_all(batches: Sequence[Batch], watches: Sequence[Watch]) -> list[Outcome]:
    """Return what the batches do to each rule, in the order of `watches`."""
    field = _Field(batches)
    found = [Outcome(watch.state) for watch in watches]
    for rule, places in _by_rule(watches):
        measure, side = field.judged(rule)
        hot = field.batches_with(side == BEYOND).tolist()
        stirred = []
        for place in places:
            watch = watches[place]
            if hot[watch.batch] or not watch.state.is_quiet:
                stirred.append(place)
            else:
                found[place] = _QUIET
        states = [watches[place].state for place in stirred]
        segments = field.segments([watches[place].batch for place in stirred], measure, side)
        settled = waiting_states(rule, states, segments)
        for place, state, done in zip(stirred, states, settled, strict=True):
            if done is not None:
                found[place] = Outcome(done)
                continue
            part = field.slice_of(watches[place].batch)
            timers = Timers(rule, state, _badness(rule, state))
            times = field.times[part]
            found[place] = timers.run(_stretches(rule, times, measure[part], side[part]))
    return found


def _by_rule(watches: Sequence[Watch]) -> Iterator[tuple[Rule, list[int]]]:
    """Yield each rule with the places of its watches; known by identity, which is cheap to ask."""
    found: dict[int, tuple[Rule, list[int]]] = {}
    for place, watch in enumerate(watches):
        found.setdefault(id(watch.rule), (watch.rule, []))[1].append(place)
    yield from found.values()


def _badness(rule: Rule, state: State) -> float | None:
    return None if state.peak is None else float(severity(rule, np.array([state.peak]))[0])


class _Field:
    """All batches one after another, and what rules compare, computed once."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        sizes = np.array([len(batch.times) for batch in batches], dtype=np.int64)
        self.first = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        self.times: Ints = np.concatenate([np.empty(0, np.int64), *(b.times for b in batches)])
        self.values: Floats = np.concatenate([np.empty(0), *(b.values for b in batches)])
        self.owner = np.repeat(np.arange(len(batches), dtype=np.int64), sizes)
        begin = np.array([batch.begin for batch in batches], dtype=np.int64)
        self.start = self.first[:-1] + np.maximum(begin - 1, 0)
        self.is_new = np.arange(len(self.times)) >= (self.first[:-1] + begin)[self.owner]
        self._measures: dict[tuple[str, int], Floats] = {}

    def judged(self, rule: Rule) -> tuple[Floats, NDArray[np.int8]]:
        """Return what a rule compares, and where each reading stands."""
        measure = self._measure(rule)
        return measure, sides(rule, measure)

    def _measure(self, rule: Rule) -> Floats:
        if rule.kind is Kind.RATE:
            key = ("rate", rule.window_us)
        elif rule.kind in {Kind.SPIKE, Kind.FLAT}:
            key = ("step", rule.hold_us)
        else:
            return self.values
        if key not in self._measures:
            self._measures[key] = self._computed(*key)
        return self._measures[key]

    def _computed(self, what: str, span_us: int) -> Floats:
        if what == "rate":
            return rates(self.times, self.values, self.owner, span_us)
        is_first = np.ones(len(self.times), dtype=np.bool_)
        is_first[1:] = self.owner[1:] != self.owner[:-1]
        hold = np.full(len(self.times), span_us, dtype=np.int64)
        return steps(self.times, self.values, is_first, hold)

    def batches_with(self, marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell of each batch whether a new reading is marked."""
        found = np.zeros(len(self.start), dtype=np.bool_)
        found[self.owner[marked & self.is_new]] = True
        return found

    def slice_of(self, batch: int) -> slice:
        """Return the new readings and the one before them."""
        return slice(int(self.start[batch]), int(self.first[batch + 1]))

    def segments(
        self, batches: Sequence[int], measure: Floats, side: NDArray[np.int8]
    ) -> Segments:
        """Return the new readings of these batches, each with the one before them."""
        begin, end = self.start[batches], self.first[1:][batches]
        sizes = end - begin
        first = np.cumsum(sizes) - sizes
        places = np.repeat(begin - first, sizes) + np.arange(int(sizes.sum()))
        return Segments(self.times[places], measure[places], side[places], first, sizes)


def _stretches(
    rule: Rule, times: Ints, measure: Floats, side: NDArray[np.int8]
) -> Iterator[Stretch]:
    """Yield stretches of one side each; the last reading has a stretch of no length."""
    if not len(times):
        return
    ends = np.minimum(times + rule.hold_us, np.append(times[1:], times[-1]))
    gap = np.append(ends[:-1] < times[1:], False)
    starts_run = np.ones(len(times), dtype=np.bool_)
    starts_run[1:] = (side[1:] != side[:-1]) | gap[:-1]
    first = np.flatnonzero(starts_run)
    last = np.append(first[1:], len(times)) - 1
    bad = severity(rule, measure)
    for begin, finish in zip(first.tolist(), last.tolist(), strict=True):
        stand = int(side[begin])
        if stand == UNKNOWN:
            continue
        worst = begin + int(np.argmax(bad[begin : finish + 1])) if stand == BEYOND else begin
        yield Stretch(
            int(times[begin]),
            int(ends[finish]),
            stand,
            float(measure[worst]),
            float(bad[worst]),
            int(times[worst]),
        )
