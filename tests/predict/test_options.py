"""What waiting costs: against simulation, and against the policy it is compared with."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from predict.age_replacement import Weibull, best_age
from predict.options import options, weibull_of

LIFE, PLANNED, FAILURE = Weibull(2.5, 400.0), 2.0, 9.0
BEST = best_age(LIFE, planned=PLANNED, failure=FAILURE)


@pytest.mark.parametrize("wait", [0.0, 30.0, 120.0, inf])
def test_a_wait_costs_what_a_simulation_of_many_parts_says(wait):
    rng = np.random.default_rng(5)
    age = 150.0
    ends = LIFE.scale * rng.exponential(size=400_000) ** (1.0 / LIFE.shape)
    left = ends[ends > age] - age
    money = np.where(left > wait, PLANNED, FAILURE) - BEST.cost * np.minimum(left, wait)
    [found] = options(LIFE, age, [(wait, PLANNED)], failure=FAILURE, rate=BEST.cost)
    assert found.cost == pytest.approx(money.mean(), abs=4 * money.std() / len(left) ** 0.5 + 1e-9)
    assert found.failed == pytest.approx((left <= wait).mean(), abs=0.005)


def test_the_cheapest_wait_ends_at_the_best_age_whatever_the_age():
    waits = np.arange(0.0, 600.0, 0.5)
    for age in (0.0, 40.0, 100.0, 300.0):
        costs = [
            one.cost
            for one in options(
                LIFE, age, [(w, PLANNED) for w in waits], failure=FAILURE, rate=BEST.cost
            )
        ]
        assert waits[int(np.argmin(costs))] == pytest.approx(max(BEST.age - age, 0.0), abs=0.5)


def test_where_units_fail_by_chance_waiting_is_never_dearer():
    chance = Weibull(1.0, 400.0)
    rate = best_age(chance, planned=PLANNED, failure=FAILURE).cost
    now, wait = options(
        chance, 900.0, [(0.0, PLANNED), (inf, PLANNED)], failure=FAILURE, rate=rate
    )
    assert wait.cost == pytest.approx(0.0)
    assert now.cost == PLANNED


def test_quantiles_give_their_life_back_and_odd_input_is_refused():
    life = weibull_of(0.1, 190.0, 201.0)
    assert 1.0 - life.reliability(190.0) == pytest.approx(0.1)
    assert life.reliability(201.0) == pytest.approx(0.5)
    for wrong in ((0.6, 1.0, 2.0), (0.1, 2.0, 2.0), (0.1, 0.0, 2.0)):
        with pytest.raises(ValueError, match="needed"):
            weibull_of(*wrong)
    with pytest.raises(ValueError, match="needed"):
        options(LIFE, -1.0, [(0.0, PLANNED)], failure=FAILURE, rate=0.0)
    [gone] = options(life, 1e4, [(1.0, PLANNED)], failure=FAILURE, rate=0.0)
    assert (gone.cost, gone.failed) == (FAILURE, 1.0)
