"""Whether a sensor has been beyond a limit for long enough: one step a reading, no database.

Once beyond, a value counts as beyond until it has come back past the limit by the hysteresis, so
that noise at the limit is one episode.  A silence longer than `SILENT` breaks an episode that
has not lasted long enough yet: nobody knows what happened meanwhile.  Silence is a state of its
own, neither good nor bad; what was met stays met until readings say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from apm.maintenance.model import Phase

SILENT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Condition:
    """The limit, on which side of it trouble lies, and how long trouble must last."""

    limit: float
    is_above: bool
    hysteresis: float = 0.0
    lasting: timedelta = timedelta(0)

    def is_beyond(self, value: float) -> bool:
        """Tell whether a value lies beyond the limit."""
        return value > self.limit if self.is_above else value < self.limit

    def is_back(self, value: float) -> bool:
        """Tell whether a value has come back far enough to be good."""
        if self.is_above:
            return value <= self.limit - self.hysteresis
        return value >= self.limit + self.hysteresis


@dataclass(frozen=True, slots=True)
class Watch:
    """Where a condition stands: since when, and the newest reading."""

    phase: Phase = Phase.WAITING
    since: datetime | None = None
    """When the values went beyond the limit, or came back."""
    at: datetime | None = None
    value: float | None = None


def follow(
    condition: Condition, watch: Watch, readings: Iterable[tuple[datetime, float]]
) -> Watch:
    """Return where the condition stands after more readings, oldest first."""
    for at, value in readings:
        if watch.at is None or at > watch.at:
            watch = _step(condition, watch, at, value)
    return watch


def listen(watch: Watch, now: datetime) -> Watch:
    """Return the state at `now`: a sensor that has been silent for too long has no state."""
    if watch.phase in {Phase.NORMAL, Phase.PENDING} and (
        watch.at is None or now - watch.at > SILENT
    ):
        return replace(watch, phase=Phase.NO_DATA, since=watch.at)
    return watch


def begin_again(watch: Watch, at: datetime) -> Watch:
    """Return the state after a visit at `at`: what was read before it says nothing any more."""
    return Watch(Phase.WAITING, None, max(at, watch.at or at), watch.value)


def _step(condition: Condition, watch: Watch, at: datetime, value: float) -> Watch:
    was_beyond = watch.phase in {Phase.PENDING, Phase.MET}
    lingers = was_beyond and not condition.is_back(value)
    if not (lingers or condition.is_beyond(value)):
        since = watch.since if watch.phase is Phase.NORMAL else at
        return Watch(Phase.NORMAL, since, at, value)
    gap = watch.at is None or at - watch.at > SILENT
    if watch.phase is Phase.MET:
        return replace(watch, at=at, value=value)
    since = watch.since if was_beyond and not gap and watch.since else at
    phase = Phase.MET if at - since >= condition.lasting else Phase.PENDING
    return Watch(phase, since, at, value)
