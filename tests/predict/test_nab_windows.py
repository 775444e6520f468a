"""The promise on real readings: four of six windows, at most one false finding a month."""

import numpy as np
import pytest

from predict.anomaly import SeasonalDetector
from tests.bench.nab import KEY_SERIES, count, main
from tests.bench.nab_data import Series, find, read


@pytest.fixture(scope="module")
def series() -> list[Series]:
    folder = find()
    if folder is None:
        pytest.skip("the benchmark data are absent: set APM_DATA to the data folder")
    return [read(folder, name) for name in KEY_SERIES]


@pytest.mark.parametrize("shift_hours", [0, 8, -8])
def test_the_labelled_failures_are_found_wherever_midnight_lies(series, shift_hours):
    shift = shift_hours * 3600.0
    found = 0
    for one in series:
        episodes = SeasonalDetector().update(one.at + shift, one.value).episodes
        counted = count(one, [episode.raised_at - shift for episode in episodes])
        assert counted.false_per_month <= 1.0, one.name
        found += counted.found
    assert found >= 4


def test_readings_that_arrive_one_by_one_tell_the_same(series):
    machine = series[1]
    part = slice(0, 4000)
    whole = SeasonalDetector().update(machine.at[part], machine.value[part])
    detector, raised = SeasonalDetector(), set()
    for at, value in zip(machine.at[part], machine.value[part], strict=True):
        raised |= {e.raised_at for e in detector.update([at], [value]).episodes}
    assert raised == {e.raised_at for e in whole.episodes}
    assert len(raised) == 2


def test_shuffled_readings_show_that_the_windows_are_not_hit_by_chance(series):
    hits = []
    for one in series:
        value = np.random.default_rng(4).permutation(one.value)
        episodes = SeasonalDetector().update(one.at, value).episodes
        hits.append(count(one, [e.raised_at for e in episodes]).found)
    assert sum(hits) <= 2


def test_the_bench_says_so_when_the_data_are_absent(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "skipped" in capsys.readouterr().out
