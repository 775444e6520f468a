"""Failure by age, and rates against each other: simulation, another formula, a grid."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, poisson

from predict.ageing import LEAST_FAILURES, fit_ageing
from predict.errors import NotEnoughData
from predict.rate_ratio import at_least, rate_ratio


def simulated(rng, shape, scale, began, ended):
    """Ages of failure of devices watched from `began` to `ended`: inverse of the mean count."""
    ages = []
    for a, b in zip(began, ended, strict=True):
        first, last = (a / scale) ** shape, (b / scale) ** shape
        n = rng.poisson(last - first)
        ages += (scale * (rng.uniform(first, last, n)) ** (1 / shape)).tolist()
    return ages


@pytest.mark.parametrize("shape", [0.6, 1.0, 1.8, 3.0])
def test_the_shape_is_found_and_its_interval_holds(shape):
    rng = np.random.default_rng(round(shape * 10))
    began = rng.uniform(0, 4, 160)
    ended = began + rng.uniform(1, 3, 160)
    hits, found = 0, []
    for _ in range(120):
        ages = simulated(rng, shape, 2.0, began, ended)
        fit = fit_ageing(ages, began, ended)
        found.append(fit.shape)
        hits += fit.low <= shape <= fit.high
    assert np.mean(found) == pytest.approx(shape, rel=0.08)
    assert 0.82 <= hits / 120 <= 0.97  # 90 %


def test_it_is_where_a_grid_has_its_highest_likelihood():
    rng = np.random.default_rng(3)
    began, ended = np.array([0.0, 2.0, 5.0]), np.array([3.0, 6.0, 9.0])
    ages = simulated(rng, 1.7, 0.9, began, ended)
    fit = fit_ageing(ages, began, ended)

    def likelihood(shape, scale):
        t = np.array(ages)
        mean = ((ended / scale) ** shape - (began / scale) ** shape).sum()
        return (np.log(shape / scale) + (shape - 1) * np.log(t / scale)).sum() - mean

    best = max(
        likelihood(shape, scale)
        for shape in np.linspace(0.5, 4, 120)
        for scale in np.linspace(0.2, 3, 120)
    )
    assert best <= likelihood(fit.shape, fit.scale) + 1e-9
    assert best == pytest.approx(likelihood(fit.shape, fit.scale), abs=0.05)
    per_year = len(ages) / (ended - began).sum()
    assert fit.mean_rate == pytest.approx(per_year)
    assert fit.against_mean(8.0) == pytest.approx(fit.rate(8.0) / per_year)


def test_one_device_from_new_gives_crows_formula():
    ages = [0.5, 1, 2, 3, 3.5, 4, 4.5, 4.9, 5]
    fit = fit_ageing(ages, [0], [5])
    assert fit.shape == pytest.approx(len(ages) / sum(math.log(5 / t) for t in ages), rel=1e-4)


def test_too_little_or_wrong_is_refused():
    with pytest.raises(NotEnoughData):
        fit_ageing([1.0] * (LEAST_FAILURES - 1), [0], [2])
    with pytest.raises(ValueError, match="began < ended"):
        fit_ageing([1.0] * 8, [2], [2])
    with pytest.raises(ValueError, match="positive"):
        fit_ageing([0.0] * 8, [0], [2])


@pytest.mark.parametrize(("k1", "t1", "k2", "t2"), [(8, 100, 4, 200), (0, 5, 7, 9), (3, 2, 0, 50)])
def test_limits_of_a_ratio_are_those_of_the_binomial(k1, t1, k2, t2):
    found = rate_ratio(k1, t1, k2, t2)
    n = k1 + k2
    if k1:
        p = found.low * t1 / (found.low * t1 + t2)
        assert binom.sf(k1 - 1, n, p) == pytest.approx(0.05)
    else:
        assert found.low == 0
    if k2:
        p = found.high * t1 / (found.high * t1 + t2)
        assert binom.cdf(k1, n, p) == pytest.approx(0.05)
        assert found.value == pytest.approx(k1 / t1 / (k2 / t2))
    else:
        assert (found.value, found.high) == (None, math.inf)


def test_a_tail_is_the_poissons():
    for n, mean in ((0, 0.1), (1, 0.3), (4, 2.5)):
        assert at_least(n, mean) == pytest.approx(poisson.sf(n - 1, mean))


@pytest.mark.parametrize("wrong", [(-1, 1, 1, 1), (1, 0, 1, 1), (1, 1, 1, math.inf)])
def test_impossible_rates_are_refused(wrong):
    with pytest.raises(ValueError, match="positive times"):
        rate_ratio(*wrong)
    with pytest.raises(NotEnoughData):
        rate_ratio(0, 1, 0, 1)
    with pytest.raises(ValueError, match="mean"):
        at_least(1, 0.0)
