"""Checked against figures worked out by hand, against statsmodels and against simulated use."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.tsa.holtwinters import SimpleExpSmoothing

from predict.demand import (
    ALPHA,
    Method,
    Pattern,
    classify,
    croston,
    forecast_demand,
    reorder_point,
    sba,
)
from predict.errors import NotEnoughData

HISTORIES = st.lists(st.integers(0, 50), min_size=6, max_size=40).filter(
    lambda demand: sum(size > 0 for size in demand) >= 3
)


@pytest.mark.parametrize(
    ("demand", "pattern", "adi", "cv2"),
    [
        ([5, 5, 6, 5, 5, 6], Pattern.SMOOTH, 1.0, 0.009375),
        ([1, 9, 1, 9, 1, 9], Pattern.ERRATIC, 1.0, 0.768),
        ([0, 4, 0, 4, 0, 5], Pattern.INTERMITTENT, 2.0, 0.01775),
        ([0, 1, 0, 20, 0, 1], Pattern.LUMPY, 2.0, 2.23760),
        ([3, 3, 3, 0, 3, 3, 3, 0], Pattern.INTERMITTENT, 8 / 6, 0.0),  # 1.33: just above the cut
        ([3, 3, 3, 0, 3, 3, 3], Pattern.SMOOTH, 7 / 6, 0.0),
    ],
)
def test_the_four_patterns(demand, pattern, adi, cv2):
    found = classify(demand)

    assert found.pattern is pattern
    assert found.adi == pytest.approx(adi)
    assert found.cv2 == pytest.approx(cv2, abs=1e-4)
    assert (found.periods, found.demands) == (len(demand), sum(size > 0 for size in demand))


def test_croston_by_hand():
    ahead = croston([0, 3, 0, 0, 6, 0], alpha=0.2)

    # First demand: size 3, interval 2.  Second, three periods on: 3 + .2*3 = 3.6; 2 + .2*1 = 2.2.
    assert np.isnan(ahead[:2]).all()
    assert ahead[2:] == pytest.approx([1.5, 1.5, 1.5, 3.6 / 2.2, 3.6 / 2.2])
    assert sba([0, 3, 0, 0, 6, 0], alpha=0.2)[-1] == pytest.approx(0.9 * 3.6 / 2.2)


def test_croston_of_demand_in_every_period_is_simple_smoothing():
    demand = [4, 7, 5, 6, 8, 3, 5, 6]
    smoothed = SimpleExpSmoothing(
        np.array(demand, float), initialization_method="known", initial_level=4.0
    ).fit(smoothing_level=ALPHA, optimized=False)

    assert croston(demand)[-1] == pytest.approx(smoothed.forecast(1)[0])


def test_sba_has_less_bias_than_croston():
    rng = np.random.default_rng(3)
    used = np.where(rng.random((300, 60)) < 0.25, rng.poisson(3, (300, 60)) + 1, 0)
    finals = [(croston(row, 0.2)[-1], sba(row, 0.2)[-1]) for row in used if row.any()]

    mean_croston, mean_sba = np.mean(finals, axis=0)

    assert abs(mean_sba - 1.0) < 0.06  # 0.25 * 4 pieces a month
    assert mean_croston - 1.0 > 0.05


def test_even_use_is_smoothed_and_gaps_are_not():
    assert forecast_demand([5, 6, 5, 4, 5, 6, 5, 5]).method is Method.SMOOTHING
    assert forecast_demand([0, 2, 0, 0, 1, 0, 0, 3]).method is Method.SBA


def test_the_same_every_month_is_forecast_without_doubt():
    found = forecast_demand([4.0] * 12)

    assert (found.mean, found.low, found.high, found.spread) == (4.0, 4.0, 4.0, 0.0)


def test_a_plain_trend_is_followed_and_noise_is_not():
    rng = np.random.default_rng(5)
    rising = 10 + np.arange(36) + rng.normal(0, 1, 36)
    level = rng.normal(40, 3, 36)

    assert forecast_demand(rising).method is Method.TREND
    assert forecast_demand(rising).mean == pytest.approx(46, abs=2)
    assert forecast_demand(level).method is Method.SMOOTHING
    assert forecast_demand(level).mean == pytest.approx(40, abs=3)


@given(HISTORIES)
def test_a_forecast_is_never_negative_and_lies_in_its_interval(demand):
    found = forecast_demand(demand)

    assert 0 <= found.low <= found.mean <= found.high
    assert np.isfinite([found.mean, found.spread]).all()


@given(HISTORIES, st.integers(2, 1000))
def test_counting_in_another_unit_changes_nothing_but_the_unit(demand, factor):
    assert classify([size * factor for size in demand]).pattern is classify(demand).pattern
    assert croston([size * factor for size in demand])[-1] == pytest.approx(
        croston(demand)[-1] * factor
    )


@given(HISTORIES)
def test_what_was_forecast_then_does_not_change_with_what_came_later(demand):
    later = croston([*demand, 7, 0, 3])

    np.testing.assert_array_equal(later[: len(demand) + 1], croston(demand))


@pytest.mark.parametrize(
    "demand", [[], [0] * 24, [1, 0, 0, 0, 0, 2], [5, 5, 5, 5, 5], [0] * 20 + [3, 3]]
)
def test_too_little_history_is_said(demand):
    with pytest.raises(NotEnoughData):
        forecast_demand(demand)


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_no_such_demand(wrong):
    with pytest.raises(ValueError, match="finite"):
        forecast_demand([1.0, 2.0, 3.0, 4.0, 5.0, wrong])


def test_the_reorder_point_by_hand():
    found = reorder_point(6.0, 2.0, lead_periods=2.25, service_level=0.975)

    assert found.lead_demand == pytest.approx(13.5)
    assert found.safety == pytest.approx(1.959964 * 2.0 * 1.5, rel=1e-6)
    assert found.level == found.lead_demand + found.safety
    assert reorder_point(6.0, 2.0, lead_periods=0.0).level == 0.0


@pytest.mark.parametrize(("lead", "level"), [(-1, 0.9), (1, 1.0), (1, 0.4), (float("nan"), 0.9)])
def test_nonsense_is_refused(lead, level):
    with pytest.raises(ValueError, match="needed"):
        reorder_point(6.0, 2.0, lead_periods=lead, service_level=level)


def _level(forecast):
    return reorder_point(forecast.mean, forecast.spread, lead_periods=2.0).level


@pytest.mark.parametrize(
    ("rate", "size", "least"), [(1.0, 12, 0.90), (0.45, 3, 0.88), (0.2, 2, 0.86)]
)
def test_the_stock_lasts_about_as_often_as_it_promises(rate, size, least):
    """1,000 parts with three years of use, then a lead time of two months.

    The normal law is kind to thick tails: the rarer the use, the further below 95 % it falls.
    """
    rng = np.random.default_rng(11)
    lasted = known = 0
    for _ in range(1000 if rate < 1 else 200):  # fitting takes a while
        use = np.where(
            rng.random(38) < rate, stats.poisson.rvs(size, size=38, random_state=rng), 0
        )
        try:
            forecast = forecast_demand(use[:36])
        except NotEnoughData:
            continue
        known += 1
        lasted += use[36:].sum() <= _level(forecast)

    assert known > 100
    share, doubt = lasted / known, 2 * sqrt(0.05 * 0.95 / known)
    assert least - doubt < share <= 1.0
