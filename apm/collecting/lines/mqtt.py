"""MQTT 3.1.1 and 5: our own topics, other topics with JSON in them, and Sparkplug B.

QoS 1 with a persistent session.  A message is acknowledged only when its readings are safe, so
that the broker keeps what we have not stored: after a crash it comes again, as a duplicate.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from threading import Event
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from apm.collecting.addresses import resolve
from apm.collecting.failures import LineFailed, Reason
from apm.collecting.lines.base import Line, Sample, Secret
from apm.collecting.lines.bursts import Bundle, BurstClient, Published
from apm.collecting.lines.messages import Decoder, topics_of
from apm.collecting.spec import Spec

KEEPALIVE_S = 30
CONNECT_WITHIN_S = 10.0
LISTEN_S = 4.0
"""How long a test waits for messages."""
MOST_SAMPLES = 20
IN_FLIGHT = 10_000
"""Messages the broker may send before we acknowledge (MQTT 5); one commit takes thousands."""
KEPT_S = 7 * 24 * 3600
"""How long the broker keeps our session while we are away (MQTT 5)."""
PORTS = {"none": 1883, "tls": 8883}


class Mqtt(Line):
    """Listens until it is stopped; each connection has a client of its own.

    A client made anew numbers nothing of the old one: an acknowledgement that comes after the
    connection broke cannot hit another message.
    """

    def session(self) -> None:
        """Connect, listen, and raise when the connection ends."""
        ended = Event()
        client = _client(self.spec, self.secret, client_id=self._name, is_clean=False)
        listener = _Listener(client, topics_of(self.spec), ended)
        bundle = Bundle(self.feed, client)
        decoder = Decoder(self.spec, bundle, ask=_asker(client))

        def on_published(message: Published) -> None:
            number = message.number
            decoder.take(
                message.topic,
                message.payload,
                is_live=message.is_live,
                done=(lambda: bundle.acknowledged_with_it(number)) if number else _nothing,
            )

        client.on_published = on_published
        client.on_message = _passed_on(on_published)
        _open(client, self.spec, is_clean=False)
        client.loop_start()
        try:
            listener.wait(CONNECT_WITHIN_S)
            self.feed.connected()
            self.backoff.reset()
            while not self.stopping.is_set() and not ended.wait(0.2):
                pass
            if not self.stopping.is_set():
                raise listener.failure or LineFailed(Reason.BROKEN)
        finally:
            client.disconnect()
            client.loop_stop()

    @property
    def _name(self) -> str:
        """The broker's name for our session: the same after every start."""
        return f"apm-{self.spec.hospital}-{self.spec.id}"


def _passed_on(take: Callable[[Published], None]) -> Callable[[Any, Any, Any], None]:
    """Return what passes on a message that paho has read."""

    def on_message(_client: Any, _data: Any, message: Any) -> None:
        number = message.mid if message.qos else 0
        is_live = not message.retain and not message.dup
        take(Published(message.topic, message.payload, number, is_live))

    return on_message


def _nothing() -> None:
    """Acknowledge a message of QoS 0: there is nothing to say."""


class _Listener:
    """Follows a client from connecting to its end."""

    def __init__(self, client: paho.Client, topics: list[str], ended: Event) -> None:
        self._topics, self._ended = topics, ended
        self._ready = Event()
        self.failure: LineFailed | None = None
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect

    def wait(self, seconds: float) -> None:
        """Wait until we are subscribed, or raise `LineFailed`."""
        is_ready = self._ready.wait(seconds)
        if self.failure is not None:
            raise self.failure
        if not is_ready:
            raise LineFailed(Reason.TIMEOUT)

    def _on_connect(self, client: Any, _data: Any, _flags: Any, code: Any, _props: Any) -> None:
        if code.is_failure:
            is_login = code.getName() in {"Not authorized", "Bad user name or password"}
            reason = Reason.LOGIN if is_login else Reason.ANSWER
            self._end(LineFailed(reason, code.getName()))
            return
        client.subscribe([(topic, 1) for topic in self._topics])

    def _on_subscribe(self, _client: Any, _data: Any, _mid: Any, codes: Any, _props: Any) -> None:
        if all(code.is_failure for code in codes):
            self._end(LineFailed(Reason.LOGIN, "subscribe"))
        self._ready.set()

    def _on_disconnect(
        self, _client: Any, _data: Any, _flags: Any, code: Any, _props: Any
    ) -> None:
        is_taken = code.getName() == "Session taken over"
        self._end(LineFailed(Reason.TAKEN if is_taken else Reason.BROKEN))

    def _end(self, failure: LineFailed) -> None:
        self.failure = self.failure or failure
        self._ready.set()
        self._ended.set()


