"""How a target fares: told from the last tries, shown to administrators, healed by a success."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from apm.notify.sending import BLAMELESS, SendFailed

FAILING_FROM = 5
"""So many failed sends in a row make a target one that fails."""
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=30)


class Target(Protocol):
    """A channel or a webhook."""

    fails: int
    failing_since: datetime | None
    retry_at: datetime | None
    last_ok_at: datetime | None
    last_error: str | None


def is_failing(target: Target) -> bool:
    """Tell whether messages to this target do not get out."""
    return target.fails >= FAILING_FROM


def note_health(target: Target, errors: Sequence[SendFailed | None], now: datetime) -> bool:
    """Count tries; return whether this target has just begun to count as failing."""
    was = is_failing(target)
    for error in errors:
        if error is None:
            target.fails, target.failing_since, target.retry_at = 0, None, None
            target.last_ok_at, target.last_error = now, None
        elif error.reason not in BLAMELESS:
            target.fails += 1
            target.failing_since = target.failing_since or now
            target.last_error = error.stored
    if is_failing(target):
        beyond = min(target.fails - FAILING_FROM, 20)
        target.retry_at = now + min(FIRST_PAUSE * int(2**beyond), LONGEST_PAUSE)
    return is_failing(target) and not was
