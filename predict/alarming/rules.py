"""What a rule watches, and what is remembered of it between two batches.

The words are those of ISA-18.2 and IEC 62682: on-delay, off-delay, deadband.  A reading speaks
until the next one, but for `hold_us` at most; after that nothing is known, and no timer runs:
a gap is neither normal nor an alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite, nan

MICROSECONDS = 1_000_000
HOUR_US = 3600 * MICROSECONDS


class Kind(StrEnum):
    """What is compared with the limit."""

    HIGH = "high"
    LOW = "low"
    OUTSIDE = "outside"
    """below `low_limit` or above `limit`"""
    RATE = "rate"
    """the change per hour, either way, over `window_us`"""
    SPIKE = "spike"
    """the step from the reading before, either way"""
    FLAT = "flat"
    """the step from the reading before is `limit` or less: the value stands still"""


STEPS = frozenset({Kind.SPIKE, Kind.FLAT})


@dataclass(frozen=True, slots=True)
class Rule:
    """When an alarm begins and ends.

    limit, low_limit, deadband: in the sensor's unit; per hour for `RATE`.
    is_inclusive: the limit itself is beyond it.
    on_delay_us: how long the value must be beyond, in one piece; in all where `is_cumulative`.
    off_delay_us: how long it must be back by the deadband, in one piece.
    rest_us: what a cumulative count forgets after so long back in one piece; None: nothing.
    hold_us: how long a reading speaks; window_us: over how long a rate is taken.

    Raises:
        ValueError: a limit is no number, or a time or the deadband is negative.
    """

    kind: Kind
    limit: float
    low_limit: float = nan
    deadband: float = 0.0
    is_inclusive: bool = False
    on_delay_us: int = 0
    off_delay_us: int = 0
    is_cumulative: bool = False
    rest_us: int | None = None
    hold_us: int = HOUR_US
    window_us: int = HOUR_US

    def __post_init__(self) -> None:
        """Refuse what cannot be counted."""
        limits = [self.limit, *([self.low_limit] if self.kind is Kind.OUTSIDE else [])]
        times = (self.on_delay_us, self.off_delay_us, self.rest_us or 0)
        if not all(isfinite(limit) for limit in limits):
            raise ValueError("a limit must be a finite number")
        if min(times) < 0 or self.hold_us <= 0 or self.window_us <= 0:
            raise ValueError("times must not be negative, hold and window must be positive")
        if not 0.0 <= self.deadband < inf:
            raise ValueError("a deadband is zero or more")

    @property
    def context_us(self) -> int:
        """How much of the time before a reading is needed to judge it."""
        needed = self.hold_us if self.kind in STEPS else 0
        return max(needed, 2 * self.window_us if self.kind is Kind.RATE else 0)


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of one rule on one sensor.  Times in microseconds since 1970.

    on_us: how long the value was beyond so far; off_us: how long it is back; rest_us: the same
    for a cumulative count.  began, raised_at, peak, peak_at: of the episode, or of what may
    become one.
    """

    is_active: bool = False
    on_us: int = 0
    off_us: int = 0
    rest_us: int = 0
    began: int | None = None
    raised_at: int | None = None
    peak: float | None = None
    peak_at: int | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is remembered: the same as never having seen a reading.

        >>> State().is_quiet, State(on_us=1, began=0).is_quiet
        (True, False)
        """
        return not self.is_active and self.began is None


@dataclass(frozen=True, slots=True)
class Episode:
    """One alarm: from the first reading beyond to the return.  Microseconds since 1970.

    peak: the worst value (rate, step) so far, `peak_at` when it was read.
    """

    began: int
    raised_at: int
    ended_at: int | None
    peak: float
    peak_at: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch did: the new state, and the episodes that it raised, went on with or ended."""

    state: State
    episodes: tuple[Episode, ...] = ()


def episode_of(state: State, ended_at: int | None = None) -> Episode:
    """Return the episode an active state is in.

    Raises:
        ValueError: the state is not active.
    """
    known = (state.began, state.raised_at, state.peak, state.peak_at)
    began, raised_at, peak, peak_at = known
    if began is None or raised_at is None or peak is None or peak_at is None:
        raise ValueError("this state is in no episode")
    return Episode(began, raised_at, ended_at, peak, peak_at)
