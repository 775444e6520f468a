"""Plans over HTTP: the list, the form, the API; and nothing of the other hospital."""

from datetime import timedelta

import pytest
from flask import render_template

from apm.assets.commands import create_asset
from apm.assets.panels import panels_of
from apm.core.clock import local_day, utc_now
from apm.core.permissions import Role
from apm.maintenance.commands import add_plan
from apm.maintenance.jobs import generate_due
from apm.maintenance.model import PlanMode
from apm.maintenance.rhythm import Rhythm
from apm.work.model import WorkOrder


@pytest.fixture
def today():
    return local_day(utc_now(), "Asia/Shanghai")


@pytest.fixture
def plan(as_, today):
    """`plan("V-1", 20)`: a floating plan due in 20 days, of a new ventilator."""

    def make(number: str, days: int, who: str = "wang"):
        ctx = as_(who)
        asset = create_asset(ctx, number=number, name=f"Ventilator {number}", category="VENT")
        rhythm = Rhythm(PlanMode.FLOATING, 6, today + timedelta(days=days), 14, 14)
        return add_plan(ctx, asset=asset.code, template="VENT", rhythm=rhythm)

    return make


@pytest.fixture
def three(plan, as_):
    """One overdue, one due, one upcoming at North; one overdue at South."""
    made = [plan("LATE", -3), plan("SOON", 5), plan("FAR", 90)]
    plan("FOREIGN", -3, who="qin")
    assert generate_due(as_("system")) == 2
    return made


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("", {"LATE"}),
        ("?state=overdue", {"LATE"}),
        ("?state=due", {"SOON"}),
        ("?state=upcoming", {"FAR"}),
        ("?state=held", set()),
        ("?state=nonsense", {"LATE"}),
    ],
)
def test_the_list_shows_what_stands_so(login, three, query, seen):
    page = login("wang").get(f"/plans{query}").get_data(as_text=True)
    for number in ("LATE", "SOON", "FAR", "FOREIGN"):
        assert (f"Ventilator {number}" in page) == (number in seen), number


def test_the_list_says_how_late(login, three):
    chen = login("chen")
    page = chen.get("/plans").get_data(as_text=True)
    assert "3 days overdue" in page
    assert "/work-orders/WO-" in page
    assert "/stop" not in page  # a technician reads plans and ends none
    assert "Due in 5 days" in chen.get("/plans?state=due").get_data(as_text=True)


def test_the_empty_list_says_what_to_do(login):
    assert "Open an asset and add a plan there." in login("wang").get("/plans").get_data(
        as_text=True
    )


def test_pages_follow_each_other_without_gaps(client, bearer, three):
    headers = bearer()
    seen, after = [], ""
    for _ in range(3):
        answer = client.get(f"/api/v1/plans?limit=1{after}", headers=headers).json
        seen += [item["asset"] for item in answer["items"]]
        after = f"&after={answer['next']}"
    assert answer["next"] is None
    assert set(seen) == {plan.asset.code for plan in three}


def test_the_form_proposes_the_template_of_the_category(login, as_):
    asset = create_asset(as_("wang"), number="M-1", name="Monitor", category="MON")
    page = login("wang").get(f"/plans/new?asset={asset.code}").get_data(as_text=True)
    assert '<option value="MON" selected>' in page
    assert 'name="interval_months" type="number" value="12"' in page


def test_the_form_makes_a_plan_once(login, as_, today):
    asset = create_asset(as_("wang"), number="M-1", name="Monitor", category="MON")
    browser = login("wang")
    form = {
        "asset": asset.code,
        "template": "MON",
        "mode": "fixed",
        "interval_months": "12",
        "anchor": today.isoformat(),
        "early_days": "14",
        "grace_days": "30",
    }
    made = browser.post("/plans/new", data=form)
    assert (made.status_code, made.location) == (303, f"/assets/{asset.code}")
    assert "Maintenance plans" in browser.get(made.location).get_data(as_text=True)
    assert "Monitor" in browser.get("/plans").get_data(as_text=True)
    again = browser.post("/plans/new", data=form)
    assert again.status_code == 409
    assert "already has a plan" in again.get_data(as_text=True)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"interval_months": "0"}, "Give whole months, 1 to 120."),
        ({"interval_months": "six"}, "Give a whole number."),
        ({"anchor": "2026-02-30"}, "Give a date such as 2026-11-22."),
        ({"anchor": "0001-01-01"}, "Give a day between 1990 and 2200."),
        ({"grace_days": "-1"}, "Give whole days, 0 or more."),
        ({"interval_months": "1", "grace_days": "30"}, "Days early and days of grace may be 27"),
    ],
)
def test_the_form_says_what_is_wrong(login, as_, today, wrong, message):
    asset = create_asset(as_("wang"), number="M-1", name="Monitor", category="MON")
    form = {
        "asset": asset.code,
        "template": "MON",
        "interval_months": "12",
        "anchor": today.isoformat(),
        "early_days": "14",
    }
    answer = login("wang").post("/plans/new", data={**form, **wrong})
    assert answer.status_code == 422
    assert message in answer.get_data(as_text=True)