def _client(spec: Spec, secret: Secret, *, client_id: str, is_clean: bool) -> BurstClient:
    is_5 = spec.config["version"] == "5"
    client = BurstClient(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if is_5 else is_clean,
        protocol=paho.MQTTv5 if is_5 else paho.MQTTv311,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    if spec.config.get("user"):
        client.username_pw_set(spec.config["user"], secret.get("password"))
    if spec.config.get("security") == "tls":
        client.tls_set_context(ssl.create_default_context())
    return client


def _open(client: paho.Client, spec: Spec, *, is_clean: bool) -> None:
    security = spec.config.get("security", "none")
    port = int(spec.config.get("port", PORTS[security]))
    addresses = resolve(spec.config["host"], port)
    # With TLS the name must be the certificate's; without, we go where it was judged to lead.
    host = spec.config["host"] if security == "tls" else addresses[0]
    more: dict[str, Any] = {}
    if spec.config["version"] == "5":
        properties: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0 if is_clean else KEPT_S
        properties.ReceiveMaximum = IN_FLIGHT
        more = {"clean_start": is_clean, "properties": properties}
    try:
        client.connect(host, port, KEEPALIVE_S, **more)
    except TimeoutError:
        raise LineFailed(Reason.TIMEOUT) from None
    except ssl.SSLError:
        raise LineFailed(Reason.TLS) from None
    except OSError:
        raise LineFailed(Reason.CONNECT) from None


def _asker(client: paho.Client) -> Callable[[str, bytes], None]:
    """Return what sends a message to a node."""

    def ask(topic: str, payload: bytes) -> None:
        client.publish(topic, payload, qos=0)

    return ask


class _Tasting:
    """Takes readings in place of a feed, and keeps the first of each sensor."""

    def __init__(self) -> None:
        self.found: dict[str, Sample] = {}

    def take(self, readings: list[dict[str, Any]], **_more: Any) -> None:
        """Keep what came."""
        for one in readings:
            value = one.get("value")
            number = float(value) if isinstance(value, (int, float)) else None
            self._keep(str(one.get("sensor")), number, "" if number is not None else Reason.PLACE)

    def stray(self, what: str, reason: str, n: int = 1) -> None:
        """Keep what was no reading."""
        self._keep(what, None, f"{Reason.PLACE}:{reason}")

    def missing(self, sensor: str, problem: LineFailed) -> None:
        """Keep why there is no value."""
        self._keep(sensor, None, problem.stored)

    def _keep(self, what: str, value: float | None, problem: str) -> None:
        if len(self.found) < MOST_SAMPLES:
            self.found[what[:120]] = Sample(what[:120], value, None, problem)


def probe(spec: Spec, secret: Secret) -> list[Sample]:
    """Listen for some seconds under another name, so that the collector is not disturbed."""
    ended, tasting = Event(), _Tasting()
    client = _client(spec, secret, client_id="", is_clean=True)
    listener = _Listener(client, topics_of(spec), ended)
    decoder = Decoder(spec, tasting, ask=lambda _topic, _payload: None)

    def on_published(message: Published) -> None:
        decoder.take(message.topic, message.payload, is_live=False, done=_nothing)
        client.acknowledge([message.number] if message.number else [])
        if len(tasting.found) >= MOST_SAMPLES:
            ended.set()

    client.on_published, client.on_pause = on_published, _nothing
    client.on_message = _passed_on(on_published)
    _open(client, spec, is_clean=True)
    client.loop_start()
    try:
        listener.wait(CONNECT_WITHIN_S)
        ended.wait(LISTEN_S)
        if listener.failure is not None:
            raise listener.failure
    finally:
        client.disconnect()
        client.loop_stop()
    if not tasting.found:
        raise LineFailed(Reason.SILENT)
    return list(tasting.found.values())


LINE = Mqtt
