"""A day of one sensor's readings as bytes: packed for the disk, arrays for everybody else.

A block is a row of chunks.  Readings newer than all the others are added as a small chunk of
their own, which costs as much as they are (`readings.bulk`), and every 32nd addition joins the
small ones; anything else packs the day anew.  A chunk is a header and zlib of: times as multiples
of their greatest common step, delta-coded; values as whole numbers when they have at most four
decimals, delta-coded, else as float64; one byte of quality each, unless all are good.  A chunk of
few bytes is left as it is: zlib would cost more than all the rest, and gain nothing.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import Struct

import numpy as np
from numpy.typing import NDArray

DAY_US = 86_400_000_000
"""Microseconds in a day: times are counted from midnight UTC."""
GOOD, UNCERTAIN, BAD = 0, 1, 2
QUALITIES = {"good": GOOD, "uncertain": UNCERTAIN, "bad": BAD}
MOST_CHUNKS = 32
MOST_DECIMALS = 4
FLOATS = -1
"""In place of a number of decimals: the values are float64 as they came."""
LARGEST = 2**53
"""Whole numbers beyond this are not exact as float64."""
VERSION = 1
HEADER = Struct("<BbBBBIIqqqq")
"""Version, decimals, flags, bytes of a time and of a value, readings, bytes that follow, first and
last time, step, first whole number."""
_SIZE, _SIZE_AT = Struct("<I"), 9
LAST, LAST_AT = Struct("<q"), 21
"""Two of them, and where they stand."""
MARKED, PLAIN = 1, 2
"""Flags: qualities stand in it; it is not compressed."""
PLAIN_BELOW = 192
QUICK = 1
"""Of zlib's levels: a chunk of a day that goes on lives until the day is packed anew."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Arrays of shape (n,): times int64 (microseconds), values float64, quality uint8."""

    times: NDArray[np.int64]
    values: NDArray[np.float64]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.times)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Readings:
        """Return the chosen ones."""
        return Readings(self.times[chosen], self.values[chosen], self.quality[chosen])

    def usable(self) -> Readings:
        """Return those that are not marked bad."""
        return self.where(self.quality != BAD)


EMPTY = Readings(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8))


def joined(parts: list[Readings]) -> Readings:
    """Return several readings one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Readings(
        np.concatenate([EMPTY.times, *(part.times for part in parts)]),
        np.concatenate([EMPTY.values, *(part.values for part in parts)]),
        np.concatenate([EMPTY.quality, *(part.quality for part in parts)]),
    )


def merge(stored: Readings, arriving: Readings) -> Readings:
    """Join `arriving` to `stored`, both by time and each instant once; what arrives wins."""
    both = joined([stored, arriving])
    both = both.where(np.argsort(both.times, kind="stable"))
    last = np.ones(len(both), dtype=np.bool_)
    last[:-1] = both.times[1:] != both.times[:-1]
    return both.where(last)


def pack(readings: Readings) -> bytes:
    """Return readings (sorted by time, unique, at least one, finite) as a block of one chunk."""
    times, values = readings.times, readings.values
    gaps = np.diff(times)
    step = int(np.gcd.reduce(gaps)) if len(gaps) else 1
    steps = gaps // step
    time_type = np.dtype(f"<u{np.min_scalar_type(int(steps.max(initial=0))).itemsize}")
    decimals, whole = scaled(values)
    if whole is None:
        value_type, first = np.dtype("<f8"), 0
        payload = values.astype(value_type).tobytes()
    else:
        changes = np.diff(whole)
        value_type, first = np.dtype(f"<i{signed_size(changes)}"), int(whole[0])
        payload = changes.astype(value_type).tobytes()
    is_marked = bool(readings.quality.any())
    body = zlib.compress(
        steps.astype(time_type).tobytes()
        + payload
        + (readings.quality.tobytes() if is_marked else b"")
    )
    header = HEADER.pack(
        VERSION,
        decimals,
        is_marked,
        time_type.itemsize,
        value_type.itemsize,
        len(times),
        len(body),
        int(times[0]),
        int(times[-1]),
        step,
        first,
    )
    return header + body


def unpack(data: bytes) -> Readings:
    """Return the readings of a block, sorted by time.

    Raises:
        ValueError: these are not the bytes of a block.
    """
    return joined([_chunk(data, offset) for offset in offsets(data)])


def newest(data: bytes) -> int:
    """Return the time of a block's last reading without unpacking it."""
    return int(LAST.unpack_from(data, offsets(data)[-1] + LAST_AT)[0])


def offsets(data: bytes) -> list[int]:
    """Return where the chunks of a block begin.

    Raises:
        ValueError: these are not the bytes of a block.
    """
    found, offset, end = [], 0, len(data)
    while offset < end:
        if end < offset + HEADER.size or data[offset] != VERSION:
            raise ValueError("not a block of readings")
        found.append(offset)
        offset += HEADER.size + _SIZE.unpack_from(data, offset + _SIZE_AT)[0]
    if offset > end:
        raise ValueError("a block of readings is damaged")
    return found


def _chunk(data: bytes, offset: int) -> Readings:
    _, decimals, flags, time_size, value_size, n, size, start, _, step, first = HEADER.unpack_from(
        data, offset
    )
    begin = offset + HEADER.size
    body = data[begin : begin + size]
    if not flags & PLAIN:
        try:
            body = zlib.decompress(body)
        except zlib.error as error:
            raise ValueError("a block of readings is damaged") from error
    steps = np.frombuffer(body, dtype=f"<u{time_size}", count=n - 1)
    times = np.empty(n, dtype=np.int64)  # (filled in place: most chunks are a few readings)
    times[0] = 0
    steps.cumsum(out=times[1:])
    times *= step
    times += start
    used = steps.nbytes
    count = n if decimals == FLOATS else n - 1
    kind = "f" if decimals == FLOATS else "i"
    raw = np.frombuffer(body, dtype=f"<{kind}{value_size}", count=count, offset=used)
    used += raw.nbytes
    if decimals == FLOATS:
        values = raw.astype(np.float64)
    else:
        whole = np.empty(n, dtype=np.int64)
        whole[0] = 0
        raw.cumsum(out=whole[1:])
        whole += first
        values = whole / 10**decimals
    quality = np.zeros(n, dtype=np.uint8)
    if flags & MARKED:
        quality = np.frombuffer(body, dtype=np.uint8, count=n, offset=used).copy()
    return Readings(times, values, quality)


def scaled(values: NDArray[np.float64]) -> tuple[int, NDArray[np.int64] | None]:
    """Return the fewest decimals that give each value back exactly, and the whole numbers."""
    if np.abs(values).max() < LARGEST / 10**MOST_DECIMALS:
        for decimals in range(MOST_DECIMALS + 1):
            whole = np.rint(values * 10**decimals)
            same = whole / 10**decimals
            if np.array_equal(same, values) and not np.signbit(values[values == 0.0]).any():
                return decimals, whole.astype(np.int64)
    return FLOATS, None


def signed_size(changes: NDArray[np.int64]) -> int:
    """Return the bytes that the largest change needs."""
    most = int(np.abs(changes).max(initial=0))
    return next(size for size in (1, 2, 4, 8) if most < 2 ** (8 * size - 1))
