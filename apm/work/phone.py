"""Two clocks: that of the phone on which something was written down, and ours.

A phone without a network keeps what was done and sends it later, and its clock may be wrong by a
day.  It says when each thing was done and when it sent it, both by its own clock: the difference
is an age that holds however wrong the clock is, and the rest is by how much it is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

OLDEST = timedelta(days=400)
"""Nobody carries an answer about for longer; an older one is a clock that jumped meanwhile."""
NOTEWORTHY_S = 120
"""Clocks that differ by less agree."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a phone says of itself with each thing it sends; a program may say nothing."""

    device: str | None = None
    device_at: datetime | None = None
    sent_at: datetime | None = None

    def moment(self, now: datetime) -> Moment:
        """Return when it was done; never in the future, and `now` where the phone says nothing."""
        ahead = round((self.sent_at - now).total_seconds()) if self.sent_at else None
        return Moment(self.was_at(self.device_at, now), now, self.device, self.device_at, ahead)

    def was_at(self, said: datetime | None, now: datetime) -> datetime:
        """Return a time of the phone's clock by ours."""
        if said is None:
            return now
        age = (self.sent_at or now) - said
        return now - min(max(age, timedelta(0)), OLDEST)


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was done (`at`), and what both clocks said of it."""

    at: datetime
    received_at: datetime
    device: str | None = None
    device_at: datetime | None = None
    ahead_s: int | None = None


NOT_SAID = Sent()
