"""The due engine over HTTP: pages, forms and API, for this hospital alone."""

import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from apm.assets.commands import create_asset
from apm.core.clock import local_day, utc_now
from apm.core.permissions import Role
from apm.maintenance.commands import add_plan
from apm.maintenance.jobs import generate_due
from apm.maintenance.model import MeterReading, Occurrence, Plan, PlanMode, PlanTrigger
from apm.maintenance.rhythm import Rhythm
from apm.readings.commands import add_sensor
from apm.work.model import WorkOrder
from tests.queries import count_queries


@pytest.fixture
def today():
    return local_day(utc_now(), "Asia/Shanghai")


@pytest.fixture
def vent(as_):
    create_asset(as_("qin"), number="V-1", name="Southern", category="VENT")
    return create_asset(
        as_("wang"), number="V-1", name="Vent", category="VENT", department="ICU",
        location="Bed 1",
    )  # fmt: skip


@pytest.fixture
def plan(as_, vent, today):
    """Due in three days: its work order is there."""
    rhythm = Rhythm(PlanMode.FIXED, 6, today + timedelta(days=3), 14, 14)
    made = add_plan(as_("wang"), asset=vent.code, template="VENT", rhythm=rhythm)
    generate_due(as_("system"))
    return made.id


def text(answer) -> str:
    return answer.get_data(as_text=True)


def test_the_plan_page_says_why_now(login, plan):
    page = text(login("chen").get(f"/plans/{plan}"))
    assert "Due by the calendar: Every 6 months." in page
    assert "Excuse" not in page  # a technician reads
    assert "Excuse" in text(login("wang").get(f"/plans/{plan}"))
    assert login("qin").get(f"/plans/{plan}").status_code == 404
    assert login("lin").get(f"/plans/{plan}").status_code == 403


def test_the_work_order_says_why_now(login, as_, plan):
    no = as_("wang").session.scalars(select(WorkOrder.no)).one()
    page = text(login("chen").get(f"/work-orders/{no}"))
    assert "Why now" in page
    assert "Due by the calendar: Every 6 months." in page


def test_the_page_of_a_plan_does_not_grow_with_its_triggers(app, engine, as_, login, plan, vent):
    browser = login("wang")
    browser.get(f"/plans/{plan}")
    with count_queries(engine) as one:
        browser.get(f"/plans/{plan}")
    for kind in ("hours", "uses", "cycles"):
        form = {"kind": "meter", "meter": kind, "every": "10"}
        assert browser.post(f"/plans/{plan}/triggers", data=form).status_code == 303
    with count_queries(engine) as three:
        assert browser.get(f"/plans/{plan}").status_code == 200
    assert len(three) <= len(one) + 2


def test_triggers_come_and_go_by_forms(login, as_, plan, vent):
    browser = login("wang")
    add_sensor(
        as_("wang"), code="T1", name="Gas", quantity="temperature", unit="°C", asset=vent.code
    )
    forms = [
        {"kind": "meter", "meter": "hours", "every": "500", "base": ""},
        {"kind": "condition", "sensor": "T1", "above": "true", "limit": "8", "minutes": "30"},
        {"kind": "prediction", "floor": "0.6", "horizon_days": "30"},
    ]
    for form in forms:
        assert browser.post(f"/plans/{plan}/triggers", data=form).status_code == 303
    page = text(browser.get(f"/plans/{plan}"))
    for said in ("every 500", "T1 above 8 °C for 30 minutes", "at least 60 %", "No reading yet."):
        assert said in page
    bad = browser.post(f"/plans/{plan}/triggers", data={"kind": "meter", "every": "-1"})
    assert (bad.status_code, "Give a number above 0." in text(bad)) == (422, True)
    again = browser.post(f"/plans/{plan}/triggers", data=forms[0])
    assert (again.status_code, "counts by this meter already" in text(again)) == (409, True)
    for trigger_id in list(as_("wang").session.scalars(select(PlanTrigger.id))):
        assert login("qin").post(f"/plans/{plan}/triggers/{trigger_id}/remove").status_code == 404
        answer = browser.post(f"/plans/{plan}/triggers/{trigger_id}/remove")
        assert answer.status_code == 303
    assert "Nothing but the calendar." in text(browser.get(f"/plans/{plan}"))


def test_a_due_date_is_excused_with_a_note(login, as_, plan):
    one = as_("wang").session.scalars(select(Occurrence.id)).one()
    browser = login("wang")
    bare = browser.post(f"/occurrences/{one}/excuse", data={"reason": "in_use", "note": ""})
    assert (bare.status_code, "Say why" in text(bare)) == (422, True)
    said = {"reason": "in_use", "note": "ventilating a patient"}
    assert login("qin").post(f"/occurrences/{one}/excuse", data=said).status_code == 404
    assert login("chen").post(f"/occurrences/{one}/excuse", data=said).status_code == 403
    assert browser.post(f"/occurrences/{one}/excuse", data=said).status_code == 303
    page = text(browser.get(f"/plans/{plan}"))
    assert "ventilating a patient" in page
    assert "Excused: the equipment was in use" in page
    assert browser.post(f"/occurrences/{one}/excuse", data=said).status_code == 409


