"""Readings of several sensors together: as arrays, and as the bytes of one row of the inbox."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apm.readings.blocks import EMPTY, Readings, joined

_FAST = 1
"""A row of the inbox lives for seconds: packing it quickly is worth more than packing it well."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Arrays of shape (n,): the sensor of each reading, and the readings, times since 1970."""

    sensor_ids: NDArray[np.int64]
    readings: Readings

    def __len__(self) -> int:
        return len(self.sensor_ids)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Batch:
        """Return the chosen ones."""
        return Batch(self.sensor_ids[chosen], self.readings.where(chosen))

    def in_order(self) -> Batch:
        """Return them by sensor and time; those of one instant stay in order of arrival."""
        return self.where(np.lexsort((self.readings.times, self.sensor_ids)))

    def same_sensor(self) -> NDArray[np.bool_]:
        """Tell which ones are of the sensor of the one before."""
        found = np.zeros(len(self), dtype=np.bool_)
        found[1:] = self.sensor_ids[1:] == self.sensor_ids[:-1]
        return found

    def repeats(self) -> NDArray[np.bool_]:
        """Tell which ones have sensor and instant of the one before."""
        found = self.same_sensor()
        times = self.readings.times
        found[1:] &= times[1:] == times[:-1]
        return found


NOTHING = Batch(np.empty(0, np.int64), EMPTY)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a batch comes to beside what is stored: changes to store, and how many were what.

    changes: in order, one for each sensor and instant.
    """

    changes: Batch
    new: int
    duplicate: int
    corrected: int


def together(batches: list[Batch]) -> Batch:
    """Return several batches one after the other."""
    if len(batches) == 1:
        return batches[0]
    ids = np.concatenate([NOTHING.sensor_ids, *(batch.sensor_ids for batch in batches)])
    return Batch(ids, joined([EMPTY, *(batch.readings for batch in batches)]))


def newest_writes(batch: Batch) -> Batch:
    """Return a batch in order with the last arrival of each sensor and instant only."""
    ordered = batch.in_order()
    last = np.ones(len(ordered), dtype=np.bool_)
    last[:-1] = ~ordered.repeats()[1:]
    return ordered.where(last)


def settle(stored: Batch, arriving: Batch) -> Settled:
    """Compare readings, in order of arrival, with those stored of the same sensors and instants.

    The newest write of an instant wins.  The counts are those of taking the readings in one by
    one: same instant, value and quality is a duplicate, else of that instant a correction.

    Args:
        stored: one for each sensor and instant; more than the arriving ones touch does no harm.
        arriving: in order of arrival.
    """
    if not len(arriving):
        return Settled(NOTHING, 0, 0, 0)
    both = together([stored, arriving])
    order = np.lexsort((both.readings.times, both.sensor_ids))
    both = both.where(order)
    is_arriving = order >= len(stored)
    repeats = both.repeats()
    values, quality = both.readings.values, both.readings.quality
    alike = repeats.copy()
    alike[1:] &= (values[1:] == values[:-1]) & (quality[1:] == quality[:-1])
    changes = is_arriving & ~alike
    first = np.flatnonzero(~repeats)
    last = np.append(first[1:], len(both)) - 1
    is_changed = np.logical_or.reduceat(changes, first)
    return Settled(
        both.where(last[is_changed]),
        new=int(np.count_nonzero(is_arriving & ~repeats)),
        duplicate=int(np.count_nonzero(is_arriving & alike)),
        corrected=int(np.count_nonzero(is_arriving & repeats & ~alike)),
    )


@dataclass(frozen=True, slots=True)
class Packed:
    """The bytes of a batch.

    sensors: its index, which sensors and how many readings of each; newest: when each was last
    read; data: the readings.
    """

    sensors: bytes
    newest: bytes
    data: bytes


def pack_batch(batch: Batch) -> Packed:
    """Return a batch in order (at least one reading) as bytes."""
    first = np.flatnonzero(~batch.same_sensor())
    ids, counts = batch.sensor_ids[first], np.diff(first, append=len(batch))
    times, values, quality = (
        batch.readings.times,
        batch.readings.values,
        batch.readings.quality,
    )
    raw = np.diff(times, prepend=0).astype("<i8").tobytes() + values.astype("<f8").tobytes()
    return Packed(
        ids.astype("<i8").tobytes() + counts.astype("<i4").tobytes(),
        times[first + counts - 1].astype("<i8").tobytes(),
        zlib.compress(raw + (quality.tobytes() if quality.any() else b""), _FAST),
    )


def sensors_in(index: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the sensors of a batch, ascending, and where the readings of each end."""
    k = len(index) // 12
    ids = np.frombuffer(index, dtype="<i8", count=k)
    return ids, np.cumsum(np.frombuffer(index, dtype="<i4", count=k, offset=8 * k), dtype=np.int64)


def unpack_batch(index: bytes, body: bytes) -> Batch:
    """Return a batch as it was packed, in order.

    Raises:
        ValueError: these are not the bytes of a batch.
    """
    ids, ends = sensors_in(index)
    n = int(ends[-1]) if len(ends) else 0
    try:
        raw = zlib.decompress(body)
    except zlib.error as error:
        raise ValueError("a batch of readings is damaged") from error
    times = np.cumsum(np.frombuffer(raw, dtype="<i8", count=n))
    values = np.frombuffer(raw, dtype="<f8", count=n, offset=8 * n).astype(np.float64)
    quality = np.zeros(n, dtype=np.uint8)
    if len(raw) > 16 * n:
        quality = np.frombuffer(raw, dtype=np.uint8, count=n, offset=16 * n).copy()
    return Batch(np.repeat(ids, np.diff(ends, prepend=0)), Readings(times, values, quality))
