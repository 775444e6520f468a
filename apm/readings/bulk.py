"""Many blocks at once: the bytes of `readings.blocks`, without numpy's price for each small array.

A merge or a round of alarms touches thousands of blocks for a few readings each.  Here all of
them are computed together; only what zlib does, and cutting bytes, is done block by block.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apm.readings.blocks import (
    FLOATS,
    HEADER,
    LARGEST,
    LAST,
    LAST_AT,
    MARKED,
    MOST_CHUNKS,
    MOST_DECIMALS,
    PLAIN,
    PLAIN_BELOW,
    QUICK,
    VERSION,
    Readings,
    joined,
    offsets,
)

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
_FIELDS = 11
"""Of a chunk's header."""
_SIZES = (1, 2, 4, 8)
_POWERS = 10.0 ** np.arange(MOST_DECIMALS + 1)


def unpack_many(blobs: Sequence[bytes], since: Sequence[int]) -> tuple[Readings, Ints]:
    """Return the readings of blocks, one block after another, and how many are of each.

    Args:
        blobs: blocks, each by time.
        since: by block, an instant; chunks that end before it are passed over.

    Raises:
        ValueError: these are not the bytes of blocks.
    """
    heads: list[Any] = []
    owners: list[int] = []
    times: dict[int, list[bytes]] = {size: [] for size in _SIZES}
    values: dict[tuple[bool, int], list[bytes]] = {}
    grades: list[bytes] = []
    for k, (data, first) in enumerate(zip(blobs, since, strict=True)):
        for offset in offsets(data):
            if LAST.unpack_from(data, offset + LAST_AT)[0] < first:
                continue
            head = HEADER.unpack_from(data, offset)
            _, decimals, flags, time_size, value_size, n, size, _, _, _, _ = head
            begin = offset + HEADER.size
            body = data[begin : begin + size]
            if not flags & PLAIN:
                body = _inflated(body)
            is_float = decimals == FLOATS
            used = time_size * (n - 1)
            ends = used + value_size * (n if is_float else n - 1)
            times[time_size].append(body[:used])
            values.setdefault((is_float, value_size), []).append(body[used:ends])
            if flags & MARKED:
                grades.append(body[ends:])
            heads.append(head)
            owners.append(k)
    if not heads:
        nothing = np.zeros(len(blobs), dtype=np.int64)
        return Readings(np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8)), nothing
    columns = np.fromiter(chain.from_iterable(heads), np.int64, _FIELDS * len(heads))
    columns = columns.reshape(-1, _FIELDS)
    n = columns[:, 5]
    counts = np.bincount(owners, weights=n, minlength=len(blobs)).astype(np.int64)
    return _decoded(columns, times, values, grades), counts


def _inflated(body: bytes) -> bytes:
    try:
        return zlib.decompress(body)
    except zlib.error as error:
        raise ValueError("a block of readings is damaged") from error


def _decoded(
    columns: Ints,
    times: dict[int, list[bytes]],
    values: dict[tuple[bool, int], list[bytes]],
    grades: list[bytes],
) -> Readings:
    """Return the readings of chunks from the columns of their headers and their bytes by type."""
    _, decimals, flags, time_size, value_size, n, _, start, _, step, whole_first = columns.T
    first = np.cumsum(n) - n
    chunk = np.repeat(np.arange(len(n)), n)
    is_inner = np.ones(len(chunk), dtype=np.bool_)
    is_inner[first] = False
    found = np.zeros(len(chunk), dtype=np.int64)
    for size, parts in times.items():
        if parts:
            chosen = is_inner & (time_size == size)[chunk]
            found[chosen] = np.frombuffer(b"".join(parts), dtype=f"<u{size}")
    when = _summed(found, first, n) * step[chunk] + start[chunk]
    whole = np.zeros(len(chunk), dtype=np.int64)
    real = np.empty(len(chunk))
    is_float = decimals == FLOATS
    for (floats, size), parts in values.items():
        chosen = ((is_float == floats) & (value_size == size))[chunk]
        if floats:
            real[chosen] = np.frombuffer(b"".join(parts), dtype="<f8")
        else:
            whole[chosen & is_inner] = np.frombuffer(b"".join(parts), dtype=f"<i{size}")
    is_whole = ~is_float[chunk]
    whole = _summed(whole, first, n) + whole_first[chunk]
    scale = _POWERS[np.maximum(decimals, 0)][chunk]
    real[is_whole] = whole[is_whole] / scale[is_whole]
    quality = np.zeros(len(chunk), dtype=np.uint8)
    if grades:
        quality[(flags & MARKED > 0)[chunk]] = np.frombuffer(b"".join(grades), dtype=np.uint8)
    return Readings(when, real, quality)