def test_a_plan_is_changed_by_its_form(login, as_, plan, today):
    browser = login("wang")
    assert 'value="6"' in text(browser.get(f"/plans/{plan}/change"))
    form = {
        "mode": "floating", "interval_days": "45", "anchor": today.isoformat(),
        "early_days": "5", "grace_days": "5",
    }  # fmt: skip
    both = browser.post(f"/plans/{plan}/change", data={**form, "interval_months": "2"})
    assert (both.status_code, "months or days" in text(both)) == (422, True)
    wide = browser.post(f"/plans/{plan}/change", data={**form, "grace_days": "60"})
    assert wide.status_code == 422
    assert browser.post(f"/plans/{plan}/change", data=form).status_code == 303
    changed = as_("wang").session.get(Plan, plan)
    assert (changed.interval_months, changed.interval_days, changed.mode) == (0, 45, "floating")
    assert "Every 45 days" in text(browser.get(f"/plans/{plan}"))


def test_meters_are_read_on_the_asset_page(login, as_, vent):
    browser = login("chen")
    assert "/meters/new?asset=" in text(browser.get(f"/assets/{vent.code}"))
    form = {"asset": vent.code, "meter": "hours", "value": "1250.5"}
    assert browser.post("/meters/new", data=form).status_code == 303
    assert "1,250.5" in text(browser.get(f"/assets/{vent.code}"))
    less = browser.post("/meters/new", data={**form, "value": "90"})
    assert (less.status_code, "stood at 1250.5 before" in text(less)) == (422, True)
    assert browser.post("/meters/new", data={**form, "value": "9", "reset": "true"}).status_code
    assert login("qin").get(f"/meters/new?asset={vent.code}").status_code == 404
    assert login("lin").get(f"/meters/new?asset={vent.code}").status_code == 403


CSV = (
    "资产编号,计数器,读数,日期\r\n"
    "V-1,小时,１２０.５,2026/01/05\r\n"
    'V-1,hours,"1,200",2026-02-05\r\n'
    "V-1,hours,12O0,2026-03-05\r\n"  # a letter O
    "V-1,hours,100,2026-03-05\r\n"
    "V-9,hours,5,2026-03-05\r\n"
    "V-1,miles,5,2026-03-05\r\n"
    "V-1,hours,1300,2026-02-30\r\n"
)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_file_of_readings_keeps_the_good_lines(login, as_, vent, encoding):
    sent = {"file": (io.BytesIO(CSV.encode(encoding)), "meters.csv")}
    page = text(login("wang").post("/meters/import", data=sent))
    assert "2 readings are noted." in page
    for said in ("12O0", "V-9", "miles", "2026-02-30", "stood at 1200 before"):
        assert said in page
    values = as_("wang").session.scalars(select(MeterReading.value).order_by(MeterReading.at))
    assert list(values) == [120.5, 1200.0]
    for nonsense in (b"", b"a,b\n1,2", b"\xff\xff\xff\xff\x00"):
        sent = {"file": (io.BytesIO(nonsense), "x.csv")}
        assert login("wang").post("/meters/import", data=sent).status_code == 422


def test_many_plans_are_counted_before_they_are_made(login, as_, vent, today):
    browser = login("wang")
    form = {
        "template": "VENT", "category": "VENT", "mode": "fixed", "interval_months": "6",
        "anchor": today.isoformat(), "early_days": "14", "grace_days": "14",
    }  # fmt: skip
    assert "1 plan would be made" in text(browser.post("/plans/many", data=form))
    assert as_("wang").session.scalars(select(Plan)).all() == []
    assert browser.post("/plans/many", data={**form, "apply": "yes"}).status_code == 303
    assert len(as_("wang").session.scalars(select(Plan)).all()) == 1
    del form["category"]
    everything = browser.post("/plans/many", data={**form, "apply": "yes"})
    assert everything.status_code == 422


def test_the_simulator_shows_a_year_and_tries_a_plan_out(login, plan, today):
    page = text(login("chen").get("/plans/simulate?hours=10"))
    assert "Month by month" in page
    tried = text(
        login("wang").get(
            f"/plans/simulate?hours=x&template=VENT&interval_months=1&anchor={today}&mode=fixed"
        )
    )
    assert "With the plan tried out, h" in tried
    assert login("lin").get("/plans/simulate").status_code == 403


def test_levelling_is_proposed_and_taken_over(login, as_, vent, today):
    rhythm = Rhythm(PlanMode.FIXED, 12, today + timedelta(days=200), 14, 14)
    add_plan(as_("wang"), asset=vent.code, template="VENT", rhythm=rhythm)
    other = create_asset(as_("wang"), number="V-2", name="Vent", category="VENT", department="ICU")
    add_plan(as_("wang"), asset=other.code, template="VENT", rhythm=rhythm)
    browser = login("wang")
    page = text(browser.get("/plans/level"))
    mark = page.partition('name="mark" value="')[2].partition('"')[0]
    assert mark
    assert browser.post("/plans/level", data={"mark": "x"}).location.endswith("/plans/level")
    assert browser.post("/plans/level", data={"mark": mark}).status_code == 303
    dues = {p.next_due for p in as_("wang").session.scalars(select(Plan))}
    assert len(dues) == 2
    assert login("chen").get("/plans/level").status_code == 403


