"""Modbus registers become numbers, and single points become few reads."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

TABLES = ("holding", "input", "coil", "discrete")
BITS = frozenset({"coil", "discrete"})
"""Tables of single bits."""
_FORMATS = {
    "u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "f32": ">f",
    "u64": ">Q", "i64": ">q", "f64": ">d",
}  # fmt: skip
TYPES = (*_FORMATS, "bit")
ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
"""How the bytes of a value of four are sent: big-endian, words swapped, bytes swapped, both."""
GAP = 8
"""Registers between two points that are read along: cheaper than one more question."""
MOST_REGISTERS, MOST_BITS = 120, 1900
"""In one read; the protocol allows 125 registers and 2,000 bits."""


@dataclass(frozen=True, slots=True)
class Read:
    """One question to the device, and the points (by index) it answers."""

    table: str
    address: int
    count: int
    points: tuple[int, ...]


def width(config: Mapping[str, Any]) -> int:
    """Return how many registers (or bits) a point takes.

    >>> width({"table": "input", "type": "f32"}), width({"table": "coil"})
    (2, 1)
    """
    kind = config.get("type", "u16")
    if config["table"] in BITS or kind == "bit":
        return 1
    return struct.calcsize(_FORMATS[kind]) // 2


def grouped(configs: Sequence[Mapping[str, Any]]) -> list[Read]:
    """Return the reads that cover all points, neighbours in one.

    >>> near = [{"table": "holding", "address": a, "type": "f32"} for a in (0, 2, 9, 40)]
    >>> [(read.address, read.count, read.points) for read in grouped(near)]
    [(0, 11, (0, 1, 2)), (40, 2, (3,))]
    """
    order = sorted(range(len(configs)), key=lambda n: (configs[n]["table"], configs[n]["address"]))
    found: list[Read] = []
    for n in order:
        table, first = configs[n]["table"], int(configs[n]["address"])
        end, most = first + width(configs[n]), MOST_BITS if table in BITS else MOST_REGISTERS
        last = found[-1] if found else None
        if (
            last is not None
            and last.table == table
            and first <= last.address + last.count + GAP
            and end - last.address <= most
        ):
            count = max(last.count, end - last.address)
            found[-1] = Read(table, last.address, count, (*last.points, n))
        else:
            found.append(Read(table, first, end - first, (n,)))
    return found


def number_in(registers: Sequence[int], config: Mapping[str, Any]) -> float:
    """Return the number that a point's registers (of 16 bits, or its one bit) stand for.

    >>> number_in([0x41AC, 0x0000], {"table": "holding", "type": "f32", "order": "ABCD"})
    21.5
    >>> number_in([0x0000, 0x41AC], {"table": "holding", "type": "f32", "order": "CDAB"})
    21.5
    >>> number_in([0b1000], {"table": "holding", "type": "bit", "bit": 3})
    1.0
    """
    kind = config.get("type", "u16")
    if config["table"] in BITS:
        return float(bool(registers[0]))
    if kind == "bit":
        return float(registers[0] >> int(config.get("bit") or 0) & 1)
    raw = b"".join(_bytes(registers, config.get("order") or "ABCD"))
    found = float(struct.unpack(_FORMATS[kind], raw)[0])
    # The shortest number that is this one in four bytes: 42.1, not 42.099998474121094.
    return float(str(np.float32(found))) if kind == "f32" else found


def registers_of(value: float, config: Mapping[str, Any]) -> list[int]:
    """Return the registers that say a number: the other way round, for simulated devices.

    >>> registers_of(-2, {"table": "holding", "type": "i16"})
    [65534]
    """
    kind = config.get("type", "u16")
    whole = kind[0] != "f"
    raw = struct.pack(_FORMATS[kind], round(value) if whole else value)
    words = struct.unpack(f">{len(raw) // 2}H", raw)
    ordered = _bytes(words, config.get("order") or "ABCD")
    return [int.from_bytes(two, "big") for two in ordered]


def _bytes(words: Iterable[int], order: str) -> list[bytes]:
    """Return words as bytes in the order of the value; doing it twice changes nothing."""
    found = [int(word).to_bytes(2, "big") for word in words]
    if order in {"CDAB", "DCBA"}:
        found.reverse()
    if order in {"BADC", "DCBA"}:
        found = [two[::-1] for two in found]
    return found
