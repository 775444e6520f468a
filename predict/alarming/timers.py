"""The timers of one rule, fed with stretches of time in which nothing changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from predict.alarming.rules import Episode, Outcome, Rule, State, episode_of
from predict.alarming.signals import BEYOND, CLEAR, UNKNOWN


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` to `end` (microseconds) the value stands on one side.

    peak, badness, peak_at: the worst reading of the stretch, how bad it is, and when it was read.
    """

    start: int
    end: int
    side: int
    peak: float
    badness: float
    peak_at: int


class Timers:
    """Counts one rule's stretches, oldest first."""

    def __init__(self, rule: Rule, state: State, badness: float | None) -> None:
        """Begin where `state` left off; `badness` is that of its peak, None without one."""
        self.rule = rule
        self.state = state
        self.worst = badness
        self.episodes: list[Episode] = []

    def run(self, stretches: Iterable[Stretch]) -> Outcome:
        """Take in stretches; return what they did."""
        for stretch in stretches:
            if stretch.side == UNKNOWN:
                continue
            if self.state.is_active:
                self._while_active(stretch)
            else:
                self._while_normal(stretch)
        going_on = (episode_of(self.state),) if self.state.is_active else ()
        return Outcome(self.state, (*self.episodes, *going_on))

    def _while_normal(self, stretch: Stretch) -> None:
        if stretch.side == BEYOND:
            self._count(stretch)
        elif not self.rule.is_cumulative:
            self.state, self.worst = State(), None
        elif stretch.side == CLEAR:
            self._rest(stretch.end - stretch.start)
        else:
            self.state = replace(self.state, rest_us=0)

    def _count(self, stretch: Stretch) -> None:
        began = stretch.start if self.state.began is None else self.state.began
        self.state = replace(self.state, began=began, rest_us=0)
        self._see(stretch)
        left = self.rule.on_delay_us - self.state.on_us
        lasted = stretch.end - stretch.start
        if lasted < left:
            self.state = replace(self.state, on_us=self.state.on_us + lasted)
            return
        raised = stretch.start + left
        self.state = replace(self.state, is_active=True, raised_at=raised, on_us=0, off_us=0)

    def _rest(self, lasted: int) -> None:
        if self.state.began is None:
            return
        rested = self.state.rest_us + lasted
        if self.rule.rest_us is not None and rested >= self.rule.rest_us:
            self.state, self.worst = State(), None
        else:
            self.state = replace(self.state, rest_us=rested)

    def _while_active(self, stretch: Stretch) -> None:
        if stretch.side == BEYOND:
            self._see(stretch)
        if stretch.side != CLEAR:
            self.state = replace(self.state, off_us=0)
            return
        left = self.rule.off_delay_us - self.state.off_us
        lasted = stretch.end - stretch.start
        if lasted < left:
            self.state = replace(self.state, off_us=self.state.off_us + lasted)
            return
        self.episodes.append(episode_of(self.state, ended_at=stretch.start + left))
        self.state, self.worst = State(), None

    def _see(self, stretch: Stretch) -> None:
        if self.worst is None or stretch.badness > self.worst:
            self.worst = stretch.badness
            self.state = replace(self.state, peak=stretch.peak, peak_at=stretch.peak_at)