def test_who_may_plan(login, three):
    code, plan_id = three[0].asset.code, three[0].id
    assert login("lin").get("/plans").status_code == 403
    assert login("chen").get(f"/plans/new?asset={code}").status_code == 403
    assert login("chen").post(f"/plans/{plan_id}/stop").status_code == 403
    assert login("qin").get(f"/plans/new?asset={code}").status_code == 404
    assert login("qin").post(f"/plans/{plan_id}/stop").status_code == 404
    assert login("wang").post(f"/plans/{plan_id}/stop").status_code == 303
    assert "Ventilator LATE" not in login("wang").get("/plans").get_data(as_text=True)


def test_the_api_plans_and_lists(client, bearer, as_, today):
    asset = create_asset(as_("wang"), number="V-1", name="Ventilator", category="VENT")
    body = {
        "asset": asset.code.lower(),
        "template": "VENT",
        "mode": "fixed",
        "interval": {"months": 6},
        "anchor": today.isoformat(),
        "window": {"early_days": 7, "grace_days": 10},
    }
    answer = client.post("/api/v1/plans", json=body, headers=bearer())
    assert answer.status_code == 201
    assert answer.json.items() >= {**body, "asset": asset.code, "open": None}.items()
    assert generate_due(as_("system")) == 1

    [plan] = client.get(f"/api/v1/plans?asset={asset.code}", headers=bearer()).json["items"]
    assert plan["open"]["due"] == today.isoformat()
    listed = client.get("/api/v1/occurrences?state=open", headers=bearer()).json
    [occurrence] = listed["items"]
    assert listed["next"] is None
    assert occurrence["work_order"] == as_("wang").session.query(WorkOrder).one().no
    assert (occurrence["seq"], occurrence["why"]) == (1, "calendar")
    assert occurrence["late_after"] == (today + timedelta(days=10)).isoformat()


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"interval": {"weeks": 9}}, 422, "interval"),
        ({"interval": {}}, 422, "interval"),
        ({"interval": {"months": 6, "days": 90}}, 422, "interval"),
        ({"interval": {"hours": 0}}, 422, "interval"),
        ({"mode": "sometimes"}, 422, "mode"),
        ({"window": {"early_days": 200}}, 422, "early_days"),
        ({"asset": "NOSUCH12"}, 404, None),
        ({"template": "NONE"}, 404, None),
    ],
)
def test_the_api_refuses_what_makes_no_sense(client, bearer, as_, today, change, status, field):
    asset = create_asset(as_("wang"), number="V-1", name="Ventilator", category="VENT")
    body = {
        "asset": asset.code,
        "template": "VENT",
        "interval": {"months": 6},
        "anchor": today.isoformat(),
    }
    answer = client.post("/api/v1/plans", json={**body, **change}, headers=bearer())
    assert answer.status_code == status
    assert answer.json.keys() == {"status", "code", "detail", "fields"}
    assert field is None or field in answer.json["fields"]


@pytest.mark.parametrize(
    ("query", "n"),
    [("", 2), ("?state=done", 0), ("?to=2000-01-01", 0), ("?from=2000-01-01", 2)],
)
def test_occurrences_are_filtered(client, bearer, three, query, n):
    answer = client.get(f"/api/v1/occurrences{query}", headers=bearer())
    assert len(answer.json["items"]) == n


def test_the_api_of_the_other_hospital_shows_its_own(client, bearer, three):
    qin = bearer(Role.ENGINEER, who="qin")
    [plan] = client.get("/api/v1/plans", headers=qin).json["items"]
    assert plan["asset"] not in {p.asset.code for p in three}
    code = three[0].asset.code
    assert client.get(f"/api/v1/plans?asset={code}", headers=qin).json["items"] == []
    assert client.get("/api/v1/occurrences", headers=qin).json["items"] == []


def test_the_asset_page_shows_its_plans_alone(app, as_, three):
    asset = three[0].asset

    def seen_by(who):
        wanted = "maintenance/_asset_plans.html"
        return [p for p in panels_of(as_(who), asset) if p.template == wanted]

    [panel] = seen_by("wang")
    assert panel.url == f"/plans/new?asset={asset.code}"
    with app.test_request_context():
        section = render_template(panel.template, panel=panel)
    assert section.count("3 days overdue") == 1
    assert "Due in" not in section  # noise: the plans of other assets
    assert seen_by("chen")[0].url == ""
    assert seen_by("lin") == []
