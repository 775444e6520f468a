"""Levels and spans of use against brute force and against devices whose use is known."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predict.errors import NotEnoughData
from predict.operation import (
    BINS,
    OFF,
    ON,
    STANDBY,
    Levels,
    Memory,
    Rule,
    best_cuts,
    energy_until,
    find_levels,
    finish,
    follow,
    segments,
    starts,
)

PLAIN = Levels(1.0, 50.0)


def within(logs, cuts):
    """What Otsu minimises: the scatter that is left within the groups of a histogram."""
    counts, edges = np.histogram(logs, BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    kind = np.digitize(middles, cuts)
    left = 0.0
    for k in range(len(cuts) + 1):
        n, x = counts[kind == k], middles[kind == k]
        if n.sum():
            left += float((n * (x - np.average(x, weights=n)) ** 2).sum())
    return left


@pytest.mark.parametrize("groups", [2, 3])
def test_no_other_cuts_leave_less_scatter(groups):
    rng = np.random.default_rng(5)
    logs = np.r_[rng.normal(0, 0.3, 200), rng.normal(1.2, 0.2, 50), rng.uniform(1, 3, 80)]
    _, edges = np.histogram(logs, BINS)
    some = edges[1:-1:4]

    found = within(logs, best_cuts(logs, groups))

    assert all(found <= within(logs, cuts) + 1e-9 for cuts in combinations(some, groups - 1))


@pytest.mark.parametrize(
    ("name", "low", "high", "zero"),
    [("ventilator", (8, 0.4), (110, 8), 0.5), ("washer", (25, 2), (4200, 900), 0.5)],
)
def test_two_clear_levels_are_standby_and_on(name, low, high, zero):
    rng = np.random.default_rng(len(name))
    truth = rng.random(3000) < 0.3
    watts = np.where(truth, rng.normal(*high, 3000), rng.normal(*low, 3000)).clip(0)

    found = find_levels(watts, near_zero=zero)

    assert np.mean((watts >= found.on_above) == truth) > 0.999
    assert found.off_below < low[0]


def test_off_standby_and_on_of_a_scanner_are_told_apart():
    rng = np.random.default_rng(2)
    state = rng.choice(3, 5000, p=[0.2, 0.6, 0.2])
    watts = np.select(
        [state == 0, state == 1],
        [rng.uniform(0, 0.3, 5000), rng.normal(1800, 90, 5000)],
        10 ** rng.uniform(4.1, 4.7, 5000),
    )

    found = find_levels(watts)

    guessed = np.where(
        watts >= found.on_above, ON, np.where(watts < found.off_below, OFF, STANDBY)
    )
    assert np.mean(guessed == state) > 0.999
    assert len(found.groups) == 3


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.normal(100, 10, 4000),
        lambda rng: rng.uniform(50, 150, 4000),
        lambda rng: rng.uniform(0.1, 1000, 4000),
        lambda rng: rng.lognormal(3, 1, 4000),
        lambda rng: np.full(4000, 75.0),
        lambda rng: np.r_[np.full(3999, 75.0), 2000.0],
        lambda rng: rng.exponential(100, 4000),
    ],
)
def test_what_is_one_group_cannot_be_told(draw):
    for seed in range(20):
        with pytest.raises(NotEnoughData):
            find_levels(np.abs(draw(np.random.default_rng(seed))))


def test_too_few_readings_cannot_be_told():
    with pytest.raises(NotEnoughData, match="199"):
        find_levels(np.r_[np.full(100, 1.0), np.full(99, 100.0)])


def test_values_that_are_none_are_refused():
    with pytest.raises(ValueError, match="finite"):
        find_levels(np.full(300, np.nan))


def slowly(at, values, rule):  # noqa: C901  (brute force is long-winded)
    """The same spans, one reading at a time and from the whole list."""
    runs, spans = [], []

    def close(until):
        nonlocal runs
        kept = []  # [begin, level]
        for k, (begin, level) in enumerate(runs):
            end = runs[k + 1][0] if k + 1 < len(runs) else until
            if kept and (end - begin < rule.least_s or kept[-1][1] == level):
                continue
            kept.append((begin, level))
        for (begin, level), (end, _) in pairwise([*kept, (until, None)]):
            if end > begin:
                spans.append((begin, end, level))
        runs = []

    on = off = False
    for k, (t, v) in enumerate(zip(at, values, strict=True)):
        if k and t - at[k - 1] > rule.gap_s:
            close(at[k - 1])
        lv = rule.levels
        if not runs:
            on, off = v >= lv.on_above, v < lv.off_below
        if v >= lv.on_above * lv.margin:
            on = True
        elif v < lv.on_above / lv.margin:
            on = False
        if v < lv.off_below / lv.margin:
            off = True
        elif v >= lv.off_below * lv.margin:
            off = False
        level = ON if on else OFF if off else STANDBY
        if not runs or runs[-1][1] != level:
            runs.append((t, level))
    if runs:
        close(at[-1])
    return spans


readings = st.lists(
    st.tuples(
        st.sampled_from([1.0, 1.0, 1.0, 2.0, 5.0, 40.0]),
        st.sampled_from([0.0, 0.9, 1.1, 9.0, 40.0, 48.0, 55.0, 70.0, 100.0]),
    ),
    max_size=60,
)


@given(steps=readings, least=st.sampled_from([0.0, 2.0, 4.0]), margin=st.sampled_from([1.0, 1.3]))
def test_spans_are_those_of_brute_force(steps, least, margin):
    at = np.cumsum([s for s, _ in steps]) if steps else np.empty(0)
    values = np.array([v for _, v in steps])
    rule = Rule(Levels(1.0, 50.0, margin), least_s=least, gap_s=20.0)
    assert segments(at, values, rule) == slowly(at.tolist(), values.tolist(), rule)


@given(
    steps=readings,
    cuts=st.lists(st.integers(0, 60), max_size=8),
    least=st.sampled_from([0.0, 3.0]),
)
def test_how_batches_are_cut_changes_no_span(steps, cuts, least):
    at = np.cumsum([s for s, _ in steps]) if steps else np.empty(0)
    values = np.array([v for _, v in steps])
    rule = Rule(Levels(1.0, 50.0, 1.2), least_s=least, gap_s=20.0)
    spans, memory = [], Memory()
    for part in np.split(np.arange(len(at)), sorted(c for c in cuts if c < len(at))):
        found, memory = follow(memory, at[part], values[part], rule)
        spans += found
    assert spans + finish(memory, rule) == segments(at, values, rule)


def test_a_simulated_month_gives_back_its_hours_and_starts():
    rng = np.random.default_rng(9)
    lengths = rng.uniform(1200, 30_000, 200)
    edges = np.r_[0.0, np.cumsum(lengths)]
    at = np.arange(0.0, edges[-1], 60.0)
    truth = (np.searchsorted(edges, at, side="right") - 1) % 2
    watts = np.where(truth == 1, rng.normal(110, 8, len(at)), rng.normal(8, 0.3, len(at)))

    spans = segments(at, watts, Rule(find_levels(watts), least_s=300.0))

    hours = sum(end - begin for begin, end, state in spans if state == ON)
    assert hours == pytest.approx(lengths[1::2].sum(), abs=60.0 * 200)
    assert len(starts(spans)) == 100


def test_a_gap_is_not_filled():
    at = np.r_[np.arange(0.0, 100.0, 10), np.arange(10_000.0, 10_100.0, 10)]
    spans = segments(at, np.full(20, 100.0), Rule(PLAIN, least_s=0, gap_s=600))
    assert spans == [(0.0, 90.0, ON), (10_000.0, 10_090.0, ON)]
    assert starts(spans) == []


def test_energy_is_the_integral_and_gaps_add_nothing():
    rng = np.random.default_rng(4)
    at = np.cumsum(rng.uniform(1, 120, 500))
    watts = rng.uniform(0, 3000, 500)
    moments = np.sort(rng.uniform(0, at[-1] + 50, 200))

    found = energy_until(at, watts, moments, 1e9)

    for moment, value in zip(moments, found, strict=True):
        fine = np.linspace(at[0], np.clip(moment, at[0], at[-1]), 20_001)
        exact = np.trapezoid(np.interp(fine, at, watts), fine) / 3600
        assert value == pytest.approx(exact, rel=1e-3, abs=1e-3)
    late = np.r_[at, at + 1e6]
    whole = energy_until(late, np.r_[watts, watts], np.array([2e6]), 3600.0)
    assert whole[0] == pytest.approx(2 * np.trapezoid(watts, at) / 3600)
    assert energy_until(at[:1], watts[:1], moments, 10.0).tolist() == [0.0] * 200
