"""The usual batch, checked a column at a time: every reading whole, of its type, in its range.

A batch with anything odd in it gives None: `checking` then looks at its readings one by one and
names each that cannot be stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from apm.readings.blocks import BAD, GOOD, UNCERTAIN, Readings

_NUMBERS = {float, int}
_GRADES: dict[str | None, int] = {None: GOOD, "good": GOOD, "uncertain": UNCERTAIN, "bad": BAD}
Columns = tuple[NDArray[np.int64], Readings]


def columns(
    readings: Sequence[object],
    *,
    sensors: Mapping[str, int],
    span: tuple[int, int],
    largest: float,
) -> Columns | None:
    """Return the sensor of each reading and the readings, or None if any needs a closer look.

    Args:
        readings: as they were sent.
        sensors: id of each known code.
        span: the first and the last instant that can be stored, microseconds since 1970.
        largest: the absolute value that no measurement reaches.
    """
    try:
        ids = [sensors[reading["sensor"]] for reading in readings]  # type: ignore[index]
        numbers = [reading["value"] for reading in readings]  # type: ignore[index]
        stamps = [reading["at"] for reading in readings]  # type: ignore[index]
        grades = [_GRADES[reading.get("quality")] for reading in readings]  # type: ignore[attr-defined]
        if not {*map(type, numbers)} <= _NUMBERS:
            return None
        values = np.array(numbers, dtype=np.float64)
        at = {stamp: _microseconds(stamp) for stamp in {*stamps}}
        times = np.array([at[stamp] for stamp in stamps], dtype=np.int64)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        return None
    with np.errstate(invalid="ignore"):
        is_fit = (np.abs(values) < largest) & (times >= span[0]) & (times <= span[1])
    if not is_fit.all():
        return None
    ids_array = np.array(ids, dtype=np.int64)
    return ids_array, Readings(times, values, np.array(grades, dtype=np.uint8))


def _microseconds(stamp: str | datetime) -> int:
    """Return an aware instant as microseconds since 1970.

    Raises:
        ValueError: not ISO 8601, or without offset.
        TypeError: neither text nor an instant.
    """
    at = datetime.fromisoformat(stamp.strip()) if isinstance(stamp, str) else stamp
    if not isinstance(at, datetime):
        raise TypeError
    if at.tzinfo is None:
        raise ValueError("no offset")
    # The error of the float is below half a microsecond until the year 2100.
    return round(at.timestamp() * 1e6)
