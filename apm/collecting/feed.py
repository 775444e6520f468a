"""What one connection has delivered: counts, newest values, clocks, kept for the pages."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from threading import Lock
from typing import Any, Protocol

from apm.collecting.failures import LineFailed, Reason
from apm.collecting.model import LinkState
from apm.collecting.spec import Spec
from apm.collecting.values import NoValue, instant_of
from apm.core.clock import utc_now

SAMPLES = 101
"""Live readings whose delay is remembered: their median is the skew."""
SAMPLE_EVERY_S = 0.05
MOST_LIVE, MOST_STRAYS = 200, 50
Reading = dict[str, Any]
"""`sensor`, `value`, `at` (text, aware datetime or None), `quality`: as `ingest` takes it."""


@dataclass(slots=True)
class Parcel:
    """Readings on their way to the database."""

    feed: Feed
    readings: list[Reading]
    done: Callable[[], object] | None
    """Called once they are safe: in the database or on the disk."""


class Taker(Protocol):
    """What takes parcels (the pipe)."""

    def put(self, parcel: Parcel, *, can_wait: bool) -> bool:
        """Take a parcel; False: there is no room, and who sends cannot wait."""


class Feed:
    """The side of a connection that its line speaks to; any thread may ask it."""

    def __init__(
        self, spec: Spec, taker: Taker, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.spec, self._taker, self._clock = spec, taker, clock
        self._lock = Lock()
        self.state, self.since = LinkState.CONNECTING, clock()
        self.error: str | None = None
        self.last_at: datetime | None = None
        self.received = self.refused = self.dropped = 0
        self._delays: deque[float] = deque(maxlen=SAMPLES)
        self._sampled = 0.0
        self._live: dict[str, dict[str, Any]] = {}
        self._strays: dict[tuple[str, str], int] = {}

    def connected(self) -> None:
        """The device is spoken to."""
        self._enter(LinkState.CONNECTED, None)

    def failed(self, failure: LineFailed) -> None:
        """The device cannot be spoken to, or not in full."""
        self._enter(LinkState.FAILING, failure.stored)

    def relieved(self) -> None:
        """There is room again: that is over, if it was what was wrong."""
        if self.error == LineFailed(Reason.SPOOL_FULL).stored:
            self.connected()

    def _enter(self, state: LinkState, error: str | None) -> None:
        with self._lock:
            if state is not self.state:
                self.state, self.since = state, self._clock()
            self.error = error

    def take(
        self,
        readings: list[Reading],
        *,
        done: Callable[[], object] | None = None,
        is_live: bool = True,
    ) -> None:
        """Pass readings on; those without a time get ours.

        Args:
            readings: in the order they were measured.
            done: called once they are safe; who gives it can wait for room, a poll cannot.
            is_live: they were measured just now, as far as their sender says.
        """
        now = self._clock()
        if is_live and readings:
            self._measure(readings[-1].get("at"), now)
        stamp = now.isoformat()
        for reading in readings:
            if reading.get("at") is None:
                reading["at"] = stamp
        with self._lock:
            self.last_at = now if readings else self.last_at
            self.received += len(readings)
            for reading in readings:
                self._see(reading, stamp)
        if not self._taker.put(Parcel(self, readings, done), can_wait=done is not None):
            self.lose(len(readings))

    def lose(self, n: int) -> None:
        """Count readings that nothing could take."""
        with self._lock:
            self.dropped += n
        self.failed(LineFailed(Reason.SPOOL_FULL))

    def _measure(self, at: object, now: datetime) -> None:
        """Note how far our clock is from the device's, some times a second at most."""
        tick = time.monotonic()
        if at is None or tick - self._sampled < SAMPLE_EVERY_S:
            return
        self._sampled = tick
        try:
            measured = at if isinstance(at, datetime) else instant_of(at)
            self._delays.append((now - measured).total_seconds())
        except (NoValue, TypeError):  # no time: the reading is refused where all are checked
            return

    def _see(self, reading: Reading, stamp: str) -> None:
        sensor = reading.get("sensor")
        if isinstance(sensor, str) and (sensor in self._live or len(self._live) < MOST_LIVE):
            at = reading["at"]
            self._live[sensor] = {
                "at": at.isoformat() if isinstance(at, datetime) else at,
                "value": reading.get("value"),
                "quality": reading.get("quality"),
                "received": stamp,
            }

    def missing(self, sensor: str, problem: LineFailed) -> None:
        """Say why a point gives no value; the others go on."""
        with self._lock:
            self._live[sensor] = {"problem": problem.stored}

    def stray(self, what: str, reason: str, n: int = 1) -> None:
        """Count what arrived and is no reading of a sensor."""
        what = "".join(c if c.isprintable() else "?" for c in what)[:120]
        with self._lock:
            self.refused += n
            if (what, reason) in self._strays or len(self._strays) < MOST_STRAYS:
                self._strays[what, reason] = self._strays.get((what, reason), 0) + n

    def refuse(self, refusals: Iterable[tuple[Reading, str]]) -> None:
        """Note which readings were not stored."""
        for reading, code in refusals:
            sensor = reading.get("sensor")
            self.stray(str(sensor)[:120], code)
            if code == "unknown_sensor":
                with self._lock:
                    self._live.pop(str(sensor), None)

    @property
    def skew_s(self) -> float | None:
        """Our clock minus the device's, the way between included; None before any was measured."""
        delays = list(self._delays)
        return round(median(delays), 3) if delays else None

    def report(self) -> dict[str, Any]:
        """Return what the pages show, as columns of `Link`."""
        with self._lock:
            return {
                "state": self.state,
                "since": self.since,
                "error": self.error,
                "last_at": self.last_at,
                "skew_s": self.skew_s,
                "skew_n": len(self._delays),
                "received": self.received,
                "refused": self.refused,
                "dropped": self.dropped,
                "live": {sensor: dict(found) for sensor, found in self._live.items()},
                "strays": [[*which, n] for which, n in self._strays.items()],
            }
