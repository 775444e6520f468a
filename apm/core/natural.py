"""Names in the order people expect: room 2 before room 10."""

from __future__ import annotations

import re
from unicodedata import normalize

_NUMBER = re.compile(r"([0-9]+)")
Key = tuple[tuple[int, int, str], ...]


def natural(name: str) -> Key:
    """Return what to sort a name by: numbers in it count as numbers, full-width ones, too.

    >>> sorted(["Room 10", "Room 2", "room 2b", "Room 02"], key=natural)
    ['Room 2', 'Room 02', 'room 2b', 'Room 10']
    >>> natural("１０号") == natural("10号")
    True
    """
    parts = _NUMBER.split(normalize("NFKC", name).casefold())
    return tuple(_key(part) for part in parts if part)


def _key(part: str) -> tuple[int, int, str]:
    if not part[0].isascii() or not part[0].isdigit():
        return 1, 0, part
    digits = part.lstrip("0")  # by length and then by digits: never too long to be a number
    return 0, len(digits), digits
