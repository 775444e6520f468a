"""OPC UA: a subscription to nodes; quality and time are the source's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.uaerrors import UaError

from apm.collecting.addresses import resolve
from apm.collecting.certificates import APPLICATION
from apm.collecting.entries import ENCRYPTED
from apm.collecting.failures import LineFailed, Reason
from apm.collecting.lines.base import Line, Sample, Secret
from apm.collecting.lines.opcua_security import secure
from apm.collecting.spec import PointSpec, Spec
from apm.collecting.values import NoValue, number_of

TIMEOUT_S = 5.0
ALIVE_EVERY_S = 2.0
PUBLISHED_S = 1.0
LOGIN = (
    "BadUserAccessDenied", "BadIdentityTokenRejected", "BadIdentityTokenInvalid",
)  # fmt: skip
OURS = ("Certificate", "SecurityChecks")
"""Of the device's answer, when it does not accept our certificate."""
for _noisy in ("asyncua", "asyncio"):
    logging.getLogger(_noisy).setLevel(logging.CRITICAL)  # what fails is said by us, once


class OpcUa(Line):
    """Listens to changes; each carries the server's own status and source time."""

    def session(self) -> None:
        """Run the client's loop in this thread."""
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        async with _connected(self.spec, self.secret) as client:
            subscription = await _answered(
                # Sampled by the period, but sent at once: waiting would look like a slow clock.
                client.create_subscription(1000 * min(self.spec.period_s, PUBLISHED_S), self)
            )
            for point in self.spec.points:
                await self._subscribe(client, subscription, point)
            self.feed.connected()
            self.backoff.reset()
            while not self.stopping.is_set():
                await _answered(client.check_connection())
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped(), ALIVE_EVERY_S)

    async def _stopped(self) -> None:
        while not self.stopping.is_set():
            await asyncio.sleep(0.1)

    async def _subscribe(self, client: Client, subscription: Any, point: PointSpec) -> None:
        try:
            node = client.get_node(point.config["node"])
            await subscription.subscribe_data_change(
                node, sampling_interval=1000 * self.spec.period_s, queuesize=100
            )
        except (UaError, ValueError) as error:
            self.feed.missing(point.sensor, LineFailed(Reason.ANSWER, type(error).__name__))

    def datachange_notification(self, node: Any, _val: object, data: Any) -> None:
        """Deliver one change: the library calls this by its name."""
        name = node.nodeid.to_string()
        for point in self.spec.points:
            if _same_node(point, name):
                self._deliver(point, data.monitored_item.Value)

    def _deliver(self, point: PointSpec, value: ua.DataValue) -> None:
        try:
            number = point.convert(_number(value))
        except NoValue:
            name = value.StatusCode.name if value.StatusCode else "null"
            self.feed.missing(point.sensor, LineFailed(Reason.PLACE, name))
            return
        at = _time(value)
        reading = {"sensor": point.sensor, "value": number, "at": at, "quality": _quality(value)}
        # A value that has not changed for long comes with its old time: no measure of the clock.
        self.feed.take([reading], is_live=at is not None and _is_fresh(at))


def _same_node(point: PointSpec, name: str) -> bool:
    wanted = point.config["node"]
    return bool(wanted == name or ua.NodeId.from_string(wanted).to_string() == name)


def _is_fresh(at: datetime) -> bool:
    return abs((datetime.now(UTC) - at).total_seconds()) < 3600


def _number(value: ua.DataValue) -> float:
    if value.Value is None or isinstance(value.Value.Value, str):
        raise NoValue
    return number_of(value.Value.Value)


def _quality(value: ua.DataValue) -> str | None:
    """Return what a status code means for us: its two highest bits are the severity."""
    code = value.StatusCode.value if value.StatusCode else 0
    return {0: None, 1: "uncertain"}.get(code >> 30, "bad")


def _time(value: ua.DataValue) -> datetime | None:
    at: datetime | None = value.SourceTimestamp or value.ServerTimestamp
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


@asynccontextmanager
async def _connected(spec: Spec, secret: Secret) -> AsyncIterator[Client]:
    url = spec.config["url"]
    parts = urlsplit(url)
    resolve(parts.hostname or "", parts.port or 4840)
    client = Client(url, timeout=TIMEOUT_S)
    client.application_uri = APPLICATION
    if is_encrypted := spec.config.get("security") == ENCRYPTED:
        await _answered(secure(client, spec, secret))
    if spec.config.get("user"):
        client.set_user(spec.config["user"])
        client.set_password(secret.get("password", ""))
    try:
        await _answered(client.connect())
    except LineFailed as failed:
        if is_encrypted and any(word in failed.detail for word in OURS):
            raise LineFailed(Reason.REFUSED_US, failed.detail) from None
        raise
    try:
        yield client
    finally:
        with suppress(OSError, UaError, TimeoutError, ConnectionError):
            await client.disconnect()


async def _answered(question: Awaitable[Any]) -> Any:
    """Return an answer, or raise `LineFailed`."""
    try:
        return await asyncio.wait_for(question, 2 * TIMEOUT_S)
    except TimeoutError:
        raise LineFailed(Reason.TIMEOUT) from None
    except UaError as error:
        name = type(error).__name__
        raise LineFailed(Reason.LOGIN if name in LOGIN else Reason.ANSWER, name) from None
    except (OSError, ConnectionError):
        raise LineFailed(Reason.CONNECT) from None


def probe(spec: Spec, secret: Secret) -> list[Sample]:
    """Read each node once."""
    return asyncio.run(_read_all(spec, secret))


async def _read_all(spec: Spec, secret: Secret) -> list[Sample]:
    found = []
    async with _connected(spec, secret) as client:
        for point in spec.points:
            try:
                value = await client.get_node(point.config["node"]).read_data_value(
                    raise_on_bad_status=False
                )
                number = point.convert(_number(value))
            except (UaError, NoValue) as error:
                stored = LineFailed(Reason.PLACE, type(error).__name__).stored
                found.append(Sample(point.sensor, None, None, stored))
            else:
                found.append(Sample(point.sensor, number, _time(value)))
    return found


LINE = OpcUa
