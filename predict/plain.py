"""Dataclasses as JSON values, and copies of JSON values: what `asdict` and `deepcopy` do, quickly.

Those two look at every number by itself; a detector's memory is read and written for each batch
of each sensor, and is nearly all numbers in lists.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

_ATOMS = frozenset({float, int, str, bool, type(None)})


def plain(value: Any) -> Any:
    """Return a copy in which dataclasses are dicts and which shares nothing that can change.

    >>> from dataclasses import dataclass
    >>> Pair = dataclass(type("Pair", (), {"__annotations__": {"a": list, "b": tuple}}))
    >>> plain([Pair([1.0, None], (2,)), {"c": 3}])
    [{'a': [1.0, None], 'b': (2,)}, {'c': 3}]
    """
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is list or kind is tuple:
        if _ATOMS.issuperset(map(type, value)):
            return kind(value)
        return kind([plain(one) for one in value])
    if kind is dict:
        return {key: plain(one) for key, one in value.items()}
    if names := _names(kind):
        return {name: plain(getattr(value, name)) for name in names}
    return value


_KNOWN: dict[Any, tuple[str, ...]] = {}


def _names(kind: Any) -> tuple[str, ...]:
    """Return the fields of a dataclass; nothing of another type."""
    if kind not in _KNOWN:
        _KNOWN[kind] = tuple(one.name for one in fields(kind)) if is_dataclass(kind) else ()
    return _KNOWN[kind]
