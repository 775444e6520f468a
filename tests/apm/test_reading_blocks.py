"""A day of readings becomes bytes and comes back exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from apm.readings.blocks import (
    DAY_US,
    MOST_CHUNKS,
    Readings,
    joined,
    merge,
    newest,
    pack,
    unpack,
)
from apm.readings.bulk import appended_many, pack_many, unpack_many


def appended(data, later):
    """A block with readings behind it; b"" is a new one."""
    return appended_many([data], later, np.zeros(1, np.intp))[0]


TIMES = st.lists(st.integers(0, DAY_US - 1), min_size=1, max_size=60)
VALUE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**9), 10**9).map(lambda n: n / 10_000),
    st.sampled_from([0.0, -0.0, 21.5, 2.0**53, 5e-324]),
)


@st.composite
def batches(draw, *, is_unique=True):
    """Readings sorted by time."""
    times = sorted(set(draw(TIMES)) if is_unique else draw(TIMES))
    n = len(times)
    return Readings(
        np.array(times, dtype=np.int64),
        np.array(draw(st.lists(VALUE, min_size=n, max_size=n)), dtype=np.float64),
        draw(arrays(np.uint8, n, elements=st.integers(0, 2))),
    )


def same(one, other):
    assert one.times.tolist() == other.times.tolist()
    assert one.values.tobytes() == other.values.tobytes()
    assert one.quality.tolist() == other.quality.tolist()


@given(batches())
def test_what_is_packed_comes_back_exactly(readings):
    data = pack(readings)
    same(unpack(data), readings)
    assert newest(data) == readings.times[-1]


@given(batches(), st.integers(1, 5))
def test_additions_come_back_in_order(readings, size):
    data, parts = b"", [readings.where(slice(i, i + size)) for i in range(0, len(readings), size)]
    for part in parts:
        data = appended(data, part)
    same(unpack(data), readings)


@given(st.lists(batches(), min_size=1, max_size=6), st.integers(0, DAY_US))
def test_many_blocks_at_once_are_as_one_after_another(several, since):
    first = np.cumsum([0, *map(len, several)])[:-1]
    blobs = [
        data + added
        for data, added in zip(
            [pack(one) for one in several],
            pack_many(joined(several), first),
            strict=True,
        )
    ]
    for data, one in zip(blobs, several, strict=True):
        same(unpack(data), joined([one, one]))
    found, counts = unpack_many(blobs, [0] * len(blobs))
    same(found, joined([part for one in several for part in (one, one)]))
    assert counts.tolist() == [2 * len(one) for one in several]
    late, counts = unpack_many(blobs, [since] * len(blobs))
    kept = [one if one.times[-1] >= since else one.where(slice(0)) for one in several]
    assert counts.tolist() == [2 * len(one) for one in kept]
    same(late, joined([part for one in kept for part in (one, one)]))


def test_many_additions_are_packed_anew():
    data = pack(at(0))
    sizes = []
    for second in range(1, 100):
        data = appended(data, at(second))
        sizes.append(len(data))
    assert unpack(data).times.tolist() == [n * 1_000_000 for n in range(100)]
    assert sizes[MOST_CHUNKS] < sizes[MOST_CHUNKS - 2] / 3


def at(second, value=1.0, quality=0):
    return Readings(
        np.array([second * 1_000_000]), np.array([value]), np.array([quality], dtype=np.uint8)
    )


@given(batches(), batches())
def test_merging_lets_what_arrives_win(stored, arriving):
    known = {time: more for time, *more in rows(stored)}
    known |= {time: more for time, *more in rows(arriving)}
    assert rows(merge(stored, arriving)) == [(time, *known[time]) for time in sorted(known)]


def rows(readings):
    columns = (readings.times, readings.values, readings.quality)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_a_regular_day_takes_little_room():
    rng = np.random.default_rng(1)
    minutes = np.arange(1440, dtype=np.int64) * 60_000_000
    values = np.round(21 + np.cumsum(rng.normal(0, 0.05, 1440)), 1)
    data = pack(Readings(minutes, values, np.zeros(1440, np.uint8)))
    assert len(data) / 1440 < 1.0


@pytest.mark.parametrize("damage", [lambda d: d[:20], lambda d: b"\xff" + d[1:], lambda d: d[:-3]])
def test_damaged_bytes_are_refused(damage):
    with pytest.raises(ValueError, match="block"):
        unpack(damage(pack(at(1))))
    with pytest.raises(ValueError, match="block"):
        unpack_many([damage(appended(b"", at(1)))], [0])
