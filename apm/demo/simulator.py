"""The simulated devices: a thread that posts readings over HTTP like any gateway would."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import monotonic
from typing import Any

import httpx
import numpy as np

from apm.demo.plant import COLLECTED
from apm.demo.signals import SIGNALS, origin_of
from apm.demo.stories import Story, is_silent, stories
from apm.demo.use_signals import USES

log = logging.getLogger(__name__)
TICK_S = 2.0
CALM_EVERY = 5
"""A sensor in trouble sends at every tick, the others at every so many."""
BUFFER = timedelta(days=14)
"""How far back the gateway remembers what it could not send while the program was off."""
BUFFER_STEP_S = 600
AT_ONCE = 20_000
ALL = {**SIGNALS, **USES}
Reading = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where readings are sent, and the token that lets a device send them."""

    url: str
    token: str


class Simulator:
    """Sends what was missed, then lives through the stories of this start."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        speed: float,
        turn: int,
        built_at: datetime,
        since: datetime | None,
    ) -> None:
        self.speed, self.since, self.origin = speed, since, origin_of(built_at)
        self.stories = {story.sensor: story for story in stories(turn)}
        headers = {"Authorization": f"Bearer {gateway.token}"}
        self._client = httpx.Client(
            base_url=gateway.url, headers=headers, timeout=30, trust_env=False
        )
        self._stop = Event()
        self._thread = Thread(target=self._run, name="simulator", daemon=True)

    def start(self) -> None:
        """Begin in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more; returns once the last answer is there or given up."""
        self._stop.set()
        self._thread.join(timeout=3)
        self._client.close()

    def _run(self) -> None:
        for batch in _missed(self.since, datetime.now(UTC), self.origin):
            if not self._stop.is_set():
                self._post(batch)
        began, tick = monotonic(), 0
        while not self._stop.wait(TICK_S / self.speed):
            elapsed = (monotonic() - began) * self.speed
            now = datetime.now(UTC)
            self._post(tick_readings(now, elapsed, tick, self.stories, origin=self.origin))
            tick += 1

    def _post(self, readings: list[Reading]) -> None:
        if not readings:
            return
        try:
            answer = self._client.post("/api/v1/readings", json=readings)
            answer.raise_for_status()
        except httpx.HTTPError as error:  # a gateway tries again with the next readings
            log.warning("simulated readings were not taken: %s", error)


def tick_readings(
    now: datetime, elapsed: float, tick: int, told: dict[str, Story], *, origin: float
) -> list[Reading]:
    """Return what the sensors send at one tick, `elapsed` seconds after the start at speed 1."""
    at = np.array([now.timestamp()])
    found = []
    for code, signal in ALL.items():
        shift = told[code].shift(elapsed) if code in told else 0.0
        if code in COLLECTED or is_silent(code, elapsed) or (not shift and tick % CALM_EVERY):
            continue
        value = round(float(signal.values(at, origin)[0]) + shift, signal.digits)
        found.append({"sensor": code, "at": now.isoformat(), "value": value})
    return found


def _missed(since: datetime | None, now: datetime, origin: float) -> Iterator[list[Reading]]:
    """Yield what every sensor measured since its last reading, while nobody was listening."""
    first = max(since or now, now - BUFFER).timestamp()
    start = int(first) // BUFFER_STEP_S + 1
    stop = int(now.timestamp()) // BUFFER_STEP_S + 1
    ticks = (np.arange(start, stop) * BUFFER_STEP_S).astype(np.float64)
    batch: list[Reading] = []
    for code, signal in ALL.items():
        values = signal.values(ticks, origin).tolist()
        for at, value in zip(ticks.tolist(), values, strict=True):
            stamp = datetime.fromtimestamp(at, UTC).isoformat()
            batch.append({"sensor": code, "at": stamp, "value": value})
        if len(batch) > AT_ONCE:
            yield batch
            batch = []
    yield batch
