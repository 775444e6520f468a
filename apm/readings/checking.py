"""What arrives from devices becomes columns; what cannot be a reading is refused by its index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from apm.core.i18n import _l
from apm.readings.blocks import QUALITIES, Readings
from apm.readings.columns import columns as usual

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=5)
"""How far a device's clock may run before ours."""
LARGEST = 1e15
"""Beyond this nothing in a hospital is measured: it is a device's way to say that it failed."""

REASONS = {
    "not_a_reading": _l("A reading is an object with sensor, at and value."),
    "not_json": _l("This line is not JSON."),
    "unknown_sensor": _l("No sensor of this hospital has this code. Add it first."),
    "not_a_number": _l("The value is not a number. Send a number, without quotes or unit."),
    "out_of_range": _l("The value is too large to be a measurement."),
    "not_a_time": _l("The time is not ISO 8601. Send one like 2026-11-22T08:30:00+08:00."),
    "no_timezone": _l("The time has no offset. Add one, for example Z or +08:00."),
    "from_the_future": _l("The time is more than 5 minutes ahead. Set the device's clock."),
    "too_old": _l("The time is before the year 2000. Set the device's clock."),
    "bad_quality": _l("Quality is good, uncertain or bad."),
    "summarised": _l(
        "Of this day only hourly values are kept. Send late readings before their time is up."
    ),
}


@dataclass(frozen=True, slots=True)
class Rejection:
    """One reading that was not stored: its place in what was sent, why, and what to do."""

    index: int
    code: str

    @property
    def detail(self) -> str:
        """The reason in the language spoken."""
        return str(REASONS[self.code])


class NotJson:
    """Stands for a line that could not be parsed."""


@dataclass(slots=True)
class Checked:
    """The readings that can be stored, in order of arrival, and the others.

    places: where each stood in what was sent, shape (n,).
    """

    sensor_ids: NDArray[np.int64]
    readings: Readings
    places: NDArray[np.int64]
    rejected: list[Rejection]


class _Unfit(Exception):
    """One reading cannot be stored; carries the code."""


@dataclass(slots=True)
class _Columns:
    """Grows while readings are checked, then becomes arrays."""

    sensors: Mapping[str, int]
    latest_us: int
    sensor_ids: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    quality: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    instants: dict[object, int] = field(default_factory=dict)

    def take(self, place: int, reading: object) -> None:
        """Add one reading, or raise `_Unfit` and add nothing."""
        if not isinstance(reading, Mapping):
            raise _Unfit("not_json" if reading is NotJson else "not_a_reading")
        sensor = reading.get("sensor")
        sensor_id = self.sensors.get(sensor) if isinstance(sensor, str) else None
        if sensor_id is None:
            raise _Unfit("unknown_sensor")
        value = _number(reading.get("value"))
        quality = reading.get("quality")
        grade = 0 if quality is None else _grade(quality)
        self.times.append(self._time(reading.get("at")))
        self.places.append(place)
        self.sensor_ids.append(sensor_id)
        self.values.append(value)
        self.quality.append(grade)

    def _time(self, at: object) -> int:
        """Return microseconds since the epoch; many sensors of one batch share their instants."""
        key = at if isinstance(at, str) else None
        known = self.instants.get(key) if key is not None else None
        if known is None:
            known = self._parsed(at)
            if key is not None:
                self.instants[key] = known
        return known

    def _parsed(self, at: object) -> int:
        if isinstance(at, str):
            try:
                at = datetime.fromisoformat(at.strip())
            except ValueError:
                raise _Unfit("not_a_time") from None
        if not isinstance(at, datetime):
            raise _Unfit("not_a_time")
        if at.tzinfo is None:
            raise _Unfit("no_timezone")
        time = microseconds(at)
        if time < microseconds(EARLIEST):
            raise _Unfit("too_old")
        if time > self.latest_us:
            raise _Unfit("from_the_future")
        return time


def check(readings: Sequence[object], *, sensors: Mapping[str, int], now: datetime) -> Checked:
    """Sort readings into those that can be stored and those that cannot.

    Args:
        readings: mappings with `sensor` (code), `at` (ISO 8601 text or aware datetime), `value`
            (number) and, if need be, `quality`; anything else is refused.
        sensors: id of each known code.
        now: the server's clock.
    """
    latest_us = microseconds(now + AHEAD)
    span = microseconds(EARLIEST), latest_us
    if found := usual(readings, sensors=sensors, span=span, largest=LARGEST):
        return Checked(*found, np.arange(len(readings), dtype=np.int64), [])
    columns = _Columns(sensors, latest_us)
    rejected = []
    for index, reading in enumerate(readings):
        try:
            columns.take(index, reading)
        except _Unfit as unfit:
            rejected.append(Rejection(index, str(unfit)))
    arrays = Readings(
        np.array(columns.times, dtype=np.int64),
        np.array(columns.values, dtype=np.float64),
        np.array(columns.quality, dtype=np.uint8),
    )
    ids = np.array(columns.sensor_ids, dtype=np.int64)
    return Checked(ids, arrays, np.array(columns.places, dtype=np.int64), rejected)


def codes_in(readings: Sequence[object]) -> set[object]:
    """Return what readings name as their sensor: codes, and whatever else was sent."""
    named: set[object] = set()
    try:
        named = {reading["sensor"] for reading in readings}  # type: ignore[index]
    except (LookupError, TypeError):  # something odd is among them
        for reading in readings:
            if isinstance(reading, Mapping) and isinstance(code := reading.get("sensor"), str):
                named.add(code)
    return named


def microseconds(at: datetime) -> int:
    """Return an aware instant as microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def instant(microseconds_since_epoch: int) -> datetime:
    """Return the aware instant of microseconds since 1970."""
    return EPOCH + microseconds_since_epoch * MICROSECOND


def _number(value: object) -> float:
    # True is an int to Python, and "21" is text.
    if not isinstance(value, (float, int)) or isinstance(value, bool):
        raise _Unfit("not_a_number")
    if isinstance(value, float) and not isfinite(value):
        raise _Unfit("not_a_number")
    if not -LARGEST < value < LARGEST:
        raise _Unfit("out_of_range")
    return float(value)


def _grade(quality: object) -> int:
    grade = QUALITIES.get(quality) if isinstance(quality, str) else None
    if grade is None:
        raise _Unfit("bad_quality")
    return grade
