"""The score of forecasts against scikit-learn, against simulation and against the obvious."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from predict.errors import NotEnoughData
from predict.forecast_score import by_time, gain, not_overlapping, reliability, share, skill
from predict.interval_score import Coverage, Said, coverage


def _world(rng: np.random.Generator, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return true probabilities, what happened and the unit of each of n forecasts."""
    truth = rng.beta(1.0, 3.0, n)
    return truth, rng.random(n) < truth, np.arange(n) % 80


def test_the_brier_score_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth, happened, unit = _world(rng)
    found = skill(truth, np.full(400, 0.25), happened, unit, rng)
    assert found.brier == pytest.approx(brier_score_loss(happened, truth))
    assert found.value == pytest.approx(1.0 - found.brier / found.base)
    assert found.low < found.value < found.high
    assert found.low > 0.0  # it knows the truth


def test_a_useless_model_is_worse_beyond_doubt_and_an_equal_one_is_not() -> None:
    rng = np.random.default_rng(1)
    _, happened, unit = _world(rng)
    base = np.full(400, happened.mean())
    assert skill(rng.random(400), base, happened, unit, rng).is_worse
    assert not skill(base, base, happened, unit, rng).is_worse


def test_the_interval_of_the_skill_holds_the_true_skill_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    truth = rng.beta(1.0, 3.0, 200_000)
    rate = truth.mean()
    true = 1.0 - np.mean(truth * (1 - truth)) / (rate * (1 - rate))
    held = 0
    for _ in range(60):
        p = rng.choice(truth, 200)
        y = rng.random(200) < p
        found = skill(p, np.full(200, rate), y, np.arange(200), rng)
        held += found.low <= true <= found.high
    assert 46 <= held <= 59  # 54 of 60 expected


def test_too_few_forecasts_or_failures_are_not_scored() -> None:
    rng = np.random.default_rng(3)
    few = np.full(29, 0.5)
    with pytest.raises(NotEnoughData):
        skill(few, few, few > 0, np.arange(29), rng)
    many = np.full(100, 0.5)
    with pytest.raises(NotEnoughData):
        gain(many, many, np.zeros(100), np.arange(100), rng)
    with pytest.raises(NotEnoughData):  # one device's fate is one case
        skill(many, many, np.arange(100) % 2, np.zeros(100), rng)
    with pytest.raises(ValueError, match=r"0\.\.1"):
        skill(many * 3, many, np.arange(100) % 2, np.arange(100), rng)


def test_a_reliability_table_counts_every_forecast_once() -> None:
    rng = np.random.default_rng(5)
    truth, happened, _ = _world(rng, 1000)
    bins = reliability(truth, happened)
    assert sum(row.n for row in bins) == 1000
    assert sum(row.k for row in bins) == happened.sum()
    assert all(row.interval[0] <= row.seen <= row.interval[1] for row in bins)


def test_shares_and_rates_of_nothing_are_not_numbers() -> None:
    assert share(3, 9) is None
    assert by_time(0, 0.0) is None
    none = by_time(0, 30.0)
    assert none is not None
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(-np.log(0.05) / 30.0)


def test_overlapping_forecasts_of_one_unit_count_once() -> None:
    kept = not_overlapping(["a", "a", "b", "a"], [0, 10, 0, 30], [30, 40, 30, 60])
    assert kept.tolist() == [True, False, True, True]


@pytest.mark.parametrize("stretch", [1.0, 0.5])
def test_coverage_is_found_although_most_units_still_run(stretch: float) -> None:
    rng = np.random.default_rng(6)
    n = 3000
    scale = rng.uniform(100.0, 400.0, n)
    life = rng.weibull(2.0, n) * scale
    low, high = (scale * np.sqrt(-np.log(q)) for q in (0.9, 0.1))  # 10 % and 90 % quantiles
    middle = (low + high) / 2
    low, high = middle + (low - middle) * stretch, middle + (high - middle) * stretch
    watched = rng.uniform(0.0, 600.0, n)
    time, failed = np.minimum(life, watched), life <= watched
    assert failed.mean() < 0.75
    true = float(((low <= life) & (life <= high)).mean())
    found = coverage(Said(low, high, time, failed, np.arange(n)), 0.8, rng)
    assert found.value == pytest.approx(true, abs=0.03)
    assert found.low < found.value < found.high
    assert found.is_kept == (stretch == 1.0)


def test_coverage_needs_failures_and_units_watched_to_the_end() -> None:
    n = 40
    low, high, unit = np.full(n, 10.0), np.full(n, 100.0), np.arange(n)
    rng = np.random.default_rng(7)
    with pytest.raises(NotEnoughData, match="failures"):
        coverage(Said(low, high, np.full(n, 5.0), np.zeros(n, bool), unit), 0.9, rng)
    with pytest.raises(NotEnoughData, match="end"):
        coverage(Said(low, high, np.full(n, 50.0), unit < 20, unit), 0.9, rng)
    with pytest.raises(ValueError, match="low"):
        Said(high, low, low, unit < 20, unit)


def test_how_far_coverage_may_stray_grows_with_what_was_said_to_lie_outside() -> None:
    low, high = Coverage(0.8, 0.7, 0.9, 0.8, 40, 20).bounds
    assert (round(low, 3), round(high, 3)) == (0.7, 0.94)
