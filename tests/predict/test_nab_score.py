"""The benchmark's score on cases worked out by hand from its description."""

from math import exp

import numpy as np
import pytest

from tests.bench.nab_data import Series
from tests.bench.nab_score import Profile, best_threshold, judge, normalised

STANDARD = Profile(tp=1.0, fn=1.0, fp=0.11)
ROWS = 200
WINDOW = (100.0, 119.0)  # rows 100 to 119


def scored(*rows: int, windows=(WINDOW,), values=None):
    series = Series("kind/name.csv", np.arange(ROWS, dtype=float), np.zeros(ROWS), list(windows))
    score = np.zeros(ROWS)
    score[list(rows)] = 1.0 if values is None else values
    return judge([series], [score])


def points(rows, threshold=0.5):
    return normalised(rows, STANDARD, threshold)


def sigmoid(place):
    return 2 / (1 + exp(5 * place)) - 1


def test_silence_is_zero_and_the_first_row_of_the_window_is_a_hundred():
    assert points(scored()) == 0
    assert points(scored(100)) == pytest.approx(100)


def test_only_the_earliest_row_in_a_window_counts():
    late = sigmoid(-(119 - 110 + 1) / 20) / sigmoid(-1)
    assert points(scored(110)) == pytest.approx(50 * (1 + late))
    assert points(scored(110, 112, 118)) == points(scored(110))


def test_a_false_row_costs_less_just_behind_a_window():
    far, near = points(scored(50)), points(scored(120))
    assert far == pytest.approx(-50 * 0.11)
    assert near == pytest.approx(50 * 0.11 * sigmoid(1 / 19))
    assert points(scored(50, 60)) == pytest.approx(2 * far)


def test_the_first_rows_are_not_judged():
    assert points(scored(29)) == 0
    assert points(scored(30)) < 0


def test_the_search_takes_the_threshold_with_the_best_total():
    rows = scored(40, 50, 105, 150, values=[0.2, 0.4, 0.6, 0.9])
    assert best_threshold(rows, STANDARD) == 0.6
    tried = [points(rows, t) for t in (0.2, 0.4, 0.6, 0.9, 2.0)]
    assert max(tried) == points(rows, 0.6)


def test_equal_scores_are_told_together_or_not_at_all():
    false = list(range(30, 90))
    rows = scored(*false, 105)
    assert best_threshold(rows, STANDARD) == np.inf


def test_categories_are_counted_apart():
    other = Series("other/name.csv", np.arange(ROWS, dtype=float), np.zeros(ROWS), [WINDOW])
    hit, miss = np.zeros(ROWS), np.zeros(ROWS)
    hit[100] = 1.0
    kind = Series("kind/name.csv", other.at, other.value, [WINDOW])
    rows = judge([kind, other], [hit, miss])
    assert normalised(rows, STANDARD, 0.5, "kind") == pytest.approx(100)
    assert normalised(rows, STANDARD, 0.5, "other") == 0
    assert points(rows) == pytest.approx(50)
