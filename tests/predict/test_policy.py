"""Costs of policies against simulation and brute force."""

from itertools import combinations, pairwise
from math import inf

import numpy as np
import pytest

from predict.age_replacement import Weibull, best_age
from predict.errors import NotEnoughData
from predict.grouping import Job, group
from predict.policy import (
    Costs,
    Track,
    best_block,
    best_threshold,
    judge,
    oracle_cost,
    renewals,
    replaced_at,
)
from tests.bench import policy as bench

COSTS = Costs(planned=1.0, failure=5.0, lead=10.0)
LIFE = Weibull(3.0, 1000.0)


def tracks(rng, n=60, noise=15.0):
    """Units with a forecast every five hours whose error grows with what is left."""
    out = []
    for end in 200.0 + 300.0 * rng.random(n):
        at = np.arange(5.0, end, 5.0)
        out.append(Track(at, np.maximum(end - at + rng.normal(0, noise, len(at)), 0.0), end))
    return out


def test_the_threshold_is_the_one_brute_force_finds():
    for seed in range(5):
        said = tracks(np.random.default_rng(seed), n=12)

        threshold, cost = best_threshold(said, COSTS)

        ends = [t.end for t in said]
        rates = [
            judge(
                ends,
                [replaced_at(t, h, COSTS.lead) for t in said],
                COSTS,
                np.random.default_rng(0),
            ).cost
            for h in np.arange(-1.0, 400.0, 0.5)
        ]
        assert cost <= min(rates) + 1e-12
        chosen = judge(
            ends,
            [replaced_at(t, threshold, COSTS.lead) for t in said],
            COSTS,
            np.random.default_rng(0),
        )
        assert chosen.cost == pytest.approx(cost)


def test_a_good_forecast_comes_near_the_oracle_and_beats_age():
    rng = np.random.default_rng(3)
    learnt, new = tracks(rng), tracks(rng)
    threshold, _ = best_threshold(learnt, COSTS)
    ends = [t.end for t in new]

    outcome = judge(ends, [replaced_at(t, threshold, COSTS.lead) for t in new], COSTS, rng)

    assert oracle_cost(ends, COSTS) < outcome.cost < 1.25 * oracle_cost(ends, COSTS)
    assert outcome.failed < 0.1
    assert outcome.low < outcome.cost < outcome.high
    by_age = min(judge(ends, np.full(len(ends), a), COSTS, rng).cost for a in range(100, 500, 10))
    assert outcome.cost < by_age


def test_a_longer_lead_needs_an_earlier_order():
    said = tracks(np.random.default_rng(1))
    early = best_threshold(said, Costs(1.0, 5.0, 60.0))[0]

    assert early > best_threshold(said, Costs(1.0, 5.0, 5.0))[0] + 30.0


def test_a_replacement_that_comes_too_late_is_a_failure():
    outcome = judge([100.0, 100.0], [100.0, 50.0], COSTS, np.random.default_rng(0))

    assert outcome.failed == 0.5
    assert outcome.wasted == 50.0
    assert outcome.cost == pytest.approx(6.0 / 150.0)


def test_expected_failures_are_those_of_simulated_parts():
    rng = np.random.default_rng(0)
    lives = LIFE.scale * rng.weibull(LIFE.shape, (20_000, 8)).cumsum(axis=1)
    t, m = renewals(LIFE, 2000.0)

    for horizon in (400.0, 1000.0, 2000.0):
        simulated = (lives <= horizon).sum(axis=1).mean()
        assert m[np.searchsorted(t, horizon)] == pytest.approx(simulated, abs=0.02)


def test_without_wear_failures_come_at_a_constant_rate():
    t, m = renewals(Weibull(1.0, 500.0), 1500.0)

    np.testing.assert_allclose(m, t / 500.0, atol=0.01)
    assert best_block(Weibull(1.0, 500.0), COSTS).age == inf


def test_a_block_costs_more_than_an_age_and_less_than_waiting():
    block = best_block(LIFE, Costs(1.0, 10.0))
    age = best_age(LIFE, planned=1.0, failure=10.0)

    assert age.cost < block.cost < block.cost_run_to_failure


def jobs(ages):
    return [Job(str(k), Weibull(2.5, 900.0 + 100 * k), a, 1.0, 8.0) for k, a in enumerate(ages)]


@pytest.mark.parametrize("ages", [(100.0, 150.0, 300.0, 310.0), (10.0, 200.0, 390.0, 50.0)])
@pytest.mark.parametrize("visit", [0.05, 0.5, 3.0])
def test_visits_are_the_best_of_all_runs(ages, visit):
    todo = jobs(ages)
    plan = group(todo, visit)

    policies = {j.name: j.policy() for j in todo}
    order = sorted(todo, key=lambda j: policies[j.name].age - j.age)
    grid = np.linspace(0.0, 900.0, 3001)

    def cost(run):  # of the best common date, on a grid
        return visit + min(sum(j.penalty(w, policies[j.name]) for j in run) for w in grid)

    every = []
    for size in range(4):
        for cut in combinations(range(1, 4), size):
            edges = [0, *cut, 4]
            every.append(sum(cost(order[a:b]) for a, b in pairwise(edges)))
    assert len(todo) * visit - sum(v.saved for v in plan) == pytest.approx(min(every), abs=2e-3)


def test_dear_visits_are_shared_and_free_ones_are_not():
    todo = jobs((100.0, 150.0, 300.0))

    assert len(group(todo, 100.0)) == 1
    assert len(group(todo, 0.0)) == 3


def test_a_penalty_is_what_simulated_renewals_lose():
    """A renewal process that replaces once at another age falls behind by the penalty."""
    job = Job("a", LIFE, 0.0, 1.0, 10.0)
    policy = job.policy()
    rng = np.random.default_rng(0)
    life = LIFE.scale * rng.weibull(LIFE.shape, 400_000)
    moved = policy.age * 1.5
    survivors = life > policy.age  # all those that reach the best age wait on
    failed = (life < moved)[survivors]
    money = np.where(failed, 10.0, 1.0) - 1.0
    extra_time = np.minimum(life[survivors], moved) - policy.age
    lost = money.mean() - policy.cost * extra_time.mean()

    # The penalty supposes the part is still there; over a small move that is all of them.
    assert job.penalty(moved, policy) == pytest.approx(lost, rel=0.25)


def test_too_little_says_so():
    with pytest.raises(NotEnoughData):
        best_threshold(tracks(np.random.default_rng(0), n=4), COSTS)
    with pytest.raises(NotEnoughData):
        judge([], [], COSTS, np.random.default_rng(0))
    with pytest.raises(NotEnoughData):
        oracle_cost([], COSTS)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="after the end"):
        Track(np.array([1.0, 9.0]), np.array([3.0, 1.0]), 8.0)
    with pytest.raises(ValueError, match="alike"):
        Track(np.array([1.0]), np.array([3.0, 1.0]), 8.0)
    with pytest.raises(ValueError, match="needed"):
        Costs(0.0, 1.0)
    with pytest.raises(ValueError, match="finite"):
        Costs(1.0, inf)
    with pytest.raises(ValueError, match="visit_cost"):
        group([], -1.0)


def test_the_bench_says_so_when_the_data_are_absent(tmp_path, capsys):
    assert bench.main([str(tmp_path)]) == 2
    assert "skipped" in capsys.readouterr().out


def test_no_job_no_visit():
    assert group([], 1.0) == []
    assert group([Job("x", Weibull(0.8, 100.0), 5.0, 1.0, 9.0)], 1.0) == []
