"""Checked against scipy's fit, a search over ages and a simulated machine."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from predict.age_replacement import Weibull, best_age, fit_weibull
from predict.errors import NotEnoughData


def test_the_fit_agrees_with_scipy_on_censored_lives():
    lives = stats.weibull_min(2.5, scale=8000).rvs(200, random_state=np.random.default_rng(1))
    stop = 9000.0
    data = stats.CensoredData.right_censored(np.minimum(lives, stop), lives > stop)
    shape, _, scale = stats.weibull_min.fit(data, floc=0)

    fitted = fit_weibull(np.minimum(lives, stop), lives <= stop)

    assert fitted.shape == pytest.approx(shape, rel=1e-3)
    assert fitted.scale == pytest.approx(scale, rel=1e-3)


def test_lives_that_are_almost_alike_still_have_a_fit():
    fitted = fit_weibull([1000.0, 1000.001], [True, True])
    assert fitted.shape > 1000
    assert fitted.scale == pytest.approx(1000.0, rel=1e-4)


@given(unit=st.floats(1e-6, 1e6))
def test_the_unit_of_time_does_not_matter(unit):
    hours, failed = np.array([120.0, 300.0, 410.0, 500.0]), [True, True, False, True]
    one, other = fit_weibull(hours, failed), fit_weibull(hours * unit, failed)
    assert other.shape == pytest.approx(one.shape, rel=1e-6)
    assert other.scale == pytest.approx(one.scale * unit, rel=1e-6)


@given(shape=st.floats(0.5, 8), scale=st.floats(10, 1e5), age=st.floats(0.01, 3))
def test_the_mean_life_is_the_integral_of_the_survival(shape, scale, age):
    life = Weibull(shape, scale)
    area, _ = integrate.quad(lambda u: life.reliability(u * scale), 0, age)
    assert life.mean_life_up_to(age * scale) == pytest.approx(area * scale, rel=1e-6)


@given(shape=st.floats(1.05, 8), scale=st.floats(10, 1e5), ratio=st.floats(1.01, 500))
def test_no_other_age_is_cheaper(shape, scale, ratio):
    life = Weibull(shape, scale)

    policy = best_age(life, planned=1.0, failure=ratio)

    ages = policy.age if policy.pays else 3 * scale
    for age in ages * np.array([0.5, 0.9, 0.99, 1.01, 1.1, 2.0]):
        survive = life.reliability(age)
        cost = (survive + ratio * (1 - survive)) / life.mean_life_up_to(age)
        assert cost >= policy.cost * (1 - 1e-9)
    assert policy.cost <= policy.cost_run_to_failure * (1 + 1e-9)


def test_the_cost_is_what_a_simulated_machine_pays():
    policy = best_age(Weibull(3.0, 1000.0), planned=1.0, failure=10.0)
    lives = stats.weibull_min(3.0, scale=1000.0).rvs(
        200_000, random_state=np.random.default_rng(2)
    )

    paid = np.where(lives < policy.age, 10.0, 1.0).sum()

    assert paid / np.minimum(lives, policy.age).sum() == pytest.approx(policy.cost, rel=0.02)


@pytest.mark.parametrize(
    ("shape", "failure"), [(0.8, 10.0), (1.0, 10.0), (3.0, 1.0), (3.0, 0.0), (1.0001, 1.0001)]
)
def test_sometimes_it_is_best_to_wait(shape, failure):
    policy = best_age(Weibull(shape, 1000.0), planned=1.0, failure=failure)
    assert policy.age == inf
    assert not policy.pays
    assert policy.cost == policy.cost_run_to_failure


@pytest.mark.parametrize("planned", [0.0, -1.0, float("nan"), inf])
def test_a_replacement_costs_something(planned):
    with pytest.raises(ValueError, match="planned"):
        best_age(Weibull(2.0, 100.0), planned=planned, failure=2.0)


def test_it_says_when_it_knows_too_little():
    with pytest.raises(NotEnoughData):
        fit_weibull([100, 200, 300], [True, False, False])


@pytest.mark.parametrize(
    ("hours", "failed"),
    [([1.0, 2.0], [True]), ([[1.0, 2.0]], [[True, True]]), ([0.0, 1.0], [True, True])],
)
def test_it_refuses_hours_it_cannot_read(hours, failed):
    with pytest.raises(ValueError, match="hours"):
        fit_weibull(hours, failed)
