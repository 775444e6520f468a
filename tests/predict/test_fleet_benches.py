"""The benches of fleets: disks are asked at like hours; what luck does to the best forecast."""

import numpy as np
import pytest

from predict.change_features import ChangeLog
from tests.bench import disks as bench
from tests.bench.fleet_bound import by_luck, hazards


def drives(rng, n):
    """Drives told of at their begin alone, half of them failing after 200 to 400 days."""
    end = rng.uniform(4800.0, 9600.0, n)
    log = ChangeLog(np.arange(n), np.zeros(n), np.zeros((n, bench.KINDS)))
    failed = np.arange(n) % 2 == 0
    batch = np.zeros(n, dtype=np.int64)
    return bench.Disks(log, np.zeros(n), end, failed, np.zeros(n), batch, np.ones(n), np.zeros(n))


def test_the_hour_a_drive_is_asked_at_does_not_tell_whether_it_fails(monkeypatch):
    monkeypatch.setattr(bench, "QUIET_SHARE", 1.0)
    fleet = drives(np.random.default_rng(0), 400)

    rows, label, unit, weight = bench.learnt(fleet, fleet.end > 0, np.random.default_rng(1))

    week = bench.MONTH / bench.WEEKS
    asked = np.repeat(fleet.failed, np.ceil(fleet.end / week).astype(int))
    phase = rows[:, -3] % bench.MONTH // week  # the column of the hour
    for failing in (True, False):
        own = fleet.failed[unit] == failing
        shares = np.bincount(phase[own].astype(int), weight[own])
        assert shares == pytest.approx((asked == failing).sum() / 4 / bench.WEEKS, rel=0.15)
    assert weight[label > 0].sum() == pytest.approx(fleet.failed.sum())


def test_the_last_days_of_the_study_hold_no_failures_alone():
    fleet = drives(np.random.default_rng(0), 20)
    fleet.seen[:] = bench.STUDY_END - 2000.0
    unit, at = np.array([0, 0]), fleet.end[0] - np.array([0.0, 100.0])
    early = np.arange(0.0, 1281.0, 10.0)

    assert np.isnan(fleet.labels(unit, at)).all()
    assert (fleet.labels(np.zeros(len(early), dtype=int), early) == 0.0).all()


def test_rows_of_disks_have_the_counters_where_the_rule_looks_for_them():
    fleet = drives(np.random.default_rng(0), 20)
    fleet.log.value[:] = np.arange(1.0, bench.KINDS + 1)
    everybody = np.ones(20, dtype=bool)

    rows = fleet.rows(fleet.peers(everybody), np.array([3, 4]), np.array([10.0, 20.0]))

    assert rows[:, 1 : 1 + bench.KINDS].tolist() == [list(range(1, bench.KINDS + 1))] * 2
    assert [bench.COUNTERS[k - 1] for k in bench.RULE] == [
        f"smart_{n}" for n in (5, 187, 188, 197, 198)
    ]


def test_batches_are_neighbours_by_serial_number_within_a_make():
    make = np.repeat([0.0, 1.0], [250, 60])
    serial = np.array([f"{k:04d}" for k in np.random.default_rng(0).permutation(310)])

    found = bench.batches(make, serial)

    assert [len(np.unique(found[make == m])) for m in (0, 1)] == [2, 1]
    assert not set(found[make == 0]) & set(found[make == 1])
    by_serial = found[make == 0][np.argsort(serial[make == 0])]
    assert (np.diff(by_serial) >= 0).all()


def test_exact_probabilities_expect_the_area_they_get():
    rng = np.random.default_rng(0)
    p = rng.beta(0.3, 9.0, 200_000)
    label = (rng.random(len(p)) < p).astype(float)

    said, got = bench.expected(p), bench.figures(label, p)

    assert said["roc_auc"] == pytest.approx(got["roc_auc"], abs=0.01)
    assert said["recall_at_1_percent"] == pytest.approx(got["recall_at_1_percent"], abs=0.01)


def test_luck_alone_moves_the_best_f1_of_one_who_knows_the_chances():
    sure = by_luck(np.array([1.0, 1.0, 0.0, 0.0]))
    even = by_luck(np.full(4000, 0.25))

    assert sure["mean"] == 1.0
    # All said: precision (p + p) / (p + 1), recall 1; none said: recall one half.
    assert even["mean"] == pytest.approx(2 / 3, abs=0.01)
    place = np.array([[0, 1], [0, 1], [0, 3]])
    assert hazards(place, np.array([[1, 0], [0, 0], [0, 1]]))[:4].tolist() == [1 / 3, 0, 0, 1]
