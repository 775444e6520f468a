"""Other processes in tests: a port for one, waiting for what it does, killing it again."""

from __future__ import annotations

import itertools
import os
import socket
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], T], *, what: str, seconds: float = 60) -> T:
    """Return the first true value of a condition of another process; fail when it is late."""
    end = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        Event().wait(0.05)
