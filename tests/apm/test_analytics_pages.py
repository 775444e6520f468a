"""The manager's page and its API: what is shown, to whom, with how many queries."""

from datetime import timedelta

import pytest

from apm.assets.commands import create_asset
from apm.core.clock import local_day, utc_now
from apm.core.permissions import Role
from apm.work.model import Cost, WorkOrder
from apm.work.states import CostKind, WorkState, WorkType
from tests.queries import count_queries


@pytest.fixture
def repaired(as_):
    """`repaired("wang", "ICU", "VENT", fen)`: a repair closed yesterday after 10 hours down."""

    def make(who: str, department: str, category: str, cost: int, n: int = 1) -> None:
        ctx, yesterday = as_(who), utc_now() - timedelta(days=1)
        for _ in range(n):
            made = ctx.session.query(WorkOrder).count()
            asset = create_asset(
                ctx, number=f"{who}-{made}", name="A", category=category, department=department
            )
            with ctx.writing("test.repair"):
                order = WorkOrder(
                    no=f"WO-{made}", type=WorkType.CORRECTIVE, asset_id=asset.id, title="x",
                    state=WorkState.CLOSED, created_at=yesterday - timedelta(hours=10),
                    closed_at=yesterday, down_from=yesterday - timedelta(hours=10),
                    down_until=yesterday,
                )  # fmt: skip
                ctx.session.add(order)
                ctx.session.flush()
                ctx.session.add(
                    Cost(work_order_id=order.id, kind=CostKind.PARTS, amount=cost, currency="CNY")
                )

    return make


def test_the_page_shows_the_figures_of_its_hospital(login, repaired):
    repaired("wang", "ICU", "VENT", 123_456)
    repaired("qin", "Dialysis", "INFP", 777_777)
    page = login("zhao").get("/analytics").get_data(as_text=True)
    assert "1,234.56" in page
    assert "ICU" in page
    assert "Too few events" in page
    assert "Epstein and Sobel 1953" in page
    assert "Dialysis" not in page
    assert "7,777.77" not in page


def test_it_groups_by_category(login, repaired):
    repaired("wang", "ICU", "VENT", 100)
    page = login("zhao").get("/analytics?by=category").get_data(as_text=True)
    assert "ICU" not in page
    assert 'aria-current="page">By category' in page


def test_the_numbers_lead_to_their_rows(login, repaired, client):
    repaired("wang", "ICU", "VENT", 100)
    browser = login("zhao")
    page = browser.get("/analytics").get_data(as_text=True)
    start = page.index('href="/work-orders?type=corrective&amp;department=')
    link = page[start + 6 : page.index('"', start + 6)].replace("&amp;", "&")
    assert browser.get(link).status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("from=2026-05-02&to=2026-05-01", 422, "The first day must not be after the last."),
        ("from=tomorrow", 422, "Give days like 2026-01-31."),
        ("period=last_year", 200, "Last year"),
        ("period=nonsense&by=nonsense", 200, "By department"),
    ],
)
def test_a_period_is_chosen(login, query, status, message):
    answer = login("zhao").get(f"/analytics?{query}")
    assert answer.status_code == status
    assert message in answer.get_data(as_text=True)


def test_the_empty_page_says_what_to_do(login):
    page = login("zhao").get("/analytics").get_data(as_text=True)
    assert "There is nothing to count in this period." in page


def test_who_sees_costs(login):
    got = {who: login(who).get("/analytics").status_code for who in ("lin", "chen", "zhao")}
    assert got == {"lin": 403, "chen": 403, "zhao": 200}


def test_the_api_says_how_sure_it_is(client, bearer, repaired):
    repaired("wang", "ICU", "VENT", 100_000, n=3)
    repaired("wang", "ER", "INFP", 50)
    repaired("qin", "Dialysis", "VENT", 9_999_999)
    answer = client.get("/api/v1/analytics/kpis?by=category", headers=bearer(Role.MANAGER)).json
    assert (answer["by"], answer["next"]) == ("category", None)
    assert answer["to"] == local_day(utc_now(), "Asia/Shanghai").isoformat()
    dear, cheap = answer["items"]
    assert (dear["key"], dear["repair_cost"]["value"]) == ("VENT", 300_000)
    assert dear["repair_cost"]["currency"] == "CNY"
    assert dear["repair_cost"]["interval"] is None
    assert dear["downtime"]["value"] == pytest.approx(30, abs=1e-3)
    assert (dear["mtbf"]["n"], dear["mtbf"]["status"]) == (3, "ok")
    low, high = dear["mtbf"]["interval"]
    assert low < dear["mtbf"]["value"] < high
    assert (cheap["mtbf"]["value"], cheap["mtbf"]["status"]) == (None, "too_few")
    assert answer["total"]["failures"]["value"] == 4
    for figure in ("repair_cost", "downtime", "failures", "mtbf", "pm_completion"):
        assert dear[figure].keys() >= {"value", "n", "interval", "formula", "status", "unit"}
        assert dear[figure]["formula"]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("by=colour", 422, "by"),
        ("from=2026-02-30", 422, "from"),
        ("from=2026-05-02&to=2026-05-01", 422, "from"),
        ("from=2026-05-01&to=2026-05-31", 200, None),
    ],
)
def test_the_api_takes_days(client, bearer, query, status, field):
    answer = client.get(f"/api/v1/analytics/kpis?{query}", headers=bearer(Role.MANAGER))
    assert answer.status_code == status
    assert field is None or field in str(answer.json["fields"])
    assert client.get(f"/api/v1/analytics/kpis?{query}").status_code == 401


def test_more_rows_need_no_more_queries(engine, login, repaired):
    browser = login("zhao")
    browser.get("/analytics")
    repaired("wang", "ICU", "VENT", 1)
    with count_queries(engine) as few:
        browser.get("/analytics")
    for number in range(8):
        repaired("wang", f"Ward {number}", "VENT", 1, n=2)
    with count_queries(engine) as many:
        browser.get("/analytics")
    assert len(many) == len(few)
