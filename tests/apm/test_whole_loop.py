"""The whole loop for programs: the JSON API and the command line, from a list to a trail.

The same five steps as `tests/browser/test_whole_loop.py`.  What a person must do, to start and
to sign work, is sent to the API with a person's session; all else with tokens.
"""

from __future__ import annotations

import json
import re

import pypdfium2
import pytest
import zxingcpp
from click.testing import CliRunner, Result
from sqlalchemy import text

from apm.cli import cli
from apm.core.permissions import Role
from tests.browser import real_input
from tests.browser.checklist import fitting
from tests.conftest import PASSWORD

V1 = "/api/v1"
NORTH = ["--hospital", "NORTH"]
pytestmark = [pytest.mark.database, pytest.mark.timeout(600)]


@pytest.fixture
def terminal(engine, settings, monkeypatch):
    """`terminal("audit", "verify")` runs the command line on the test's own database."""
    monkeypatch.setenv("APM_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("APM_SECRET_KEY", settings.secret_key)
    monkeypatch.setenv("APM_BASE_URL", settings.base_url)
    monkeypatch.setenv("APM_UPLOADS", str(settings.uploads))

    def run(*args: object) -> Result:
        return CliRunner().invoke(cli, [str(arg) for arg in args])

    return run


@pytest.fixture
def done(terminal):
    """The same for a command that must succeed; returns what it printed."""

    def run(*args: object) -> str:
        answer = terminal(*args)
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    return run


@pytest.fixture
def ask(client, bearer):
    """`ask("get", "/assets", role)` is a program's call with a token of North; returns JSON."""
    tokens: dict[Role, dict[str, str]] = {}

    def call(method, path, role=Role.ENGINEER, json=None, **headers):
        if role not in tokens:
            tokens[role] = bearer(role)
        call = getattr(client, method)
        answer = call(V1 + path, json=json, headers={**tokens[role], **headers})
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.get_json()

    return call


def test_from_readings_that_go_wrong_to_a_trail_one_can_trust(
    engine, ask, done, terminal, client, login, tmp_path
):
    ventilator, chiller = the_list_comes_in(ask, done, tmp_path)
    the_logs_come_in(ask, done, chiller, tmp_path)
    two_orders = a_finding_becomes_one_planned_order(ask, done, chiller)

    report = a_nurse_reports(ask, ventilator)
    order = the_work_is_done(ask, login, report)
    the_nurse_is_content(ask, client, report)

    the_trail_says_all(login, order)
    nothing_is_seen_from_the_south(login, ventilator, [order, *two_orders])
    no_edit_stays_hidden(engine, done, terminal)


def the_list_comes_in(ask, done, folder) -> tuple[str, str]:
    """A Chinese CSV as spreadsheets write it; return the codes of the ventilator and chiller."""
    path = real_input.equipment_list(folder / "list.csv", "zh")
    report = json.loads(done("import", "assets", path, *NORTH, "--json"))
    assert (report["rows"], report["created"], report["errors"]) == (
        real_input.ROWS,
        real_input.ROWS,
        [],
    )
    again = json.loads(done("import", "assets", path, *NORTH, "--json"))
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, real_input.ROWS)

    codes, after = set(), ""
    while after is not None:
        page = ask("get", f"/assets?limit=500&after={after}")
        codes |= {asset["code"] for asset in page["items"]}
        after = page["next"]
    assert len(codes) == real_input.ROWS
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{6,8}", code) for code in codes)

    [ventilator] = ask("get", f"/assets?q={real_input.VENTILATOR}")["items"]
    [chiller] = ask("get", f"/assets?q={real_input.CHILLER}")["items"]
    sheet = folder / "labels.pdf"
    done("labels", sheet, *NORTH, "--query", real_input.VENTILATOR)
    [label] = zxingcpp.read_barcodes(pypdfium2.PdfDocument(sheet)[0].render(scale=3).to_pil())
    assert label.text == f"http://localhost/a/{ventilator['code']}"
    return ventilator["code"], chiller["code"]


def the_logs_come_in(ask, done, chiller, folder) -> None:
    """The room's by the command line, the machine's by the API."""
    usual = {"quantity": "temperature", "unit": "°F"}
    room = {"code": "CT1-TEMP", "name": "CT room", "location": real_input.CT_ROOM}
    ask("post", "/sensors", json={**usual, **room})
    ask(
        "post",
        "/sensors",
        json={**usual, "code": "CHILLER-TEMP", "name": "Chiller", "asset": chiller},
    )
    log, machine = real_input.room_log(), real_input.machine_log()
    file = log.write(folder / "room.csv", "CT1-TEMP")
    report = json.loads(done("import", "readings", file, *NORTH, "--json"))
    assert report["accepted"] + report["duplicate"] == len(log.at)
    answer = ask("post", "/readings", Role.DEVICE, json=machine.as_json("CHILLER-TEMP"))
    assert answer["rejected"] == []
    assert answer["accepted"] + answer["duplicate"] == len(machine.at)


