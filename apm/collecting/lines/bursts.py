"""MQTT messages in bursts: what paho does for each message, done once for all that have arrived.

Paho reads a message in three calls to the system and acknowledges it in two.  Each lets another
thread run, and the thread that stores readings always has something to do: most of the time went
into waiting for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

from apm.collecting.failures import LineFailed
from apm.collecting.feed import Feed

AT_ONCE = 65_536
"""Bytes taken from the connection in one call."""
MOST_MESSAGES = 200
"""In one parcel."""
_PUBACK = 0x40
_QOS_0_OR_1 = frozenset({0x30, 0x32})
_QOS_1, _RETAINED_OR_AGAIN = 0x02, 0x09
_ACKNOWLEDGED = Struct("!BBH")


class Published(NamedTuple):
    """A message of QoS 0 or 1; number is 0 for QoS 0."""

    topic: str
    payload: bytes
    number: int
    is_live: bool
    """Neither kept by the broker nor sent again."""


class BurstClient(paho.Client):
    """A client that reads ahead, and acknowledges many messages in one write.

    `on_published` is called for each message, `on_pause` whenever all that has arrived is handled.
    Whole messages are read here; anything else, and what is cut off, is left to paho.  Some of
    paho's own names are used: the tests run against a real broker, and the version is pinned.
    """

    _ahead = b""
    _place = 0
    on_published: Callable[[Published], None]
    on_pause: Callable[[], None]

    def reconnect(self) -> MQTTErrorCode:
        """Begin anew: what was read ahead of a line that broke is of no use on the next."""
        self._ahead, self._place = b"", 0
        return super().reconnect()

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._place >= len(self._ahead):
            self._ahead, self._place = super()._sock_recv(AT_ONCE), 0
        found = self._ahead[self._place : self._place + bufsize]
        self._place += len(found)
        return found

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Handle all that has arrived: of what is read ahead the system would not tell again."""
        done = super().loop_read(max_packets)
        while done == MQTTErrorCode.MQTT_ERR_SUCCESS and self.socket() is not None:
            if not self._in_packet["command"]:  # paho is not in the middle of a message
                self._place = self._pass_on_whole()
            if self._place >= len(self._ahead):
                break
            done = super().loop_read(max_packets)
        self.on_pause()
        return done

    def _pass_on_whole(self) -> int:
        """Pass on the whole messages that come next; return where something else begins."""
        data, place = self._ahead, self._place
        while place < len(data) and data[place] & 0xF6 in _QOS_0_OR_1:
            found = _published(data, place, has_properties=self._protocol == paho.MQTTv5)
            if found is None:
                break
            message, place = found
            self.on_published(message)
        return place

    def acknowledge(self, numbers: list[int]) -> None:
        """Tell the broker that these messages of QoS 1 are safe; any thread may."""
        data = b"".join([_ACKNOWLEDGED.pack(_PUBACK, 2, number) for number in numbers])
        if data:
            self._packet_queue(_PUBACK, data, 0, 0)


def _published(data: bytes, place: int, *, has_properties: bool) -> tuple[Published, int] | None:
    """Return the message that begins here and where it ends; None: paho shall look at it.

    Sources: MQTT 3.1.1 and 5, section 3.3.

    >>> _published(bytes.fromhex("3209 0003 612f62 0007 3231"), 0, has_properties=False)
    (Published(topic='a/b', payload=b'21', number=7, is_live=True), 11)
    >>> _published(bytes.fromhex("3209 0003 612f62 0007 32"), 0, has_properties=False) is None
    True
    """
    flags = data[place]
    length, begin = _number(data, place + 1)
    end = begin + length
    if begin == 0 or end > len(data) or length < 2:
        return None
    name, begin = begin + 2, begin + 2 + (data[begin] << 8 | data[begin + 1])
    topic = data[name:begin]
    number = 0
    if flags & _QOS_1 and begin + 2 <= end:
        number, begin = data[begin] << 8 | data[begin + 1], begin + 2
    if has_properties:
        skipped, begin = _number(data, begin)
        begin = begin + skipped if begin else end + 1
    if begin > end or not topic:
        return None
    try:
        text = topic.decode()
    except UnicodeDecodeError:
        return None
    return Published(text, data[begin:end], number, not flags & _RETAINED_OR_AGAIN), end


def _number(data: bytes, place: int) -> tuple[int, int]:
    """Return a number of variable length and where it ends; 0, 0 where it is not whole."""
    found = 0
    for k, byte in enumerate(data[place : place + 4]):
        found |= (byte & 127) << 7 * k
        if byte < 128:
            return found, place + k + 1
    return 0, 0


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
