"""Features against brute force, and proof that none of them looks ahead."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predict.errors import NotEnoughData
from predict.features import History, Windows, causal_features
from predict.regimes import fit_normaliser

WINDOWS = Windows((3.0, 8.0), (5.0, 12.0), (6.0,), 4.0, 3.0, life_mean=True)


def unit(seed: int, n: int = 40, missing: float = 0.1, name: str = "u") -> History:
    """An irregular history with two conditions, three sensors and holes."""
    rng = np.random.default_rng(seed)
    at = np.cumsum(rng.choice([0.5, 1.0, 2.5], n))
    sensors = rng.normal(0, 1, (n, 3)).cumsum(axis=0) + np.array([600.0, 0.0, -5.0])
    sensors[rng.random((n, 3)) < missing] = np.nan
    return History(name, at, rng.choice([0.0, 20.0], (n, 2)), sensors)


def brute(at, y, windows, row):
    """The same features by definition, one window at a time, with numpy alone."""
    now = at[row]

    def inside(length):
        keep = (at > now - length) & (at <= now) & np.isfinite(y)
        return at[keep], y[keep]

    def mean(v):
        return v.mean() if len(v) else np.nan

    new = (at < at[0] + windows.baseline) & (at <= now) & np.isfinite(y)
    out = [mean(inside(w)[1]) for w in windows.means]
    for w in windows.slopes:
        x, v = inside(w)
        out.append(np.polyfit(x, v, 1)[0] if len(x) > 1 else np.nan)
    out += [inside(w)[1].std() if len(inside(w)[1]) else np.nan for w in windows.spreads]
    out.append(mean(inside(windows.deviation)[1]) - mean(y[new]))
    return [*out, mean(inside(np.inf)[1])]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), row=st.integers(0, 39))
def test_each_feature_is_what_its_definition_says(seed, row):
    one = unit(seed)
    y = one.sensors - [600.0, 0.0, -5.0]

    rows = causal_features(one.at, y, WINDOWS)

    for sensor in range(3):
        got = rows[row, 1 + sensor :: 3]
        np.testing.assert_allclose(got, brute(one.at, y[:, sensor], WINDOWS, row), atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), kept=st.integers(1, 39))
def test_what_comes_later_changes_nothing(seed, kept):
    one = unit(seed)
    normaliser = fit_normaliser([unit(seed + 1), unit(seed + 2)])
    age = one.at[kept - 1]

    whole = causal_features(one.at, normaliser.standardise(one), WINDOWS)
    past = one.until(age)
    short = causal_features(past.at, normaliser.standardise(past), WINDOWS)

    np.testing.assert_array_equal(short, whole[:kept])


def test_a_feature_that_looks_ahead_would_be_caught():
    one = unit(3, missing=0.0)
    leaking = one.sensors - one.sensors.mean(axis=0)  # the mean of the whole life
    past = one.until(one.at[20])
    short = past.sensors - past.sensors.mean(axis=0)

    assert not np.allclose(short, leaking[:21])


def test_names_tell_the_columns():
    rows = causal_features(np.arange(9.0), np.ones((9, 3)), WINDOWS)

    assert rows.shape[1] == len(WINDOWS.names(["a", "b", "c"]))


def test_an_empty_history_has_no_rows():
    assert causal_features(np.empty(0), np.empty((0, 3)), WINDOWS).shape == (0, 22)


@pytest.mark.parametrize("at", [[0.0, 1.0, 1.0], [0.0, 2.0, 1.0], [0.0, np.nan, 2.0]])
def test_a_clock_that_repeats_or_goes_back_is_refused(at):
    with pytest.raises(ValueError, match="increase"):
        History("u", np.array(at), np.empty((3, 0)), np.ones((3, 1)))


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="needed"):
        History("u", np.arange(3.0), np.empty((3, 0)), np.ones((2, 1)))


def run(seed, shift):
    """A unit run in two regimes that move every sensor by `shift` times their setting."""
    rng = np.random.default_rng(seed)
    regime = rng.choice([0.0, 1.0], 200)
    conditions = np.stack([regime, np.full(200, 100.0)], axis=1) + rng.normal(0, 1e-3, (200, 2))
    sensors = shift * regime[:, None] + rng.normal(0, 1, (200, 2))
    return History(str(seed), np.arange(200.0), conditions, sensors)


def test_the_load_is_taken_out_of_the_sensors():
    units = [run(k, 50.0) for k in range(4)]
    normaliser = fit_normaliser(units)

    assert len(normaliser.centres) == 2
    scores = normaliser.standardise(units[0])
    regime = normaliser.regime(units[0].conditions)
    assert abs(scores[regime == 0].mean() - scores[regime == 1].mean()) < 0.3
    assert scores.std() == pytest.approx(1.0, abs=0.15)


def test_conditions_that_vary_freely_are_one_regime():
    rng = np.random.default_rng(0)
    free = History("u", np.arange(500.0), rng.random((500, 2)), rng.normal(0, 1, (500, 2)))

    assert len(fit_normaliser([free]).centres) == 1


def test_a_sensor_that_never_moves_is_left_out_and_a_missing_value_stays_missing():
    rng = np.random.default_rng(0)
    sensors = np.stack([np.full(50, 21.61), rng.normal(0, 1, 50), np.full(50, np.nan)], axis=1)
    sensors[7, 1] = np.nan
    one = History("u", np.arange(50.0), np.empty((50, 0)), sensors)
    normaliser = fit_normaliser([one])

    assert normaliser.kept.tolist() == [False, True, False]
    assert np.isnan(normaliser.standardise(one)[7, 0])


def test_it_says_when_there_is_nothing_to_learn_from():
    still = History("u", np.arange(50.0), np.empty((50, 0)), np.ones((50, 2)))
    with pytest.raises(NotEnoughData, match="moves"):
        fit_normaliser([still])
    with pytest.raises(NotEnoughData, match="readings"):
        fit_normaliser([])


def test_a_unit_with_other_sensors_is_refused():
    normaliser = fit_normaliser([unit(1)])
    other = History("x", np.arange(3.0), np.empty((3, 2)), np.ones((3, 5)))
    with pytest.raises(ValueError, match="3 sensors"):
        normaliser.standardise(other)
