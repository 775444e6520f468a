"""Sparkplug B payloads: the part of the protobuf schema that carries numbers.

Source: Eclipse Sparkplug 3.0.0, section 6.4 (payload definition); wire format: Protocol Buffers
encoding guide.  Datasets, templates, texts and bytes are passed over: they are no readings.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
"""Bits of Int8, Int16, Int32, Int64, which travel as two's complement."""
GOOD, BAD, STALE = 192, 0, 500
"""Values of the property `Quality`."""
_QUALITY = {GOOD: None, BAD: "bad", STALE: "uncertain"}
LONGEST_VARINT = 10
Field = tuple[int, int, int | bytes]


class Damaged(Exception):
    """Not a payload of Sparkplug B."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One value; DATA messages name it by alias alone."""

    name: str
    alias: int | None
    at_ms: int | None
    value: float | None
    """None: null, or no number."""
    quality: str | None = None
    """`uncertain`, `bad`, or None for good."""
    is_historical: bool = False


def decode(payload: bytes) -> list[Metric]:
    """Return the metrics of a payload; one without a time of its own has the payload's.

    Raises:
        Damaged: this is no such payload.
    """
    at_ms: int | None = None
    bodies: list[bytes] = []
    for number, _kind, value in _fields(payload):
        if number == 1 and isinstance(value, int):
            at_ms = value
        elif number == 2 and isinstance(value, bytes):
            bodies.append(value)
    return [_metric(body, at_ms) for body in bodies]


def _metric(body: bytes, at_ms: int | None) -> Metric:
    found = {number: value for number, _kind, value in _fields(body)}
    name, alias, own_at = found.get(1, b""), found.get(2), found.get(3)
    return Metric(
        name.decode("utf-8", "replace") if isinstance(name, bytes) else "",
        alias if isinstance(alias, int) else None,
        own_at if isinstance(own_at, int) else at_ms,
        None if found.get(7) else _value(found),
        _quality(found.get(9)),
        bool(found.get(5)),
    )


def _value(found: dict[int, int | bytes]) -> float | None:
    datatype = found.get(4)
    for number in (10, 11, 14):
        value = found.get(number)
        if isinstance(value, int):
            bits = _SIGNED.get(datatype if isinstance(datatype, int) else 0)
            return float(_signed(value, bits) if bits and number != 14 else value)
    for number, layout in ((12, "<f"), (13, "<d")):
        value = found.get(number)
        if isinstance(value, bytes) and len(value) == struct.calcsize(layout):
            return float(struct.unpack(layout, value)[0])
    return None


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _quality(properties: int | bytes | None) -> str | None:
    """Read the property `Quality` of a property set: keys (1) and values (2) in step."""
    if not isinstance(properties, bytes):
        return None
    keys: list[bytes] = []
    values: list[bytes] = []
    for number, _kind, value in _fields(properties):
        if isinstance(value, bytes) and number in {1, 2}:
            (keys if number == 1 else values).append(value)
    for key, value in zip(keys, values, strict=False):
        if key == b"Quality":
            codes = [code for number, _kind, code in _fields(value) if number in {3, 4}]
            code = codes[0] if codes and isinstance(codes[0], int) else GOOD
            return _QUALITY.get(code, "uncertain")
    return None


def _fields(data: bytes) -> Iterator[Field]:
    """Yield number, wire type and value of each field; fixed ones as their bytes."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = _varint(data, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, at = _varint(data, at)
        elif kind in {FIXED64, FIXED32}:
            size = 8 if kind == FIXED64 else 4
        else:
            raise Damaged
        if not number or at + size > end:
            raise Damaged
        yield number, kind, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    found = shift = 0
    while at < len(data) and shift < 7 * LONGEST_VARINT:
        byte = data[at]
        found |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return found, at
        shift += 7
    raise Damaged


def encode(metrics: list[Metric], *, at_ms: int, seq: int) -> bytes:
    """Return a payload: for simulated devices, and for asking a node to introduce itself.

    >>> decode(encode([Metric("T", 7, None, 21.5)], at_ms=5, seq=0))
    [Metric(name='T', alias=7, at_ms=5, value=21.5, quality=None, is_historical=False)]
    """
    body = _tag(1, VARINT) + _pack(at_ms)
    for metric in metrics:
        body += _block(2, _encoded(metric))
    return body + _tag(3, VARINT) + _pack(seq)


def rebirth(*, at_ms: int) -> bytes:
    """Return the command that makes a node say again what its aliases mean."""
    body = _block(1, b"Node Control/Rebirth") + _tag(4, VARINT) + _pack(11)
    return _tag(1, VARINT) + _pack(at_ms) + _block(2, body + _tag(14, VARINT) + _pack(1))


def _encoded(metric: Metric) -> bytes:
    body = _block(1, metric.name.encode()) if metric.name else b""
    if metric.alias is not None:
        body += _tag(2, VARINT) + _pack(metric.alias)
    if metric.at_ms is not None:
        body += _tag(3, VARINT) + _pack(metric.at_ms)
    body += _tag(4, VARINT) + _pack(10)
    if metric.is_historical:
        body += _tag(5, VARINT) + _pack(1)
    if metric.value is None:
        return body + _tag(7, VARINT) + _pack(1)
    if metric.quality:
        code = BAD if metric.quality == "bad" else STALE
        said = _tag(1, VARINT) + _pack(3) + _tag(3, VARINT) + _pack(code)
        body += _block(9, _block(1, b"Quality") + _block(2, said))
    return body + _tag(13, FIXED64) + struct.pack("<d", metric.value)


def _tag(number: int, kind: int) -> bytes:
    return _pack(number << 3 | kind)


def _block(number: int, content: bytes) -> bytes:
    return _tag(number, BYTES) + _pack(len(content)) + content


def _pack(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
