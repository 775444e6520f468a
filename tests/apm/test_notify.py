"""Events become messages to the people they concern, once."""

import pytest
from sqlalchemy import select

from apm.accounts.queries import system_actor
from apm.core.command import Context
from apm.core.events import Outbox
from apm.notify.model import Notification
from apm.requests.events import RequestMoved, RequestReported
from apm.work.events import WorkOrderMoved, WorkOrderOpened
from apm.worker.delivery import deliver

REPORT = {"request_id": 1, "no": "R-1", "asset_id": 1, "symptom": "x"}
ORDER = {"work_order_id": 1, "no": "WO-1", "origin": None}

pytestmark = pytest.mark.database


@pytest.fixture
def told(as_):
    """Announce an event at North and deliver it; return who was told what."""

    def tell(event):
        ctx = as_("system")
        with ctx.writing("test"):
            ctx.emit(event)
        deliver(Context(as_("system").session, system_actor(None)))
        names = {as_(who).actor.user_id: who for who in ("lin", "chen", "wang", "zhao", "amy")}
        rows = as_("system").session.scalars(select(Notification))
        return {(names[row.user_id], row.kind) for row in rows}

    return tell


def test_those_who_triage_hear_of_a_report(told):
    assert told(RequestReported(**REPORT, is_urgent=False)) == {
        ("wang", "request_reported"),
        ("amy", "request_reported"),
    }


def test_managers_hear_of_an_urgent_one(told):
    assert ("zhao", "request_urgent") in told(RequestReported(**REPORT, is_urgent=True))


def test_a_signed_in_reporter_hears_how_it_goes_on(told, as_):
    lin = as_("lin").actor.user_id
    event = RequestMoved(request_id=1, no="R-1", action="x", state="resolved", reporter_id=lin)
    assert told(event) == {("lin", "request_moved")}


def test_a_finding_reaches_the_engineers_and_a_plan_nobody(told):
    plan = WorkOrderOpened(**ORDER, type="preventive", priority="normal", asset_id=1)
    assert told(plan) == set()
    finding = WorkOrderOpened(**ORDER, type="predictive", priority="high", asset_id=1)
    assert told(finding) == {("wang", "finding"), ("amy", "finding")}


def test_the_assignee_hears_of_new_work_and_closers_of_done(told, as_):
    chen = as_("chen").actor.user_id
    step = {**ORDER, "type": "corrective", "assignee_id": chen}
    assert told(WorkOrderMoved(**step, action="assign", state="assigned")) == {
        ("chen", "assigned")
    }
    after = told(WorkOrderMoved(**step, action="complete", state="done"))
    assert {who for who, kind in after if kind == "to_close"} == {"wang", "zhao", "amy"}


def test_a_repeated_delivery_tells_nobody_twice(told, as_):
    told(RequestReported(**REPORT, is_urgent=False))
    ctx = as_("system")
    with ctx.writing("test"):
        row = ctx.session.scalars(select(Outbox)).first()
        row.due_at = ctx.now()
    deliver(Context(as_("system").session, system_actor(None)))
    assert len(as_("system").session.scalars(select(Notification)).all()) == 2


def test_the_other_hospital_hears_nothing_and_each_reads_their_own(told, login):
    told(RequestReported(**REPORT, is_urgent=False))
    assert "New fault report R-1" in login("wang").get("/inbox").get_data(as_text=True)
    for who in ("qin", "zhao"):
        assert "R-1" not in login(who).get("/inbox").get_data(as_text=True)


def test_reading_all_clears_the_bell_of_one_person_alone(told, login, as_):
    told(RequestReported(**REPORT, is_urgent=False))
    login("wang").post("/inbox/read")
    rows = as_("system").session.scalars(select(Notification)).all()
    wang = as_("wang").actor.user_id
    assert {row.user_id == wang for row in rows if row.read_at} == {True}
    assert len([row for row in rows if row.read_at is None]) == 1