def _summed(changes: Ints, first: Ints, n: Ints) -> Ints:
    """Return running sums that begin anew in each group; a group's first change is zero."""
    total = np.cumsum(changes)
    return total - np.repeat(total[first], n)


def appended_many(
    blobs: Sequence[bytes], readings: Readings, first: NDArray[np.intp]
) -> list[bytes]:
    """Return blocks with readings added that are newer than their own; b"" is a new block.

    Of a block with very many chunks the last ones are joined, the small before the large, so
    that each reading is packed anew a few times a day at most.

    Args:
        blobs: the blocks, shape (k,).
        readings: one group after another, each by time, every instant once, all finite.
        first: where the group of each block begins, shape (k,); none is empty.
    """
    counts = np.diff(first, append=len(readings))
    cuts = [_kept(data, n) for data, n in zip(blobs, counts.tolist(), strict=True)]
    full = [k for k, cut in enumerate(cuts) if cut < len(blobs[k])]
    if full:
        tails, n = unpack_many([blobs[k][cuts[k] :] for k in full], [-1] * len(full))
        readings, first = _before(tails, n, np.array(full), readings, first)
    added = pack_many(readings, first)
    return [data[:cut] + new for data, cut, new in zip(blobs, cuts, added, strict=True)]


def _kept(data: bytes, n: int) -> int:
    """Return how many bytes of a block stay as they are when n readings are added."""
    begins = offsets(data)
    if len(begins) < MOST_CHUNKS:
        return len(data)
    cut = len(data)
    for begin in reversed(begins):
        size = int(HEADER.unpack_from(data, begin)[5])
        if size >= 2 * n:
            break
        n, cut = n + size, begin
    return cut


def _before(
    tails: Readings, n: Ints, owners: Ints, readings: Readings, first: NDArray[np.intp]
) -> tuple[Readings, NDArray[np.intp]]:
    """Put tails, n readings each, before the groups of their owners."""
    counts = np.diff(first, append=len(readings))
    keys = np.r_[np.repeat(owners, n), np.repeat(np.arange(len(first)), counts)]
    order = np.argsort(keys, kind="stable")
    counts[owners] += n
    return joined([tails, readings]).where(order), np.cumsum(counts) - counts


def pack_many(readings: Readings, first: NDArray[np.intp]) -> list[bytes]:
    """Return each group of readings as a chunk, quickly packed.

    Args:
        readings: one group after another, each by time, every instant once, all finite.
        first: where each group begins, shape (k,); none is empty.
    """
    counts = np.diff(first, append=len(readings))
    group = np.repeat(np.arange(len(first)), counts)
    is_inner = np.ones(len(readings), dtype=np.bool_)
    is_inner[first] = False
    step, time_sizes, time_parts = _times(readings.times, first, group, is_inner)
    decimals, whole = _scaled(readings.values, first, group)
    value_sizes, value_parts = _values(readings.values, whole, decimals, first, group)
    is_marked = np.maximum.reduceat(readings.quality, first) > 0
    grades = _cut(readings.quality, np.ones_like(counts), "u", group, is_marked[group])
    flags = np.where(is_marked, MARKED, 0)
    ends = readings.times[first + counts - 1]
    columns = (decimals, flags, time_sizes, value_sizes, counts, readings.times[first], ends, step)
    heads = zip(*(column.tolist() for column in (*columns, whole[first])), strict=True)
    bodies = map(b"".join, zip(time_parts, value_parts, grades, strict=True))
    return [_chunk(*head, body=body) for head, body in zip(heads, bodies, strict=True)]


