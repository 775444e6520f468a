"""Excursions on the page of a place, and their reports from draft to signature."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select

from apm.assets.model import Location
from apm.core.clock import utc_now
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.environment.model import Decision, ExcursionReport, SignedRecordChanged
from apm.environment.reporting import (
    begin_report,
    is_as_signed,
    report_by_id,
    sign_report,
    write_report,
)
from apm.readings.commands import add_sensor, ingest
from predict.climate import mean_kinetic_temperature
from tests.apm.hospital import make_asset, make_work
from tests.conftest import PASSWORD

STEP = timedelta(minutes=10)
NOW = utc_now()
"""When the test that runs began, to the minute: readings of its own age."""
SAID = {
    "products": "红细胞悬液12袋 / 12 units of red cells",
    "cause": "The door was not shut",
    "action": "Door shut, staff told",
    "decision": Decision.USE,
    "decision_reason": "Within the maker's allowance",
}


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """Not when the module was read: that may be an hour ago."""
    monkeypatch.setitem(globals(), "NOW", utc_now().replace(second=0, microsecond=0))


def send(ctx, code, values, end):
    first = end - STEP * (len(values) - 1)
    rows = [{"sensor": code, "at": first + STEP * k, "value": v} for k, v in enumerate(values)]
    assert ingest(ctx, rows).accepted == len(values)


@pytest.fixture
def fridge(as_):
    """A blood fridge of North that was warm for an hour, and is cold again; a device beside it."""
    wang = as_("wang")
    asset = make_asset(wang, "FRIDGE", name="Blood fridge", location="Blood store", number="BF-1")
    add_sensor(
        wang, code="BF", name="Blood fridge 1", name_zh="储血冰箱1", quantity="temperature",
        unit="°C", asset=asset.code, profile="blood_rbc",
    )  # fmt: skip
    send(wang, "BF", [4.0] * 150 + [7.0, 8.5, 9.0, 8.0, 7.0, 6.5] + [4.0] * 12, NOW)
    make_work(wang, asset, title="Fridge warm")
    return asset


def began():
    return NOW - STEP * 17


@pytest.fixture
def draft(as_, fridge):
    return begin_report(as_("wang"), sensor="BF", began=began())


@pytest.mark.database
def test_the_facts_are_those_of_the_readings(as_, draft, fridge):
    facts = report_by_id(as_("wang"), draft.id).facts

    assert datetime.fromisoformat(facts["start"]) == began()
    assert facts["seconds"] == 3600.0
    assert (facts["side"], facts["extreme"], facts["n"]) == ("high", 9.0, 6)
    assert (facts["is_open"], facts["is_cut"]) == (False, False)
    # 24 hours before its end: 138 readings of 4 degrees, six warm ones, ends weighing half.
    warm = [7.0, 8.5, 9.0, 8.0, 7.0, 6.5]
    values, weights = np.array([4.0] * 138 + warm + [4.0]), np.ones(145)
    weights[[0, -1]] = 0.5
    assert facts["mkt"]["value"] == pytest.approx(mean_kinetic_temperature(values, weights))
    assert [one["number"] for one in facts["equipment"]] == ["BF-1"]
    assert len(facts["orders"]) == 1


def test_a_logger_that_reads_faster_while_warm_changes_no_mean(as_, fridge):
    wang, other = as_("wang"), "FAST"
    add_sensor(
        wang, code=other, name="Blood fridge 2", quantity="temperature", unit="°C",
        asset=fridge.code, profile="blood_rbc",
    )  # fmt: skip
    send(wang, other, [4.0] * 160, NOW - STEP * 2)
    fast = [{"sensor": other, "at": NOW - STEP + timedelta(seconds=2 * k),
             "value": 9.0 if k < 300 else 4.0} for k in range(301)]  # fmt: skip
    ingest(wang, fast)

    facts = begin_report(wang, sensor=other, began=NOW - STEP).facts

    assert (facts["seconds"], facts["n"]) == (600.0, 300)
    # Of a day ten warm minutes and half the step before them, however many readings that were.
    day = mean_kinetic_temperature(np.array([4.0, 9.0]), np.array([85500.0, 900.0]))
    assert facts["mkt"]["value"] == pytest.approx(day, abs=0.001)
    assert None not in [value for _at, value in facts["curve"]]


def test_the_same_excursion_has_one_report(as_, draft):
    again = begin_report(as_("zhao"), sensor="BF", began=began() + STEP * 3)

    assert again.id == draft.id


def test_where_there_was_none_there_is_no_report(as_, fridge):
    with pytest.raises(Conflict):
        begin_report(as_("wang"), sensor="BF", began=NOW - timedelta(hours=10))
    with pytest.raises(NotFound):
        begin_report(as_("qin"), sensor="BF", began=began())


def test_it_is_signed_only_when_all_is_said(as_, draft):
    wang = as_("wang")
    with pytest.raises(Invalid) as refused:
        sign_report(wang, report_id=draft.id, password=PASSWORD)
    assert set(refused.value.fields) == {"products", "cause", "action", "decision"}
    write_report(wang, report_id=draft.id, **SAID)
    for password in (None, "wrong"):
        with pytest.raises(Invalid):
            sign_report(wang, report_id=draft.id, password=password)
    with pytest.raises(NotAllowed):
        sign_report(as_("system"), report_id=draft.id, password=PASSWORD)

    signed = sign_report(as_("zhao"), report_id=draft.id, password=PASSWORD)

    assert (signed.person, signed.is_signed) == ("Zhao Min", True)
    assert is_as_signed(report_by_id(as_("wang"), draft.id))


@pytest.mark.database
def test_what_is_signed_does_not_change(as_, draft):
    wang = as_("wang")
    write_report(wang, report_id=draft.id, **SAID)
    sign_report(wang, report_id=draft.id, password=PASSWORD)

    with pytest.raises(Conflict):
        write_report(as_("zhao"), report_id=draft.id, **SAID)
    with pytest.raises(Conflict):
        sign_report(as_("zhao"), report_id=draft.id, password=PASSWORD)
    system = as_("system")
    with pytest.raises(SignedRecordChanged), system.writing("test.tamper"):
        system.session.scalars(select(ExcursionReport)).one().cause = "Nothing happened"
    other = as_("system")
    with pytest.raises(SignedRecordChanged), other.writing("test.tamper"):
        other.session.delete(other.session.scalars(select(ExcursionReport)).one())
    # Late readings do not reach it either.
    send(as_("wang"), "BF", [12.0], began() + STEP * 2 + timedelta(minutes=5))
    assert is_as_signed(report_by_id(as_("wang"), draft.id))
    assert report_by_id(as_("wang"), draft.id).facts["extreme"] == 9.0


def test_readings_that_come_late_reach_a_draft(as_, draft):
    send(as_("wang"), "BF", [12.0], began() + STEP * 2 + timedelta(minutes=5))

    write_report(as_("wang"), report_id=draft.id, **SAID)

    assert report_by_id(as_("wang"), draft.id).facts["extreme"] == 12.0


def test_while_it_goes_on_nobody_signs(as_, fridge):
    send(as_("wang"), "BF", [7.0, 7.5], NOW)
    wang = as_("wang")
    row = begin_report(wang, sensor="BF", began=NOW)
    write_report(wang, report_id=row.id, **SAID)
    with pytest.raises(Conflict, match="goes on"):
        sign_report(wang, report_id=row.id, password=PASSWORD)


def test_the_room_shows_the_excursion_and_what_broke_meanwhile(as_, login, fridge):
    code = place_code(as_, fridge)
    page = login("wang").get(f"/environment/{code}?period=day").text
    assert "Blood fridge 1" in page
    assert "2 to 6 °C" in page
    assert "To be verified" in page
    assert "1 h 0 min" in page
    assert "Write report" in page
    assert "Show the numbers" in page  # heat map and curve
    assert "BF-1" in page
    assert "#1" in page
    assert "Write report" not in login("chen").get(f"/environment/{code}?period=day").text


def place_code(as_, asset):
    return as_("wang").session.get(Location, asset.location_id).code


def test_from_the_room_to_the_signature_on_pages(as_, login, fridge):
    wang = login("wang")
    sent = wang.post(
        "/environment/excursions", data={"sensor": "BF", "began": began().isoformat()}
    )
    assert sent.status_code == 303
    page = wang.get(sent.location)
    assert "Draft" in page.text
    refused = wang.post(f"{sent.location}/sign", data={"password": PASSWORD})
    assert refused.status_code == 422
    assert "Decide what becomes of the goods." in refused.text
    saved = wang.post(sent.location, data={k: str(v) for k, v in SAID.items()})
    assert saved.status_code == 303
    assert wang.post(f"{sent.location}/sign", data={"password": "x"}).status_code == 422

    assert wang.post(f"{sent.location}/sign", data={"password": PASSWORD}).status_code == 303

    shown = wang.get(sent.location).text
    assert "12 units of red cells" in shown
    assert "Wang Lei" in shown
    assert "Sign the report" not in shown
    assert wang.post(sent.location, data={"cause": "x"}).status_code == 409
    assert "Blood fridge 1" in login("chen").get("/environment/excursions").text
    assert login("chen").post(sent.location, data={"cause": "x"}).status_code == 403
    assert login("qin").get(sent.location).status_code == 404


def test_a_gap_is_named_and_not_counted(as_, login):
    wang = as_("wang")
    sensor = add_sensor(
        wang, code="GAP", name="Gappy", quantity="temperature", unit="°C", location="Store",
        profile="reagent_fridge",
    )  # fmt: skip
    send(wang, "GAP", [4.0] * 6 + [9.0] * 2, NOW - timedelta(hours=5))
    send(wang, "GAP", [4.0] * 6, NOW)
    page = login("chen").get(f"/environment/{sensor.location.code}?period=day").text
    assert "then a gap: it may have lasted longer" in page
    assert "2 gaps without readings in this period." in page


def test_the_dew_point_of_a_room_is_told_and_warned_of(as_, login):
    wang = as_("wang")
    for code, quantity, unit in (("T", "temperature", "°C"), ("RH", "humidity", "%")):
        made = add_sensor(
            wang, code=code, name=code, quantity=quantity, unit=unit, location="CT 1",
            profile="imaging_room",
        )  # fmt: skip
    send(wang, "T", [20.0] * 3, utc_now())
    send(wang, "RH", [50.0] * 3, utc_now())
    path = f"/environment/{made.location.code}"
    page = login("chen").get(path).text
    assert "Dew point now: 9.3 °C, 10.7 °C below the air (20 °C, 50 %)." in page
    assert "Condensation is likely" not in page
    send(wang, "RH", [90.0], utc_now() + timedelta(seconds=1))
    assert "Condensation is likely" in login("chen").get(path).text
