"""Excursions against a walk through the readings one by one; gaps are gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predict.errors import NotEnoughData
from predict.excursions import (
    Excursion,
    Rule,
    Side,
    excursions,
    gap_limits,
    gaps,
    seconds_outside,
    usual_step,
    week_grid,
)

FRIDGE = Rule(2.0, 8.0, max_gap=1800.0)


def slowly(times: list[float], values: list[float], rule: Rule) -> list[Excursion]:
    """One reading after the other, without joining."""
    found: list[Excursion] = []
    k = 0
    while k < len(values):
        side = Side.HIGH if values[k] > (rule.high or 1e9) else Side.LOW
        if rule.low <= values[k] <= rule.high:
            k += 1
            continue
        first = worst = k
        while True:
            better = values[k] > values[worst] if side is Side.HIGH else values[k] < values[worst]
            worst = k if better else worst
            nxt = k + 1
            if nxt == len(values):
                end, is_cut, is_open = times[k], True, True
                break
            if times[nxt] - times[k] > rule.max_gap:
                end, is_cut, is_open = times[k], True, False
                break
            same = values[nxt] > rule.high if side is Side.HIGH else values[nxt] < rule.low
            if not same:
                end, is_cut, is_open = times[nxt], False, False
                break
            k = nxt
        k += 1
        at = times[worst]
        n = k - first
        found.append(Excursion(side, times[first], end, values[worst], at, n, is_cut, is_open))
    return found


READINGS = st.lists(
    st.tuples(st.sampled_from([60.0, 600.0, 1800.0, 1801.0, 9000.0]),
              st.sampled_from([-1.0, 1.9, 2.0, 5.0, 8.0, 8.1, 11.0])),
    min_size=1, max_size=60,
)  # fmt: skip


@given(READINGS)
def test_they_are_what_a_slow_walk_finds(rows):
    times = np.cumsum([step for step, _value in rows])
    values = np.array([value for _step, value in rows])

    assert excursions(times, values, FRIDGE) == slowly(times.tolist(), values.tolist(), FRIDGE)


@given(READINGS)
def test_what_is_inside_outside_and_unknown_makes_up_the_whole(rows):
    times = np.cumsum([step for step, _value in rows])
    values = np.array([value for _step, value in rows])
    is_out = (values < 2) | (values > 8)
    inside = sum(
        step for step, out in zip(np.diff(times), is_out[:-1], strict=True)
        if not out and step <= FRIDGE.max_gap
    )  # fmt: skip
    unknown = sum(step for step in np.diff(times) if step > FRIDGE.max_gap)

    outside = seconds_outside(excursions(times, values, FRIDGE))

    assert inside + outside + unknown == pytest.approx(times[-1] - times[0])


def test_a_value_at_the_limit_is_inside_and_one_sided_limits_hold():
    times = np.arange(4) * 60.0
    assert excursions(times, np.array([2.0, 8.0, 2.0, 8.0]), FRIDGE) == []
    freezer = Rule(None, -18.0, max_gap=600.0)
    [one] = excursions(times, np.array([-80.0, -17.0, -20.0, -300.0]), freezer)
    assert (one.start, one.end, one.side) == (60.0, 120.0, Side.HIGH)


def test_a_gap_ends_it_and_says_that_it_may_have_lasted_longer():
    times = np.array([0.0, 600.0, 9000.0, 9600.0])
    first, second = excursions(times, np.array([9.0, 9.0, 9.0, 5.0]), FRIDGE)
    assert (first.end, first.is_cut, first.is_open) == (600.0, True, False)
    assert (second.start, second.end, second.is_cut) == (9000.0, 9600.0, False)


def test_from_one_limit_to_the_other_are_two():
    found = excursions(np.arange(3) * 60.0, np.array([9.0, 1.0, 5.0]), FRIDGE)
    assert [(one.side, one.duration) for one in found] == [(Side.HIGH, 60.0), (Side.LOW, 60.0)]


def test_a_short_return_inside_does_not_end_it_if_so_ruled():
    times, values = np.arange(5) * 60.0, np.array([9.0, 7.9, 10.0, 5.0, 5.0])
    [one] = excursions(times, values, Rule(2.0, 8.0, max_gap=1800.0, join=61.0))
    assert (one.start, one.end, one.extreme) == (0.0, 180.0, 10.0)
    assert len(excursions(times, values, FRIDGE)) == 2
    # Nothing bridges a gap, however long a return may be.
    times = np.array([0.0, 60.0, 8000.0, 8060.0, 8120.0])
    assert len(excursions(times, values, Rule(2.0, 8.0, max_gap=1800.0, join=1e6))) == 2


def test_still_outside_at_the_end_is_open():
    [one] = excursions(np.arange(3) * 60.0, np.array([5.0, 9.0, 9.0]), FRIDGE)
    assert (one.is_open, one.is_cut, one.duration) == (True, True, 60.0)


def test_gaps_at_the_ends_and_between():
    times = np.array([100.0, 110.0, 300.0])
    assert gaps(times, 0.0, 310.0, 50.0) == [(0.0, 100.0), (110.0, 300.0)]
    assert gaps(np.empty(0), 0.0, 60.0, 50.0) == [(0.0, 60.0)]
    assert gaps(times, 100.0, 110.0, 50.0) == []


def test_the_usual_step_is_not_moved_by_a_gap():
    assert usual_step(np.array([0.0, 60.0, 120.0, 9000.0, 9060.0])) == 60.0
    with pytest.raises(NotEnoughData):
        usual_step(np.array([0.0, 60.0]))


def test_the_grid_of_a_week_against_sums_one_by_one():
    rng = np.random.default_rng(3)
    days, hours, values = rng.integers(0, 7, 500), rng.integers(0, 24, 500), rng.normal(size=500)
    grid = week_grid(days, hours, values)
    for day in range(7):
        for hour in range(24):
            seen = [
                v for d, h, v in zip(days, hours, values, strict=True) if (d, h) == (day, hour)
            ]
            if seen:
                assert grid[day, hour] == pytest.approx(sum(seen) / len(seen))
            else:
                assert np.isnan(grid[day, hour])


@pytest.mark.parametrize(
    ("times", "values"), [([0.0, 0.0], [1.0, 1.0]), ([1.0, 0.0], [1.0, 1.0]), ([0.0], [1.0, 2.0])]
)
def test_times_out_of_order_are_refused(times, values):
    with pytest.raises(ValueError, match="times"):
        excursions(np.array(times), np.array(values), FRIDGE)


def test_rules_that_cannot_be_are_refused():
    for low, high, gap in ((8.0, 2.0, 60.0), (2.0, 8.0, 0.0)):
        with pytest.raises(ValueError, match=r"limit|gap"):
            Rule(low, high, gap)


def test_a_logger_that_reads_faster_while_warm_makes_no_gaps_of_its_slow_readings():
    slow, fast = np.arange(144) * 600.0, 144 * 600.0 + np.arange(600) * 2.0
    times = np.r_[slow, fast, fast[-1] + 600.0 * np.arange(1, 30)]

    limits = gap_limits(times, 120.0, 21600.0)
    assert not (np.diff(times) > limits).any()
    assert gaps(times, times[0], times[-1], limits) == []

    # What is missing is a gap in each part by what is usual there.
    holes = times[(times < slow[50]) | (times > slow[53])]
    holes = holes[(holes < fast[100]) | (holes > fast[170])]
    limits = gap_limits(holes, 120.0, 21600.0)
    assert gaps(holes, holes[0], holes[-1], limits) == [
        (slow[49], slow[54]), (fast[99], fast[171]),
    ]  # fmt: skip


def test_the_ends_are_judged_by_the_steps_next_to_them():
    times = np.r_[np.arange(40) * 60.0, 2340.0 + np.arange(1, 40) * 600.0]
    limits = gap_limits(times, 120.0, 21600.0)
    ends = times[0], times[-1]
    assert gaps(times, ends[0] - 200, ends[1] + 1800, limits) == [(ends[0] - 200, ends[0])]
    assert gaps(times, ends[0], ends[1] + 1801, limits) == [(ends[1], ends[1] + 1801)]
