"""Drift watch against simulation and against the definition, written out step by step."""

import numpy as np
import pytest

from predict.errors import NotEnoughData
from predict.stability import page_hinkley, shift_threshold, stability


def test_samples_of_one_population_are_called_stable_but_for_chance() -> None:
    rng = np.random.default_rng(4)
    pairs = [stability(rng.normal(size=400), rng.normal(size=300)) for _ in range(400)]
    beyond = sum(pair.index > pair.by_chance for pair in pairs)
    assert beyond <= 14  # 1 of 100 is promised; 14 or more of 400 would come once in 10,000
    assert not any(pair.has_shifted for pair in pairs)


def test_a_shifted_population_is_noticed_and_its_index_is_the_sum_over_bins() -> None:
    before, now = np.repeat(np.arange(10.0), 20), np.repeat(np.arange(10.0), [40] * 5 + [10] * 5)
    e = (np.full(10, 20) + 0.5) / (200 + 5)
    a = (np.array([40] * 5 + [10] * 5) + 0.5) / (250 + 5)
    found = stability(before, now)
    assert found.index == pytest.approx(float(((a - e) * np.log(a / e)).sum()))
    assert found.has_shifted


def test_too_few_or_unusable_values_say_nothing() -> None:
    with pytest.raises(NotEnoughData):
        stability([1.0] * 49 + [np.nan] * 10, [1.0] * 60)
    assert stability([1.0] * 60, [1.0] * 60).index == 0.0


def _by_hand(values: list[float], slack: float, threshold: float) -> int | None:
    for sign in (1, -1):
        total = lowest = mean = 0.0
        for i, value in enumerate(values):
            mean += (value - mean) / (i + 1)
            total += sign * (value - mean) - slack
            lowest = min(lowest, total)
            if total - lowest > threshold:
                return i
    return None


def test_page_hinkley_does_what_its_recursion_says() -> None:
    rng = np.random.default_rng(8)
    noticed = 0
    for shift in (0.0, 0.4, -0.6):
        for _ in range(50):
            values = rng.normal(size=120)
            values[60:] += shift
            found = page_hinkley(values, slack=0.1, threshold=8.0)
            one_sided = _by_hand(values.tolist(), 0.1, 8.0)
            assert (found is None) == (one_sided is None)
            if found and found.upwards == (shift >= 0):
                noticed += 1
                assert found.at <= (one_sided if one_sided is not None else 0) or shift == 0.0
    assert noticed > 20


def test_residuals_of_honest_forecasts_seldom_count_as_a_shift() -> None:
    rng = np.random.default_rng(9)
    alarms = caught = 0
    for _ in range(100):
        p = rng.beta(1.0, 5.0, 600)
        honest = (rng.random(600) < p) - p
        worse = (rng.random(600) < np.where(np.arange(600) < 300, p, p + 0.3)) - p
        for values, is_shifted in ((honest, False), (worse, True)):
            bound = shift_threshold(values, slack=0.05, chance=0.01)
            found = page_hinkley(values, slack=0.05, threshold=bound) is not None
            alarms += found and not is_shifted
            caught += found and is_shifted
    assert alarms <= 3
    assert caught >= 95


def test_page_hinkley_refuses_a_threshold_that_is_none() -> None:
    with pytest.raises(ValueError, match="threshold"):
        page_hinkley([1.0], slack=0.1, threshold=0.0)
