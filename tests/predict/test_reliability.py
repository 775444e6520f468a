"""Checked against the Poisson tail it inverts and against simulated service."""

from math import isclose

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from predict.errors import NotEnoughData
from predict.reliability import mtbf


@given(hours=st.floats(1.0, 1e7), failures=st.integers(1, 500), confidence=st.floats(0.5, 0.99))
def test_the_limits_are_where_the_poisson_tails_say(hours, failures, confidence):
    answer = mtbf(hours, failures, confidence)

    tail = (1 - confidence) / 2
    assert isclose(stats.poisson.cdf(failures, hours / answer.low), tail, rel_tol=1e-6)
    assert isclose(stats.poisson.sf(failures - 1, hours / answer.high), tail, rel_tol=1e-6)
    assert answer.low < answer.value < answer.high
    assert (answer.n, answer.hours) == (failures, hours)


def test_no_failure_gives_a_lower_bound_only():
    answer = mtbf(8760.0, 0)

    assert answer.value is None
    assert answer.high is None
    assert answer.low == pytest.approx(-8760.0 / np.log(0.05))  # chi2 with 2 degrees is -2 ln


def test_the_interval_covers_the_truth_as_often_as_it_promises():
    rng = np.random.default_rng(7)
    true_mtbf, hours = 900.0, 5000.0
    answers = [mtbf(hours, int(n)) for n in rng.poisson(hours / true_mtbf, 4000)]

    covered = np.mean([a.low <= true_mtbf <= (a.high or np.inf) for a in answers])

    assert 0.90 <= covered <= 0.96  # exact limits are never below, and counts are whole numbers


def test_more_confidence_is_a_wider_interval():
    assert mtbf(1000.0, 3, 0.99).low < mtbf(1000.0, 3, 0.9).low
    assert mtbf(1000.0, 3, 0.99).high > mtbf(1000.0, 3, 0.9).high


def test_it_says_when_it_knows_nothing():
    with pytest.raises(NotEnoughData):
        mtbf(0.0, 0)


@pytest.mark.parametrize(
    ("hours", "failures", "confidence"),
    [(1.0, -1, 0.9), (1.0, 1, 0.0), (1.0, 1, 1.0), (float("nan"), 1, 0.9), (float("inf"), 1, 0.9)],
)
def test_it_refuses_nonsense(hours, failures, confidence):
    with pytest.raises(ValueError, match="needed"):
        mtbf(hours, failures, confidence)
