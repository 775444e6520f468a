"""Reasons: the sensor that was made to wear is the one that is blamed."""

from itertools import permutations

import numpy as np
import pytest

from predict.errors import NotEnoughData
from predict.features import Windows
from predict.why import blame, blame_each, nearest_cases, sensor_groups


def test_parts_are_the_mean_over_all_orders_and_sum_to_the_change():
    def predict(x):
        return np.tanh(x[:, 0] * x[:, 1]) + x[:, 2] * np.where(np.isnan(x[:, 3]), 0, x[:, 3])

    now, new = np.array([[1.0, 0.7, 2.0, 3.0], [2.0, -1.0, 0.5, 1.0]]), [0.0, 0.2, 1.0, np.nan]
    groups = {"a": [0], "b": [1], "c": [2, 3]}

    found = blame_each(predict, now, new, groups)

    for row, why in zip(now, found, strict=True):
        mean = dict.fromkeys(groups, 0.0)
        for order in permutations(groups):  # by definition: told one after the other
            asked = np.array([new])
            for name in order:
                before = float(predict(asked)[0])
                asked[0, groups[name]] = row[groups[name]]
                mean[name] += (float(predict(asked)[0]) - before) / 6
        assert {p.name: p.change for p in why.parts} == pytest.approx(mean)
        assert why.forecast - why.baseline == pytest.approx(sum(p.change for p in why.parts))
        alone = blame(predict, row, new, groups)
        assert [p.change for p in alone.parts] == pytest.approx([p.change for p in why.parts])
        sizes = [abs(p.change) for p in why.parts]
        assert sizes == sorted(sizes, reverse=True)


def test_columns_are_gathered_by_sensor():
    names = Windows().names(["T50", "valve of pump"])
    groups = sensor_groups(names)

    assert sorted(groups) == ["T50", "age", "valve of pump"]
    assert sum(len(columns) for columns in groups.values()) == len(names)


def test_cases_are_the_nearest_by_brute_force_and_one_a_unit():
    rng = np.random.default_rng(0)
    past, now = rng.normal(0, [1, 100], (60, 2)), np.array([0.3, 20.0])
    units = [f"u{k // 6}" for k in range(60)]

    cases = nearest_cases(now, past, units, np.arange(60.0), n=4)

    away = np.sqrt((((past - now) / past.std(axis=0)) ** 2).mean(axis=1))
    best = sorted((away[k * 6 : k * 6 + 6].min(), f"u{k}") for k in range(10))[:4]
    assert [(c.distance, c.unit) for c in cases] == [(pytest.approx(d), u) for d, u in best]
    assert [c.outcome for c in cases] == [
        float(np.flatnonzero(away == c.distance)[0]) for c in cases
    ]


def test_missing_and_constant_features_do_not_count():
    past = np.array([[1.0, np.nan, 5.0], [2.0, 8.0, 5.0], [3.0, 9.0, 5.0]])

    cases = nearest_cases([1.0, np.nan, 5.0], past, ["a", "b", "c"], [1.0, 2.0, 3.0])

    assert [c.unit for c in cases] == ["a", "b", "c"]
    assert cases[0].distance == 0.0


def test_nothing_to_compare_says_so():
    with pytest.raises(NotEnoughData):
        nearest_cases([1.0], np.empty((0, 1)), [], [])
    with pytest.raises(NotEnoughData):
        nearest_cases([np.nan], [[1.0], [2.0]], ["a", "b"], [1.0, 2.0])
    with pytest.raises(ValueError, match="needed"):
        nearest_cases([1.0, 2.0], [[1.0]], ["a"], [1.0])
    with pytest.raises(ValueError, match="one group"):
        blame(lambda x: x[:, 0], [1.0], [0.0], {"a": [0], "b": [0]})
    with pytest.raises(ValueError, match="groups at most"):
        blame(lambda x: x[:, 0], [1.0] * 11, [0.0] * 11, {f"{k}": [k] for k in range(11)})
    with pytest.raises(ValueError, match="a row"):
        blame(lambda x: x[:, 0], [[1.0]], [0.0], {"a": [0]})
