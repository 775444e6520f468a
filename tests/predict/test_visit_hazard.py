"""Parts that fail at visits: hazards by simulation, features by truncation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predict.errors import NotEnoughData
from predict.visit_hazard import any_fails, fit_visit_hazard, part_rows, soon_or_at_visit

times = st.lists(st.integers(0, 50).map(float), max_size=8)


@settings(max_examples=50, deadline=None)
@given(belt=times, pump=times, now=st.integers(0, 50).map(float))
def test_replacements_to_come_change_no_row(belt, pump, now):
    past = {"belt": [t for t in belt if t <= now], "pump": [t for t in pump if t <= now]}

    np.testing.assert_array_equal(
        part_rows({"belt": belt, "pump": pump}, [now], [3.0], [1.0]),
        part_rows(past, [now], [3.0], [1.0]),
    )


def simulated(rng, visits):
    """Two parts: one fails from the third visit on in every make, the other in one make only."""
    age, make = rng.integers(1, 9, (visits, 2)).astype(float), rng.integers(0, 3, visits)
    hazard = np.column_stack([0.15 * (age[:, 0] > 2), 0.3 * (age[:, 1] > 2) * (make == 1)])
    part = np.broadcast_to([0.0, 1.0], age.shape)
    rows = np.stack([part, age, np.repeat(make[:, None], 2, axis=1)], axis=2)
    return rows, hazard, (rng.random(hazard.shape) < hazard).astype(float)


def test_hazards_are_those_that_made_the_failures():
    rows, _, failed = simulated(np.random.default_rng(0), 4000)
    failed[:50] = np.nan
    fit = fit_visit_hazard(rows, failed)
    rows, hazard, _ = simulated(np.random.default_rng(1), 500)

    found = fit.hazards(rows)

    assert np.abs(found - hazard).mean() < 0.02
    assert np.abs(any_fails(found) - any_fails(hazard)).mean() < 0.03
    assert fit.n == 2 * 3950
    assert fit.hazards(rows[:0]).shape == (0, 2)


def test_the_horizon_joins_warnings_and_wear():
    rng = np.random.default_rng(2)
    visit = rng.uniform(0, 72, 200_000)
    near, hazard = np.where(visit <= 24, 0.4, 0.0), np.full(len(visit), 0.3)
    fails = rng.random(len(visit)) < np.where(visit <= 24, 0.4, 0.3)

    p = soon_or_at_visit(near, hazard, visit, warned=24.0, horizon=48.0)

    assert p.mean() == pytest.approx((fails & (visit <= 48)).mean(), abs=0.005)
    assert soon_or_at_visit([0.1], [0.9], [np.nan], warned=24.0, horizon=48.0)[0] == (
        pytest.approx(0.1)
    )


def test_too_little_and_nonsense_are_refused():
    rows, _, failed = simulated(np.random.default_rng(3), 100)
    with pytest.raises(NotEnoughData):
        fit_visit_hazard(rows, np.zeros_like(failed))
    with pytest.raises(ValueError, match="labels"):
        fit_visit_hazard(rows, failed + 2.0)
    with pytest.raises(ValueError, match="needed"):
        fit_visit_hazard(rows, failed[:-1])
    with pytest.raises(ValueError, match="horizon"):
        soon_or_at_visit([0.1], [0.1], [1.0], warned=9.0, horizon=3.0)
