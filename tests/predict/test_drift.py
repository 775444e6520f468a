"""Trends of measured values: known answers, wild points, and what says nothing."""

from __future__ import annotations

import math
import random

import pytest

from predict.drift import LEAST, crossing, trend
from predict.errors import NotEnoughData


def test_a_straight_line_is_found_exactly():
    found = trend([0, 1, 2, 3, 4], [100, 110, 120, 130, 140])
    assert (found.slope, found.low, found.high, found.n) == (10, 10, 10, 5)
    reached = crossing(found, high=200)
    assert (reached.expected, reached.earliest, reached.latest) == (10, 10, 10)
    assert reached.is_sure


def test_sens_own_example():
    # Sen (1968), section 6: t and Y as printed; the slope's estimate is 4, its 93 % interval
    # reaches from 3.71 to 4.24 there.  Ours is of 95 %, a little wider.
    times = [1, 2, 3, 4, 10, 12, 18]
    values = [9, 15, 19, 20, 45, 55, 78]
    found = trend(times, values)
    assert found.slope == pytest.approx(4.0)
    assert 3.4 <= found.low <= 3.75
    assert 4.2 <= found.high <= 4.5


def test_a_wild_point_does_not_bend_the_line():
    times = list(range(9))
    values = [200.0 + 5 * t for t in times]
    values[4] = 4000.0
    assert trend(times, values).slope == pytest.approx(5, abs=0.01)


def test_what_falls_meets_the_lower_limit():
    found = trend([0, 1, 2, 3, 4], [10.0, 9.1, 7.9, 7.0, 6.1])
    reached = crossing(found, low=2.0, high=12.0)
    assert reached.limit == 2.0
    assert reached.earliest <= reached.expected <= reached.latest
    assert reached.expected == pytest.approx(8, abs=0.5)


def test_noise_without_a_trend_is_not_sure():
    rng = random.Random(7)
    sure = 0
    for _ in range(200):
        found = trend(list(range(8)), [rng.gauss(100, 5) for _ in range(8)])
        reached = crossing(found, low=50, high=150)
        sure += reached is not None and reached.is_sure
    assert sure / 200 < 0.08  # one in twenty by its making; the ranks are coarse with 8 points


def test_the_interval_holds_the_true_crossing():
    rng = random.Random(3)
    held = 0
    for _ in range(300):
        times = [t + rng.uniform(-0.2, 0.2) for t in range(10)]
        found = trend(times, [100 + 10 * t + rng.gauss(0, 6) for t in times])
        reached = crossing(found, high=300)  # truly at 20
        held += reached.latest is not None and reached.earliest <= 20 <= reached.latest
    assert held / 300 >= 0.9


@pytest.mark.parametrize(
    ("times", "values"),
    [
        ([], []),
        ([0, 1, 2], [1, 2, 3]),
        ([5] * 6, [1, 2, 3, 4, 5, 6]),
        ([0, 0, 1, 1], [1, 2, 3, 4]),
    ],
)
def test_too_little_says_nothing(times, values):
    with pytest.raises(NotEnoughData):
        trend(times, values)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        trend([0, 1, 2, 3], [1, 2, 3, bad])
    with pytest.raises(ValueError, match="time"):
        trend([0, 1], [1])


def test_standing_still_and_moving_away_cross_nothing():
    still = trend(range(LEAST), [5, 5, 5, 5])
    assert crossing(still, low=0, high=10) is None
    up = trend(range(LEAST), [1, 2, 3, 4])
    assert crossing(up, low=0) is None


def test_what_is_beyond_its_limit_has_crossed_it():
    found = trend([0, 1, 2, 3], [300, 310, 320, 330])
    assert crossing(found, high=200).expected <= 3