def a_finding_becomes_one_planned_order(ask, done, chiller) -> list[str]:
    """One order a place, however many readings are off; scoring again adds nothing."""
    assert "0 detectors failed" in done("predict", "run", *NORTH)
    alarms = ask("get", "/alarms?limit=500")["items"]
    assert {alarm["sensor"] for alarm in alarms} == {"CT1-TEMP", "CHILLER-TEMP"}
    assert {alarm["kind"] for alarm in alarms} == {"anomaly"}

    orders = ask("get", "/work-orders?type=predictive")["items"]
    assert len(orders) == 2
    assert {(o["asset"], o["location"]) for o in orders} == {
        (chiller, None),
        (None, real_input.CT_ROOM),
    }
    for order in orders:
        assert order["state"] == "planned"
        evidence = order["evidence"]
        assert {"since", "score", "reason", "sensor"} <= evidence.keys()
        assert evidence["score"] >= 1
        series = evidence["series"]
        assert len(series["at"]) == len(series["value"]) == len(series["score"]) <= 300

    done("predict", "run", *NORTH)
    assert len(ask("get", "/work-orders?type=predictive")["items"]) == 2
    return [order["no"] for order in orders]


def a_nurse_reports(ask, ventilator) -> dict[str, str]:
    """Sent twice with one key, it is one report."""
    said = {"symptom": "flow", "description": "潮气量偏低 Low volume"}
    path, key = f"/assets/{ventilator}/requests", {"Idempotency-Key": "nurse-1"}
    first = ask("post", path, Role.REPORTER, json=said, **key)
    assert ask("post", path, Role.REPORTER, json=said, **key) == first
    assert len(ask("get", "/requests")["items"]) == 1
    return first


def the_work_is_done(ask, login, report) -> str:
    """Accepted with the ventilator's checklist, answered, signed twice; return its number."""
    accepted = ask("post", f"/requests/{report['no']}/accept", json={"template": "VENT"})
    no = accepted["work_order"]
    ask("post", f"/work-orders/{no}/assign", json={"assignee": "chen@north.example"})

    chen, wang, url = login("chen"), login("wang"), f"{V1}/work-orders/{no}"
    steps = chen.post(f"{url}/start", json={}).get_json()["steps"]
    for step in steps:
        answer = chen.put(f"{url}/results/{step['key']}", json=answer_to(step))
        assert answer.get_json()["verdict"] == "pass", step
    wrong = chen.put(f"{url}/results/vt@400", json={"value": "470,5"}).get_json()
    assert (wrong["value"], wrong["verdict"]) == (470.5, "fail")

    said = {"cause": "UPF", "remedy": "Flow sensor", "labour_minutes": 35, "password": PASSWORD}
    assert chen.post(f"{url}/complete", json=said).status_code == 422  # a step has failed
    right = chen.put(f"{url}/results/vt@400", json={"value": "401,5"}).get_json()
    assert (right["value"], right["verdict"]) == (401.5, "pass")
    assert chen.post(f"{url}/complete", json=said).get_json()["state"] == "done"
    assert chen.post(f"{url}/close", json={"password": PASSWORD}).status_code == 403
    assert wang.post(f"{url}/close", json={"password": PASSWORD}).get_json()["state"] == "closed"
    return no


def answer_to(step) -> dict[str, object]:
    """Return an answer that passes."""
    if step["kind"] == "check":
        return {"verdict": "pass"}
    if step["tolerance"]["type"] == "manufacturer":
        return {"value": 45, "low": 30}
    return {"value": fitting(step["tolerance"], step["reference"])}


def the_nurse_is_content(ask, client, report) -> None:
    """Her link needs no login, and her word closes the request."""
    assert report["no"] in client.get(report["link"]).get_data(as_text=True)
    rated = ask("post", f"/requests/{report['no']}/verify", Role.REPORTER, json={"rating": 5})
    assert (rated["state"], rated["rating"]) == ("closed", 5)


def the_trail_says_all(login, order) -> None:
    """Who, when, by which command, from what to what."""
    zhao = login("zhao")
    for command, who, old, new in [
        ("work_order.complete", "chen@north.example", "in_progress", "done"),
        ("work_order.close", "wang@north.example", "done", "closed"),
    ]:
        page = zhao.get(f"/admin/audit?command={command}&entity=WorkOrder").get_data(as_text=True)
        assert who in page
        assert 'datetime="20' in page
        assert f"<del>{old}</del> → <ins>{new}</ins>" in page


def nothing_is_seen_from_the_south(login, ventilator, orders) -> None:
    """Qin of the other hospital finds none of it."""
    qin = login("qin")
    for path in ("/assets", "/alarms", "/requests", "/work-orders", "/sensors"):
        assert qin.get(V1 + path).get_json()["items"] == [], path
    for no in orders:
        assert qin.get(f"{V1}/work-orders/{no}").status_code == 404
    assert qin.get(f"{V1}/assets/{ventilator}").status_code == 404


def no_edit_stays_hidden(engine, done, terminal) -> None:
    """The chain holds; then somebody with the database in hand turns one fact round."""
    assert "NORTH: ok, " in done("audit", "verify", *NORTH)
    with engine.begin() as connection:
        seq = connection.scalar(
            text("SELECT max(seq) FROM audit_entry WHERE command = 'work_order.complete'")
        )
        connection.execute(
            text(
                "UPDATE audit_entry SET actor = 'somebody@else.example' "
                "WHERE seq = :seq AND command = 'work_order.complete'"
            ),
            {"seq": seq},
        )
    answer = terminal("audit", "verify", *NORTH)
    assert answer.exit_code != 0
    assert f"entry {seq} is bad" in answer.stdout
