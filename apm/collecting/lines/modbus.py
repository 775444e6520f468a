"""Modbus TCP: a map of registers asked once a period, neighbours in one question."""

from __future__ import annotations

import logging
from math import isfinite
from typing import Any

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from apm.collecting.addresses import resolve
from apm.collecting.failures import LineFailed, Reason
from apm.collecting.lines.base import Poll, Sample, Secret
from apm.collecting.registers import BITS, Read, grouped, number_in, width
from apm.collecting.spec import PointSpec, Spec

TIMEOUT_S = 3.0
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what fails is said by us, once


class Modbus(Poll):
    """Asks a device, or a station behind a gateway."""

    def open(self) -> Any:
        """Connect."""
        return connect(self.spec)

    def ask(self, device: Any) -> None:
        """Read all points and deliver; a point the device refuses does not stop the others."""
        readings = []
        for point, value in values(device, self.spec):
            if isinstance(value, LineFailed):
                self.feed.missing(point.sensor, value)
            else:
                readings.append({"sensor": point.sensor, "value": value, "at": None,
                                 "quality": None})  # fmt: skip
        self.feed.take(readings)

    def close(self, device: Any) -> None:
        """Disconnect."""
        device.close()


def connect(spec: Spec) -> Any:
    """Return a connected client, or raise `LineFailed`."""
    port = int(spec.config.get("port", 502))
    address = resolve(spec.config["host"], port)[0]
    client: Any = ModbusTcpClient(address, port=port, timeout=TIMEOUT_S, retries=1, name="apm")
    if not client.connect():
        client.close()
        raise LineFailed(Reason.CONNECT)
    return client


def values(client: ModbusTcpClient, spec: Spec) -> list[tuple[PointSpec, float | LineFailed]]:
    """Return each point with its value, or why it has none.

    Raises:
        LineFailed: the device does not answer at all.
    """
    reads = grouped([point.config for point in spec.points])
    found: list[tuple[PointSpec, float | LineFailed]] = []
    for read in reads:
        answer = _ask(client, read, int(spec.config.get("unit_id", 1)))
        mine = [spec.points[n] for n in read.points]
        found.extend((point, _value(answer, read, point)) for point in mine)
    return found


def _ask(client: ModbusTcpClient, read: Read, unit: int) -> Any:
    ways = {
        "holding": client.read_holding_registers,
        "input": client.read_input_registers,
        "coil": client.read_coils,
        "discrete": client.read_discrete_inputs,
    }
    try:
        return ways[read.table](read.address, count=read.count, device_id=unit)
    except ModbusException as error:
        is_there = client.connected
        raise LineFailed(Reason.TIMEOUT if is_there else Reason.BROKEN) from error


def _value(answer: Any, read: Read, point: PointSpec) -> float | LineFailed:
    if answer.isError():
        return LineFailed(Reason.ANSWER, f"exception {getattr(answer, 'exception_code', '?')}")
    cells = answer.bits if read.table in BITS else answer.registers
    first = int(point.config["address"]) - read.address
    mine = cells[first : first + width(point.config)]
    if len(mine) < width(point.config):
        return LineFailed(Reason.ANSWER, "short")
    value = point.convert(number_in(mine, point.config))
    return value if isfinite(value) else LineFailed(Reason.PLACE, str(value))


def probe(spec: Spec, secret: Secret) -> list[Sample]:
    """Read once."""
    client = connect(spec)
    try:
        return [
            Sample(point.sensor, None, None, value.stored)
            if isinstance(value, LineFailed)
            else Sample(point.sensor, value)
            for point, value in values(client, spec)
        ]
    finally:
        client.close()


LINE = Modbus
