"""Sensors on pages: the list, one sensor, the form, the asset's page."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from apm.core.clock import utc_now
from apm.detecting.scoring import score_all
from apm.readings.commands import add_sensor, ingest
from apm.readings.profiles import limits_of, profiles
from apm.readings.queries import sensor_by_code
from tests.apm.test_finding import sensor_on, usual

STEP = timedelta(minutes=10)


def send_until_now(ctx, code, values):
    first = utc_now() - STEP * len(values)
    rows = [{"sensor": code, "at": first + STEP * k, "value": v} for k, v in enumerate(values)]
    assert ingest(ctx, rows).accepted == len(values)


@pytest.fixture
def sensors(as_):
    """North: one on a chiller with readings, one in a room without; South has one too."""
    theirs = sensor_on(as_("qin"), "SOUTH-1")
    wang = as_("wang")
    ours = sensor_on(wang, "T-1")
    add_sensor(
        wang, code="R-1", name="CT room", quantity="temperature", unit="°C", location="CT 1",
        profile="imaging_room",
    )  # fmt: skip
    send_until_now(wang, "T-1", usual(2))
    send_until_now(as_("qin"), "SOUTH-1", usual(1))
    return ours, theirs


def test_the_list_shows_value_curve_and_state(login, sensors):
    page = login("chen").get("/sensors").text
    assert 'href="/sensors/T-1"' in page
    assert 'class="spark"' in page
    assert "No readings yet" in page  # the room's
    assert "SOUTH-1" not in page
    assert "Add a sensor" not in page
    assert "Add a sensor" in login("wang").get("/sensors").text


def test_a_sensor_that_sent_nothing_for_a_day_is_silent(login, as_, sensors):
    old = {"sensor": "R-1", "at": utc_now() - timedelta(hours=25), "value": 21.0}
    ingest(as_("wang"), [old])
    for path in ("/sensors", "/sensors/R-1"):
        assert "Silent" in login("chen").get(path).text
    ingest(as_("wang"), [{**old, "at": utc_now() - timedelta(hours=23)}])
    for path in ("/sensors", "/sensors/R-1"):
        assert "Silent" not in login("chen").get(path).text


def test_the_list_asks_a_fixed_number_of_statements(login, as_, engine, sensors):
    def statements():
        seen = []
        listener = lambda *given: seen.append(given[2])  # noqa: E731  (removed below)
        event.listen(engine, "before_cursor_execute", listener)
        assert login("wang").get("/sensors").status_code == 200
        event.remove(engine, "before_cursor_execute", listener)
        return len(seen)

    before = statements()
    for k in range(5):
        sensor_on(as_("wang"), f"MORE-{k}")
        send_until_now(as_("wang"), f"MORE-{k}", usual(1))
    assert statements() == before


def test_an_empty_list_says_what_to_do(login):
    assert "There are no sensors yet." in login("wang").get("/sensors").text


@pytest.mark.parametrize("period", ["day", "week", "month", "century"])
def test_one_sensor_shows_its_period(login, sensors, period):
    page = login("chen").get(f"/sensors/T-1?period={period}").text
    assert 'class="line"' in page
    assert "needs readings of 7 days" in page


def test_the_detector_says_since_when_it_watches(login, as_, sensors):
    sensor_on(as_("wang"), "T-2")
    send_until_now(as_("wang"), "T-2", usual(10))
    score_all(as_("system"))
    page = login("chen").get("/sensors/T-2").text
    assert "It has been watching since" in page
    assert 'class="band"' in page


def test_usual_limits_are_drawn(login, as_, sensors):
    send_until_now(as_("wang"), "R-1", usual(1))
    page = login("chen").get("/sensors/R-1").text
    assert 'class="limit"' in page
    assert "18 to 24 °C" in page


@pytest.mark.parametrize("code", ["NOPE", "SOUTH-1"])
def test_unknown_and_foreign_sensors_look_the_same(login, sensors, code):
    assert login("wang").get(f"/sensors/{code}").status_code == 404


class TestForm:
    NEW = {
        "code": "CT1-T",
        "name": "CT room 1",
        "quantity": "temperature",
        "unit": "°C",
        "location": "CT 1",
        "asset": "",
    }

    def test_it_adds_a_sensor(self, login, as_):
        wang = login("wang")
        assert wang.get("/sensors/new").status_code == 200
        done = wang.post("/sensors/new", data=self.NEW)
        assert (done.status_code, done.location) == (303, "/sensors/CT1-T")
        assert wang.get(done.location).status_code == 200
        assert sensor_by_code(as_("wang"), "CT1-T").location.name == "CT 1"

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"code": "T-1"}, "Another sensor has this code"),
            ({"code": ""}, "Fill this in."),
            ({"location": ""}, "Say which equipment or which place"),
            ({"asset": "ZZZZZZZZ"}, "No equipment of this hospital has this label"),
            ({"unit": "furlong"}, "Give temperatures in °C, °F or K."),
            ({"quantity": "humidity"}, "Give humidity in % or %RH."),
        ],
    )
    def test_it_says_what_does_not_fit(self, login, sensors, change, words):
        answer = login("wang").post("/sensors/new", data={**self.NEW, **change})
        assert answer.status_code == 422
        assert words in answer.text

    def test_a_technician_may_not(self, login):
        assert login("chen").get("/sensors/new").status_code == 403

    @pytest.mark.parametrize("typed", ["℃", "degC", "摄氏度", "°C"])
    def test_however_celsius_is_typed_the_rules_of_the_place_hold(self, login, as_, typed):
        new = {**self.NEW, "unit": typed, "profile": "imaging_room"}
        assert login("wang").post("/sensors/new", data=new).status_code == 303
        assert sensor_by_code(as_("wang"), "CT1-T").unit == "°C"


class TestChange:
    SAID = {"name": "CT room 1, door", "name_zh": "CT 1室门口", "location": "CT 2",
            "profile": "imaging_room"}  # fmt: skip

    def test_an_engineer_corrects_a_sensor_and_its_rules_follow(self, login, as_, sensors):
        wang = login("wang")
        assert 'href="/sensors/T-1/edit"' in wang.get("/sensors/T-1").text
        assert wang.get("/sensors/T-1/edit").status_code == 200

        done = wang.post("/sensors/T-1/edit", data=self.SAID)

        assert (done.status_code, done.location) == (303, "/sensors/T-1")
        found = sensor_by_code(as_("wang"), "T-1")
        assert (found.name, found.location.name) == ("CT room 1, door", "CT 2")
        assert limits_of(found) == (18, 24)
        assert "Upper limit" in wang.get("/sensors/T-1/rules").text

    @pytest.mark.parametrize(
        ("code", "change", "words"),
        [
            ("T-1", {"name": ""}, "Fill this in."),
            ("T-1", {"profile": "moon"}, "There is no such profile"),
            ("R-1", {"location": ""}, "Say which equipment or which place it measures."),
        ],
    )
    def test_it_says_what_does_not_fit(self, login, sensors, code, change, words):
        answer = login("wang").post(f"/sensors/{code}/edit", data={**self.SAID, **change})
        assert answer.status_code == 422
        assert words in answer.text

    def test_a_technician_may_not_and_a_foreign_one_is_not_there(self, login, sensors):
        assert login("chen").get("/sensors/T-1/edit").status_code == 403
        assert login("wang").post("/sensors/SOUTH-1/edit", data=self.SAID).status_code == 404


def test_the_asset_page_shows_its_sensors(login, as_, sensors):
    ours, _theirs = sensors
    page = login("chen").get(f"/assets/{ours.asset.code}").text
    assert 'href="/sensors/T-1"' in page
    assert 'class="spark"' in page


def test_every_profile_has_sensible_limits(as_, sensors):
    assert len(profiles()) >= 15
    for profile in profiles().values():
        assert profile.en
        assert profile.zh
        assert profile.source
        for low, high in profile.limits.values():
            assert low < high
    assert limits_of(sensor_by_code(as_("wang"), "R-1")) == (18, 24)
    assert limits_of(sensor_by_code(as_("wang"), "T-1")) is None
