"""MQTT messages in bursts: what paho does for each message, done once for all that have arrived.

Paho reads a message in three calls to the system and acknowledges it in two.  Each lets another
thread run, and the thread that stores readings always has something to do: most of the time went
into waiting for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

from apm.collecting.failures import LineFailed
from apm.collecting.feed import Feed

AT_ONCE = 65_536
"""Bytes taken from the connection in one call."""
MOST_MESSAGES = 200
"""In one parcel."""
_PUBACK = 0x40
_ACKNOWLEDGED = Struct("!BBH")


class BurstClient(paho.Client):
    """A client that reads ahead, and acknowledges many messages in one write.

    `on_pause` is called whenever all that has arrived is handled.  Two methods of paho's own are
    used; the tests run against a real broker, and the version is pinned.
    """

    _ahead = memoryview(b"")
    on_pause: Callable[[], None] | None = None

    def _sock_recv(self, bufsize: int) -> bytes:
        if not self._ahead:
            self._ahead = memoryview(super()._sock_recv(AT_ONCE))
        found, self._ahead = bytes(self._ahead[:bufsize]), self._ahead[bufsize:]
        return found

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Handle all that has arrived: of what is read ahead the system would not tell again."""
        done = super().loop_read(max_packets)
        while done == MQTTErrorCode.MQTT_ERR_SUCCESS and self._ahead and self.socket() is not None:
            done = super().loop_read(max_packets)
        if self.on_pause is not None:
            self.on_pause()
        return done

    def acknowledge(self, numbers: list[int]) -> None:
        """Tell the broker that these messages of QoS 1 are safe; any thread may."""
        data = b"".join([_ACKNOWLEDGED.pack(_PUBACK, 2, number) for number in numbers])
        if data:
            self._packet_queue(_PUBACK, data, 0, 0)


class Bundle:
    """Stands between a decoder and the feed: the readings of a burst become one parcel."""

    def __init__(self, feed: Feed, client: BurstClient) -> None:
        self._feed, self._client = feed, client
        self._begin()
        client.on_pause = self.pass_on

    def _begin(self) -> None:
        self._readings: list[dict[str, Any]] = []
        self._numbers: list[int] = []
        self._messages, self._is_live = 0, False

    def acknowledged_with_it(self, number: int) -> None:
        """Acknowledge this message of QoS 1 when what came up to now is safe."""
        self._numbers.append(number)

    def take(
        self, readings: list[dict[str, Any]], *, done: Callable[[], object], is_live: bool
    ) -> None:
        """Keep the readings of one message until the burst is over."""
        self._readings += readings
        self._messages += 1
        self._is_live = is_live if readings else self._is_live
        done()
        if self._messages >= MOST_MESSAGES:
            self.pass_on()

    def pass_on(self) -> None:
        """Give the feed what has come."""
        if not self._messages:
            return
        readings, numbers, is_live = self._readings, self._numbers, self._is_live
        self._begin()
        client = self._client
        self._feed.take(readings, done=lambda: client.acknowledge(numbers), is_live=is_live)

    def stray(self, what: str, reason: str, n: int = 1) -> None:
        """Count what is no reading."""
        self._feed.stray(what, reason, n)

    def missing(self, sensor: str, problem: LineFailed) -> None:
        """Note a point without a value."""
        self._feed.missing(sensor, problem)
