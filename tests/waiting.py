"""Waiting for what another process does, and doing something to it again and again."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import TypeVar

T = TypeVar("T")
MINUTES = float(os.environ.get("KILL_MINUTES", "0"))
"""How long processes are killed again and again; without it a few rounds."""
PATIENCE_S = 300 + 120 * MINUTES


def rounds(at_least: int) -> Iterator[int]:
    """Yield 0, 1, 2 ... for as long as a test of kill -9 is to go on."""
    end = time.monotonic() + 60 * MINUTES
    for k in itertools.count():
        if k >= at_least and time.monotonic() >= end:
            return
        yield k


def until(condition: Callable[[], T], *, seconds: float, what: str) -> T:
    """Return the first true value of a condition of another process; fail when it is late."""
    end = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        Event().wait(0.1)
