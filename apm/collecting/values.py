"""What a device says, as JSON or in its own words, becomes a number and an instant."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite

MILLISECONDS_FROM = 1e11
"""A Unix time as large as this counts milliseconds: in seconds it would be the year 5138."""
LONGEST = 40
"""Characters of a number written as text."""


class NoValue(Exception):
    """Nothing stands at this place, or nothing that can be used."""


def pointed(document: object, pointer: str) -> object:
    """Return what a JSON pointer (RFC 6901) leads to, or raise `NoValue`.

    >>> pointed({"rooms": [{"t/c": 21.5}]}, "/rooms/0/t~1c")
    21.5
    >>> pointed(7, "")
    7
    """
    found = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isascii() and name.isdigit() and len(name) < 7:
            if int(name) >= len(found):
                raise NoValue
            found = found[int(name)]
        else:
            raise NoValue
    return found


def number_of(value: object) -> float:
    """Return a number a device sent, also as text or as on and off; else raise `NoValue`.

    >>> number_of("21.5"), number_of(True)
    (21.5, 1.0)
    """
    if isinstance(value, str):
        if not value.isascii() or len(value) > LONGEST or "_" in value:
            raise NoValue
    elif not isinstance(value, (bool, int, float)):
        raise NoValue
    found = _float(value)
    if not isfinite(found):
        raise NoValue
    return found


def _float(value: bool | float | str) -> float:  # noqa: FBT001  (a value, not a choice)
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise NoValue from None


def instant_of(value: object) -> datetime:
    """Return an instant given as ISO 8601 with offset or as Unix time (s or ms).

    >>> instant_of(1795680000) == instant_of(1795680000000)
    True
    >>> instant_of("2026-11-26T16:00:00+08:00").isoformat()
    '2026-11-26T16:00:00+08:00'
    """
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip())
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds = value / 1000 if value >= MILLISECONDS_FROM else value
            found = datetime.fromtimestamp(seconds, UTC)
        else:
            raise NoValue
    except (ValueError, OverflowError, OSError):
        raise NoValue from None
    if found.tzinfo is None:
        raise NoValue
    return found
