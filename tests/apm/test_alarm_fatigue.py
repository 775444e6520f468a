"""Alarm fatigue: who calls in vain becomes quieter, and who called in earnest is still heard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest
from sqlalchemy import select

from apm.alarms.commands import judge
from apm.alarms.fatigue import over_budget
from apm.assets.commands import create_asset
from apm.core.audit import AuditEntry
from apm.core.errors import Conflict, NotFound
from apm.detecting.fatigue import look_for_fatigue, take_back
from apm.detecting.model import DetectorState, ThresholdChange, ThresholdEnd
from apm.detecting.scoring import score_all
from apm.readings.commands import add_sensor, ingest
from apm.readings.model import Alarm, AlarmKind
from predict.alarming.quieting import is_over_budget, quieter_factor, quieter_limit
from tests.apm.hospital import make_asset

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = 144
"""Readings a day, one every ten minutes."""
BUMPS = {22: 1.2, 28: 1.3, 34: 1.5, 40: 1.4, 46: 1.6, 52: 1.8, 58: 1.3, 64: 4.0}
"""Four hours warmer by so much, °C, on these days: a door that is left open."""


def stream():
    """Seventy days of a room, which warms by day, with a door that is left open."""
    n = 70 * DAY
    values = 21 + np.sin(np.arange(n) / DAY * 2 * np.pi)
    values += np.random.default_rng(1).normal(0, 0.1, n)
    for day, height in BUMPS.items():
        values[day * DAY : day * DAY + 24] += height
    return np.round(values, 2)


def days(values, first, last):
    """The readings of some days as a sensor sends them."""
    return [
        {"sensor": "T-1", "at": START + timedelta(minutes=10 * k), "value": float(values[k])}
        for k in range(first * DAY, last * DAY)
    ]


def findings(as_):
    query = select(Alarm).where(Alarm.kind == AlarmKind.ANOMALY).order_by(Alarm.since)
    return list(as_("wang").session.scalars(query))


def state(as_):
    return as_("wang").session.scalars(select(DetectorState)).one()


def on(day):
    """The clock of a day of the stream."""
    return {"now": lambda: START + timedelta(days=day)}


@pytest.mark.database
def test_a_detector_that_calls_in_vain_becomes_quieter_until_it_is_taken_back(as_, login):
    wang = as_("wang")
    machine = create_asset(wang, number="N-1", name="Chiller", category="OTHER")
    add_sensor(
        wang, code="T-1", name="Room", quantity="temperature", unit="°C", asset=machine.code
    )
    values = stream()
    ingest(wang, days(values, 0, 54))
    score_all(as_("system"))
    found = findings(as_)
    assert len(found) == 6
    for alarm in found:  # the first, by far the worst, was a failure
        judge(as_("wang"), alarm_id=alarm.id, is_real=alarm is found[0])

    assert look_for_fatigue(as_("system", **on(54))) == 1
    assert look_for_fatigue(as_("system", **on(54))) == 0  # what was judged has been acted on

    [change] = as_("wang").session.scalars(select(ThresholdChange))
    false = sorted(alarm.score for alarm in found[1:])
    assert (change.false_alarms, change.real_alarms, change.old) == (5, 1, 1.0)
    assert false[-2] < change.new < found[0].score
    assert state(as_).factor == change.new
    trail = as_("wang").session.scalars(
        select(AuditEntry).where(AuditEntry.entity == "ThresholdChange")
    )
    assert [entry.command for entry in trail] == ["detector.adjust"]

    ingest(wang, days(values, 54, 70))
    score_all(as_("system"))
    later = findings(as_)[6:]
    assert [alarm.since.date() for alarm in later] == [(START + timedelta(days=64)).date()]
    assert later[0].evidence["threshold"] == change.new
    [kept] = as_("wang").session.scalars(select(ThresholdChange))
    assert kept.held == 1  # the door of day 58

    page = login("wang").get("/alarms/thresholds")
    assert "5 false alarms in" in page.text
    url = f"/alarms/thresholds/{change.id}/take-back"
    assert login("wang").post(url, data={"reason": ""}).status_code == 422
    assert login("chen").post(url, data={"reason": "x"}).status_code == 403
    assert login("wang").post(url, data={"reason": "门已修好"}).status_code == 303
    assert "门已修好" in login("wang").get("/alarms/thresholds?lang=zh").text
    assert state(as_).factor == 1.0
    with pytest.raises(Conflict):
        take_back(as_("wang"), change_id=change.id, reason="again")
    with pytest.raises(NotFound):
        take_back(as_("qin"), change_id=change.id, reason="not mine")


def test_after_a_quiet_time_the_threshold_falls_back(as_):
    wang = as_("wang")
    sensor = add_sensor(
        wang,
        code="T-1",
        name="Room",
        quantity="temperature",
        unit="°C",
        asset=make_asset(wang).code,
    )
    with wang.writing("test.raised"):
        wang.session.add(
            DetectorState(
                sensor_id=sensor.id,
                state={},
                recent=[],
                factor=1.8,
                watching_since=START,
                read_until=START + timedelta(days=400),
            )
        )
        facts = {"false_alarms": 4, "real_alarms": 0, "months": 2.0, "by": "system"}
        wang.session.add(ThresholdChange(sensor_id=sensor.id, old=1.0, new=1.8, at=START, **facts))

    assert look_for_fatigue(as_("system", **on(89))) == 0
    assert state(as_).factor == 1.8
    assert look_for_fatigue(as_("system", **on(91))) == 1
    assert state(as_).factor == 1.0
    [change] = as_("wang").session.scalars(select(ThresholdChange))
    assert change.ended_why is ThresholdEnd.QUIET


def test_a_rule_is_proposed_another_limit_but_never_a_product_limit(as_, login):
    wang = as_("wang")
    fridge = add_sensor(
        wang,
        code="F-1",
        name="Fridge",
        quantity="temperature",
        unit="°C",
        asset=make_asset(wang).code,
        profile="vaccine_fridge",
    )
    at = wang.now() - timedelta(days=5)
    peaks = {"high": [8.4, 8.6, 9.1, 8.8, 9.0], "high_warn": [7.6, 7.7, 7.4, 7.8, 7.5]}
    with wang.writing("test.alarms"):
        for rule, values in peaks.items():
            for n, peak in enumerate(values):
                wang.session.add(
                    Alarm(
                        sensor_id=fridge.id, kind=AlarmKind.HIGH, rule=rule, priority="normal",
                        since=at + timedelta(hours=n), raised_at=at + timedelta(hours=n),
                        active=False, is_real=False, peak=peak, reason=rule, evidence={},
                    )
                )  # fmt: skip
    found = {one.spec.key: one for one in over_budget(as_("wang"))}

    assert found.keys() == {"high", "high_warn"}
    assert found["high"].is_regulated
    assert found["high"].proposed is None
    warning = found["high_warn"]
    assert warning.proposed is not None
    assert sum(peak > warning.proposed for peak in peaks["high_warn"]) <= 3
    page = login("wang").get("/alarms/thresholds").text
    assert f"limit={warning.proposed}" in page
    form = login("wang").get(f"/sensors/F-1/rules/high_warn?limit={warning.proposed}&why=W").text
    assert f'value="{warning.proposed}"' in form
    assert over_budget(as_("qin")) == []


@pytest.mark.parametrize("seed", range(40))
def test_what_is_proposed_keeps_the_budget_and_every_real_alarm(seed):
    """Against counting by hand, on alarms drawn at random."""
    dice = Random(seed)
    false = [1 + dice.expovariate(2) for _ in range(dice.randrange(12))]
    real = [1 + dice.expovariate(0.7) for _ in range(dice.randrange(4))]
    months = dice.uniform(1, 4)
    factor = quieter_factor(false, real, months)
    limit = quieter_limit(false, real, months, 1.0)

    if not is_over_budget(len(false), months):
        assert factor is None
        assert limit is None
        return
    if factor is not None:
        assert 1 < factor <= 3
        assert all(factor < peak for peak in real)
        stood_in_the_way = any(peak < 1.06 * factor for peak in real) or factor == 3
        assert sum(peak >= factor for peak in false) <= months or stood_in_the_way
    if limit is not None:
        assert sum(peak > limit for peak in false) <= months
        assert all(limit < peak for peak in real)
