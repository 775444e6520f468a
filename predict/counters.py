"""What a counter has counted: through rollovers, resets, replaced meters and wild readings.

A counter only grows.  A reading that fits on the one before is counted at once.  One that does
not (it fell, or rose faster than the device can count) waits until `confirm` readings in a row
agree with each other; if the old course comes back first, it was a glitch.  A fall that a counter
of so many bits explains is a rollover and counted through; any other agreed break is a reset or a
jump across which nothing is counted, because nobody can know how much it was.

The readings may come in batches cut anywhere: the state carries all that is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Kind = Literal["rollover", "reset", "jump", "glitch"]
NEAR_END = 0.25
"""Without a known speed, a rollover falls from the last quarter of the range to the first."""
TOLERANCE = 1.05
"""How much faster than `most_per_s` two clocks and a rounded display may make it look."""


@dataclass(frozen=True, slots=True)
class CounterRule:
    """What is known of a counter.

    bits: width of an integer counter, None if it does not roll over.  most_per_s: the fastest it
    can count, in its unit a second, None if unknown.  step: its smallest step.  confirm: readings
    in a row that make a break believed.
    """

    bits: int | None = None
    most_per_s: float | None = None
    step: float = 1.0
    confirm: int = 3


@dataclass(frozen=True, slots=True)
class CounterState:
    """The last reading believed, seconds and value, and those after it that wait."""

    at: float | None = None
    value: float | None = None
    waiting: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Break:
    """Something other than counting on: when, from what to what."""

    at: float
    kind: Kind
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted.

    at, added: shape (k,), seconds and how much was counted up to then.  breaks: by time.
    """

    at: Floats
    added: Floats
    breaks: tuple[Break, ...]
    state: CounterState

    @property
    def total(self) -> float:
        """How much was counted in all."""
        return float(self.added.sum())


def count(state: CounterState, at: Floats, values: Floats, rule: CounterRule) -> Counted:
    """Count on with readings newer than `state`.

    Args:
        state: what an earlier call returned; `CounterState()` for the first.
        at: shape (n,), seconds, rising.
        values: shape (n,), what the counter said.
        rule: what is known of it.

    >>> import numpy as np
    >>> seen = np.array([65530.0, 65534.0, 2.0, 5.0, 9.0])
    >>> found = count(CounterState(), np.arange(5.0), seen, CounterRule(bits=16))
    >>> found.total, [b.kind for b in found.breaks]
    (15.0, ['rollover'])
    """
    if len(at) != len(values):
        raise ValueError("a time for each value needed")
    if not len(at):
        return Counted(np.empty(0), np.empty(0), (), state)
    if fast := _all_fits(state, at, values, rule):
        return fast
    follower = _Follower(state, rule)
    for moment, value in zip(at.tolist(), values.tolist(), strict=True):
        follower.see(moment, value)
    return Counted(
        np.array(follower.at), np.array(follower.added), tuple(follower.breaks), follower.state
    )


def _all_fits(
    state: CounterState, at: Floats, values: Floats, rule: CounterRule
) -> Counted | None:
    """Return the outcome where every reading fits on the one before: most batches, in one go."""
    if state.waiting:
        return None
    times = at if state.at is None else np.r_[state.at, at]
    seen = values if state.value is None else np.r_[state.value, values]
    grown, took = np.diff(seen), np.diff(times)
    if (grown < 0).any():
        return None
    if rule.most_per_s is not None and (grown > _most(rule, took)).any():
        return None
    last = CounterState(float(times[-1]), float(seen[-1]))
    return Counted(times[1:], grown, (), last)


def _most(rule: CounterRule, took: Floats) -> Floats:
    return np.asarray((rule.most_per_s or 0.0) * TOLERANCE * took + rule.step)


class _Follower:
    """Takes in one reading after the other."""

    def __init__(self, state: CounterState, rule: CounterRule) -> None:
        self.state, self.rule = state, rule
        self.at: list[float] = []
        self.added: list[float] = []
        self.breaks: list[Break] = []

    def see(self, at: float, value: float) -> None:
        state = self.state
        if state.at is None or state.value is None:
            self.state = CounterState(at, value)
        elif self._fits((state.at, state.value), (at, value)):
            if state.waiting:
                self._drop(state.waiting[0], state.value)
            self._count(at, value - state.value)
            self.state = CounterState(at, value)
        elif state.waiting and self._fits(state.waiting[-1], (at, value)):
            self._wait((*state.waiting, (at, value)))
        else:
            if state.waiting:
                self._drop(state.waiting[0], state.value)
            self._wait(((at, value),))

    def _wait(self, waiting: tuple[tuple[float, float], ...]) -> None:
        self.state = replace(self.state, waiting=waiting)
        if len(waiting) >= self.rule.confirm:
            self._believe(waiting)

    def _believe(self, waiting: tuple[tuple[float, float], ...]) -> None:
        before, (at, value) = self.state.value or 0.0, waiting[0]
        through = self._through(waiting[0])
        kind: Kind = "jump" if value > before else "reset" if through is None else "rollover"
        self.breaks.append(Break(at, kind, before, value))
        self._count(at, through or 0.0)
        for (_, last), (moment, new) in pairwise(waiting):
            self._count(moment, new - last)
        self.state = CounterState(*waiting[-1])

    def _through(self, reading: tuple[float, float]) -> float | None:
        """Return how much was counted if it rolled over in between; None if it did not."""
        if self.rule.bits is None or self.state.at is None or self.state.value is None:
            return None
        size = 2.0**self.rule.bits
        at, value = reading
        grown = value + size - self.state.value
        if not 0 <= value < self.state.value < size:
            return None
        if self.rule.most_per_s is not None:
            return (
                grown if grown <= float(_most(self.rule, np.array(at - self.state.at))) else None
            )
        near = self.state.value >= size * (1 - NEAR_END) and value <= size * NEAR_END
        return grown if near else None

    def _fits(self, old: tuple[float, float], new: tuple[float, float]) -> bool:
        grown = new[1] - old[1]
        if grown < 0:
            return False
        limit = self.rule.most_per_s
        return limit is None or grown <= float(_most(self.rule, np.array(new[0] - old[0])))

    def _drop(self, first: tuple[float, float], before: float) -> None:
        self.breaks.append(Break(first[0], "glitch", before, first[1]))

    def _count(self, at: float, added: float) -> None:
        self.at.append(at)
        self.added.append(added)
