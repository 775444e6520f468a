"""Something urgent goes from people to people until one answers."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from apm.accounts.queries import system_actor
from apm.core.clock import utc_now
from apm.core.command import Context
from apm.notify.escalating import escalate
from apm.notify.jobs import escalate as ask_further
from apm.notify.messages import News
from apm.notify.model import Escalation, Notification
from apm.requests.triage import accept
from apm.worker.delivery import deliver
from tests.apm.hospital import make_asset, make_request

pytestmark = pytest.mark.database
NEWS = News("escalated", {"no": "R-1"}, "/requests/R-1")


@pytest.fixture
def urgent(as_):
    """An urgent report at North, told; and another at South as noise."""
    request = make_request(as_("lin"), make_asset(as_("wang")), patient_involved=True)
    make_request(as_("qin"), make_asset(as_("qin")), patient_involved=True)
    deliver(Context(as_("system").session, system_actor(None)))
    return request


def pass_minutes(as_, minutes):
    now = utc_now() + timedelta(minutes=minutes)
    ask_further(as_("system", now=lambda: now))
    deliver(Context(as_("system").session, system_actor(None), lambda: now))


def told(as_, kind="escalated"):
    names = {as_(who).actor.user_id: who for who in ("lin", "chen", "wang", "zhao", "amy", "qin")}
    rows = as_("system").session.scalars(select(Notification).where(Notification.kind == kind))
    return [names[row.user_id] for row in rows.all()]


def test_nobody_further_is_asked_before_the_time(as_, urgent):
    assert set(told(as_, "request_urgent")) == {"wang", "zhao", "amy"}
    pass_minutes(as_, 9)
    assert told(as_) == []


def test_step_by_step_until_the_chain_ends(as_, urgent):
    pass_minutes(as_, 11)
    assert told(as_) == ["wang"]
    pass_minutes(as_, 15)
    assert told(as_) == ["wang"]
    pass_minutes(as_, 22)
    assert told(as_) == ["wang", "zhao"]
    pass_minutes(as_, 45)
    pass_minutes(as_, 600)
    assert told(as_) == ["wang", "zhao", "amy"]


def test_opening_the_message_answers(as_, urgent, login):
    wang = as_("wang")
    [notice] = wang.session.scalars(
        select(Notification).where(Notification.user_id == wang.actor.user_id)
    ).all()
    answer = login("wang").get(f"/inbox/{notice.id}")
    assert answer.headers["Location"] == f"/requests/{urgent.no}"
    pass_minutes(as_, 60)
    assert told(as_) == []
    ended = as_("system").session.scalars(select(Escalation)).one()
    assert ended.answered_by == wang.actor.user_id


def test_one_button_answers_and_reading_all_does_not(as_, urgent, login):
    zhao = login("zhao")
    assert "I see to it" in zhao.get("/inbox").get_data(as_text=True)
    zhao.post("/inbox/read")
    pass_minutes(as_, 11)
    assert told(as_) == ["wang"]
    mine = as_("zhao")
    [notice] = mine.session.scalars(
        select(Notification).where(Notification.user_id == mine.actor.user_id)
    ).all()
    assert zhao.post(f"/inbox/{notice.id}/acknowledge").status_code == 303
    assert "I see to it" not in zhao.get("/inbox").get_data(as_text=True)
    pass_minutes(as_, 60)
    assert told(as_) == ["wang"]


def test_taking_up_the_report_answers(as_, urgent):
    accept(as_("wang"), no=urgent.no)
    deliver(Context(as_("system").session, system_actor(None)))
    pass_minutes(as_, 60)
    assert told(as_) == []


def test_nobody_answers_for_another_or_another_hospital(as_, urgent, login):
    wang = as_("wang")
    [notice] = wang.session.scalars(
        select(Notification).where(Notification.user_id == wang.actor.user_id)
    ).all()
    for who in ("chen", "qin"):
        assert login(who).get(f"/inbox/{notice.id}").status_code == 404
        assert login(who).post(f"/inbox/{notice.id}/acknowledge").status_code == 404
    pass_minutes(as_, 11)
    assert told(as_) == ["wang"]


def test_a_hospital_says_who_is_asked_and_when(as_, urgent, login):
    form = {
        "after_0": "5", "who_0": "admins", "after_1": "60", "who_1": "managers",
        "after_2": "1", "who_2": "nobody",
    }  # fmt: skip
    assert login("wang").post("/admin/channels/escalation", data=form).status_code == 403
    assert login("amy").post("/admin/channels/escalation", data=form).status_code == 303
    make_request(as_("lin"), make_asset(as_("wang")), patient_involved=True)
    deliver(Context(as_("system").session, system_actor(None)))
    pass_minutes(as_, 6)
    assert told(as_) == ["amy"]


@pytest.mark.parametrize("wrong", [{"after_0": "0"}, {"who_0": "everybody"}, {"after_1": "x"}])
def test_a_chain_that_makes_no_sense_is_refused(login, wrong):
    form = {
        "after_0": "5", "who_0": "admins", "after_1": "60", "who_1": "managers",
        "after_2": "1", "who_2": "nobody", **wrong,
    }  # fmt: skip
    assert login("amy").post("/admin/channels/escalation", data=form).status_code == 422


def test_a_chain_of_named_people_and_a_repeated_event(as_):
    chen = as_("chen").actor.user_id
    ctx = as_("system")
    with ctx.writing("test"):
        chain = [[chen], [as_("qin").actor.user_id]]
        first = escalate(ctx, event_id=5, subject="WO-1", news=NEWS, chain=chain)
        assert escalate(ctx, event_id=5, subject="WO-1", news=NEWS, chain=chain) == first
    pass_minutes(as_, 11)
    pass_minutes(as_, 60)
    assert told(as_) == ["chen"]  # nobody of another hospital is told, whoever names them
