"""A device's readings go wrong: one alarm and one planned work order, with the evidence."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import event, func, select

from apm.assets.commands import create_asset
from apm.core.events import Outbox
from apm.detecting import queries, scoring
from apm.detecting.model import DetectorState
from apm.detecting.scoring import score_all, score_new
from apm.readings.commands import add_sensor, ingest
from apm.readings.merging import merge_inbox
from apm.readings.model import Alarm, Latest
from apm.work.model import WorkOrder

START = datetime(2026, 3, 2, tzinfo=UTC)
STEP = timedelta(minutes=10)
DAY = 144
"""Readings a day."""


def usual(days, *, seed=1):
    """A room that warms by day: what its sensor reads every ten minutes."""
    n = days * DAY
    noise = np.random.default_rng(seed).normal(0, 0.1, n)
    return np.round(21 + np.sin(np.arange(n) / DAY * 2 * np.pi) + noise, 2).tolist()


def sent(sensor, values, *, first=0):
    return [
        {"sensor": sensor, "at": START + STEP * (first + k), "value": float(value)}
        for k, value in enumerate(values)
    ]


def sensor_on(ctx, code, **asset):
    machine = create_asset(ctx, number=f"N-{code}", name="Chiller", category="OTHER", **asset)
    return add_sensor(
        ctx,
        code=code,
        name="Supply water",
        name_zh="供水温度",
        quantity="temperature",
        unit="°C",
        asset=machine.code,
    )


def all_of(as_, model, who="wang"):
    return list(as_(who).session.scalars(select(model).order_by(model.id)))


@pytest.fixture
def chiller(as_):
    """A sensor of North whose detector has seen three usual weeks; South has noise of its own."""
    qin = as_("qin")
    sensor_on(qin, "T-1")
    ingest(qin, sent("T-1", usual(2)))
    sensor = sensor_on(as_("wang"), "T-1")
    ingest(as_("wang"), sent("T-1", usual(21)))
    score_all(as_("system"))
    return sensor


def test_usual_readings_raise_nothing(as_, chiller):
    assert all_of(as_, Alarm) == []
    assert all_of(as_, WorkOrder) == []


@pytest.mark.database
def test_a_long_episode_reading_by_reading_is_one_alarm_and_one_work_order(as_, chiller):
    wang, system = as_("wang"), as_("system")
    for reading in sent("T-1", [v + 6 for v in usual(1)], first=21 * DAY):
        ingest(wang, [reading])
        score_new(system)

    [alarm] = all_of(as_, Alarm)
    [order] = all_of(as_, WorkOrder)
    assert (alarm.active, alarm.acknowledged, alarm.work_order_no) == (True, False, order.no)
    assert timedelta(0) <= alarm.raised_at - (START + timedelta(days=21)) < timedelta(hours=1)
    assert (order.type, order.state, order.origin) == (
        "predictive",
        "planned",
        f"alarm:{alarm.id}",
    )
    assert order.asset_id == chiller.asset_id
    assert order.title == "Check Supply water: unusual readings"
    assert "供水温度" in order.title_zh
    raised = as_("wang").session.scalars(select(Outbox).where(Outbox.kind.like("alarms.raised")))
    assert [row.payload["alarm_id"] for row in raised] == [alarm.id]


def test_the_evidence_shows_what_the_detector_saw(as_, chiller):
    ingest(as_("wang"), sent("T-1", [v + 6 for v in usual(1)], first=21 * DAY))
    score_all(as_("system"))

    [alarm] = all_of(as_, Alarm)
    evidence = alarm.evidence
    assert (evidence["sensor"], evidence["unit"], evidence["threshold"]) == ("T-1", "°C", 1.0)
    assert evidence["score"] == pytest.approx(alarm.score, abs=0.001)
    series = evidence["series"]
    lengths = {len(series[name]) for name in ("at", "value", "expected", "low", "high", "score")}
    assert len(lengths) == 1
    assert 100 < lengths.pop() <= 300
    assert series["at"][0] < evidence["since"] <= evidence["raised_at"] <= series["at"][-1]
    worst = max(range(len(series["at"])), key=lambda k: series["score"][k] or 0)
    assert series["value"][worst] > series["high"][worst] > series["low"][worst]


def test_scoring_twice_changes_nothing(as_, chiller):
    ingest(as_("wang"), sent("T-1", [v + 6 for v in usual(1)], first=21 * DAY))
    score_all(as_("system"))
    before = all_of(as_, Alarm)[0].version, all_of(as_, DetectorState)[0].state

    again = score_all(as_("system"))

    assert (again.readings, again.opened) == (0, 0)
    assert (all_of(as_, Alarm)[0].version, all_of(as_, DetectorState)[0].state) == before


def test_a_batch_cut_anywhere_finds_the_same(as_, chiller):
    odd = [v + 6 for v in usual(1)] + usual(2)
    sensor_on(as_("wang"), "T-2")
    ingest(as_("wang"), sent("T-2", usual(21)))
    score_all(as_("system"))
    ingest(as_("wang"), sent("T-1", odd, first=21 * DAY))
    score_all(as_("system"))
    for k in range(0, len(odd), 17):
        ingest(as_("wang"), sent("T-2", odd[k : k + 17], first=21 * DAY + k))
        score_new(as_("system"))

    one, other = all_of(as_, Alarm)
    for name in ("since", "raised_at", "ended_at", "reason", "active"):
        assert getattr(one, name) == getattr(other, name)
    assert one.score == pytest.approx(other.score)
    assert one.ended_at is not None
    assert not one.active


def test_the_other_hospital_hears_nothing(as_, chiller):
    ingest(as_("wang"), sent("T-1", [v + 6 for v in usual(1)], first=21 * DAY))
    score_all(as_("system"))
    assert all_of(as_, Alarm, "qin") == []
    assert all_of(as_, WorkOrder, "qin") == []
    assert all_of(as_, DetectorState, "qin") == []  # nor was South scored by North's worker


@pytest.mark.database
def test_a_crash_at_the_commit_loses_nothing(as_, chiller):
    ingest(as_("wang"), sent("T-1", [v + 6 for v in usual(1)], first=21 * DAY))
    system = as_("system")

    def power_cut(session):
        if session.scalar(select(func.count(Alarm.id))):
            raise ConnectionError("the power went away")

    event.listen(system.session, "before_commit", power_cut)
    with pytest.raises(ConnectionError):
        score_all(system)
    assert all_of(as_, Alarm) == all_of(as_, WorkOrder) == []

    score_all(as_("system"))

    assert len(all_of(as_, Alarm)) == len(all_of(as_, WorkOrder)) == 1


def test_a_poisoned_sensor_waits_and_the_others_go_on(as_, chiller):
    system = as_("system")
    with system.writing("test"):
        system.session.scalars(select(DetectorState)).one().state = {"version": 99}
    sensor_on(as_("wang"), "T-2")
    ingest(as_("wang"), sent("T-2", usual(1)) + sent("T-1", [21.0], first=21 * DAY))

    done = score_all(as_("system"))

    assert (done.failed, done.readings) == (1, DAY)
    poisoned, healthy = all_of(as_, DetectorState)
    assert (poisoned.failures, healthy.error) == (1, None)
    assert poisoned.error.startswith("ValueError: ")
    assert score_all(as_("system")).failed == 0  # it waits its turn
    later = as_("system", now=lambda: poisoned.retry_at)
    assert score_all(later).failed == 1


@pytest.mark.database
def test_an_alarm_that_cannot_be_continued_holds_up_its_own_sensor_only(as_, chiller):
    sensor_on(as_("wang"), "T-2")
    odd = [v + 6 for v in usual(1)]
    ingest(as_("wang"), sent("T-2", usual(21)) + sent("T-1", odd, first=21 * DAY))
    score_all(as_("system"))
    system = as_("system")
    with system.writing("test"):
        system.session.scalars(select(Alarm)).one().evidence = {}
    ingest(as_("wang"), sent("T-1", usual(2), first=22 * DAY) + sent("T-2", odd, first=21 * DAY))

    done = score_new(as_("system"))

    assert (done.failed, done.opened) == (1, 1)
    stopped, healthy = all_of(as_, DetectorState)
    assert (stopped.error, stopped.failures) == ("KeyError: 'threshold'", 1)
    assert (healthy.error, healthy.read_until) == (None, START + STEP * (22 * DAY - 1))


def test_late_readings_are_stored_but_not_scored(as_, chiller):
    ingest(as_("wang"), [{"sensor": "T-1", "at": START - STEP, "value": 99.0}])
    score_all(as_("system"))
    assert all_of(as_, Alarm) == []
    query = select(func.count(Latest.id)).where(Latest.revision > Latest.scored_revision)
    assert as_("wang").session.scalar(query) == 0


def test_readings_marked_bad_are_stored_but_not_scored(as_, chiller):
    bad = [{**reading, "quality": "bad"} for reading in sent("T-1", [99.0] * 20, first=21 * DAY)]
    assert ingest(as_("wang"), bad).accepted == 20
    score_all(as_("system"))
    assert all_of(as_, Alarm) == []


def test_a_sensor_of_a_place_opens_work_in_that_place(as_):
    sensor = add_sensor(
        as_("wang"), code="R-1", name="CT room", quantity="temperature", unit="°C", location="CT 1"
    )
    ingest(as_("wang"), sent("R-1", usual(21) + [v + 6 for v in usual(1)]))
    score_all(as_("system"))
    [order] = all_of(as_, WorkOrder)
    assert (order.asset_id, order.location_id) == (None, sensor.location_id)


def test_where_there_is_more_than_a_turn_allows_all_come_round(as_, monkeypatch):
    for name in ("MOST_A_RUN", "AT_ONCE"):
        monkeypatch.setattr(scoring, name, 1)
    codes = ("T-1", "T-2", "T-3")
    for code in codes:
        sensor_on(as_("wang"), code)
    read = []
    for turn in range(4):
        for code in codes:
            ingest(as_("wang"), sent(code, [21.0], first=turn))
        read.append(score_new(as_("system")).readings)
    assert read == [1, 2, 3, 3]  # the third has waited for two turns, then the first for three
    assert len(all_of(as_, DetectorState)) == 3
    assert score_all(as_("system")).readings == 12 - sum(read)


@pytest.mark.database
def test_who_is_far_behind_reads_the_oldest_first_and_all_in_the_end(as_, chiller, monkeypatch):
    monkeypatch.setattr(queries, "MOST_ROWS", 1)
    merge_inbox(as_("system"))
    more = sent("T-1", usual(4, seed=2), first=21 * DAY)
    for begin in (0, 2 * DAY, 3 * DAY):
        ingest(as_("wang"), more[begin : begin + 2 * DAY])

    assert score_new(as_("system")).readings == 2 * DAY
    assert score_new(as_("system")).readings == 0  # what follows waits for the merge
    due = [one.sensor_id for one in queries.sensors_due(as_("system"))]
    assert due == [chiller.id]

    assert score_all(as_("system")).readings == 2 * DAY
    assert queries.sensors_due(as_("system")) == []
    assert all_of(as_, DetectorState)[0].read_until == more[-1]["at"]
