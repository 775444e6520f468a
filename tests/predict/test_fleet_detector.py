"""Many sensors at once: each is scored as if alone, and jumps and drifts are seen."""

import numpy as np
import pytest

from predict.fleet_detector import FleetDetector

TICKS = 3000


def quiet(sensors, seed=0):
    rng = np.random.default_rng(seed)
    level, size = rng.uniform(-100, 100, sensors), rng.uniform(0.01, 10, sensors)
    return level + size * rng.normal(0, 1, (TICKS, sensors)), size


def run(values, detector=None):
    detector = detector or FleetDetector(values.shape[1])
    return np.array([detector.update(t // 60 % 24, row) for t, row in enumerate(values)])


def test_quiet_sensors_of_any_size_hardly_ever_alarm():
    score = run(quiet(200)[0])

    assert np.isnan(score[:300]).all()
    assert (score[300:] >= 1.0).any(axis=0).mean() < 0.05


def test_a_jump_and_a_small_lasting_shift_are_found():
    values, size = quiet(50)
    values[2500, 3] += 12 * size[3]
    values[2500:, 7] += 3 * size[7]
    score = run(values)

    assert score[2500, 3] >= 1.0
    assert (score[2500:2600, 7] >= 1.0).any()
    others = [k for k in range(50) if k not in (3, 7)]
    assert (score[2500:, others] >= 1.0).mean() < 0.001


def test_each_sensor_is_scored_as_if_alone():
    values, _ = quiet(5)
    together = run(values[:800])
    alone = run(values[:800, 2:3])

    np.testing.assert_allclose(together[:, 2], alone[:, 0])


def test_a_missing_reading_changes_nothing_for_that_sensor():
    values, _ = quiet(3)
    holed = np.insert(values[:800, :1], 500, np.nan, axis=0)
    hours = np.insert(np.arange(800) // 60 % 24, 500, 3)
    detector = FleetDetector(1)
    score = np.array([detector.update(int(h), row) for h, row in zip(hours, holed, strict=True)])

    assert np.isnan(score[500]).all()
    kept = np.delete(score, 500, axis=0)[499:]
    np.testing.assert_allclose(kept, run(values[:800, :1])[499:], rtol=1e-3)


def test_a_constant_sensor_alarms_when_it_moves():
    values = np.full((1000, 1), 21.0)
    values[900] = 22.0
    score = run(values)

    assert (score[300:900] < 1.0).all()
    assert score[900, 0] >= 1.0


@pytest.mark.parametrize(("hour", "value"), [(24, [1.0]), (0, [1.0, 2.0]), (0, [np.inf])])
def test_nonsense_is_refused(hour, value):
    with pytest.raises(ValueError, match="needed"):
        FleetDetector(1).update(hour, value)
