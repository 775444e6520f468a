"""What the lines of all protocols share: a thread that connects, and again after a failure."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from random import Random
from threading import Event, Thread
from typing import Any

from apm.collecting.failures import LineFailed, Reason
from apm.collecting.feed import Feed
from apm.collecting.model import Protocol
from apm.collecting.spec import Spec

log = logging.getLogger(__name__)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
STOPS_WITHIN_S = 5.0
Secret = dict[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """What a test of a connection found."""

    what: str
    """Sensor code, or the topic that something arrived on."""
    value: float | None
    at: datetime | None = None
    """By the device's clock, if it says."""
    problem: str = ""
    """`reason` or `reason:detail` where there is no value."""


class Backoff:
    """Pauses between tries: doubled each time up to a minute, by up to a quarter more or less."""

    def __init__(self, rng: Random) -> None:
        self._rng, self._next = rng, FIRST_PAUSE_S

    def pause(self) -> float:
        """Return how long to wait now, in seconds."""
        found = self._next * self._rng.uniform(0.75, 1.25)
        self._next = min(2 * self._next, LONGEST_PAUSE_S)
        return found

    def reset(self) -> None:
        """Begin anew: it worked."""
        self._next = FIRST_PAUSE_S


class Line(ABC):
    """One connection at work, in a thread of its own."""

    def __init__(self, spec: Spec, secret: Secret, feed: Feed) -> None:
        self.spec, self.secret, self.feed = spec, secret, feed
        self.stopping = Event()
        self.backoff = Backoff(Random())  # noqa: S311  (spreads tries, guards nothing)
        self._thread = Thread(target=self._run, name=f"line-{spec.id}", daemon=True)

    @abstractmethod
    def session(self) -> None:
        """Connect and deliver until `stopping` is set.

        Raises:
            LineFailed: the device cannot be reached, or not any more.
        """

    def start(self) -> None:
        """Begin in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was delivered goes its way."""
        self.stopping.set()
        self._thread.join(STOPS_WITHIN_S)

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                self.session()
            except LineFailed as failure:
                self._note(failure)
            except Exception:  # one device's trouble must not stop the others
                log.exception("connection %s (%s) failed", self.spec.id, self.spec.name)
                self._note(LineFailed(Reason.OTHER))
            self.stopping.wait(self.backoff.pause())

    def _note(self, failure: LineFailed) -> None:
        if not self.stopping.is_set():
            log.warning("connection %s (%s): %s", self.spec.id, self.spec.name, failure)
            self.feed.failed(failure)


class Poll(Line):
    """A line that asks once a period."""

    def session(self) -> None:
        """Ask again and again."""
        with_device = self.open()
        try:
            while not self.stopping.is_set():
                self.ask(with_device)
                self.feed.connected()
                self.backoff.reset()
                self.stopping.wait(self.spec.period_s)
        finally:
            self.close(with_device)

    @abstractmethod
    def open(self) -> object:
        """Connect; return what `ask` needs."""

    @abstractmethod
    def ask(self, device: object) -> None:
        """Ask once and deliver."""

    @abstractmethod
    def close(self, device: object) -> None:
        """Disconnect."""


Probe = Callable[[Spec, Secret], list[Sample]]


def line_for(spec: Spec, secret: Secret, feed: Feed) -> Line:
    """Return the line that speaks a connection's protocol."""
    found: Line = _module(spec.protocol).LINE(spec, secret, feed)
    return found


def probe(spec: Spec, secret: Secret) -> list[Sample]:
    """Try a connection for a few seconds and return what it says; nothing is stored.

    Raises:
        LineFailed: it does not work; says why.
    """
    found: list[Sample] = _module(spec.protocol).probe(spec, secret)
    return found


def _module(protocol: Protocol) -> Any:
    return import_module(f"apm.collecting.lines.{protocol}")
