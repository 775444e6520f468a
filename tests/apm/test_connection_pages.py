"""The pages and the API of connections: secrets go in and never come out; a test says why."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from apm.collecting.model import Connection, Link, Point
from apm.core.audit import AuditEntry
from apm.core.permissions import Role
from apm.core.sealing import unseal
from apm.demo.devices import HttpDevice
from tests.apm.devices import KEY, add_sensors
from tests.queries import count_queries

SECRET = "a-long-device-key-42"
HTTP = {
    "protocol": "http", "name": "Logger", "url": "http://127.0.0.1:9/values",
    "header": "X-Api-Key", "key": SECRET, "period_s": "10", "max_skew_s": "30",
}  # fmt: skip


@pytest.fixture
def added(login, as_):
    answer = login("wang").post("/connections/new", data=HTTP)
    assert answer.status_code == 303, answer.text
    return as_("wang").session.scalars(select(Connection)).one()


def test_a_secret_goes_in_and_never_comes_out(added, login, as_, client, bearer):
    wang = login("wang")
    here = f"/connections/{added.id}"
    pages = [wang.get(path).text for path in (here, f"{here}/edit", "/connections")]
    pages.append(login("amy").get("/admin/audit").text)
    pages.append(client.get(f"/api/v1{here}", headers=bearer(Role.ENGINEER)).text)
    trail = str([row.changes for row in as_("amy").session.scalars(select(AuditEntry))])
    for text in (*pages, trail, added.secret, str(added.config)):
        assert SECRET not in text
    assert unseal(KEY, added.secret) == {"key": SECRET}


def test_a_secret_is_kept_but_not_sent_to_another_address(added, login, as_):
    wang, here = login("wang"), f"/connections/{added.id}/edit"
    assert wang.post(here, data={**HTTP, "name": "Other", "key": ""}).status_code == 303
    moved = {**HTTP, "key": "", "url": "http://10.0.0.9/"}
    refused = wang.post(here, data=moved)
    assert refused.status_code == 422
    assert "Enter the secret again" in refused.text
    kept = as_("wang").session.get(Connection, added.id)
    assert (kept.name, kept.config["url"]) == ("Other", HTTP["url"])
    assert unseal(KEY, kept.secret) == {"key": SECRET}
    assert wang.post(here, data={**moved, "key": "new"}).status_code == 303


@pytest.mark.parametrize(
    ("protocol", "typed", "says"),
    [
        ("http", {"url": "file:///etc/passwd"}, "such as http://10.0.0.7"),
        ("http", {"url": "http://user:word@10.0.0.7/"}, "without a password"),
        ("http", {"url": "http://10.0.0.7/", "header": "Host"}, "the header&#39;s name"),
        ("modbus", {"host": "a b"}, "such as gateway.hospital.cn"),
        ("modbus", {"host": "10.0.0.7", "port": "70000"}, "from 1 to 65535"),
        ("modbus", {"host": "10.0.0.7", "period_s": "0"}, "Give a value from 0.1"),
        ("opcua", {"url": "http://10.0.0.7/"}, "such as opc.tcp://"),
        ("mqtt", {"host": "", "security": "none", "version": "5"}, "Fill this in."),
        ("mqtt", {"host": "b", "security": "ssl", "version": "5"}, "Choose one of the list."),
        ("mqtt", {"host": "b", "security": "none", "version": "5", "groups": "a/b"}, "commas"),
    ],
)
def test_a_bad_address_is_refused_with_what_to_do(login, as_, protocol, typed, says):
    data = {"protocol": protocol, "name": "X", "period_s": "1", "max_skew_s": "30", **typed}
    answer = login("wang").post("/connections/new", data=data)
    assert answer.status_code == 422
    assert says in answer.text
    assert as_("wang").session.scalars(select(Connection)).all() == []


def test_points_are_added_changed_and_refused(added, login, as_):
    wang, here = login("wang"), f"/connections/{added.id}/points"
    add_sensors(as_("wang"), "T-1", "T-2")
    point = {"sensor": "T-1", "pointer": "/t", "scale": "1", "offset": "0"}
    for wrong, says in (
        ({"sensor": "T-9"}, "No sensor of this hospital"),
        ({"pointer": "t"}, "begins with a slash"),
        ({"unit": "°F"}, "The sensor is in °C"),
        ({"scale": "0"}, "With a scale of 0"),
        ({"scale": "NaN"}, "finite"),
    ):
        answer = wang.post(f"{here}/new", data={**point, **wrong})
        assert answer.status_code == 422
        assert says in answer.text
    assert wang.post(f"{here}/new", data=point).status_code == 303
    assert "has a point here already" in wang.post(f"{here}/new", data=point).text
    [made] = as_("wang").session.scalars(select(Point))
    changed = {**point, "sensor": "T-2", "scale": "0.1", "unit": "°F", "offset": "-3"}
    assert wang.post(f"{here}/{made.id}", data=changed).status_code == 303
    [kept] = as_("wang").session.scalars(select(Point))
    assert (kept.scale, kept.offset, kept.unit) == (0.1, -3.0, "°F")
    assert wang.post(f"{here}/{made.id}/remove").status_code == 303
    assert as_("wang").session.scalars(select(Point)).all() == []


def test_a_test_shows_what_the_device_says_and_stores_nothing(login, as_):
    ctx = as_("wang")
    add_sensors(ctx, "T-1")
    device = HttpDevice("127.0.0.1", 0, lambda: {"T-1": 4.25}, key=SECRET)
    device.start()
    wang = login("wang")
    try:
        url = f"http://127.0.0.1:{device.port}/values"
        wang.post("/connections/new", data={**HTTP, "url": url})
        assert "No point is set up yet" in wang.post("/connections/1/test").text
        point = {"sensor": "T-1", "pointer": "/T-1/value", "scale": "1", "offset": "0"}
        wang.post("/connections/1/points/new", data=point)
        worked = wang.post("/connections/1/test").text
    finally:
        device.stop()
    assert "The test worked" in worked
    assert "4.25" in worked
    assert "No connection. Check address" in wang.post("/connections/1/test").text
    piece = wang.get("/connections/1", headers={"HX-Request": "true"}).text
    assert 'id="live"' in piece
    assert "<html" not in piece
    ctx.session.rollback()
    assert ctx.session.scalars(select(Link.received)).one() == 0


def test_a_connection_is_switched_and_removed_and_its_sensors_stay(added, login, as_):
    wang, here = login("wang"), f"/connections/{added.id}"
    add_sensors(as_("wang"), "T-1")
    wang.post(f"{here}/points/new", data={"sensor": "T-1", "scale": "1", "offset": "0"})
    assert wang.post(f"{here}/switch", data={"on": "no"}).status_code == 303
    assert "This connection is off" in wang.get(here).text
    assert wang.post(f"{here}/switch", data={"on": "yes"}).status_code == 303
    assert "apm collect" in wang.get(here).text  # nobody reads it
    assert wang.post(f"{here}/remove").status_code == 303
    for model in (Connection, Point, Link):
        assert as_("wang").session.scalars(select(model)).all() == []
    assert "T-1" in wang.get("/sensors").text


def test_only_who_edits_sensors_gets_in_and_no_other_hospital(added, login):
    assert login("chen").get("/connections").status_code == 403
    assert "Logger" not in login("qin").get("/connections").text
    assert login("qin").get(f"/connections/{added.id}").status_code == 404


def test_the_list_asks_the_database_a_fixed_number_of_times(login, engine):
    wang = login("wang")
    for n in range(3):
        wang.post("/connections/new", data={**HTTP, "name": f"Logger {n}"})
    with count_queries(engine) as few:
        wang.get("/connections")
    for n in range(3, 12):
        wang.post("/connections/new", data={**HTTP, "name": f"Logger {n}"})
    with count_queries(engine) as many:
        wang.get("/connections")
    assert len(many) == len(few)


def test_the_api_does_it_all(client, bearer, as_):
    add_sensors(as_("wang"), "T-1")
    headers = bearer(Role.ENGINEER)

    def call(method, path, status, **body):
        answer = client.open(f"/api/v1/connections{path}", method=method, headers=headers,
                             **({"json": body} if body else {}))  # fmt: skip
        assert answer.status_code == status, answer.text
        return answer

    config = {"host": "10.0.0.7", "port": 502, "unit_id": 3}
    made = call("POST", "", 201, name="PLC", protocol="modbus", config=config).json
    assert made["config"] == config
    wrong = call("POST", "", 422, name="P", protocol="modbus", config={"host": "a b"}).json
    assert "config.host" in wrong["fields"]
    here = f"/{made['id']}"
    place = {"table": "holding", "address": 40, "type": "f32"}
    point = call("POST", f"{here}/points", 201, sensor="T-1", config=place).json
    assert (point["sensor"], point["config"]["type"]) == ("T-1", "f32")
    changed = call("PATCH", here, 200, enabled=False, period_s=5)
    assert (changed.json["enabled"], changed.json["period_s"]) == (False, 5)
    assert [one["name"] for one in call("GET", "", 200).json["items"]] == ["PLC"]
    assert call("GET", here, 200).json["points"] == [point]
    call("DELETE", f"{here}/points/{point['id']}", 204)
    call("DELETE", here, 204)
    call("GET", here, 404)
