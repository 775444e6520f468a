"""The detector finds planted faults, stays silent on ordinary days and never looks ahead."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predict.anomaly import DetectorConfig, SeasonalDetector
from tests.predict.sensors import DAY, START, room

HOUR = 3600.0
ARRAYS = ("expected", "low", "high", "score")


def findings(at, value):
    return SeasonalDetector().update(at, value).episodes


def raised_after(at, value, since):
    return [e for e in findings(at, value) if e.raised_at >= since]


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_an_ordinary_year_has_less_than_one_false_finding_a_month(memory):
    counts = [len(findings(*room(seed, days=365, memory=memory))) for seed in range(20)]
    assert max(counts) < 12
    assert np.mean(counts) < 3


def test_an_ordinary_month_is_quiet_at_five_minutes_too():
    counts = [len(findings(*room(seed, days=60, step_s=300, memory=0.99))) for seed in range(5)]
    assert max(counts) < 2


@pytest.mark.parametrize(("step_s", "within"), [(3600.0, 3), (300.0, 3), (60.0, 3)])
@pytest.mark.parametrize("jump", [6.0, -6.0])
def test_a_jump_is_found_within_three_readings(step_s, within, jump):
    at, value = room(3, days=30, step_s=step_s)
    broke = len(at) - int(DAY / step_s)
    value[broke:] += jump

    found = raised_after(at, value, at[broke])

    assert len(found) == 1
    assert found[0].raised_at <= at[broke + within - 1]
    assert at[broke] - DAY / 4 <= found[0].began <= found[0].raised_at
    assert found[0].ended is None
    assert raised_after(*room(3, days=30, step_s=step_s), at[broke]) == []


def test_the_seasons_are_known_so_the_wrong_hour_is_a_finding():
    at, value = room(5, days=40, noise=0.2)
    night = np.flatnonzero((at % DAY < 19.5 * HOUR) & (at % DAY > 16.5 * HOUR))[-3:]
    assert value[night].max() + 5 < value[:-72].max()  # what follows is no new high
    value[night] += 5

    found = raised_after(at, value, at[night[0]])

    assert [e.reason for e in found] in (["spike"], ["level"])


def test_a_slow_drift_is_found_before_it_leaves_the_daily_range():
    at, value = room(6, days=60)
    value = value + np.maximum(0, at - at[40 * 24]) / DAY * 0.5

    found = raised_after(at, value, at[40 * 24])

    assert found
    assert found[0].raised_at < at[40 * 24] + 10 * DAY


def test_a_value_never_seen_before_is_a_finding_of_its_own_kind():
    at, value = room(7, days=60, noise=2.0)
    value = np.minimum(value, 24.0)  # this sensor ends at 24
    value[-4:] = 27.0

    found = raised_after(at, value, at[-4])

    assert found[-1].peak_score >= 1


def test_a_standstill_after_a_lively_past_is_a_finding():
    at, value = room(8, days=30, step_s=300, memory=0.999)
    value[-24:] = value[-24]

    found = raised_after(at, value, at[-24])

    assert [e.reason for e in found] == ["flat"]
    assert raised_after(at[:-12], value[:-12], at[-24]) == []


def test_a_sensor_that_stays_stuck_is_one_finding():
    at = START + 900 * np.arange(96 * 60)
    value = np.random.default_rng(9).normal(20, 1, len(at))
    value[96 * 40 :] = 20.0

    found = raised_after(at, value, at[96 * 40])

    assert [(e.reason, e.settled) for e in found] == [("flat", True)]


@pytest.mark.parametrize("constant", [0.0, 21.0, -1e6])
def test_a_sensor_that_never_moved_is_not_stuck(constant):
    at = START + HOUR * np.arange(24 * 40)
    scores = SeasonalDetector().update(at, np.full(len(at), constant))
    assert scores.episodes == []
    assert np.nanmax(scores.score) == 0


def test_a_coarse_sensor_that_rests_every_night_is_not_stuck():
    at, value = room(9, days=60, step_s=900, memory=0.999, noise=0.1)
    resting = (at % DAY) < 8 * HOUR
    value[resting] = 18.0
    assert [e for e in findings(at, value.round(1)) if e.reason == "flat"] == []


def test_a_constant_sensor_that_jumps_is_found_and_has_a_finite_score():
    at = START + HOUR * np.arange(24 * 40)
    value = np.where(at < at[-24], 0.0, 5.0)

    found = findings(at, value)

    assert len(found) == 1
    assert np.isfinite(found[0].peak_score)


def test_a_constant_sensor_with_a_new_value_settles_too():
    at = START + HOUR * np.arange(24 * 80)
    found = findings(at, np.where(at < at[24 * 40], 20.0, 70.0))
    assert [e.settled for e in found] == [True]


@pytest.mark.parametrize("memory", [0.0, 0.9])
@pytest.mark.parametrize("step_s", [3600.0, 300.0])
def test_one_wild_reading_alone_opens_nothing(memory, step_s):
    at, value = room(10, days=30, step_s=step_s, memory=memory)
    value[-100] = 1000.0
    assert raised_after(at, value, at[-100]) == []
    value[-99] = 1000.0
    assert len(raised_after(at, value, at[-100])) == 1


@pytest.mark.parametrize("jump", [8.0, -15.0, 500.0])
def test_a_long_fault_is_one_finding_and_then_the_new_normal(jump):
    at, value = room(11, days=90)
    broke = 40 * 24
    value[broke:] += jump

    found = raised_after(at, value, at[broke])

    assert len(found) == 1
    assert found[0].settled
    assert found[0].ended - found[0].raised_at == pytest.approx(7 * DAY, abs=HOUR)


def test_a_fault_that_passes_ends_calmly_and_the_next_one_is_new():
    at, value = room(12, days=60)
    for start in (30, 45):
        value[start * 24 : start * 24 + 12] += 8

    found = raised_after(at, value, at[30 * 24])

    assert len(found) == 2
    assert all(e.ended is not None and not e.settled for e in found)
    assert len({e.raised_at for e in found}) == 2


def test_after_a_finding_it_rests_unless_it_gets_worse():
    at, value = room(13, days=60)
    first, again = 40 * 24, 42 * 24
    value[first : first + 6] += 8
    same, worse = value.copy(), value.copy()
    same[again : again + 6] += 8
    worse[again : again + 6] += 16

    assert len(raised_after(at, same, at[first])) == 1
    assert len(raised_after(at, worse, at[first])) == 2


def test_nothing_is_said_during_the_first_week():
    at, value = room(14, days=9)
    value[100:] += 50

    scores = SeasonalDetector().update(at, value)

    assert np.isnan(scores.score[: 7 * 24]).all()
    assert np.isnan(scores.low[: 7 * 24]).all()
    assert np.isfinite(scores.score[7 * 24 + 1 :]).all()
    assert all(e.raised_at >= at[7 * 24] for e in scores.episodes)


def test_a_week_of_few_readings_is_not_enough():
    at, value = room(15, days=30, step_s=8 * HOUR)
    scores = SeasonalDetector().update(at, value)
    assert np.isnan(scores.score).all()


def test_the_future_does_not_change_the_past():
    at, value = room(16, days=40)
    value[600:620] += 9
    whole, part = (
        SeasonalDetector().update(at, value),
        SeasonalDetector().update(at[:700], value[:700]),
    )
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(whole, name)[:700], getattr(part, name))


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 24 * 25), max_size=12), seed=st.integers(0, 50))
def test_batches_may_be_cut_anywhere_even_through_json(cuts, seed):
    at, value = room(seed, days=25)
    value[480:500] += 9
    whole = SeasonalDetector().update(at, value)

    detector, parts, episodes = SeasonalDetector(), [], {}
    for some_at, some in zip(
        np.split(at, sorted(cuts)), np.split(value, sorted(cuts)), strict=True
    ):
        detector = SeasonalDetector.from_state(
            json.loads(json.dumps(detector.state(), allow_nan=False))
        )
        parts.append(detector.update(some_at, some))
        episodes |= {e.raised_at: e for e in parts[-1].episodes}

    for name in ARRAYS:
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name))
    assert list(episodes.values()) == whole.episodes
    assert whole.episodes


def test_a_sensor_that_wakes_after_days_of_one_value_is_learnt_again():
    at, value = room(25, days=60)
    value[: 5 * 24] = 50.0
    scores = SeasonalDetector().update(at, value)
    assert np.abs(scores.expected - value)[-10 * 24 :].mean() < 1


def test_the_first_reading_after_a_long_silence_counts_as_one_reading():
    at, value = room(26, days=40, memory=0.0)
    at[-100:] += 60 * DAY
    value[-100] += 5
    scores = SeasonalDetector().update(at, value)
    undisturbed = SeasonalDetector().update(
        at, np.where(np.arange(len(at)) == len(at) - 100, value - 5, value)
    )
    assert np.nanmax(np.abs(scores.expected - undisturbed.expected)) < 0.3
    assert [e for e in scores.episodes if e.raised_at >= at[-100]] == []


def test_one_by_one_equals_all_at_once():
    at, value = room(17, days=12)
    whole, detector = SeasonalDetector().update(at, value), SeasonalDetector()
    singly = [detector.update(at[k : k + 1], value[k : k + 1]).score[0] for k in range(len(at))]
    np.testing.assert_array_equal(singly, whole.score)


def test_an_open_finding_keeps_its_name_across_batches():
    at, value = room(18, days=30)
    value[-30:] += 9
    detector = SeasonalDetector()

    first = detector.update(at[:-20], value[:-20]).episodes[-1]
    later = detector.update(at[-20:], value[-20:]).episodes

    assert [e.raised_at for e in later] == [first.raised_at]
    assert later[0].ended is None


def test_a_batch_sent_twice_changes_nothing():
    at, value = room(19, days=20)
    detector = SeasonalDetector()
    detector.update(at, value)
    before = detector.state()

    again = detector.update(at, value)

    assert detector.state() == before
    assert np.isnan(again.score).all()
    assert again.episodes == []


def test_a_saved_state_shares_nothing_with_the_detector_it_came_from():
    at, value = room(20, days=20)
    detector = SeasonalDetector()
    detector.update(at[:300], value[:300])
    saved = detector.state()
    frozen = json.dumps(saved)

    SeasonalDetector.from_state(saved).update(at[300:], value[300:])
    detector.update(at[300:], value[300:])

    assert json.dumps(saved) == frozen


def test_the_state_is_small_and_keeps_its_configuration():
    config = DetectorConfig(return_period_days=100.0)
    detector = SeasonalDetector(config)
    detector.update(*room(21, days=200))
    assert len(json.dumps(detector.state())) < 64_000
    assert (
        SeasonalDetector.from_state(detector.state()).state()["config"]
        == detector.state()["config"]
    )


def test_a_state_of_another_version_is_refused():
    state = SeasonalDetector().state() | {"version": 0}
    with pytest.raises(ValueError, match="version 0"):
        SeasonalDetector.from_state(state)


def test_gaps_and_uneven_times_raise_nothing():
    at, value = room(22, days=120)
    rng = np.random.default_rng(22)
    keep = rng.random(len(at)) < 0.7
    keep[1000:1300] = False
    at = at + rng.uniform(0, 1800, len(at))

    scores = SeasonalDetector().update(at[keep], value[keep])

    assert len(scores.episodes) < 4


def test_a_sensor_every_two_seconds_and_repeated_values():
    at, value = room(23, days=9, step_s=20.0, memory=0.999, noise=0.2)
    value = value.round(1)
    broke = len(value) - 200
    assert raised_after(at, value, at[broke]) == []
    value[broke:] += 5

    found = raised_after(at, value, at[broke])

    assert len(found) == 1
    assert found[0].raised_at <= at[broke + 5]


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=40),
    step_s=st.sampled_from([2.0, 300.0, 3600.0, 86400.0, 900000.0]),
    repeats=st.integers(1, 30),
)
def test_no_values_break_it(values, step_s, repeats):
    series = np.array(values * repeats)
    scores = SeasonalDetector().update(START + step_s * np.arange(len(series)), series)
    said = scores.score[~np.isnan(scores.score)]
    assert np.isfinite(scores.expected[1:]).all()
    assert ((said >= 0) & (said <= 100)).all()
    assert all(e.began <= e.raised_at <= (e.ended or np.inf) for e in scores.episodes)


@given(shift=st.floats(-1e4, 1e4), scale=st.sampled_from([-8.0, 0.25, 2.0, 1024.0]))
@settings(max_examples=15, deadline=None)
def test_the_unit_of_measurement_does_not_matter(shift, scale):
    at, value = room(24, days=25)
    value[500:520] += 9
    plain, other = findings(at, value), findings(at, shift + scale * value)
    assert [e.raised_at for e in other] == [e.raised_at for e in plain]
    assert plain


@pytest.mark.parametrize(
    ("at", "value"),
    [([1.0, 2.0], [1.0]), ([[1.0]], [[1.0]]), ([1.0], [np.nan]), ([np.inf], [1.0])],
)
def test_it_refuses_what_it_cannot_read(at, value):
    with pytest.raises(ValueError, match=r"alike|finite"):
        SeasonalDetector().update(at, value)


def test_no_readings_no_scores():
    scores = SeasonalDetector().update([], [])
    assert scores.score.shape == (0,)
    assert scores.episodes == []
