"""Mean kinetic temperature against exact arithmetic, and dew points as printed."""

from __future__ import annotations

from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predict.climate import dew_point, mean_kinetic_temperature, shares_of_time
from predict.errors import NotEnoughData


def exactly(celsius: list[float], weights: list[float]) -> float:
    """The formula as printed, in fifty digits."""
    getcontext().prec = 50
    ratio = Decimal(83144) / Decimal("8.3144")
    kelvin = [Decimal(str(t)) + Decimal("273.15") for t in celsius]
    parts = [Decimal(str(w)) * (-ratio / t).exp() for w, t in zip(weights, kelvin, strict=True)]
    mean = sum(parts, Decimal(0)) / sum((Decimal(str(w)) for w in weights), Decimal(0))
    return float(ratio / -mean.ln() - Decimal("273.15"))


@pytest.mark.parametrize(
    ("celsius", "weights"),
    [
        ([20.0, 30.0], [1.0, 1.0]),
        ([2.0, 8.0, 25.0], [20.0, 3.5, 0.5]),
        ([-80.0, -60.0, 40.0], [1.0, 1.0, 0.001]),
        ([25.0], [7.0]),
    ],
)
def test_it_is_the_printed_formula_in_exact_arithmetic(celsius, weights):
    found = mean_kinetic_temperature(np.array(celsius), np.array(weights))
    assert found == pytest.approx(exactly(celsius, weights), abs=1e-9)


@given(st.lists(st.floats(-90, 60), min_size=1, max_size=30))
def test_it_lies_between_the_mean_and_the_highest(celsius):
    seen = np.array(celsius)
    found = mean_kinetic_temperature(seen)
    # Arrhenius rates are convex in T below dH/2R = 5,000 K.
    assert seen.mean() - 1e-6 <= found <= seen.max() + 1e-6


def test_goods_decay_as_much_as_at_that_one_temperature():
    rng = np.random.default_rng(5)
    celsius, hours = rng.uniform(2, 30, 200), rng.uniform(0.1, 5, 200)

    def rate(t):
        return 1e12 * np.exp(-83144.0 / (8.3144 * (t + 273.15)))

    lived = float(np.sum(rate(celsius) * hours))
    found = mean_kinetic_temperature(celsius, hours)
    assert rate(found) * hours.sum() == pytest.approx(lived, rel=1e-9)


def test_with_the_ratio_of_ten_thousand_kelvin_a_day_at_forty_moves_a_month_at_twenty_five():
    month = mean_kinetic_temperature(np.array([25.0, 40.0]), np.array([29.0, 1.0]))
    assert month == pytest.approx(exactly([25.0, 40.0], [29.0, 1.0]))
    assert 26.0 < month < 26.5


def test_a_gap_has_no_weight():
    times = np.array([0.0, 60.0, 120.0, 100_000.0])
    weights = shares_of_time(times, 600.0)
    assert weights.tolist() == [30.0, 60.0, 30.0, 0.0]
    with pytest.raises(NotEnoughData):
        mean_kinetic_temperature(np.array([5.0]), shares_of_time(np.array([0.0]), 600.0))


@pytest.mark.parametrize(
    ("celsius", "humidity", "printed"),
    [(20, 50, 9.3), (25, 60, 16.7), (30, 80, 26.2), (22, 45, 9.5), (18, 70, 12.4), (0, 100, 0.0)],
)
def test_dew_points_as_tables_print_them(celsius, humidity, printed):
    assert dew_point(celsius, humidity) == pytest.approx(printed, abs=0.06)


@given(st.floats(-40, 55), st.floats(1, 100))
def test_at_the_dew_point_the_air_is_full(celsius, humidity):
    def full(t):  # hPa over water, the same constants the other way round
        return 6.112 * np.exp(17.62 * t / (243.12 + t))

    found = dew_point(celsius, humidity)
    assert full(found) == pytest.approx(full(celsius) * humidity / 100, rel=1e-9)


def test_what_cannot_be_is_refused():
    with pytest.raises(NotEnoughData):
        mean_kinetic_temperature(np.empty(0))
    with pytest.raises(ValueError, match="cannot be"):
        mean_kinetic_temperature(np.array([-300.0]))
    for celsius, humidity in ((20, 0), (20, 101), (70, 50)):
        with pytest.raises(ValueError, match="humidity"):
            dew_point(celsius, humidity)
