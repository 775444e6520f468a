"""Failures foretold from logs: features by brute force, probabilities by simulation."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predict.alarm_record import Watch, alarm_record
from predict.errors import NotEnoughData
from predict.failure_soon import (
    FailureSoonConfig,
    cost_threshold,
    event_features,
    fails_within,
    fit_failure_soon,
)
from tests.bench import fleet as bench
from tests.bench.data import find

times = st.lists(st.integers(0, 50).map(float), max_size=12)


@settings(max_examples=60, deadline=None)
@given(leaks=times, resets=times, now=st.integers(0, 50).map(float))
def test_features_are_counts_and_ages_of_the_past(leaks, resets, now):
    row = event_features({"leak": leaks, "reset": resets}, [now], [5.0, 20.0])[0]

    expected = []
    for log in (leaks, resets):
        past = [t for t in log if t <= now]
        expected += [sum(t > now - w for t in past) for w in (5.0, 20.0)]
        expected.append(now - max(past) if past else np.nan)
    np.testing.assert_array_equal(row, expected)


@settings(max_examples=60, deadline=None)
@given(log=times, now=st.integers(0, 50).map(float))
def test_what_comes_later_changes_no_feature(log, now):
    past = [t for t in log if t <= now]

    np.testing.assert_array_equal(
        event_features({"e": log}, [now], [7.0]), event_features({"e": past}, [now], [7.0])
    )


@settings(max_examples=60, deadline=None)
@given(failures=times, until=st.integers(10, 60).map(float))
def test_no_label_comes_from_beyond_what_is_known(failures, until):
    at = np.arange(0.0, until)
    label = fails_within(failures, at, 8.0, known_until=until)
    earlier = fails_within([f for f in failures if f <= until], at, 8.0, known_until=until)

    np.testing.assert_array_equal(label, earlier)
    for t, said in zip(at, label, strict=True):
        soon = any(t < f <= t + 8.0 for f in failures)
        assert np.isnan(said) if t + 8.0 > until else said == soon


def test_the_latest_moments_are_no_likelier_to_fail_than_others():
    rng, until, horizon = np.random.default_rng(8), 360.0, 90.0
    rows, labels, names = [], [], []
    for unit in range(600):
        at = np.arange(0.0, until, 30.0)
        failures = np.cumsum(rng.exponential(600.0, 9))
        rows.append(np.column_stack([at, rng.normal(size=len(at))]))  # a day and noise
        labels.append(fails_within(failures, at, horizon, known_until=until))
        names.append(np.full(len(at), unit))
    x, y, unit = np.concatenate(rows), np.concatenate(labels), np.concatenate(names)
    model = fit_failure_soon(x, y, unit, rng, FailureSoonConfig(rounds=30, rate=0.3))

    now = np.column_stack([np.full(200, until), rng.normal(size=200)])
    truth = 1.0 - np.exp(-horizon / 600.0)
    assert model.probability(now).mean() == pytest.approx(truth, abs=0.04)


def logged(rng, units=40, warned=0.8):
    """Units that fail now and then, most failures announced by an error up to a day before."""
    rows, labels, names = [], [], []
    for unit in range(units):
        failures = np.cumsum(rng.exponential(400.0, 8))
        warnings = failures[rng.random(8) < warned] - rng.uniform(1, 24, 1)
        noise = rng.uniform(0, 3000, 15)
        at = np.arange(0.0, 2500.0, 6.0)
        rows.append(event_features({"e": [*warnings, *noise], "f": failures}, at, [12.0, 24.0]))
        labels.append(fails_within(failures, at, 24.0, known_until=2500.0))
        names.append(np.full(len(at), unit))
    return np.concatenate(rows), np.concatenate(labels), np.concatenate(names)


@pytest.fixture(scope="module")
def model():
    return fit_failure_soon(*logged(np.random.default_rng(0)), np.random.default_rng(1))


def test_probabilities_are_shares(model):
    x, y, _ = logged(np.random.default_rng(2))
    known = np.isfinite(y)
    p, y = model.probability(x[known]), y[known]

    assert model.is_better_than_base_rate
    assert np.mean((p - y) ** 2) < np.mean((y.mean() - y) ** 2)
    edges = [0.0, 0.05, 0.2, 0.5, 1.01]
    for low, high in itertools.pairwise(edges):
        inside = (p >= low) & (p < high)
        if inside.sum() > 200:
            assert p[inside].mean() == pytest.approx(y[inside].mean(), abs=0.08)


def test_shuffled_labels_promise_nothing():
    x, y, unit = logged(np.random.default_rng(3))
    y = np.random.default_rng(4).permutation(y)
    fit = fit_failure_soon(x, y, unit, np.random.default_rng(1))

    p = fit.probability(x)
    assert abs(np.nanmean(p) - fit.base_rate) < 0.02
    assert np.quantile(p, 0.99) < 4 * fit.base_rate


@pytest.mark.parametrize("failures", [0, 1])
def test_none_or_one_failure_only_says_so(failures):
    y = np.zeros(500)
    y[:failures] = 1.0
    with pytest.raises(NotEnoughData):
        fit_failure_soon(np.ones((500, 2)), y, np.arange(500) % 9, np.random.default_rng(0))


def test_failures_of_one_unit_only_say_so():
    y = np.zeros(300)
    y[:40] = 1.0
    with pytest.raises(NotEnoughData):
        fit_failure_soon(np.ones((300, 1)), y, np.repeat([0, 1, 2], 100), np.random.default_rng(0))


def test_nonsense_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="labels"):
        fit_failure_soon(np.ones((3, 1)), [0.0, 2.0, 1.0], [0, 1, 2], rng)
    with pytest.raises(ValueError, match="needed"):
        fit_failure_soon(np.ones((3, 1)), [0.0, 1.0], [0, 1], rng)
    with pytest.raises(ValueError, match="needed"):
        cost_threshold(0.0, 1.0)


def test_acting_from_the_threshold_is_the_cheapest():
    rng = np.random.default_rng(5)
    p = rng.beta(0.5, 5, 200_000)
    fails = rng.random(len(p)) < p
    threshold = cost_threshold(planned=1.0, failure=8.0, averted=0.75)

    def cost(limit):
        acts = p >= limit
        return acts.sum() + 8.0 * (fails & ~acts).sum() + 8.0 * 0.25 * (fails & acts).sum()

    tried = [cost(limit) for limit in np.arange(0.02, 0.6, 0.01)]
    assert cost(threshold) <= min(tried) * 1.003


def test_alarms_are_counted_once_and_judged_by_what_followed():
    at = np.arange(0.0, 100.0)
    score = np.zeros(100)
    score[[10, 11, 12, 50, 51, 80]] = 1.0
    watch = Watch(at, score, np.array([20.0, 60.0, 97.0]))

    record = alarm_record([watch], 0.5, 15.0, rest=5.0)

    assert (record.recall.value, record.recall.n) == (pytest.approx(2 / 3), 3)
    assert (record.precision.value, record.precision.n) == (pytest.approx(2 / 3), 3)
    assert record.lead == 10.0
    assert record.false_rate.value == pytest.approx(1 / 99)


def test_silence_and_no_events_have_no_shares():
    quiet = Watch(np.arange(9.0), np.zeros(9), np.empty(0))
    record = alarm_record([quiet], 0.5, 3.0, rest=1.0)

    assert record.recall is None
    assert record.precision is None
    with pytest.raises(NotEnoughData):
        alarm_record([], 0.5, 3.0, rest=1.0)


def test_machines_are_foretold_better_than_by_always_warning():
    folder = find("azure_pdm", "PdM_failures.csv*")
    if folder is None:
        pytest.skip("the machines' logs are absent: set APM_DATA to the data folder")
    small = FailureSoonConfig(rounds=30, rate=0.2, folds=2)
    figures = bench.measure(bench.machines(folder)[:25], 24.0, step=12.0, config=small)

    assert figures["f1"] > 0.7
    assert figures["f1"] > 5 * figures["always_alarm"]
    assert figures["brier"] < figures["brier_base_rate"]


def test_the_bench_says_so_when_the_data_are_absent(tmp_path, capsys):
    assert bench.main([str(tmp_path)]) == 2
    assert "skipped" in capsys.readouterr().out
