"""Counters against simulated devices whose true count is known, however the batches are cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predict.counters import CounterRule, CounterState, count


def counted(values, rule, *, at=None, cuts=()):
    """Count in batches cut at these places; return the total, the breaks and the state."""
    at = np.arange(len(values), dtype=float) if at is None else np.asarray(at, float)
    values = np.asarray(values, float)
    state, total, breaks = CounterState(), 0.0, []
    for part in np.split(np.arange(len(values)), sorted(cuts)):
        found = count(state, at[part], values[part], rule)
        state, total = found.state, total + found.total
        breaks += found.breaks
        assert len(found.at) == len(found.added)
    return total, breaks, state


@given(
    steps=st.lists(st.integers(0, 3000), min_size=4, max_size=120),
    begin=st.integers(0, 65535),
    cuts=st.lists(st.integers(0, 120), max_size=6),
)
def test_a_counter_of_16_bits_is_counted_through_its_rollovers(steps, begin, cuts):
    truth = begin + np.cumsum([0, *steps])
    rule = CounterRule(bits=16, most_per_s=3000.0, confirm=1)

    total, breaks, _ = counted(truth % 65536, rule, cuts=[c for c in cuts if c < len(truth)])

    assert total == sum(steps)
    assert len(breaks) == truth[-1] // 65536
    assert {b.kind for b in breaks} <= {"rollover"}


@given(
    values=st.lists(
        st.one_of(st.integers(0, 70000), st.sampled_from([0, 5, 65535, 65000])), max_size=60
    ),
    cuts=st.lists(st.integers(0, 60), max_size=8),
    bits=st.sampled_from([None, 16]),
    most=st.sampled_from([None, 50.0, 40000.0]),
    confirm=st.integers(1, 4),
)
def test_how_batches_are_cut_changes_nothing(values, cuts, bits, most, confirm):
    rule = CounterRule(bits=bits, most_per_s=most, confirm=confirm)
    cuts = [c for c in cuts if c < len(values)]
    assert counted(values, rule, cuts=cuts) == counted(values, rule)
    assert counted(values, rule, cuts=range(len(values))) == counted(values, rule)


def test_a_glitch_counts_nothing_and_loses_nothing():
    total, breaks, _ = counted([100, 103, 0, 107, 110, 4_000_000, 113, 115],
                               CounterRule(most_per_s=10.0))  # fmt: skip
    assert total == 15
    assert [b.kind for b in breaks] == ["glitch", "glitch"]


def test_a_reset_is_believed_after_three_readings_and_nothing_is_counted_across_it():
    rule = CounterRule()
    waiting, none, _ = counted([900, 910, 0, 4], rule)
    total, [one], _ = counted([900, 910, 0, 4, 9, 15], rule)
    assert (waiting, none) == (10, [])
    assert total == 10 + 15
    assert (one.kind, one.at, one.before, one.after) == ("reset", 2.0, 910, 0)


def test_a_replaced_meter_that_stands_higher_is_a_jump():
    hours = CounterRule(most_per_s=1 / 3600, step=0.1)
    at = np.arange(8) * 3600.0
    total, [one], _ = counted([10, 11, 12, 500, 501, 502, 503, 504], hours, at=at)
    assert total == pytest.approx(2 + 4)
    assert one.kind == "jump"


def test_a_fall_that_the_width_cannot_explain_is_a_reset():
    # From the middle of the range to its start: too far for a rollover between two readings.
    _, [one], _ = counted([30000, 30001, 0, 1, 2], CounterRule(bits=16))
    assert one.kind == "reset"


def test_without_a_known_speed_only_a_fall_from_the_end_to_the_start_is_a_rollover():
    total, [one], _ = counted([65500, 10, 20, 30], CounterRule(bits=16))
    assert one.kind == "rollover"
    assert total == 46 + 20


def test_a_device_of_years_with_every_trouble_is_counted_to_the_last():
    rng = np.random.default_rng(3)
    steps = rng.poisson(4.0, 20_000)
    truth = np.cumsum(steps)
    shown = (truth + 1000) % 65536
    wild = rng.choice(np.arange(10, 19_990), 40, replace=False)
    wild = wild[np.diff(np.r_[wild.min() - 9, np.sort(wild)]) > 6]
    seen = shown.astype(float)
    seen[wild] = 0.0
    reset = 15_000
    seen[reset:] = truth[reset:] - truth[reset]

    total, breaks, _ = counted(seen, CounterRule(bits=16, most_per_s=40.0))

    kinds = [b.kind for b in breaks]
    assert kinds.count("reset") == 1
    assert kinds.count("rollover") == (truth[reset - 1] + 1000) // 65536
    assert total == truth[-1] - truth[0] - steps[reset]


def test_times_and_values_belong_together():
    with pytest.raises(ValueError, match="a time for each"):
        count(CounterState(), np.zeros(2), np.zeros(3), CounterRule())
