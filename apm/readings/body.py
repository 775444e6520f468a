"""The body of a POST of readings: JSON array or a line each, gzip or not, never too much."""

from __future__ import annotations

import json
import zlib

import orjson

from apm.core.errors import DomainError, Invalid, TooLarge
from apm.core.i18n import _l
from apm.readings.checking import NotJson

MOST_READINGS = 100_000
MOST_BYTES = 32 * 1024 * 1024
"""Of the body after unpacking: 100,000 readings need about 10 MB."""
MOST_MARKS = 20 * MOST_READINGS
"""Commas and line ends in a body: a reading has three or four."""
MOST_MEMBERS = 1000
"""Parts a gzip body may be joined from: each one found costs a copy of all that follow."""
_GZIP = 31  # zlib's window bits for a gzip header


class NotUnderstood(DomainError):
    """The body's type or packing is none that we read."""

    code, status = "unsupported_type", 415


def parse(body: bytes, *, is_lines: bool) -> list[object]:
    """Return the readings of an unpacked body; a line that is no JSON becomes `NotJson`.

    Raises:
        Invalid: not JSON, or not a list.
        TooLarge: more than 100,000 readings.
    """
    _refuse_crowd(body)
    readings = _lines(body) if is_lines else _array(body)
    if len(readings) > MOST_READINGS:
        raise _too_many()
    return readings


def _refuse_crowd(body: bytes) -> None:
    """Refuse what holds far more than 100,000 readings before memory is taken for it.

    A few kilobytes of gzip become 32 MB of `[],[],[],` and these a gigabyte of lists.
    """
    if max(body.count(b"{"), body.count(b"[")) > 2 * MOST_READINGS or (
        body.count(b",") + body.count(b"\n") > MOST_MARKS
    ):
        raise _too_many()


def _too_many() -> TooLarge:
    return TooLarge(
        _l("These are too many readings for one call. Send at most 100,000 in each."),
        code="too_many_readings",
    )


def unpacked(body: bytes, encoding: str | None) -> bytes:
    """Return the body without its gzip; stops as soon as it grows beyond 32 MB.

    Raises:
        NotUnderstood: packed in another way.
        Invalid: not gzip, cut short, or joined from more than 1,000 parts.
        TooLarge: more than 32 MB inside.
    """
    if not encoding or encoding.lower() == "identity":
        return body
    if encoding.lower() not in {"gzip", "x-gzip"}:
        raise NotUnderstood(_l("Send the body plain or packed with gzip."))
    parts: list[bytes] = []
    room = MOST_BYTES
    while body:
        if len(parts) == MOST_MEMBERS:
            raise _damaged()
        unpacker = zlib.decompressobj(_GZIP)
        try:
            parts.append(unpacker.decompress(body, room + 1))
        except zlib.error:
            raise _damaged() from None
        room -= len(parts[-1])
        if room < 0:
            raise TooLarge(
                _l("The body is larger than 32 MB when unpacked. Send fewer readings a call.")
            )
        if not unpacker.eof:
            raise _damaged()
        body = unpacker.unused_data
    return b"".join(parts)


def _damaged() -> Invalid:
    return Invalid(_l("The body is not whole gzip. Pack it again."), code="bad_gzip")


def _array(body: bytes) -> list[object]:
    try:
        found = _loaded(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise Invalid(
            _l("Send a JSON array of readings, or one reading a line as application/x-ndjson."),
            code="not_json",
        )
    return found


def _lines(body: bytes) -> list[object]:
    lines = [line for line in body.splitlines() if line and not line.isspace()]
    if len(lines) > MOST_READINGS:
        raise _too_many()
    joined = b"[" + b",\n".join(lines) + b"]"
    # Each an object by its first and last byte, and no line that is two of them.
    if joined.count(b"},\n{") == len(lines) - 1 and joined.count(b"{") == len(lines):
        try:  # all at once: three times as fast as one by one
            found = orjson.loads(joined)
        except ValueError:
            found = []
        if len(found) == len(lines):
            return list(found)
    return [_line(line) for line in lines]


def _line(line: bytes) -> object:
    try:
        return _loaded(line)
    except (ValueError, RecursionError):
        return NotJson


def _loaded(text: bytes) -> object:
    """Return what JSON says; what is no JSON but common, such as NaN, is understood too."""
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)
