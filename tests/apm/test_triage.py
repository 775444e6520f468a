"""Triage: accept, ask, reject, mark as known; then the reporter has the last word."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from apm.assets.commands import advance
from apm.assets.model import Asset, Availability
from apm.core.clock import utc_now
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.core.events import Outbox
from apm.requests import confirming, merging, triage
from apm.requests.jobs import confirm_by_silence
from apm.requests.lifecycle import REQUEST
from apm.requests.model import Request
from apm.requests.queries import request_by_no
from apm.requests.states import RequestState, Triage
from apm.requests.triage import Acceptance
from apm.work.completion import Completion, close, complete
from apm.work.model import WorkOrder
from apm.work.states import Priority, WorkState
from tests.apm.hospital import make_asset, make_request, make_work, start_work
from tests.conftest import CAST, PASSWORD

R = RequestState


def fresh(ctx, model, **by):
    query = select(model).filter_by(**by).execution_options(populate_existing=True)
    return ctx.session.scalars(query).one()


@pytest.fixture
def asset(as_):
    return make_asset(as_("wang"), name="Bedside monitor", name_zh="监护仪")


@pytest.fixture
def request_(as_, asset):
    return make_request(as_("lin"), asset, description="It beeps")


def repaired(as_, request, *, by="chen"):
    """Bring a request to repaired."""
    order = triage.accept(as_("wang"), no=request.no)
    worker = as_(by)
    start_work(worker, as_("wang"), order)
    said = Completion(cause="UPF", remedy="Board replaced", labour_minutes=20)
    complete(worker, no=order.no, password=PASSWORD, said=said)
    return order


def test_accepting_opens_one_repair_that_keeps_the_words(as_, asset, request_):
    order = triage.accept(as_("wang"), no=request_.no)
    found = fresh(as_("wang"), WorkOrder)
    assert found.id == order.id
    assert found.origin == f"request:{request_.no}"
    assert found.title == "Bedside monitor: Alarm or error code"
    assert found.title_zh == "监护仪：报警或错误代码"
    assert found.asset_id == asset.id
    with pytest.raises(Conflict):
        triage.accept(as_("wang"), no=request_.no)


@pytest.mark.parametrize(
    ("chosen", "priority", "days"),
    [(None, "normal", 3), (Priority.HIGH, "high", 1), (Priority.URGENT, "urgent", 0)],
)
def test_the_priority_says_when_it_is_due(as_, request_, chosen, priority, days):

    late = datetime(2026, 5, 1, 20, tzinfo=UTC)  # already the 2nd in Shanghai
    ctx = as_("wang", now=lambda: late)
    order = triage.accept(ctx, no=request_.no, how=Acceptance(priority=chosen))
    assert order.priority == priority
    assert order.due_on == date(2026, 5, 2) + timedelta(days=days)


def test_it_may_be_taken_out_of_use_at_once(as_, asset, request_):
    order = triage.accept(as_("wang"), no=request_.no, how=Acceptance(is_out_of_use=True))
    assert fresh(as_("wang"), Asset, id=asset.id).availability is Availability.DOWN
    assert order.down_from is not None


def test_a_checklist_is_copied(as_, request_):
    order = triage.accept(as_("wang"), no=request_.no, how=Acceptance(template_code="MON"))
    assert order.template_code == "MON"
    with pytest.raises(NotFound):
        other = make_request(as_("lin"), make_asset(as_("wang")))
        triage.accept(as_("wang"), no=other.no, how=Acceptance(template_code="TOASTER"))
    assert fresh(as_("wang"), Request, no=other.no).triage is Triage.OPEN


@pytest.mark.parametrize("act", [triage.ask, triage.reject])
def test_questions_and_refusals_need_words(as_, request_, act):
    for nothing in (None, "", "  "):
        with pytest.raises(Invalid):
            act(as_("wang"), no=request_.no, reason=nothing)
    act(as_("wang"), no=request_.no, reason="Because")
    assert fresh(as_("wang"), Request).triage_note == "Because"


def test_a_duplicate_names_another_request_of_the_hospital(as_, asset, request_):
    twin = make_request(as_("lin"), asset)
    theirs = [make_request(as_("qin"), make_asset(as_("qin"))) for _ in range(3)][-1]
    for wrong in (twin.no, theirs.no, "R-0000-000000", None):
        with pytest.raises(Invalid):
            merging.mark_duplicate(as_("wang"), no=twin.no, of=wrong)
    merging.mark_duplicate(as_("wang"), no=twin.no, of=request_.no.lower())
    assert fresh(as_("wang"), Request, no=twin.no).duplicate_of_id == request_.id
    with pytest.raises(Invalid):
        merging.mark_duplicate(as_("wang"), no=request_.no, of=twin.no)


def test_the_state_follows_the_work(as_, request_):
    def state():
        return request_by_no(as_("wang"), request_.no).state

    assert state() is R.OPEN
    order = repaired(as_, request_)
    assert state() is R.RESOLVED
    close(as_("wang"), no=order.no, password=PASSWORD)
    assert state() is R.RESOLVED
    confirming.verify(as_("lin"), no=request_.no, rating=5)
    assert state() is R.CLOSED


def test_confirming_takes_stars_from_one_to_five(as_, request_):
    repaired(as_, request_)
    for wrong in (0, 6, -1):
        with pytest.raises(Invalid):
            confirming.verify(as_("lin"), no=request_.no, rating=wrong)
    confirming.verify(as_("lin"), no=request_.no, rating=4, comment="Quick")
    found = fresh(as_("wang"), Request)
    assert (found.rating, found.rating_comment, found.verified_by_silence) == (4, "Quick", False)
    with pytest.raises(Conflict):
        confirming.verify(as_("lin"), no=request_.no, rating=1)


@pytest.mark.database
def test_still_broken_opens_a_new_repair_and_keeps_the_old_one(as_, asset, request_):
    old = repaired(as_, request_)
    new = confirming.reopen(as_("lin"), no=request_.no, comment="Beeps again")
    assert new.origin == f"rework:{old.no}"
    assert new.priority is Priority.HIGH
    assert fresh(as_("wang"), WorkOrder, id=old.id).state is WorkState.DONE
    assert fresh(as_("wang"), Request).work_order_id == new.id
    with pytest.raises(Conflict):
        confirming.reopen(as_("lin"), no=request_.no)


@pytest.mark.database
def test_silence_confirms_after_three_days_once_and_says_so(as_, request_):

    repaired(as_, request_)
    unrepaired = make_request(as_("lin"), make_asset(as_("wang")))
    just_before = utc_now() + confirming.SILENCE - timedelta(minutes=5)
    confirm_by_silence(as_("system", now=lambda: just_before))
    assert fresh(as_("wang"), Request, no=request_.no).verified_at is None

    later = utc_now() + confirming.SILENCE + timedelta(minutes=5)
    for _ in range(2):
        confirm_by_silence(as_("system", now=lambda: later))
    found = fresh(as_("wang"), Request, no=request_.no)
    assert found.verified_by_silence
    assert found.rating is None
    assert fresh(as_("wang"), Request, no=unrepaired.no).verified_at is None


STATES = {
    R.OPEN: lambda as_, r: None,
    R.NEEDS_INFO: lambda as_, r: triage.ask(as_("wang"), no=r.no, reason="?"),
    R.REJECTED: lambda as_, r: triage.reject(as_("wang"), no=r.no, reason="no"),
    R.ASSIGNED: lambda as_, r: triage.accept(as_("wang"), no=r.no),
    R.RESOLVED: repaired,
}
ACTS = {
    "accept": lambda ctx, no: triage.accept(ctx, no=no),
    "ask": lambda ctx, no: triage.ask(ctx, no=no, reason="?"),
    "unmerge": lambda ctx, no: merging.unmerge(ctx, no=no),
    "reject": lambda ctx, no: triage.reject(ctx, no=no, reason="no"),
    "mark_duplicate": lambda ctx, no: merging.mark_duplicate(ctx, no=no, of="R-2000-000001"),
    "verify": lambda ctx, no: confirming.verify(ctx, no=no, rating=3),
    "reopen": lambda ctx, no: confirming.reopen(ctx, no=no),
}


@pytest.mark.parametrize("who", ["lin", "chen", "wang", "zhao"])
@pytest.mark.parametrize("state", list(STATES))
def test_who_may_do_what_in_which_state(as_, asset, request_, state, who):
    STATES[state](as_, request_)
    query_again = as_(who)
    for action, act in ACTS.items():
        steps = [s for s in REQUEST.steps if s.action == action]
        possible = any(state in s.sources for s in steps)
        permitted = any(s.permission in query_again.actor.permissions for s in steps)
        if possible and permitted:
            continue  # what is allowed is tried in the tests above
        expected = NotAllowed if not permitted else Conflict
        with pytest.raises(expected):
            act(query_again, request_.no)
    assert {s.action for s in REQUEST.steps} == set(ACTS)


def test_the_other_hospital_decides_nothing(as_, request_):
    for act in ACTS.values():
        with pytest.raises(NotFound):
            act(as_("qin"), request_.no)


def test_a_stale_page_decides_nothing(as_, request_):
    old = request_.version
    triage.ask(as_("wang"), no=request_.no, reason="?", version=old)
    with pytest.raises(Conflict):
        triage.reject(as_("zhao"), no=request_.no, reason="no", version=old)


def test_each_decision_is_news(as_, request_):
    triage.ask(as_("wang"), no=request_.no, reason="?")
    ctx = as_("wang")
    kinds = [(e.kind, e.payload.get("action")) for e in ctx.session.scalars(select(Outbox))]
    assert ("requests.reported", None) in kinds
    assert ("requests.moved", "ask") in kinds


def test_a_device_with_open_work_is_not_retired(as_, asset):

    make_work(as_("wang"), asset)
    with pytest.raises(Conflict, match="still open"):
        advance(as_("wang"), code=asset.code, action="retire")


@pytest.mark.parametrize("who", sorted(CAST))
def test_the_list_shows_ones_own_hospital(login, as_, who, request_):
    theirs = [make_request(as_("qin"), make_asset(as_("qin"), name="Qins pump")) for _ in range(2)]
    page = login(who).get("/requests").get_data(as_text=True)
    assert (theirs[-1].no in page) is (who == "qin")
    assert ("Bedside monitor" in page) is (who != "qin")


@pytest.mark.database
def test_the_list_is_divided_and_counted(login, as_, asset, request_):
    rejected = make_request(as_("lin"), asset)
    triage.reject(as_("wang"), no=rejected.no, reason="no")
    page = login("wang").get("/requests?state=new").get_data(as_text=True)
    assert request_.no in page
    assert rejected.no not in page
    page = login("wang").get("/requests?state=ended").get_data(as_text=True)
    assert request_.no not in page
    assert rejected.no in page


def test_a_reporter_reads_but_does_not_decide(login, request_):
    page = login("lin").get(f"/requests/{request_.no}").get_data(as_text=True)
    assert "It beeps" in page
    assert "Accept and open a repair" not in page
    answer = login("lin").post(f"/requests/{request_.no}/accept", data={"priority": "low"})
    assert answer.status_code == 403


def test_triage_on_its_page(login, request_):
    browser = login("wang")
    page = browser.get(f"/requests/{request_.no}").get_data(as_text=True)
    assert "Accept and open a repair" in page
    refused = browser.post(f"/requests/{request_.no}/reject", data={"part": "reject"})
    assert refused.status_code == 422
    assert "Say why" in refused.get_data(as_text=True)
    accepted = browser.post(f"/requests/{request_.no}/accept", data={"priority": "high"})
    assert accepted.location.startswith("/work-orders/WO-")
    stale = browser.post(
        f"/requests/{request_.no}/accept", data={"priority": "high", "version": "1"}
    )
    assert stale.status_code == 409
    assert browser.post(f"/requests/{request_.no}/explode").status_code == 404