def _chunk(
    decimals: int, flags: int, tsize: int, vsize: int, n: int, *more: int, body: bytes
) -> bytes:
    if len(body) < PLAIN_BELOW:
        flags |= PLAIN
    else:
        body = zlib.compress(body, QUICK)
    return HEADER.pack(VERSION, decimals, flags, tsize, vsize, n, len(body), *more) + body


def _times(
    times: Ints, first: NDArray[np.intp], group: Ints, is_inner: Flags
) -> tuple[Ints, Ints, list[bytes]]:
    """Return the step of each group, the bytes of a time, and the steps as bytes."""
    gaps = np.diff(times, prepend=0)
    gaps[first] = 0
    step = np.gcd.reduceat(gaps, first)
    step[step == 0] = 1
    steps = gaps // step[group]
    sizes = _sizes(np.maximum.reduceat(steps, first), signed=False)
    return step, sizes, _cut(steps, sizes, "u", group, is_inner)


def _values(
    values: NDArray[np.float64], whole: Ints, decimals: Ints, first: NDArray[np.intp], group: Ints
) -> tuple[Ints, list[bytes]]:
    """Return the bytes of a value or a change, and all of each group as bytes."""
    changes = np.diff(whole, prepend=0)
    changes[first] = 0
    sizes = _sizes(np.maximum.reduceat(np.abs(changes), first), signed=True)
    is_float = decimals == FLOATS
    sizes[is_float] = 8
    is_change = ~is_float[group]
    is_change[first] = False
    parts = _cut(changes, sizes, "i", group, is_change)
    if is_float.any():
        floats = _cut(values, sizes, "f", group, is_float[group])
        parts = [change or real for change, real in zip(parts, floats, strict=True)]
    return sizes, parts


def _sizes(most: Ints, *, signed: bool) -> Ints:
    """Return the bytes that the largest number of each group needs."""
    edges = [2 ** (8 * size - signed) - 1 for size in _SIZES[:-1]]
    return np.array(_SIZES)[np.searchsorted(edges, most)]


def _scaled(
    values: NDArray[np.float64], first: NDArray[np.intp], group: Ints
) -> tuple[Ints, Ints]:
    """Return of each group the fewest decimals that give its values back, and whole numbers."""
    decimals = np.full(len(first), FLOATS, dtype=np.int64)
    whole = np.zeros(len(values), dtype=np.int64)
    is_fit = (np.abs(values) < LARGEST / 10**MOST_DECIMALS) & ~(
        (values == 0.0) & np.signbit(values)
    )
    is_open = np.logical_and.reduceat(is_fit, first)
    for places in range(MOST_DECIMALS + 1):
        if not is_open.any():
            break
        chosen = np.flatnonzero(is_open[group])
        scaled = np.rint(values[chosen] * 10**places)
        is_same = np.ones(len(values), dtype=np.bool_)
        is_same[chosen] = scaled / 10**places == values[chosen]
        done = is_open & np.logical_and.reduceat(is_same, first)
        decimals[done] = places
        kept = done[group[chosen]]
        whole[chosen[kept]] = scaled[kept].astype(np.int64)
        is_open &= ~done
    return decimals, whole


def _cut(
    numbers: NDArray[Any], sizes: Ints, kind: str, group: Ints, is_wanted: Flags
) -> list[bytes]:
    """Return the wanted numbers of each group as bytes, so many each as the group needs."""
    found = [b""] * len(sizes)
    for size in np.unique(sizes).tolist():
        chosen = is_wanted & (sizes == size)[group]
        lengths = np.bincount(group[chosen], minlength=len(sizes)) * size
        data = numbers[chosen].astype(f"<{kind}{size}").tobytes() if chosen.any() else b""
        ends = np.cumsum(lengths)
        mine = np.flatnonzero(lengths)
        for k, begin, end in zip(
            mine.tolist(), (ends - lengths)[mine].tolist(), ends[mine].tolist(), strict=True
        ):
            found[k] = data[begin:end]
    return found
