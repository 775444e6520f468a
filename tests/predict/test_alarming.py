"""Alarm rules: the same as counting every second by hand, however the stream is cut."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from predict.alarming.engine import QUIET, Batch, Watch, advance, advance_all
from predict.alarming.rules import Kind, Rule
from predict.alarming.signals import latest_at
from predict.climate import dew_points

S = 1_000_000


def by_hand(rule, readings):  # noqa: C901  (the rules of an alarm, said once more and plainly)
    """Every second of the stream, one after another.  `readings`: (second, value)."""
    hold, window = rule.hold_us // S, rule.window_us // S
    times = [t for t, _ in readings]
    values = [v for _, v in readings]

    def measure(i):
        if rule.kind in {Kind.SPIKE, Kind.FLAT}:
            if i == 0 or times[i] - times[i - 1] > hold:
                return None
            return abs(values[i] - values[i - 1])
        if rule.kind is Kind.RATE:
            old = [j for j in range(i) if window <= times[i] - times[j]]
            if not old or times[i] - times[old[-1]] > 2 * window:
                return None
            return abs(values[i] - values[old[-1]]) / ((times[i] - times[old[-1]]) / 3600)
        return values[i]

    def beyond(m):
        high = m >= rule.limit if rule.is_inclusive else m > rule.limit
        low = m <= rule.limit if rule.is_inclusive or rule.kind is Kind.FLAT else m < rule.limit
        if rule.kind is Kind.OUTSIDE:
            low = m <= rule.low_limit if rule.is_inclusive else m < rule.low_limit
            return high or low
        return low if rule.kind in {Kind.LOW, Kind.FLAT} else high

    def clear(m):
        if beyond(m):
            return False
        if rule.kind is Kind.OUTSIDE:
            return rule.low_limit + rule.deadband <= m <= rule.limit - rule.deadband
        if rule.kind in {Kind.LOW, Kind.FLAT}:
            return m >= rule.limit + rule.deadband
        return m <= rule.limit - rule.deadband

    found = []
    active, on, off, rest, began, raised = False, 0, 0, 0, None, None
    on_delay, off_delay = rule.on_delay_us // S, rule.off_delay_us // S
    rest_s = None if rule.rest_us is None else rule.rest_us // S
    at = -1
    for second in range(times[0], times[-1] + 1):
        while at + 1 < len(times) and times[at + 1] <= second:
            at += 1
        for passed in (0, 1):  # the instant of a reading, then the second after it
            if second - times[at] + passed > hold or (second == times[-1] and passed):
                continue
            m = measure(at)
            if m is None:
                continue
            if active:
                off = off + passed if clear(m) else 0
                if clear(m) and off >= off_delay:
                    found.append((began, raised, second + passed))
                    active, on, off, rest, began = False, 0, 0, 0, None
            elif beyond(m):
                began = second if began is None else began
                on, rest = on + passed, 0
                if on >= on_delay:
                    active, raised, off = True, second + passed, 0
            elif not rule.is_cumulative:
                on, began = 0, None
            elif clear(m):
                rest += passed if began is not None else 0
                if began is not None and rest_s is not None and rest >= rest_s:
                    on, rest, began = 0, 0, None
            else:
                rest = 0
    if active:
        found.append((began, raised, None))
    return found


def batch_of(readings, begin=0):
    times = np.array([t * S for t, _ in readings], dtype=np.int64)
    return Batch(times, np.array([v for _, v in readings], dtype=np.float64), begin)


def seconds(episodes):
    return [
        (e.began // S, e.raised_at // S, None if e.ended_at is None else e.ended_at // S)
        for e in episodes
    ]


rules = st.builds(
    Rule,
    kind=st.sampled_from(Kind),
    limit=st.sampled_from([0.0, 1.0, 2.0, 3.0]),
    low_limit=st.sampled_from([-1.0, 0.0]),
    deadband=st.sampled_from([0.0, 0.5, 1.0]),
    is_inclusive=st.booleans(),
    on_delay_us=st.sampled_from([0, S, 3 * S, 7 * S]),
    off_delay_us=st.sampled_from([0, S, 4 * S]),
    is_cumulative=st.booleans(),
    rest_us=st.sampled_from([None, S, 5 * S]),
    hold_us=st.sampled_from([2 * S, 5 * S, 60 * S]),
    window_us=st.sampled_from([3 * S, 6 * S]),
)
streams = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 4.0])),
    min_size=1,
    max_size=25,
).map(
    lambda gaps: list(
        zip(np.cumsum([gap for gap, _ in gaps]).tolist(), [v for _, v in gaps], strict=True)
    )
)


@given(rules, streams)
def test_it_is_what_counting_each_second_by_hand_gives(rule, readings):
    found = advance(rule, QUIET, batch_of(readings)).episodes
    assert seconds(found) == by_hand(rule, readings)


@given(rules, streams, st.lists(st.integers(1, 24), max_size=5))
@example(Rule(Kind.HIGH, 1.0, on_delay_us=3 * S), [(1, 2.0), (3, 2.0), (9, 2.0)], [1])
def test_it_does_not_matter_how_the_stream_is_cut(rule, readings, cuts):
    whole = advance(rule, QUIET, batch_of(readings))
    state, closed, last = QUIET, [], ()
    edges = sorted({0, len(readings), *(cut for cut in cuts if cut < len(readings))})
    for begin, end in pairwise(edges):
        done = advance(rule, state, batch_of(readings[:end], begin))
        state, last = done.state, done.episodes
        closed += [e for e in done.episodes if e.ended_at is not None]
    going_on = [e for e in last if e.ended_at is None]
    assert state == whole.state
    assert (*closed, *going_on) == whole.episodes


def test_many_sensors_at_once_are_as_one_after_another():
    rng = np.random.default_rng(7)
    batches, watches = [], []
    for n in range(40):
        times = np.cumsum(rng.integers(1, 9, 60)).astype(np.int64) * S
        batches.append(Batch(times, rng.normal(0, 2, 60).round(1)))
        for kind in Kind:
            rule = Rule(kind, 2.0, low_limit=-2.0, deadband=0.5, on_delay_us=4 * S)
            watches.append(Watch(n, rule))
    together = advance_all(batches, watches)
    assert together == [advance(w.rule, w.state, batches[w.batch]) for w in watches]
    assert sum(len(done.episodes) for done in together) > 100


def test_the_peak_is_the_worst_reading_of_the_episode():
    readings = [(0, 3.0), (10, 9.0), (20, 12.0), (30, 9.5), (40, 2.0)]
    [high] = advance(Rule(Kind.HIGH, 8.0), QUIET, batch_of(readings)).episodes
    assert (high.peak, high.peak_at // S) == (12.0, 20)
    [low] = advance(Rule(Kind.LOW, 2.5), QUIET, batch_of(readings)).episodes
    assert (low.peak, low.peak_at // S) == (2.0, 40)


def test_a_vaccine_that_was_warm_for_ten_hours_in_all_is_told_and_the_limit_itself_counts():
    """WHO's shipping indicator: 30 degrees and more for ten hours, in pieces."""
    rule = Rule(Kind.HIGH, 30.0, is_inclusive=True, is_cumulative=True, on_delay_us=10 * 3600 * S)
    hour = 3600
    warm = [(n * hour, 30.0 if (n // 3) % 2 else 20.0) for n in range(30)]
    [one] = advance(rule, QUIET, batch_of(warm)).episodes
    # Warm from hour 3 to 6, 9 to 12, 15 to 18 and 21 on: the tenth hour is over at hour 22.
    assert (one.began // S // hour, one.raised_at // S // hour) == (3, 22)


def test_a_gap_is_neither_warm_nor_cold():
    rule = Rule(Kind.HIGH, 8.0, on_delay_us=600 * S, off_delay_us=300 * S, hold_us=120 * S)
    readings = [(0, 9.0), (60, 9.0), (6000, 9.0)]  # 60 s, then two minutes that it speaks for
    done = advance(rule, QUIET, batch_of(readings))
    assert done.episodes == ()
    assert done.state.on_us == 180 * S


def test_nothing_is_remembered_of_a_quiet_stream():
    done = advance(Rule(Kind.HIGH, 8.0), QUIET, batch_of([(0, 3.0), (9, 4.0)]))
    assert done.state.is_quiet
    assert advance(Rule(Kind.HIGH, 8.0), QUIET, batch_of([])).episodes == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": math.nan},
        {"limit": 1.0, "on_delay_us": -1},
        {"limit": 1.0, "deadband": -0.1},
        {"limit": 1.0, "hold_us": 0},
    ],
)
def test_what_cannot_be_counted_is_refused(wrong):
    with pytest.raises(ValueError, match=r"must|zero"):
        Rule(Kind.HIGH, **wrong)


def test_dew_points_are_those_of_the_tables():
    """Values of psychrometric tables, to a tenth of a degree."""
    air = np.array([20.0, 22.0, 25.0, 30.0])
    damp = np.array([50.0, 60.0, 80.0, 40.0])
    assert dew_points(air, damp) == pytest.approx([9.3, 13.9, 21.3, 14.9], abs=0.1)
    assert np.isnan(dew_points(np.array([20.0, 20.0]), np.array([0.0, 101.0]))).all()
    assert dew_points(np.array([21.0]), np.array([100.0]))[0] == pytest.approx(21.0)


def test_another_sensor_speaks_for_a_while_only():
    at = np.array([0, 5, 10, 40], dtype=np.int64)
    other = latest_at(at, np.array([5, 12], dtype=np.int64), np.array([1.0, 2.0]), 20)
    assert np.array_equal(other, [np.nan, 1.0, 1.0, np.nan], equal_nan=True)
