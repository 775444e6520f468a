"""A sensor is corrected, moved, taken out of service and put back; its history stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from apm.alarms.evaluating import evaluate_all
from apm.alarms.silence import listen
from apm.collecting.model import Connection, Point, Protocol
from apm.core.audit import AuditEntry
from apm.core.clock import utc_now
from apm.core.permissions import Role
from apm.environment.places import place_by_code
from apm.environment.records import Period, record_of
from apm.environment.wall import WallFilter, wall
from apm.readings.changing import move_sensor, retire_sensor
from apm.readings.commands import add_sensor, ingest
from apm.readings.model import Alarm, Sensor
from apm.readings.queries import sensor_by_code
from tests.apm.hospital import make_asset

STEP = timedelta(minutes=10)


def send(ctx, code, values, *, until=None):
    end = until or utc_now()
    rows = [
        {"sensor": code, "at": end - STEP * (len(values) - 1 - k), "value": value}
        for k, value in enumerate(values)
    ]
    assert ingest(ctx, rows).accepted == len(values)


def room(ctx, code, place="CT 1", **more):
    facts = {"quantity": "temperature", "unit": "°C", "profile": "imaging_room", **more}
    return add_sensor(ctx, code=code, name=f"Sensor {code}", location=place, **facts)


@pytest.fixture
def sensors(as_):
    """READ has readings, NEW none; South has a sensor of the same code as READ."""
    wang = as_("wang")
    room(as_("qin"), "READ", place="Theirs")
    room(as_("qin"), "SOUTH-1")
    room(wang, "READ")
    room(wang, "NEW")
    send(wang, "READ", [21.0] * 6)


@pytest.fixture
def engineer(bearer, sensors):
    return bearer(Role.ENGINEER)


class TestPatch:
    @pytest.mark.database
    def test_what_is_given_changes_and_the_rest_stays(self, client, engineer, as_):
        tag = client.get("/api/v1/sensors/READ", headers=engineer).headers["ETag"]

        answer = client.patch(
            "/api/v1/sensors/READ", json={"name": "By the door", "location": "CT 2"},
            headers={**engineer, "If-Match": tag},
        )  # fmt: skip

        assert (answer.status_code, answer.json["name"]) == (200, "By the door")
        assert (answer.json["location"], answer.json["profile"]) == ("CT 2", "imaging_room")
        assert answer.json["latest"]["value"] == 21.0
        late = client.patch(
            "/api/v1/sensors/READ", json={"name": "Late"}, headers={**engineer, "If-Match": tag}
        )
        assert late.status_code == 412
        theirs = sensor_by_code(as_("qin"), "READ")
        assert (theirs.name, theirs.location.name) == ("Sensor READ", "Theirs")
        said = select(AuditEntry.changes).where(AuditEntry.command == "sensor.change")
        changes = [one for one in as_("wang").session.scalars(said) if "profile" not in one]
        assert ["Sensor READ", "By the door"] in [one["name"] for one in changes if "name" in one]

    @pytest.mark.parametrize(
        ("code", "change", "status"),
        [
            ("READ", {"unit": "K"}, 409),
            ("READ", {"quantity": "humidity", "unit": "%"}, 409),
            ("READ", {"name": ""}, 422),
            ("READ", {"profile": "moon"}, 422),
            ("READ", {"location": None}, 422),
            ("READ", {"code": "OTHER"}, 422),
            ("NEW", {"unit": "%"}, 422),
            ("NEW", {"asset": "ZZZZZZZZ"}, 404),
            ("SOUTH-1", {"name": "X"}, 404),
            ("SOUTH-1", {"in_service": False}, 404),
        ],
    )
    def test_what_does_not_fit_is_refused(self, client, engineer, code, change, status):
        answer = client.patch(f"/api/v1/sensors/{code}", json=change, headers=engineer)
        assert answer.status_code == status

    @pytest.mark.database
    def test_before_it_has_read_anything_all_can_be_corrected(self, client, engineer, as_):
        asset = make_asset(as_("wang"), "CHILLER")
        change = {"asset": asset.code, "quantity": "humidity", "unit": "%RH", "location": None}
        answer = client.patch("/api/v1/sensors/NEW", json=change, headers=engineer)
        assert answer.status_code == 200
        assert (answer.json["asset"], answer.json["location"]) == (asset.code, None)
        assert (answer.json["quantity"], answer.json["unit"]) == ("humidity", "%RH")

    def test_a_reading_marked_bad_is_a_reading(self, client, engineer, as_):
        ingest(
            as_("wang"),
            [{"sensor": "NEW", "at": utc_now(), "value": 3.0, "quality": "bad"}],
        )
        answer = client.patch("/api/v1/sensors/NEW", json={"unit": "K"}, headers=engineer)
        assert (answer.status_code, answer.json["code"]) == (409, "has_readings")

    def test_a_technician_may_not(self, client, bearer, sensors):
        change = {"name": "Mine"}
        for role in (Role.TECHNICIAN, Role.DEVICE):
            answer = client.patch("/api/v1/sensors/READ", json=change, headers=bearer(role))
            assert answer.status_code == 403


class TestOutOfService:
    @pytest.mark.database
    def test_nobody_waits_for_it_and_its_history_stays(self, client, engineer, as_, login):
        wang, later = as_("wang"), as_("wang", now=lambda: utc_now() + timedelta(hours=2))
        evaluate_all(as_("system"))
        listen(as_("system"))
        out = client.patch("/api/v1/sensors/READ", json={"in_service": False}, headers=engineer)
        assert out.json["retired_at"] is not None

        for minutes in range(120, 140, 4):  # the worker listens on
            listen(as_("system", now=lambda m=minutes: utc_now() + timedelta(minutes=m)))

        assert as_("wang").session.scalars(select(Alarm)).all() == []
        assert [card.seen.code for card in wall(later, WallFilter()).cards] == ["NEW"]
        assert "Out of service" in login("chen").get("/sensors").text
        assert 'class="line"' in login("chen").get("/sensors/READ").text
        place = sensor_by_code(wang, "READ").location.code
        today = utc_now().date()
        record = record_of(wang, place_by_code(wang, place), Period(today - STEP * 300, today))
        assert {one["code"]: one["n"] for one in record["sensors"]} == {"READ": 6, "NEW": 0}
        back = client.patch("/api/v1/sensors/READ", json={"in_service": True}, headers=engineer)
        assert back.json["retired_at"] is None

    @pytest.mark.database
    def test_its_alarms_end_and_what_it_sends_calls_nobody(self, as_):
        wang = as_("wang")
        room(wang, "HOT")
        send(wang, "HOT", [21.0] * 5 + [35.0] * 10, until=utc_now() - STEP * 18)
        evaluate_all(as_("system"))
        before = as_("wang").session.scalars(select(Alarm).where(Alarm.active)).all()
        assert {alarm.rule for alarm in before} >= {"high"}

        retire_sensor(as_("wang"), code="HOT")

        rung = select(Alarm).where(Alarm.id.in_([alarm.id for alarm in before]))
        after = as_("wang").session.scalars(rung).all()
        assert {(one.active, one.cleared_by) for one in after} == {(False, "wang@north.example")}
        send(as_("wang"), "HOT", [21.0] * 6 + [36.0] * 6)
        evaluate_all(as_("system"))
        again = as_("wang").session.scalars(select(Alarm).where(Alarm.active)).all()
        assert {alarm.muted.value for alarm in again} == {"suppressed"}

    def test_twice_is_refused_and_a_page_does_both(self, login, as_, sensors):
        wang = login("wang")
        assert wang.post("/sensors/READ/retire").status_code == 303
        assert wang.post("/sensors/READ/retire").status_code == 409
        assert "Put back into service" in wang.get("/sensors/READ/edit").text
        assert wang.post("/sensors/READ/return").status_code == 303
        assert wang.post("/sensors/READ/return").status_code == 409
        assert sensor_by_code(as_("qin"), "READ").retired_at is None
        assert login("chen").post("/sensors/READ/retire").status_code == 403


class TestMove:
    @pytest.mark.database
    def test_its_past_stays_where_it_was_and_what_sends_goes_on(self, client, engineer, as_):
        wang = as_("wang")
        asset = make_asset(wang, "FRIDGE", location="Pharmacy")
        was = sensor_by_code(wang, "READ")
        old_place = was.location.code

        answer = client.post(
            "/api/v1/sensors/READ/move",
            json={"asset": asset.code, "profile": "blood_rbc"}, headers=engineer,
        )  # fmt: skip

        assert answer.status_code == 200
        assert (answer.json["asset"], answer.json["location"]) == (asset.code, None)
        assert answer.json["latest"]["at"] is None
        past = client.get("/api/v1/sensors/READ:1", headers=engineer).json
        assert (past["location"], past["latest"]["value"]) == ("CT 1", 21.0)
        assert past["retired_at"] is not None
        send(as_("wang"), "READ", [4.0] * 3)
        assert sensor_by_code(as_("wang"), "READ").latest.value == 4.0
        assert sensor_by_code(as_("wang"), "READ:1").latest.value == 21.0
        today = utc_now().date()
        period = Period(today - STEP * 300, today)
        record = record_of(as_("wang"), place_by_code(as_("wang"), old_place), period)
        assert {one["code"]: one["n"] for one in record["sensors"]} == {"READ:1": 6, "NEW": 0}

    def test_moved_again_it_leaves_another_past(self, as_, sensors):
        for place, value in (("A", 1.0), ("B", 2.0)):
            move_sensor(as_("wang"), code="READ", location=place)
            send(as_("wang"), "READ", [value])
        codes = as_("wang").session.scalars(select(Sensor.code).order_by(Sensor.code)).all()
        assert codes == ["NEW", "READ", "READ:1", "READ:2"]

    def test_without_readings_it_is_simply_elsewhere(self, as_, sensors):
        moved = move_sensor(as_("wang"), code="NEW", location="CT 9", profile=None)
        assert (moved.code, moved.location.name) == ("NEW", "CT 9")
        assert "NEW:1" not in as_("wang").session.scalars(select(Sensor.code)).all()

    def test_the_point_of_a_connection_follows_the_code(self, as_, sensors):
        system, wang = as_("system"), as_("wang")
        sensor_id = sensor_by_code(wang, "READ").id
        with system.writing("test.connection"):
            connection = Connection(
                name="PLC", protocol=Protocol.MODBUS, config={}, period_s=10, max_skew_s=60,
                secret="", points=[Point(sensor_id=sensor_id, config={})],
            )  # fmt: skip
            system.session.add(connection)

        moved = move_sensor(as_("wang"), code="READ", location="CT 2")

        [point] = as_("wang").session.scalars(select(Point)).all()
        assert point.sensor_id == moved.id != sensor_id

    def test_the_page_moves_and_says_what_is_missing(self, login, as_, sensors):
        wang = login("wang")
        assert "read it out first" in wang.get("/sensors/READ/move").text
        empty = wang.post("/sensors/READ/move", data={"asset": "", "location": ""})
        assert empty.status_code == 422
        assert "Say which equipment or which place" in empty.text
        done = wang.post("/sensors/READ/move", data={"asset": "", "location": "CT 2"})
        assert (done.status_code, done.location) == (303, "/sensors/READ")
        assert sensor_by_code(as_("wang"), "READ").location.name == "CT 2"
        assert login("chen").get("/sensors/READ/move").status_code == 403
        foreign = login("wang").post("/sensors/SOUTH-1/move", data={"location": "CT 2"})
        assert foreign.status_code == 404
