"""The demo's devices that do not send by themselves: a collector reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
from sqlalchemy.orm import sessionmaker

from apm.accounts.queries import hospitals, system_actor
from apm.collecting.commands import (
    Details,
    PointDetails,
    add_connection,
    add_point,
    edit_connection,
)
from apm.collecting.model import Protocol
from apm.collecting.queries import connections_page
from apm.collecting.running import Collector
from apm.core.clock import utc_now
from apm.core.command import Context
from apm.core.db import ApmSession
from apm.core.settings import Settings
from apm.demo.address import free_port
from apm.demo.devices import HttpDevice, ModbusDevice, OpcUaDevice, modbus_map
from apm.demo.signals import SIGNALS, origin_of

LOOPBACK = "127.0.0.1"
PORTS = {Protocol.MODBUS: 5020, Protocol.HTTP: 8081, Protocol.OPCUA: 4841}
PERIOD_S = 10.0
OPCUA_AFTER_S = 15.0
"""The OPC UA server takes seconds to load: it comes when the pages are there."""


@dataclass(frozen=True, slots=True)
class Place:
    """One device: what it is called, and the sensors it has."""

    protocol: Protocol
    name: str
    sensors: tuple[str, ...]


PLACES = (
    Place(Protocol.MODBUS, "CT 1 室设备间控制器 / CT 1 plant controller",
          ("CT1-TUBE-OIL", "CT1-ROOM-RH")),
    Place(Protocol.HTTP, "药房温度记录仪 / Pharmacy logger", ("PH-FRIDGE-1", "PH-FRIDGE-2")),
    Place(Protocol.OPCUA, "楼宇自控 / Building control", ("MRI-ROOM-RH",)),
)  # fmt: skip
COLLECTED = frozenset(sensor for place in PLACES for sensor in place.sensors)
"""Sensors that are read by the collector, and do not send by themselves."""


def measured(sensors: tuple[str, ...], origin: float, now: datetime) -> dict[str, float]:
    """Return what sensors measure at an instant; `origin` as in `signals.origin_of`."""
    at = np.array([now.timestamp()])
    return {code: float(SIGNALS[code].values(at, origin)[0]) for code in sensors}


class Plant:
    """The devices, their connections in the demo's database, and the collector."""

    def __init__(
        self,
        sessions: sessionmaker[ApmSession],
        settings: Settings,
        folder: Path,
        *,
        built_at: datetime,
    ) -> None:
        self._sessions, self._origin = sessions, origin_of(built_at)
        self._collector = Collector(
            sessions,
            settings.secret_key,
            folder / "demo-spool",
            held=frozenset({Protocol.OPCUA}),  # until its server is there: it would only fail
        )
        self._parts: list[Any] = []
        self._stop = Event()
        self._thread = Thread(target=self._run, name="plant", daemon=True)

    def start(self) -> None:
        """Begin in the background; the pages need not wait for it."""
        self._thread.start()

    def stop(self) -> None:
        """End the collector, then the devices."""
        self._stop.set()
        self._thread.join()
        for part in reversed(self._parts):
            part.stop()

    def _run(self) -> None:
        ports = {protocol: free_port(LOOPBACK, port) for protocol, port in PORTS.items()}
        for place in PLACES:
            if place.protocol is not Protocol.OPCUA:
                self._begin(self._device(place, ports[place.protocol]))
        connect(self._sessions, ports)
        self._begin(self._collector)
        if not self._stop.wait(OPCUA_AFTER_S):
            for place in PLACES:
                if place.protocol is Protocol.OPCUA:
                    self._begin(self._device(place, ports[place.protocol]))
            self._collector.let_go()

    def _begin(self, part: Any) -> None:
        part.start()
        self._parts.append(part)

    def _device(self, place: Place, port: int) -> Any:
        def values() -> Mapping[str, float]:
            return measured(place.sensors, self._origin, utc_now())

        return device_of(place, LOOPBACK, port, values)


def device_of(place: Place, host: str, port: int, values: Any) -> Any:
    """Return the simulated device of a place."""
    sensors = list(place.sensors)
    if place.protocol is Protocol.MODBUS:
        return ModbusDevice(host, port, modbus_map(sensors), values)
    if place.protocol is Protocol.HTTP:
        return HttpDevice(host, port, values)
    return OpcUaDevice(host, port, sensors, values)


def config_of(place: Place, host: str, port: int) -> dict[str, Any]:
    """Return the settings of the connection to a place's device."""
    if place.protocol is Protocol.MODBUS:
        return {"host": host, "port": port, "unit_id": 1}
    if place.protocol is Protocol.HTTP:
        return {"url": f"http://{host}:{port}/values"}
    return {"url": f"opc.tcp://{host}:{port}/"}


def points_of(place: Place) -> list[PointDetails]:
    """Return the points of the connection to a place's device."""
    if place.protocol is Protocol.MODBUS:
        return [PointDetails(code, found) for code, found in
                modbus_map(list(place.sensors)).items()]  # fmt: skip
    if place.protocol is Protocol.HTTP:
        return [
            PointDetails(code, {"pointer": f"/{code}/value", "time_pointer": f"/{code}/at"})
            for code in place.sensors
        ]
    return [PointDetails(code, {"node": f"ns=2;s={code}"}) for code in place.sensors]


def connect(sessions: sessionmaker[ApmSession], ports: Mapping[Protocol, int]) -> None:
    """Make the demo hospital's connections; those that are there follow the ports."""
    with sessions() as session:
        top = Context(session, system_actor(None, "demo"))
        [hospital] = hospitals(top.session)
        ctx = Context(session, system_actor(hospital.id, "demo"))
        known = {one.name: one for one in connections_page(ctx, limit=500).items}
        for place in PLACES:
            config = config_of(place, LOOPBACK, ports[place.protocol])
            found = known.get(place.name)
            if found is None:
                details = Details(place.name, config, PERIOD_S, 30.0)
                made = add_connection(ctx, protocol=place.protocol, details=details)
                for point in points_of(place):
                    add_point(ctx, connection_id=made.id, details=point)
            elif found.config != config:
                details = Details(place.name, config, found.period_s, found.max_skew_s)
                edit_connection(ctx, connection_id=found.id, details=details)
