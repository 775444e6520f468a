"""The hours of one sensor's day: count, lowest, highest and sum of each, as arrays and as bytes.

They are made when a day is sealed, so that a chart of a year reads 365 short rows, and they stay
when the readings themselves have served their time.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apm.readings.blocks import DAY_US, FLOATS, Readings, scaled, signed_size

HOUR_US = DAY_US // 24
_HEADER = Struct("<BbB")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Buckets:
    """Arrays of shape (k,), by time, of stretches that hold a usable reading.

    at: int64, where each begins, microseconds.  n: int64.  low, high, total: float64.
    """

    at: NDArray[np.int64]
    n: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    total: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_]) -> Buckets:
        """Return the chosen ones."""
        return Buckets(
            self.at[chosen],
            self.n[chosen],
            self.low[chosen],
            self.high[chosen],
            self.total[chosen],
        )

    def moved(self, by: int) -> Buckets:
        """Return them `by` microseconds later."""
        return Buckets(self.at + by, self.n, self.low, self.high, self.total)


def bucketed(usable: Readings, width: int) -> Buckets:
    """Return usable readings, by time, in buckets of `width` microseconds."""
    if not len(usable):
        return together_buckets([])
    slots = usable.times // width
    first = np.flatnonzero(np.r_[True, slots[1:] != slots[:-1]])
    return Buckets(
        slots[first] * width,
        np.diff(np.r_[first, len(slots)]).astype(np.int64),
        np.minimum.reduceat(usable.values, first),
        np.maximum.reduceat(usable.values, first),
        np.add.reduceat(usable.values, first),
    )


def widened(buckets: Buckets, width: int) -> Buckets:
    """Return buckets, by time, joined to wider ones (of a multiple of their width)."""
    if not len(buckets.at):
        return buckets
    slots = buckets.at // width
    first = np.flatnonzero(np.r_[True, slots[1:] != slots[:-1]])
    return Buckets(
        slots[first] * width,
        np.add.reduceat(buckets.n, first),
        np.minimum.reduceat(buckets.low, first),
        np.maximum.reduceat(buckets.high, first),
        np.add.reduceat(buckets.total, first),
    )


def together_buckets(parts: list[Buckets]) -> Buckets:
    """Return several stretches of buckets one after the other."""
    whole, real = np.empty(0, np.int64), np.empty(0, np.float64)
    return Buckets(
        np.concatenate([whole, *(part.at for part in parts)]),
        np.concatenate([whole, *(part.n for part in parts)]),
        np.concatenate([real, *(part.low for part in parts)]),
        np.concatenate([real, *(part.high for part in parts)]),
        np.concatenate([real, *(part.total for part in parts)]),
    )


def pack_hours(hours: Buckets) -> bytes:
    """Return the hours of a day, counted from midnight, as bytes."""
    decimals, low = scaled(np.r_[hours.low, hours.high])
    k = len(hours.at)
    # Totals stay as they are: readings between lowest and highest may have more decimals.
    columns: list[NDArray[Any]] = [hours.total.astype("<f8")]
    if low is None:
        columns += [hours.low.astype("<f8"), hours.high.astype("<f8")]
        decimals = FLOATS
    else:
        columns += [_narrow(low[:k]), _narrow(low[k:])]
    places = (hours.at // HOUR_US).astype(np.uint8)
    raw = places.tobytes() + hours.n.astype("<u4").tobytes()
    sizes = bytes(c.itemsize for c in columns)
    body = zlib.compress(raw + b"".join(c.tobytes() for c in columns), 9)
    return _HEADER.pack(_VERSION, decimals, k) + sizes + body


def unpack_hours(data: bytes) -> Buckets:
    """Return the hours of a day, counted from midnight.

    Raises:
        ValueError: these are not the bytes of hours.
    """
    if len(data) < _HEADER.size + 3 or data[0] != _VERSION:
        raise ValueError("not the hours of a day")
    _, decimals, k = _HEADER.unpack_from(data)
    sizes = data[_HEADER.size : _HEADER.size + 3]
    try:
        raw = zlib.decompress(data[_HEADER.size + 3 :])
    except zlib.error as error:
        raise ValueError("the hours of a day are damaged") from error
    kind, scale = ("f", 1) if decimals == FLOATS else ("i", 10**decimals)
    offset, columns = 5 * k, []
    for size, of in zip(sizes, ("f", kind, kind), strict=True):
        columns.append(np.frombuffer(raw, dtype=f"<{of}{size}", count=k, offset=offset))
        offset += k * size
    total, low, high = columns
    return Buckets(
        np.frombuffer(raw, dtype=np.uint8, count=k).astype(np.int64) * HOUR_US,
        np.frombuffer(raw, dtype="<u4", count=k, offset=k).astype(np.int64),
        low / scale,
        high / scale,
        total.astype(np.float64),
    )


def _narrow(whole: NDArray[np.int64]) -> NDArray[np.int64]:
    return whole.astype(f"<i{signed_size(whole)}")
