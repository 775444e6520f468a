"""The remaining-life model on a simulated fleet, and on NASA's turbofans where present."""

from dataclasses import replace

import numpy as np
import pytest

from predict.errors import NotEnoughData
from predict.features import History, Windows
from predict.kernel_regression import KernelConfig
from predict.remaining_life import (
    RemainingLifeConfig,
    fit_members,
    fit_remaining_life,
    left_out,
)
from tests.bench import cmapss
from tests.bench.data import find

SMALL = RemainingLifeConfig(
    windows=Windows((5.0, 15.0), (20.0,), (), 10.0, 10.0),
    seeds=(0,),
    rounds=40,
    rate=0.15,
    leaf_rows=20,
    kernel=KernelConfig(landmarks=100),
    folds=3,
    bins=2,
)


def wearing(seed, name=None):
    """A unit whose first sensor climbs ever faster towards its end; the others are noise."""
    rng = np.random.default_rng(seed)
    end = float(rng.integers(120, 220))
    at = np.arange(end)
    wear = np.exp((at - end) / 40.0)
    sensors = np.stack([10 * wear, *np.zeros((2, len(at)))], axis=1)
    sensors += rng.normal(0, 0.4, sensors.shape)
    return History(name or f"u{seed}", at, np.empty((len(at), 0)), sensors), end


@pytest.fixture(scope="module")
def fleet():
    return [wearing(k) for k in range(30)]


@pytest.fixture(scope="module")
def model(fleet):
    return fit_remaining_life(*zip(*fleet, strict=True), np.random.default_rng(0), SMALL)


def asked(seeds, left):
    """Units of another draw, `left` cycles before their end."""
    return [h.until(end - left) for h, end in (wearing(k) for k in seeds)]


def test_it_forecasts_units_it_has_not_seen(model):
    for left, off in ((15.0, 6.0), (60.0, 20.0)):
        said = model.now(asked(range(100, 130), left))
        error = [s.value - left for s in said]
        assert np.sqrt(np.mean(np.square(error))) < off


def test_the_interval_covers_and_is_narrow_near_the_end(model):
    near, far = (model.now(asked(range(200, 240), left)) for left in (10.0, 90.0))

    covered = [s.low <= left <= s.high for said, left in ((near, 10.0), (far, 90.0)) for s in said]
    assert np.mean(covered) >= 0.8
    assert np.mean([s.high - s.low for s in near]) < np.mean([s.high - s.low for s in far])


def test_it_never_says_more_than_it_has_learnt(model):
    said = model.now(asked(range(300, 310), 100.0))

    assert all(0.0 <= s.low <= s.value <= s.high <= s.cap for s in said)
    assert said[0].n_units == 30


def test_what_comes_later_does_not_change_what_was_said(model):
    whole, end = wearing(400)
    rows = model.predict(model.features(whole))
    for age in (10.0, 50.0, end - 20.0):
        said = model.now([whole.until(age)])[0].value
        assert said == pytest.approx(rows[int(age)], abs=1e-6)  # sums of a batch round otherwise


def test_shuffled_ends_teach_nothing(fleet):
    """A leak would forecast well even so."""
    rng = np.random.default_rng(1)
    histories, ends = zip(*fleet, strict=True)
    shuffled = [float(h.at[-1]) + rng.uniform(0, 200) for h in histories]

    predicted, truth, _ = left_out(histories, shuffled, np.random.default_rng(0), SMALL)

    honest, really, _ = left_out(histories, ends, np.random.default_rng(0), SMALL)
    assert np.std(predicted - truth) > 0.8 * np.std(truth)
    assert np.std(honest - really) < 0.4 * np.std(really)


def test_a_unit_never_sits_on_both_sides(fleet):
    """The same unit under two histories would leak its end; folds go by name."""
    doubled = [*fleet, *((replace(h), end) for h, end in fleet)]
    predicted, truth, _ = left_out(*zip(*doubled, strict=True), np.random.default_rng(0), SMALL)

    once, truly, _ = left_out(*zip(*fleet, strict=True), np.random.default_rng(0), SMALL)
    assert np.std(predicted - truth) > 0.7 * np.std(once - truly)


def test_missing_values_and_a_dead_sensor_are_borne(fleet):
    rng = np.random.default_rng(2)
    holed = []
    for history, end in fleet:
        sensors = history.sensors.copy()
        sensors[rng.random(sensors.shape) < 0.2] = np.nan
        sensors[:, 2] = 4.0
        holed.append((History(history.unit, history.at, history.conditions, sensors), end))
    fitted = fit_members(*zip(*holed, strict=True), SMALL)

    rows = fitted.predict(fitted.features(holed[0][0]))
    assert np.isfinite(rows).all()
    assert rows[-1] < 25.0


def test_a_reading_from_after_the_end_is_refused(fleet):
    histories, ends = zip(*fleet, strict=True)
    with pytest.raises(ValueError, match="after its end"):
        fit_members(histories, [*ends[:-1], histories[-1].at[-1] - 5.0], SMALL)
    with pytest.raises(ValueError, match="not known"):
        fit_members(histories, [*ends[:-1], np.nan], SMALL)
    with pytest.raises(ValueError, match="one end"):
        fit_members(histories, ends[:-1], SMALL)


def test_three_devices_are_not_enough(fleet):
    with pytest.raises(NotEnoughData, match="10 units"):
        fit_members(*zip(*fleet[:3], strict=True), SMALL)
    with pytest.raises(NotEnoughData, match="19 units"):
        fit_remaining_life(*zip(*fleet[:12], strict=True), np.random.default_rng(0), SMALL)


def test_no_interval_no_answer(fleet, model):
    bare = fit_members(*zip(*fleet, strict=True), SMALL)
    with pytest.raises(NotEnoughData):
        bare.now([fleet[0][0]])
    with pytest.raises(NotEnoughData):
        model.now([fleet[0][0].until(-1.0)])
    assert model.now([]) == []
    assert model.predict(np.empty((0, 3))).shape == (0,)


def test_the_scores_are_those_worked_out_by_hand():
    error = np.array([-13.0, 10.0])

    assert cmapss.score(error) == pytest.approx(2 * (np.e - 1))
    assert cmapss.rmse(error) == pytest.approx(np.sqrt((169 + 100) / 2))


def test_turbofans_are_forecast_better_than_by_age():
    folder = find("cmapss", "RUL_FD001*")
    if folder is None:
        pytest.skip("the turbofan data are absent: set APM_DATA to the data folder")
    fleet = cmapss.read(folder, "FD001")
    thin = cmapss.Fleet(fleet.training[::2], fleet.ends[::2], fleet.test, fleet.left)

    quick = KernelConfig(landmarks=200)
    config = RemainingLifeConfig(seeds=(0,), rounds=100, rate=0.12, kernel=quick, folds=2)
    figures = cmapss.measure(thin, config)

    assert figures["rmse"] < 12.5
    assert figures["rmse"] < 0.5 * figures["trivial"]["age_only"]
    assert 0.8 <= figures["coverage"] <= 1.0


def test_the_bench_says_so_when_the_data_are_absent(tmp_path, capsys):
    assert cmapss.main([str(tmp_path)]) == 2
    assert "skipped" in capsys.readouterr().out
