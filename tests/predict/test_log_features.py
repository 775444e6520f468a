"""Features of logs: rhythms of visits and values that stand, by brute force and by truncation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predict.change_features import ChangeLog, change_features, peak_features
from predict.novelty import RangeNovelty
from predict.rhythm import rhythm_features, usual
from tests.bench.nab import caught_at_budget
from tests.bench.nab_data import Series

times = st.lists(st.integers(0, 60).map(float), max_size=10)


def test_the_next_visit_follows_the_rhythm_whatever_was_skipped_or_put_in():
    visits = [0.0, 15.0, 30.0, 60.0, 63.0, 75.0, 90.0, 105.0]

    since, interval, left = rhythm_features(visits, [140.0])[0]

    assert (since, interval, left) == (35.0, 15.0, 10.0)
    assert usual([14.9, 15.0, 15.1, 30.0, 45.0]) == pytest.approx(15.0, abs=0.11)


@settings(max_examples=60, deadline=None)
@given(log=times, now=st.integers(0, 60).map(float))
def test_visits_to_come_change_no_rhythm(log, now):
    past = [t for t in log if t <= now]

    np.testing.assert_array_equal(rhythm_features(log, [now]), rhythm_features(past, [now]))


logs = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 4)),
    min_size=1,
    unique_by=lambda row: row[:2],
).map(sorted)


def changes(rows):
    unit, at, value = np.array(rows).T
    return ChangeLog(unit, at.astype(float), value[:, None].astype(float))


@settings(max_examples=100, deadline=None)
@given(rows=logs, now=st.integers(0, 50), who=st.integers(0, 3))
def test_what_a_log_of_changes_tells_is_what_one_counts_by_hand(rows, now, who):
    told = change_features(changes(rows), [who], [float(now)], [7.0])[0]

    past = [(at, value) for unit, at, value in rows if unit == who and at <= now]
    if not past:
        assert np.isnan(told).all()
        return
    (begin, new), (_, value) = past[0], past[-1]
    before = max([k for k, (at, _) in enumerate(past) if at <= now - 7] or [0])
    rose = [k for k in range(1, len(past)) if past[k][1] > past[k - 1][1]]
    since = now - past[rose[-1]][0] if rose else np.nan
    expected = [value, value - past[before][1], sum(k > before for k in rose)]
    expected += [len(past) - 1 - before, value - new, since, now - begin]
    np.testing.assert_array_equal(told, np.array(expected, dtype=float))


@settings(max_examples=60, deadline=None)
@given(rows=logs, now=st.integers(0, 50))
def test_changes_to_come_change_no_feature(rows, now):
    past = [row for row in rows if row[1] <= now] or [(9, 0, 0)]
    moment = np.array([float(now)])

    np.testing.assert_array_equal(
        change_features(changes(rows), [1], moment, [3.0, 9.0]),
        change_features(changes(past), [1], moment, [3.0, 9.0]),
    )
    np.testing.assert_array_equal(
        peak_features(changes(rows), [1], moment), peak_features(changes(past), [1], moment)
    )


@settings(max_examples=60, deadline=None)
@given(rows=logs, now=st.integers(0, 50), who=st.integers(0, 3))
def test_peaks_are_what_one_finds_by_hand(rows, now, who):
    found = peak_features(changes(rows), [who], [float(now)])[0]

    past = [(at, value) for unit, at, value in rows if unit == who and at <= now]
    above = [at for at, value in past if value > 0]
    expected = (
        [max(v for _, v in past), now - above[0] if above else np.nan, now - past[-1][0]]
        if past
        else [np.nan] * 3
    )
    np.testing.assert_array_equal(found, np.array(expected, dtype=float))


def test_a_log_out_of_order_is_refused():
    with pytest.raises(ValueError, match="by unit and time"):
        changes([(0, 5, 1), (0, 3, 1)])
    with pytest.raises(ValueError, match="interval"):
        usual([])


readings = st.lists(st.integers(0, 30).map(float), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(values=readings, cut=st.integers(0, 40))
def test_novelty_is_the_way_beyond_the_range_so_far_wherever_batches_are_cut(values, cut):
    at = 10.0 * np.arange(len(values))
    sensor = RangeNovelty(share=0.5, warm_up_s=30.0, warm_up_readings=2)

    told = [*sensor.update(at[:cut], values[:cut]), *sensor.update(at[cut:], values[cut:])]

    for k, (value, said) in enumerate(zip(values, told, strict=True)):
        if k < 3:
            assert np.isnan(said)
            continue
        low, high = min(values[:k]), max(values[:k])
        beyond = max(value - high, low - value, 0.0)
        assert said == pytest.approx(min(beyond / (0.5 * max(high - low, 1e-9)), 100.0))


def test_windows_within_a_budget_of_false_alarms_are_counted_by_hand():
    series = Series("real/a.csv", 86400.0 * np.arange(61.0), np.zeros(61), [(10 * 86400.0,) * 2])
    score = np.zeros(61)
    score[[5, 10, 20, 30]] = [0.9, 0.5, 0.4, 0.7]

    assert (
        caught_at_budget([series], [score], per_month=1.0)["caught"] == 0.0
    )  # one allowed: above 0.7
    assert caught_at_budget([series], [score], per_month=1.6)["caught"] == 1.0  # three allowed
