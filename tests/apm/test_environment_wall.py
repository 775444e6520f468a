"""The sensor wall: how each sensor stands, the most pressing first, and only what is new."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from apm.alarms.commands import shelve
from apm.alarms.evaluating import evaluate_all
from apm.alarms.model import Evaluated
from apm.assets.model import Asset, AssetState
from apm.core.clock import utc_now
from apm.detecting.scoring import score_all
from apm.environment.standing import Standing
from apm.environment.wall import WallFilter, wall
from apm.readings.commands import add_sensor, ingest
from apm.readings.model import Alarm
from tests.apm.hospital import make_asset
from tests.apm.test_finding import usual
from tests.queries import count_queries

STEP = timedelta(minutes=10)
HTMX = {"HX-Request": "true"}


def send(ctx, code, values, *, until=None):
    end = until or utc_now()
    rows = [
        {"sensor": code, "at": end - STEP * (len(values) - 1 - k), "value": v}
        for k, v in enumerate(values)
    ]
    assert ingest(ctx, rows).accepted == len(values)


def sensor(ctx, code, place="CT 1", **more):
    facts = {"quantity": "temperature", "unit": "°C", "profile": "imaging_room", **more}
    return add_sensor(ctx, code=code, name=f"Sensor {code}", location=place, **facts)


@pytest.fixture
def rooms(as_):
    """One sensor in each state it can have without an alarm; South has one too."""
    qin, wang = as_("qin"), as_("wang")
    sensor(qin, "SOUTH-1")
    send(qin, "SOUTH-1", [30.0] * 5)
    for code in ("FINE", "WARM", "QUIET", "NEVER"):
        sensor(wang, code)
    send(wang, "QUIET", [21.0] * 6, until=utc_now() - timedelta(minutes=31))
    evaluate_all(as_("system"))
    send(wang, "FINE", [21.0] * 6)
    send(wang, "WARM", [21.0, 21.0, 25.0, 26.0])
    asset = make_asset(wang, "CHILLER", location="Plant")
    add_sensor(
        wang, code="SHOP", name="Chiller", quantity="temperature", unit="°C", asset=asset.code
    )
    send(wang, "SHOP", [90.0] * 4)
    return asset


def standing(ctx, wanted=None):
    return {c.seen.code: c.standing for c in wall(ctx, wanted or WallFilter()).cards}


@pytest.mark.database
def test_each_stands_as_its_readings_say_and_the_worst_comes_first(as_, rooms):
    found = standing(as_("chen"))

    assert found == {
        "WARM": Standing.PENDING,
        "QUIET": Standing.SILENT,
        "NEVER": Standing.NO_DATA,
        "FINE": Standing.NORMAL,
        "SHOP": Standing.NORMAL,
    }
    assert list(found) == ["WARM", "QUIET", "NEVER", "FINE", "SHOP"]


def test_silence_is_three_usual_intervals_not_a_fixed_time(as_):
    wang, now = as_("wang"), utc_now()
    for code, step in (("FAST", timedelta(seconds=10)), ("SLOW", timedelta(hours=1))):
        sensor(wang, code)
        rows = [
            {"sensor": code, "at": now - timedelta(minutes=15) - step * k, "value": 21.0}
            for k in range(8)
        ]
        ingest(wang, rows)
    evaluate_all(as_("system"))

    found = standing(as_("chen"))

    assert (found["FAST"], found["SLOW"]) == (Standing.SILENT, Standing.NORMAL)


def test_equipment_under_repair_is_muted(as_, rooms):
    system = as_("system")
    with system.writing("test.repair"):
        system.session.get(Asset, rooms.id).lifecycle = AssetState.UNDER_REPAIR

    assert standing(as_("chen"))["SHOP"] is Standing.MAINTENANCE


@pytest.fixture
def alarm(as_):
    """A room that its detector found to be wrong."""
    wang = as_("wang")
    sensor(wang, "CT1")
    send(wang, "CT1", [*usual(21), *(v + 8 for v in usual(1))])
    score_all(as_("system"))
    [found] = wang.session.query(Alarm).all()
    return found


def test_an_alarm_comes_first_and_says_who_has_seen_it(as_, login, alarm):
    sensor(as_("wang"), "A-FINE")
    send(as_("wang"), "A-FINE", [21.0] * 3)
    page = login("wang").get("/environment")
    assert page.text.index("Sensor CT1") < page.text.index("Sensor A-FINE")
    assert "Not acknowledged yet" in page.text

    sent = login("wang").post(
        f"/environment/alarms/{alarm.id}/acknowledge",
        data={"note": "Cooling is off", "back": "/environment?tv=1"},
    )

    assert (sent.status_code, sent.location) == (303, "/environment?tv=1")
    after = login("chen").get("/environment").text
    assert "Acknowledged by Wang Lei" in after
    assert "I have seen it" not in after


def test_what_a_detector_found_is_an_alarm_inside_the_limits_too(as_, alarm):
    send(as_("wang"), "CT1", [21.0], until=utc_now() + timedelta(seconds=5))

    assert standing(as_("chen"))["CT1"] is Standing.ALARM


def test_an_alarm_that_is_silenced_is_muted(as_, alarm):
    shelve(as_("wang"), alarm_id=alarm.id, minutes=10, reason="Cooling is serviced")

    assert standing(as_("chen"))["CT1"] is Standing.MAINTENANCE


def test_back_inside_while_the_alarm_of_a_limit_lasts_it_recovers(as_):
    wang = as_("wang")
    sensor(wang, "CT1")
    send(wang, "CT1", [29.0] * 12)
    evaluate_all(as_("system"))
    assert standing(as_("chen"))["CT1"] is Standing.ALARM

    send(wang, "CT1", [21.0], until=utc_now() + timedelta(seconds=5))

    assert standing(as_("chen"))["CT1"] is Standing.RECOVERING


def test_who_may_not_handle_alarms_is_not_offered_it(login, alarm):
    page = login("chen").get("/environment").text
    assert "Not acknowledged yet" in page
    assert "I have seen it" not in page
    sent = login("chen").post(f"/environment/alarms/{alarm.id}/acknowledge")
    assert sent.status_code == 403


def test_nothing_new_is_answered_with_304_and_few_statements(engine, as_, login, rooms):
    evaluate_all(as_("system"))
    system = as_("system")
    with system.writing("test.interval"):  # what the alarms know of a sensor after its first hour
        for known in system.session.scalars(select(Evaluated)):
            known.interval_s = 600.0
    browser = login("chen")
    first = browser.get("/environment", headers=HTMX)
    assert first.status_code == 200
    assert "<html" not in first.text
    key = first.headers["ETag"]

    with count_queries(engine) as sent:
        again = browser.get("/environment", headers={**HTMX, "If-None-Match": key})

    assert (again.status_code, again.data) == (304, b"")
    ours = [s for s in sent if "FROM sensor" in s or "FROM alarm" in s or "FROM block" in s]
    assert len(ours) == 3

    send(as_("wang"), "FINE", [21.3], until=utc_now() + timedelta(seconds=1))
    changed = browser.get("/environment", headers={**HTMX, "If-None-Match": key})
    assert changed.status_code == 200
    assert "21.3" in changed.text
    assert changed.headers["ETag"] != key


def test_more_sensors_ask_no_more_statements(engine, as_, login, rooms):
    browser = login("chen")

    def asked():
        with count_queries(engine) as sent:
            assert browser.get("/environment").status_code == 200
        return len(sent)

    asked()
    few = asked()
    for number in range(20):
        sensor(as_("wang"), f"MORE-{number}", place=f"Room {number}")
        send(as_("wang"), f"MORE-{number}", [21.0] * 3)
    assert asked() <= few


def test_filters_narrow_by_place_quantity_and_state(as_, login, rooms):
    wang = as_("wang")
    humid = sensor(wang, "HUMID", place="Store", quantity="humidity", unit="%")
    send(wang, "HUMID", [45.0] * 3)
    code = humid.location.code
    chen = as_("chen")
    assert set(standing(chen, WallFilter(room=code))) == {"HUMID"}
    assert set(standing(chen, WallFilter(kind="humidity"))) == {"HUMID"}
    assert set(standing(chen, WallFilter(standing="pending"))) == {"WARM"}
    page = login("chen").get("/environment?kind=pressure").text
    assert "No sensor fits these filters." in page


def test_the_other_hospital_is_not_on_the_wall(login, rooms):
    assert "SOUTH-1" not in login("chen").get("/environment").text
    assert "Sensor FINE" not in login("qin").get("/environment").text


def test_without_sensors_it_says_how_to_connect_one(login):
    page = login("wang").get("/environment").text
    assert "There are no sensors yet." in page
    assert 'href="/sensors/new"' in page


def test_a_screen_on_a_wall_has_no_menus_and_no_forms(login, alarm):
    page = login("wang").get("/environment?tv=1").text
    assert 'class="tv"' in page
    assert "Main menu" not in page
    assert "/acknowledge" not in page
    assert 'data-rotate="12"' in page
