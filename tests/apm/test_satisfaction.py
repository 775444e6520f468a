"""How content reporters are: counted right, never by person, never from a handful."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apm.core.errors import Invalid, NotAllowed
from apm.core.permissions import Role
from apm.requests.confirming import SILENCE, set_silence, verify_silent
from apm.requests.model import Request
from apm.requests.queries import request_by_no
from apm.requests.satisfaction import By, days_wanted, satisfaction
from apm.requests.states import Triage
from apm.work.model import WorkOrder
from apm.work.opening import NewWork, make_order
from apm.work.states import WorkState, WorkType
from predict.proportion import wilson
from tests.apm.hospital import make_asset, make_request
from tests.queries import count_queries

NOON = datetime(2026, 5, 20, 4, tzinfo=UTC)
"""Noon in Shanghai."""


def rated(as_, asset, *stars, at=NOON, who="wang", origin=None):
    """Confirmed repairs of one asset, with these stars; None is silence."""
    ctx = as_(who)
    for rating in stars:
        request = make_request(as_("lin" if who == "wang" else who), asset)
        with ctx.writing("test"):
            work = NewWork(WorkType.CORRECTIVE, "Repair", asset=asset, origin=origin)
            order = make_order(ctx, work)
            order.state, order.done_at, order.closed_at = WorkState.CLOSED, at, at
            order.created_at = at
            found = ctx.session.get(Request, request.id)
            found.triage, found.work_order_id = Triage.ACCEPTED, order.id
            found.verified_at, found.rating = at, rating
            found.verified_by_silence = rating is None


@pytest.fixture
def icu(as_):
    return make_asset(as_("wang"), "MON", department="ICU")


@pytest.fixture
def ward(as_):
    return make_asset(as_("wang"), "INFP", department="Ward 3")


def counted(as_, by=By.DEPARTMENT, now=NOON + timedelta(days=20), who="wang", **days):
    ctx = as_(who, now=lambda: now)
    return satisfaction(ctx, by=by, days=days_wanted(ctx, days.get("first"), days.get("last")))


def test_mean_share_and_interval(as_, icu, ward):
    rated(as_, icu, 5, 5, 4, 3, 1, 4, None)
    found = counted(as_)
    [line] = found.lines
    assert (line.name, line.n, line.status) == ("ICU", 6, "ok")
    assert line.mean == pytest.approx(22 / 6)
    assert line.share == pytest.approx(4 / 6)
    assert line.interval == wilson(4, 6, 0.95)
    assert found.silent == 1


def test_a_handful_is_not_shown_but_counts_in_the_whole(as_, icu, ward):
    rated(as_, icu, 5, 5, 5, 5)
    rated(as_, ward, 1, 1, 2, 2, 3)
    rated(as_, make_asset(as_("wang"), "INFP", department="Ward 4"), *[4] * 6)
    found = counted(as_)
    lines = {line.name: line for line in found.lines}
    few = lines["ICU"]
    assert (few.n, few.mean, few.share, few.interval) == (None, None, None, None)
    assert few.status == "too_few"
    assert lines["Ward 4"].n == 6
    assert found.total.n == 15
    # Else 15 less 11 would tell how the four of the ICU rated.
    next_larger = lines["Ward 3"]
    assert (next_larger.n, next_larger.mean, next_larger.status) == (None, None, "withheld")


def test_nothing_is_held_back_where_the_hidden_are_many(as_, icu, ward):
    rated(as_, icu, 5, 5, 5, 5)
    rated(as_, make_asset(as_("wang"), "INFP", department="Ward 4"), 1, 2, 1)
    rated(as_, ward, 1, 1, 2, 2, 3)
    status = {line.name: line.status for line in counted(as_).lines}
    assert status == {"ICU": "too_few", "Ward 4": "too_few", "Ward 3": "ok"}


@pytest.mark.parametrize(
    ("by", "names"),
    [(By.DEPARTMENT, {"ICU", "Ward 3"}), (By.MONTH, {"2026-04", "2026-05"}),
     (By.CATEGORY, {"Patient monitor", "Infusion pump"}), (By.TEAM, {"No team"})],
    ids=["department", "month", "category", "team"],
)  # fmt: skip
def test_groups(as_, icu, ward, by, names):
    rated(as_, icu, 5, 4, 5, 4, 5)
    rated(as_, ward, 2, 2, 2, 2, 2, at=NOON - timedelta(days=30))
    found = counted(as_, by)
    assert len(found.lines) == len(names)
    if by is not By.CATEGORY:
        assert {line.name for line in found.lines} == names


def test_the_month_is_the_hospitals(as_, icu):
    rated(as_, icu, *[5] * 5, at=datetime(2026, 4, 30, 17, tzinfo=UTC))  # 1 May, 01:00
    [line] = counted(as_, By.MONTH).lines
    assert line.name == "2026-05"


def test_months_before_and_after_do_not_count(as_, icu):
    rated(as_, icu, *[5] * 5)
    rated(as_, icu, *[1] * 5, at=datetime(2026, 4, 30, 15, 59, tzinfo=UTC))  # the 30th, 23:59
    rated(as_, icu, *[1] * 5, at=datetime(2026, 5, 31, 16, 1, tzinfo=UTC))  # 1 June, 00:01
    first, last = date(2026, 5, 1), date(2026, 5, 31)
    found = counted(as_, now=NOON + timedelta(days=60), first=first, last=last)
    assert (found.total.n, found.total.mean) == (5, 5.0)


def test_the_current_month_is_counted_when_it_is_over(as_, icu):
    rated(as_, icu, *[5] * 5)
    assert counted(as_, now=datetime(2026, 5, 31, 15, 59, tzinfo=UTC)).total.n is None
    assert counted(as_, now=datetime(2026, 5, 31, 16, 1, tzinfo=UTC)).total.n == 5


def test_no_two_periods_differ_by_a_handful(as_, icu, ward):
    """Whoever subtracts one period from another finds five ratings or more, or none."""
    for k, stars in enumerate([[5], [1, 2], [], [4, 4, 3], [1], [5] * 6, [2], [3, 3, 3, 3]], 1):
        at = datetime(2026, k, 15, tzinfo=UTC)
        rated(as_, icu, *stars, at=at)
        rated(as_, ward, *[4] * 5, at=at)
    ctx = as_("wang", now=lambda: datetime(2026, 9, 2, tzinfo=UTC))
    seen = {}
    for begin in range(1, 9):
        for end in range(begin, 9):
            last = date(2026, end + 1, 1) - timedelta(days=1)
            days = days_wanted(ctx, date(2026, begin, 1), last)
            found = satisfaction(ctx, by=By.DEPARTMENT, days=days)
            lines = {line.name: line for line in found.lines}
            if "ICU" in lines and lines["ICU"].n is not None:
                seen[begin, end] = lines["ICU"].n
    assert seen[1, 4] == 6
    assert seen[1, 8] == 6 + 7 + 5
    for (begin, end), n in seen.items():
        for (first, last), more in seen.items():
            if first <= begin and end <= last:  # one within the other
                assert more == n or more - n >= 5
    # Months 5 and 6 have seven together: neither is told from the other.
    assert seen[5, 6] == 7
    assert (6, 6) not in seen
    assert len(seen) >= 8


def test_rework_is_counted_beside(as_, icu):
    rated(as_, icu, 5, origin="rework:WO-2026-000009")
    assert counted(as_).reworked == 1


def test_nothing_of_the_other_hospital(as_, icu):
    rated(as_, make_asset(as_("qin"), department="ICU"), *[1] * 6, who="qin")
    found = counted(as_)
    assert (found.lines, found.total.n, found.silent, found.reworked) == ([], None, 0, 0)


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-05-01", "2026-04-30"), ("2026-01-01", "2026-01-30"), ("2026-01-02", "2026-01-31"),
     ("2026-01-01", "2199-12-31"), ("1800-01-01", "2026-01-01"), ("2026-01-01", "9999-12-31"),
     ("2000-01-01", "2026-01-01")],
)  # fmt: skip
def test_days_that_cannot_be_are_refused(as_, login, client, bearer, first, last):
    parse = datetime.fromisoformat
    with pytest.raises(Invalid):
        days_wanted(as_("wang"), parse(first).date(), parse(last).date())
    query = {"from": first, "to": last}
    assert login("wang").get("/analytics/satisfaction", query_string=query).status_code == 422
    page = login("wang").get("/analytics/satisfaction?from=2026-13")
    assert page.status_code == 422
    assert "Give months like 2026-01." in page.text
    path = "/api/v1/analytics/satisfaction"
    assert client.get(path, query_string=query, headers=bearer()).status_code == 422


def test_page_and_api_say_the_same_and_name_nobody(login, client, bearer, as_, icu):
    now = as_("wang").now()
    rated(as_, icu, 5, 5, 4, 3, 1, at=now - timedelta(days=32))
    page = login("zhao").get("/analytics/satisfaction?by=department").get_data(as_text=True)
    assert "3.6" in page
    assert "60" in page
    for name in ("Lin Xia", "Chen Bo"):
        assert name not in page
    answer = client.get(
        "/api/v1/analytics/satisfaction?by=department", headers=bearer(Role.MANAGER)
    )
    [item] = answer.json["items"]
    assert (item["name"], item["n"], item["mean"], item["status"]) == ("ICU", 5, 3.6, "ok")
    assert login("lin").get("/analytics/satisfaction").status_code == 403


def test_statements_do_not_grow(login, engine, as_, icu, ward):
    zhao, now = login("zhao"), as_("wang").now()

    def statements():
        with count_queries(engine) as sent:
            assert zhao.get("/analytics/satisfaction?by=department").status_code == 200
        return len(sent)

    before = statements()
    rated(as_, icu, *[5] * 6, at=now - timedelta(days=32))
    rated(as_, ward, *[5] * 6, at=now - timedelta(days=32))
    assert statements() == before


def test_a_hospital_says_how_long_silence_lasts(login, as_, icu):
    request = make_request(as_("lin"), icu)
    ctx = as_("wang")
    with ctx.writing("test"):
        order = make_order(ctx, NewWork(WorkType.CORRECTIVE, "Repair", asset=icu))
        order.state, order.done_at = WorkState.DONE, ctx.now()
        found = ctx.session.get(Request, request.id)
        found.triage, found.work_order_id = Triage.ACCEPTED, order.id
    answer = login("amy").post("/analytics/satisfaction/silence", data={"silence_days": "10"})
    assert answer.status_code == 303
    assert timedelta(days=9) > SILENCE
    for days, is_confirmed in ((9, False), (11, True)):
        later = ctx.now() + timedelta(days=days)
        verify_silent(as_("system", now=lambda later=later: later))
        found = request_by_no(as_("wang"), request.no)
        assert found.verified_by_silence is is_confirmed
    assert found.rating is None


def test_on_high_risk_equipment_silence_begins_when_it_is_back(as_, login):
    """Approved long after it was done: the ward has had no time to say anything yet."""
    request = make_request(as_("lin"), make_asset(as_("wang"), "VENT"))
    ctx = as_("wang")
    done, closed = ctx.now(), ctx.now() + SILENCE + timedelta(days=1)
    with ctx.writing("test"):
        order = make_order(ctx, NewWork(WorkType.CORRECTIVE, "Repair", asset=request.asset))
        order.state, order.done_at, order.closed_at = WorkState.CLOSED, done, closed
        assert order.high_risk
        found = ctx.session.get(Request, request.id)
        found.triage, found.work_order_id = Triage.ACCEPTED, order.id
    for later, is_confirmed in ((closed, 0), (closed + SILENCE, 1)):
        assert verify_silent(as_("system", now=lambda later=later: later)) == is_confirmed
    browser = login("lin")
    assert browser.get(f"/api/v1/requests/{request.no}").get_json()["verified_by_silence"] is True
    assert "by silence" in browser.get(f"/requests/{request.no}").get_data(as_text=True)
    link = f"/r/{request.client_key}"
    assert "Nobody objected" in browser.get(link).get_data(as_text=True)


@pytest.mark.parametrize("days", ["0", "61", "x", ""])
def test_silence_is_one_to_sixty_days(login, as_, days):
    sent = {"silence_days": days}
    assert login("amy").post("/analytics/satisfaction/silence", data=sent).status_code == 422
    with pytest.raises(NotAllowed):
        set_silence(as_("zhao"), days=5)
    assert as_("wang").session.query(WorkOrder).count() == 0
