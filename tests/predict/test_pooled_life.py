"""Lives pooled over groups and looked ahead: against simulation and against another fit."""

import numpy as np
import pytest

from predict.errors import NotEnoughData
from predict.life_models import fit_life
from predict.pooled_life import Rate, common_shape
from predict.survival import lives
from predict.unit_rates import Make, unit_rates, unit_spread


def fleet(shape, *, groups=30, spread=0.5, seed=1):
    """Groups with their own scale, censored, a third of them watched only from some age on."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(groups):
        n = int(rng.integers(3, 25))
        end = 300 * np.exp(rng.normal(0, spread)) * rng.weibull(shape, n)
        entry = np.where(rng.random(n) < 0.3, rng.uniform(0, 200, n), 0.0)
        leave = np.minimum(end, entry + rng.uniform(50, 600, n))
        seen = leave > entry
        found.append(lives(leave[seen], (end <= leave)[seen], entry[seen]))
    return found


@pytest.mark.parametrize("shape", [0.8, 1.0, 2.5])
def test_the_common_shape_is_found_though_groups_differ(shape):
    assert common_shape(fleet(shape)) == pytest.approx(shape, rel=0.15)


def test_one_large_group_alone_gives_what_the_plain_fit_gives():
    [alone] = fleet(2.0, groups=1, seed=3)
    many = lives(np.tile(alone.exit, 20) * np.linspace(0.9, 1.1, 20 * len(alone.exit)),
                 np.tile(alone.failed, 20))  # fmt: skip
    plain = fit_life(many)
    assert common_shape([many]) == pytest.approx(float(np.exp(-plain.log_sigma)), rel=0.03)


def test_too_few_failures_give_no_shape():
    with pytest.raises(NotEnoughData):
        common_shape([lives([10.0, 20.0, 30.0], [True, False, True])])
    with pytest.raises(NotEnoughData):
        common_shape([])


def test_probabilities_and_quantiles_are_those_of_simulated_units():
    rng = np.random.default_rng(5)
    shape, mean, known, age = 1.7, 2e-4, 6.0, 80.0
    judged = Rate(shape, mean, known)
    rate = rng.gamma(known, mean / known, 400_000)
    end = (rng.exponential(size=rate.size) / rate + age**shape) ** (1 / shape) - age
    assert float(judged.fails_within(age, 30.0)) == pytest.approx((end <= 30).mean(), abs=0.003)
    for share in (0.1, 0.5, 0.9):
        assert float(judged.left(age, share)) == pytest.approx(np.quantile(end, share), rel=0.02)
    low, _median, high = judged.surviving(age, [30.0], 0.8)[0]
    alive = np.exp(-rate * ((age + 30) ** shape - age**shape))
    assert (low, high) == pytest.approx(tuple(np.quantile(alive, [0.1, 0.9])), abs=0.003)


def test_the_interval_of_the_remaining_life_tells_how_little_is_known():
    few, many = Rate(1.0, 0.01, 2.0), Rate(1.0, 0.01, 2000.0)
    width = [float(r.left(0.0, 0.9) - r.left(0.0, 0.1)) for r in (few, many)]
    assert width[0] > 1.5 * width[1]


def test_a_unit_that_fails_more_than_its_make_is_told_apart():
    rng = np.random.default_rng(6)
    n, make = 300, Make(rate=0.01, known=3000.0, own=0.99, failures=2900)
    truth = 0.01 * rng.gamma(4.0, 0.25, n)
    failures = rng.poisson(truth * 1000.0)
    spread = unit_spread(failures, np.full(n, 1000.0), np.full(n, 0.01))
    assert spread == pytest.approx(0.5, abs=0.12)
    rate, _known = unit_rates(failures, np.full(n, 1000.0), [make] * n, spread)
    assert np.mean((rate - truth) ** 2) < 0.7 * np.mean((0.01 - truth) ** 2)


def test_the_only_unit_of_a_make_does_not_count_twice():
    # A make known from this one unit: without it, what is left is the prior it was given.
    make = Make(rate=12.0 / 400.0, known=12.0, own=0.5, failures=10)
    rate, known = unit_rates([10.0], [200.0], [make], spread=0.02)
    assert rate[0] == pytest.approx(12.0 / 400.0, rel=0.01)
    assert known[0] == pytest.approx(12.0, rel=0.01)
