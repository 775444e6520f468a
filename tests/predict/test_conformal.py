"""Coverage by simulation: whatever the model's errors, the promise is kept."""

import numpy as np
import pytest

from predict.conformal import calibrate, coverage
from predict.errors import NotEnoughData


def fleet(rng, units, readings=5, between=3.0):
    """Predictions, truths and units; the error has a part that all readings of a unit share."""
    unit = np.repeat(np.arange(units), readings)
    p = rng.uniform(0, 100, len(unit))
    shared = rng.gamma(2.0, between, units)[unit]  # skewed, as lives are
    return p, p + shared + rng.normal(0, 1 + p / 20, len(unit)), unit


def covered(rounds, units, **options):
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(rounds):
        fit = calibrate(*fleet(rng, units), **options)
        p, y, _ = fleet(rng, 50, readings=1)
        low, high = fit.interval(p)
        shares.append(coverage(low, high, y).share)
    return float(np.mean(shares))


@pytest.mark.parametrize(
    ("units", "confidence", "even"), [(19, 0.9, False), (60, 0.9, True), (60, 0.8, False)]
)
def test_new_units_are_covered_as_often_as_promised(units, confidence, even):
    share = covered(150, units, confidence=confidence, even=even)

    assert confidence - 0.015 <= share <= confidence + 0.11


def test_readings_of_one_unit_do_not_count_as_many():
    rng = np.random.default_rng(2)
    p, y, unit = fleet(rng, 30)
    again = np.concatenate([p, np.repeat(p[:5], 50)])
    truth = np.concatenate([y, np.repeat(y[:5], 50)])
    who = np.concatenate([unit, np.repeat(unit[:5], 50)])

    once, often = calibrate(p, y, unit), calibrate(again, truth, who)

    assert often.above == once.above  # 51 copies of each of a unit's readings weigh the same


def test_bins_are_narrow_where_the_model_is_good_and_each_keeps_the_promise():
    rng = np.random.default_rng(1)
    fit = calibrate(*fleet(rng, 400), bins=4)
    p, y, _ = fleet(rng, 8000, readings=1)
    low, high = fit.interval(p)

    assert len(fit.below) == 4
    width = high - low
    assert width[p < 20].mean() < 0.8 * width[p > 80].mean()
    for left in (0, 25, 50, 75):
        inside = (p >= left) & (p < left + 25)
        assert 0.86 <= coverage(low[inside], high[inside], y[inside]).share <= 0.96


def test_bins_with_too_few_units_are_joined():
    fit = calibrate(*fleet(np.random.default_rng(0), 25, readings=1), bins=10)

    assert len(fit.below) == 1
    assert fit.units == (25,)


def test_the_ends_are_the_ranks_of_the_errors():
    errors = np.arange(-49.0, 50.0)  # 99 units: ranks 95 of 100 on each side
    fit = calibrate(np.zeros(99), errors, np.arange(99))

    assert (fit.below, fit.above) == ((45.0,), (45.0,))
    even = calibrate(np.zeros(99), np.arange(1.0, 100.0), np.arange(99), even=True)
    assert (even.below, even.above) == ((90.0,), (90.0,))  # rank 90 of 100, both sides together


def test_intervals_stay_within_what_is_possible():
    fit = calibrate(*fleet(np.random.default_rng(0), 60))
    low, high = fit.interval([0.0, 125.0], least=0.0, most=125.0)

    assert low[0] == 0.0
    assert high[1] == 125.0


def test_too_few_units_get_no_interval():
    with pytest.raises(NotEnoughData, match="19 units"):
        calibrate(*fleet(np.random.default_rng(0), 18))
    with pytest.raises(NotEnoughData, match="judged"):
        coverage([], [], [])


@pytest.mark.parametrize(
    ("p", "y", "options"),
    [
        ([1.0], [1.0, 2.0], {}),
        ([np.nan] * 20, [1.0] * 20, {}),
        ([1.0] * 20, [1.0] * 20, {"confidence": 1.0}),
        ([1.0] * 20, [1.0] * 20, {"bins": 0}),
    ],
)
def test_it_refuses_nonsense(p, y, options):
    with pytest.raises(ValueError, match=r"alike|needed"):
        calibrate(p, y, list(range(len(y))), **options)


def test_a_prediction_that_is_no_number_is_refused():
    fit = calibrate(*fleet(np.random.default_rng(0), 60))
    with pytest.raises(ValueError, match="finite"):
        fit.interval([np.nan])
