"""Simulated devices: real servers of each protocol, with the values somebody gives them."""

from __future__ import annotations

import asyncio
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from apm.collecting.certificates import fingerprint_of
from apm.collecting.registers import registers_of

Values = Callable[[], Mapping[str, float]]
"""What each sensor measures now, by its code."""
REGISTERS = 2
"""Each sensor of the Modbus device is an f32 in two holding registers, by place."""
NAMESPACE = "urn:apm:simulated"
for _noisy in ("asyncua", "pymodbus"):
    logging.getLogger(_noisy).setLevel(logging.CRITICAL)


class _Looped(ABC):
    """A device with an event loop in a thread of its own."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._ready, self._ends = Event(), Event()
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._run, name=type(self).__name__, daemon=True)

    def start(self) -> None:
        """Listen; returns when it does, raises what kept it from that."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End."""
        self._ends.set()
        self._thread.join(5)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _until_stopped(self) -> None:
        self._ready.set()
        while not self._ends.is_set():
            await asyncio.sleep(0.05)

    @abstractmethod
    async def _serve(self) -> None:
        """Serve until stopped."""


def modbus_map(sensors: list[str]) -> dict[str, dict[str, Any]]:
    """Return where the Modbus device keeps each sensor."""
    return {
        sensor: {"table": "holding", "address": n * REGISTERS, "type": "f32", "order": "ABCD"}
        for n, sensor in enumerate(sensors)
    }


class ModbusDevice(_Looped):
    """A Modbus TCP server; a register map by sensor says what stands where."""

    def __init__(
        self, host: str, port: int, places: Mapping[str, Mapping[str, Any]], values: Values
    ) -> None:
        super().__init__(host, port)
        self._places, self._values = places, values

    async def _serve(self) -> None:
        size = max((int(place["address"]) for place in self._places.values()), default=0) + 8
        cells = SimData(0, count=size, values=0, datatype=DataType.REGISTERS)
        device = SimDevice(0, [cells], action=self._fill)
        server: Any = ModbusTcpServer(device, address=(self.host, self.port))
        await server.serve_forever(background=True)
        try:
            await self._until_stopped()
        finally:
            await server.shutdown()

    async def _fill(
        self, _code: int, start: int, _address: int, _n: int, cells: list[int], _set: Any
    ) -> None:
        """Write what is measured now into the registers, before they are read."""
        for sensor, value in self._values().items():
            if place := self._places.get(sensor):
                words = registers_of(value, place)
                first = int(place["address"]) - start
                cells[first : first + len(words)] = words


class OpcUaDevice(_Looped):
    """An OPC UA server with a variable a sensor: `ns=2;s=CODE`."""

    def __init__(
        self, host: str, port: int, sensors: list[str], values: Values, *,
        identity: tuple[str, str] | None = None, accepts: Callable[[str], bool] = bool,
    ) -> None:  # fmt: skip
        """With an identity (certificate and key, PEM) it speaks encrypted alone.

        accepts: is asked with the fingerprint of each client's certificate.
        """
        super().__init__(host, port)
        self._sensors, self._values = sensors, values
        self._identity, self._accepts = identity, accepts
        self.period_s = 1.0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"opc.tcp://{self.host}:{self.port}/"

    async def _serve(self) -> None:
        # Two seconds to load, which only this device needs.
        from asyncua import ua as untyped  # noqa: PLC0415
        from asyncua.server.server import Server  # noqa: PLC0415

        ua: Any = untyped
        server = Server()
        await server.init()
        server.set_endpoint(self.url)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        if self._identity is not None:
            await self._encrypt(server, ua, self._identity)
        await server.register_namespace(NAMESPACE)
        nodes = {
            sensor: await server.nodes.objects.add_variable(
                ua.NodeId(sensor, 2), sensor, 0.0, ua.VariantType.Double
            )
            for sensor in self._sensors
        }
        async with server:
            self._ready.set()
            while not self._ends.is_set():
                for sensor, value in self._values().items():
                    if sensor in nodes:
                        now = datetime.now(UTC)
                        variant = ua.Variant(value, ua.VariantType.Double)
                        await nodes[sensor].write_value(
                            ua.DataValue(variant, SourceTimestamp=now, ServerTimestamp=now)
                        )
                await asyncio.sleep(self.period_s)

    async def _encrypt(self, server: Any, ua: Any, identity: tuple[str, str]) -> None:
        from asyncua.common.utils import ServiceError  # noqa: PLC0415

        async def known(certificate: Any, _application: object) -> None:
            if not self._accepts(fingerprint_of(certificate)):
                raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)

        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        server.set_certificate_validator(known)
        await server.load_certificate(identity[0].encode(), "pem")
        await server.load_private_key(identity[1].encode(), None, "pem")


class HttpDevice:
    """A web server that answers `GET /values` with `{CODE: {"value", "at"}}`."""

    def __init__(self, host: str, port: int, values: Values, *, key: str | None = None) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if key is not None and self.headers.get("X-Api-Key") != key:
                    self.send_error(401)
                    return
                at = datetime.now(UTC).isoformat()
                body = {code: {"value": value, "at": at} for code, value in values().items()}
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self.port = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, name="HttpDevice", daemon=True)

    def start(self) -> None:
        """Listen."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()


class MqttDevice:
    """A gateway that publishes each sensor to `apm/v1/HOSPITAL/CODE` with QoS 1."""

    def __init__(
        self, host: str, port: int, *, hospital: str, values: Values, period_s: float
    ) -> None:
        self._hospital, self._values, self._period_s = hospital, values, period_s
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.connect_async(host, port)
        self._ends = Event()
        self._thread = Thread(target=self._run, name="MqttDevice", daemon=True)

    def start(self) -> None:
        """Publish in the background; waits for the broker by itself."""
        self._client.loop_start()
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ends.set()
        self._thread.join(5)
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        while not self._ends.is_set():
            at = datetime.now(UTC).isoformat()
            for sensor, value in self._values().items():
                body = json.dumps({"at": at, "v": value})
                self._client.publish(f"apm/v1/{self._hospital}/{sensor}", body, qos=1)
            self._ends.wait(self._period_s)