def test_the_api_plans_by_days_and_meter(client, bearer, vent, today):
    headers = bearer()
    body = {
        "asset": vent.code, "template": "VENT", "interval": {"days": 90, "hours": 500},
        "anchor": today.isoformat(),
        "triggers": [{"kind": "prediction", "floor": 0.5, "horizon_days": 30}],
    }  # fmt: skip
    made = client.post("/api/v1/plans", json=body, headers=headers)
    assert made.status_code == 201
    assert made.json["interval"] == {"days": 90, "hours": 500.0}
    assert [t["kind"] for t in made.json["triggers"]] == ["meter", "prediction"]
    url = f"/api/v1/plans/{made.json['id']}"
    change = {"interval": {"months": 4}, "anchor": today.isoformat()}
    changed = client.patch(url, json=change, headers=headers).json
    assert changed["interval"] == {"months": 4, "hours": 500.0}
    [meter, foreseen] = changed["triggers"]
    assert client.delete(f"{url}/triggers/{meter['id']}", headers=headers).status_code == 204
    assert client.get(url, headers=headers).json["triggers"] == [foreseen]
    assert client.get(url, headers=bearer(Role.ENGINEER, who="qin")).status_code == 404


def test_a_plan_by_meter_alone_has_no_next_date(client, bearer, vent, today, login):
    body = {
        "asset": vent.code, "template": "VENT", "interval": {"uses": 100},
        "anchor": today.isoformat(),
    }  # fmt: skip
    made = client.post("/api/v1/plans", json=body, headers=bearer()).json
    assert (made["next_due"], made["interval"]) == (None, {"uses": 100.0})
    for page in ("/plans?state=upcoming", f"/plans/{made['id']}", f"/assets/{vent.code}"):
        assert "9999" not in text(login("wang").get(page))


def test_the_api_excuses_visits_and_credits(client, bearer, as_, plan, login):
    headers = bearer()
    [listed] = client.get("/api/v1/occurrences", headers=headers).json["items"]
    assert listed["why"] == "calendar"
    assert listed["reasons"][0]["every"] == {"months": 6}
    url = f"/api/v1/occurrences/{listed['id']}"
    said = {"reason": "not_located", "note": "looked twice"}
    answer = client.post(f"{url}/excuse", json=said, headers=headers).json
    assert (answer["state"], answer["outcome"], answer["note"]) == (
        "excused", "not_located", "looked twice",
    )  # fmt: skip
    early = client.post(f"/api/v1/plans/{plan}/visit", json={"note": "now"}, headers=headers)
    assert (early.status_code, early.json["extra"], early.json["why"]) == (201, True, "by_hand")
    credit = client.post(
        f"/api/v1/occurrences/{early.json['id']}/credit", json={"note": "x"}, headers=headers
    )
    assert credit.status_code == 409
    assert (
        client.post(f"{url}/excuse", json={"reason": "tired"}, headers=headers).status_code == 422
    )


def test_the_api_takes_meter_readings(client, bearer, vent):
    headers = bearer()
    rows = [
        {"asset": vent.code, "meter": "hours", "value": 100, "at": "2026-01-01T08:00:00+08:00"},
        {"asset": vent.code, "meter": "hours", "value": 50, "at": "2026-02-01T08:00:00+08:00"},
        {"asset": "NOSUCH12", "value": 50},
    ]
    answer = client.post("/api/v1/meters/readings", json=rows, headers=headers).json
    assert answer["accepted"] == 1
    assert [(r["index"], r["code"]) for r in answer["rejected"]] == [
        (1, "invalid"), (2, "not_found"),
    ]  # fmt: skip
    [meter] = client.get(f"/api/v1/assets/{vent.code}/meters", headers=headers).json["items"]
    assert (meter["meter"], meter["value"], meter["per_day"]) == ("hours", 100.0, None)
    south = bearer(Role.ENGINEER, who="qin")
    assert client.get(f"/api/v1/assets/{vent.code}/meters", headers=south).status_code == 404


def test_the_api_plans_many_and_simulates(client, bearer, vent, today):
    headers = bearer()
    body = {
        "template": "VENT", "category": "VENT", "department": "ICU", "interval": {"months": 6},
        "anchor": (today + timedelta(days=40)).isoformat(), "preview": True,
    }  # fmt: skip
    counted = client.post("/api/v1/plans/bulk", json=body, headers=headers).json
    assert counted == {"assets": 1, "having": 0, "made": 0}
    body["preview"] = False
    assert client.post("/api/v1/plans/bulk", json=body, headers=headers).json["made"] == 1
    assert client.post("/api/v1/plans/bulk", json=body, headers=headers).json["made"] == 0
    year = client.get("/api/v1/plans/simulation?capacity_hours=100", headers=headers).json
    assert (year["plans"], len(year["months"])) == (1, 12)
    assert sum(month["visits"] for month in year["months"]) == 2
    assert year["compliance"] == 1.0
