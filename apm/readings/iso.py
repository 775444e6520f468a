"""Many instants as JSON, ISO 8601 in UTC to the microsecond, without a Python text for each."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from apm.readings.blocks import DAY_US

SECOND_US = 1_000_000
_DAY_S = DAY_US // SECOND_US


_ROW = b'"0000-00-00T00:00:00.000000Z",'


def iso_json(at: NDArray[np.int64]) -> bytes:
    """Return instants, microseconds since 1970, as a JSON array of text.

    >>> iso_json(np.array([0, 1767225600000001]))
    b'["1970-01-01T00:00:00.000000Z","2026-01-01T00:00:00.000001Z"]'
    """
    if not len(at):
        return b"[]"
    found = np.empty((len(at), len(_ROW)), dtype=np.uint8)
    found[:] = np.frombuffer(_ROW, dtype=np.uint8)
    seconds, micros = np.divmod(at, SECOND_US)
    days, clock = np.divmod(seconds, _DAY_S)
    first, place = np.unique(days, return_inverse=True)
    dates = np.datetime_as_string(first.astype("datetime64[D]")).astype("S10")
    found[:, 1:11] = _letters(dates)[place]
    found[:, 12:20] = _clock()[clock]
    if micros.any():
        left = micros.astype(np.int32)
        for column in range(26, 20, -1):
            left, digit = np.divmod(left, 10)
            found[:, column] += digit.astype(np.uint8)
    return b"[" + found.tobytes()[:-1] + b"]"


@cache
def _clock() -> NDArray[np.uint8]:
    """Return the second of a day as `HH:MM:SS`, shape (86400, 8)."""
    second = np.arange(_DAY_S).astype("datetime64[s]")
    return _letters(np.array([text[11:] for text in np.datetime_as_string(second)], dtype="S8"))


def _letters(texts: NDArray[np.bytes_]) -> NDArray[np.uint8]:
    return texts.view(np.uint8).reshape(len(texts), -1)
