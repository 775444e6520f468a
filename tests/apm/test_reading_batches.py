"""Batches and hours as bytes and as counts: exactly what was sent comes back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from apm.readings.batches import (
    NOTHING,
    Batch,
    newest_writes,
    pack_batch,
    settle,
    together,
    unpack_batch,
)
from apm.readings.blocks import DAY_US, Readings
from apm.readings.hours import HOUR_US, bucketed, pack_hours, unpack_hours, widened

VALUE = st.one_of(
    st.floats(-1e12, 1e12),
    st.integers(-(10**6), 10**6).map(lambda n: n / 100),
    st.sampled_from([0.0, -0.0, 5e-324, 1e15]),
)
DAY = 20_000 * DAY_US


@st.composite
def batches(draw):
    """Readings of up to three sensors in order of arrival; instants and values repeat often."""
    n = draw(st.integers(0, 30))
    return Batch(
        draw(arrays(np.int64, n, elements=st.integers(1, 3))),
        Readings(
            draw(arrays(np.int64, n, elements=st.integers(DAY, DAY + 5))),
            draw(arrays(np.float64, n, elements=st.sampled_from([1.0, 2.0, 3.5]))),
            draw(arrays(np.uint8, n, elements=st.integers(0, 2))),
        ),
    )


def rows(batch):
    columns = (batch.readings.times, batch.readings.values, batch.readings.quality)
    return list(zip(batch.sensor_ids.tolist(), *(c.tolist() for c in columns), strict=True))


@given(batches(), batches())
def test_settling_is_taking_in_one_by_one(before, arriving):
    stored = newest_writes(before)
    known = {(s, t): (v, q) for s, t, v, q in rows(stored)}
    was, new, duplicate, corrected, touched = dict(known), 0, 0, 0, set()
    for sensor, time, value, quality in rows(arriving):
        key, what = (sensor, time), (value, quality)
        if key not in known:
            new += 1
        elif known[key] == what:
            duplicate += 1
            continue
        else:
            corrected += 1
        known[key] = what
        touched.add(key)

    settled = settle(stored, arriving)

    assert (settled.new, settled.duplicate, settled.corrected) == (new, duplicate, corrected)
    assert rows(settled.changes) == [(*key, *known[key]) for key in sorted(touched)]
    after = rows(newest_writes(together([stored, settled.changes])))
    assert after == [(*key, *known[key]) for key in sorted(known)]
    assert was.keys() <= known.keys()


@given(batches())
def test_a_batch_comes_back_as_it_was_packed(batch):
    ordered = batch.in_order()
    packed = pack_batch(ordered)
    assert rows(unpack_batch(packed.sensors, packed.data)) == rows(ordered)


def test_damaged_bytes_are_refused():
    packed = pack_batch(Batch(np.array([1]), Readings(*one(DAY, 1.0))))
    with pytest.raises(ValueError, match="batch"):
        unpack_batch(packed.sensors, packed.data[:-3])
    with pytest.raises(ValueError, match="hours"):
        unpack_hours(b"")
    with pytest.raises(ValueError, match="hours"):
        unpack_hours(pack_hours(bucketed(Readings(*one(5, 1.0)), HOUR_US))[:-3])


def one(time, value):
    return np.array([time]), np.array([value]), np.zeros(1, np.uint8)


@st.composite
def days(draw):
    times = sorted(draw(st.sets(st.integers(0, DAY_US - 1), min_size=1, max_size=50)))
    values = draw(st.lists(VALUE, min_size=len(times), max_size=len(times)))
    return Readings(np.array(times), np.array(values), np.zeros(len(times), np.uint8))


@given(days())
def test_hours_are_those_of_the_readings_and_come_back(readings):
    by_hour = {}
    for time, value in zip(readings.times.tolist(), readings.values.tolist(), strict=True):
        by_hour.setdefault(time // HOUR_US, []).append(value)

    hours = unpack_hours(pack_hours(bucketed(readings, HOUR_US)))

    assert (hours.at // HOUR_US).tolist() == list(by_hour)
    assert hours.n.tolist() == [len(values) for values in by_hour.values()]
    assert hours.low.tolist() == [min(values) for values in by_hour.values()]
    assert hours.high.tolist() == [max(values) for values in by_hour.values()]
    for total, values in zip(hours.total.tolist(), by_hour.values(), strict=True):
        assert total == pytest.approx(sum(values), rel=1e-9, abs=1e-9 * max(map(abs, values)))
    day = widened(hours, DAY_US)
    assert (day.n.tolist(), day.low.tolist()) == ([len(readings)], [readings.values.min()])


def test_nothing_is_nothing():
    assert rows(settle(NOTHING, NOTHING).changes) == []
    assert len(bucketed(NOTHING.readings, HOUR_US).at) == 0
    assert len(widened(bucketed(NOTHING.readings, HOUR_US), DAY_US).at) == 0


def test_the_hours_of_a_day_take_little_room():
    minutes = np.arange(1440, dtype=np.int64) * 60_000_000
    values = np.round(21 + np.cumsum(np.random.default_rng(1).normal(0, 0.05, 1440)), 1)
    hours = bucketed(Readings(minutes, values, np.zeros(1440, np.uint8)), HOUR_US)
    assert len(pack_hours(hours)) < 260
