"""What a phone sends from the place of work: twice, late, by a wrong clock, to a changed order."""

import base64
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from apm.assets.commands import advance
from apm.core.audit import AuditEntry
from apm.procedures.model import Verdict
from apm.work import queries
from apm.work.completion import Completion, close, complete, is_intact
from apm.work.field_model import Addendum, AnswerChoice
from apm.work.model import WorkOrder, WorkStep
from apm.work.moving import Facts, move_work
from tests.apm.field import Phone, answer_elsewhere, hand_over
from tests.apm.hospital import jpeg, make_asset, make_work, start_work
from tests.conftest import PASSWORD

SAID = Completion(cause="UPF", remedy="Board replaced", labour_minutes=45)
DAY = timedelta(hours=23, minutes=58)
HAND = "M10 10L40 60L80 20L120 70L160 30L200 80"


@pytest.fixture
def order(as_):
    """A repair of a ventilator with a checklist, which Chen has started."""
    made = make_work(as_("wang"), make_asset(as_("wang"), "VENT"), template_code="VENT")
    start_work(as_("chen"), as_("wang"), made)
    return made


@pytest.fixture
def repair(as_):
    """A repair without a checklist, which Chen has started."""
    made = make_work(as_("wang"), make_asset(as_("wang"), "MON"))
    start_work(as_("chen"), as_("wang"), made)
    return made


@pytest.fixture
def phone(login, order):
    return Phone(login("chen"), order.no)


def one(as_, model, **by):
    return as_("wang").session.scalars(select(model).filter_by(**by)).one()


def whole(as_, order):
    return queries.work_order(as_("wang"), order.no)


@pytest.mark.database
def test_an_answer_sent_twice_is_stored_once(as_, phone):
    body = {"verdict": "pass", "base": 0, "device_at": phone.now().isoformat()}
    first = phone.send("results/q1", body, key="one")
    again = phone.send("results/q1", body, key="one")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["Idempotent-Replay"] == "true"
    assert one(as_, WorkStep, key="q1").revision == 1


@pytest.mark.database
def test_both_clocks_are_kept_and_a_wrong_one_is_put_right(as_, login, order):
    phone = Phone(login("chen"), order.no, ahead=DAY)
    before = as_("wang").now()

    answer = phone.send("results/q1", {"verdict": "pass"}, ago=timedelta(minutes=50))

    assert answer.status_code == 200, "a wrong clock refuses nothing"
    step = one(as_, WorkStep, key="q1")
    assert abs(step.answered_at - (before - timedelta(minutes=50))) < timedelta(seconds=30)
    assert abs(step.received_at - before) < timedelta(seconds=30)
    assert step.device_at > before + timedelta(hours=22)
    assert abs(step.clock_ahead_s - DAY.total_seconds()) < 30
    page = login("wang").get(f"/work-orders/{order.no}").get_data(as_text=True)
    assert "the phone&#39;s clock was 23 h 58 min ahead" in page


def test_a_clock_that_says_nothing_sensible_counts_as_now(as_, login, order):
    phone = Phone(login("chen"), order.no, ahead=-timedelta(days=365 * 56))
    assert phone.send("results/q1", {"verdict": "pass"}).status_code == 200
    step = one(as_, WorkStep, key="q1")
    assert as_("wang").now() - step.answered_at < timedelta(minutes=1)


@pytest.mark.database
def test_what_somebody_else_answered_is_not_overwritten(as_, phone, order):
    answer_elsewhere(as_, order, "vt@400", value=470.5, note="Second try")

    refused = phone.send("results/vt@400", {"value": "402", "base": 0})

    assert refused.status_code == 409
    problem = refused.get_json()
    assert problem["code"] == "answered_meanwhile"
    theirs = problem["fields"]["theirs"]
    assert (theirs["value"], theirs["verdict"], theirs["note"]) == ("470.5", "fail", "Second try")
    assert theirs["by"] == "wang@north.example"
    assert datetime.fromisoformat(theirs["at"]).tzinfo
    assert one(as_, WorkStep, key="vt@400").value == 470.5


@pytest.mark.parametrize("chosen", ["mine", "theirs"])
def test_whichever_is_chosen_both_answers_are_written_down(as_, phone, order, chosen):
    answer_elsewhere(as_, order, "vt@400", value=470.5)
    theirs = phone.send("results/vt@400", {"value": "402", "base": 0}).get_json()["fields"]

    mine = {"value": "402", "base": int(theirs["theirs"]["revision"]), "chosen": chosen}
    assert phone.send("results/vt@400/choice", mine).status_code == 200

    assert one(as_, WorkStep, key="vt@400").value == (402 if chosen == "mine" else 470.5)
    choice = one(as_, AnswerChoice)
    assert (choice.chosen, choice.chosen_by) == (chosen, "chen@north.example")
    assert (choice.mine["value"], choice.theirs["value"]) == (402, "470.5")
    trail = select(AuditEntry).where(AuditEntry.command == "work_order.choose")
    assert {entry.entity for entry in as_("wang").session.scalars(trail)} >= {"AnswerChoice"}


def test_a_choice_is_between_the_answers_one_has_seen(as_, phone, order):
    answer_elsewhere(as_, order, "q1", verdict=Verdict.FAIL)
    stale = {"verdict": "pass", "base": 0, "chosen": "mine"}
    assert phone.send("results/q1/choice", stale).status_code == 409
    assert one(as_, WorkStep, key="q1").verdict is Verdict.FAIL


def test_ones_own_later_answers_are_no_conflict_but_another_phones_are(as_, login, phone, order):
    for verdict in ("pass", "fail", "na"):
        assert phone.send("results/q1", {"verdict": verdict, "base": 0}).status_code == 200
    other = Phone(login("chen"), order.no)
    assert other.send("results/q1", {"verdict": "pass", "base": 0}).status_code == 409
    assert other.send("results/q1", {"verdict": "na", "base": 0}).status_code == 200, "the same"


def test_what_comes_after_the_end_says_who_ended_it_and_goes_into_an_addendum(as_, phone, order):
    move_work(as_("wang"), no=order.no, action="cancel", facts=Facts("Scrapped"))

    refused = phone.send("results/q1", {"verdict": "pass", "base": 0})

    assert refused.status_code == 409
    problem = refused.get_json()
    assert problem["code"] == "over"
    assert problem["fields"]["state"] == "cancelled"
    assert problem["fields"]["by"] == "wang@north.example"
    added = phone.send("addenda", {"text": "Valve: passed"})
    assert added.status_code == 201
    assert one(as_, Addendum).text == "Valve: passed"


ENDS = {
    "done": (
        "wang@north.example 已签名确认工作完成。",
        "already signed as done, by wang@north.example.",
    ),
    "closed": ("此工单已由 zhao@north.example 关闭。", "was closed by zhao@north.example."),
    "cancelled": ("此工单已由 wang@north.example 取消。", "was cancelled by wang@north.example."),
    "retired": ("设备已报废，工单已由 wang@north.example 结束。", "The equipment is retired."),
}
"""What became of an order while a phone was offline, and what its owner then reads."""


def end(as_, order, how):
    if how in {"done", "closed"}:
        hand_over(as_, order, "wang")
        complete(as_("wang"), no=order.no, password=PASSWORD, said=SAID)
    else:
        move_work(as_("wang"), no=order.no, action="cancel", facts=Facts("Scrapped"))
    if how == "closed":
        close(as_("zhao"), no=order.no, password=PASSWORD)
    if how == "retired":
        advance(as_("wang"), code=whole(as_, order).asset.code, action="retire")


@pytest.mark.parametrize("how", ENDS)
def test_whose_work_ended_while_they_were_offline_reads_how(as_, login, repair, how):
    phone = Phone(login("chen"), repair.no)
    end(as_, repair, how)
    picture = base64.b64encode(jpeg()).decode()
    sent = {"photos": {"image": picture, "step": ""}, "record": {"remedy": "Board replaced"}}

    for lang, said in zip(("zh", "en"), ENDS[how], strict=True):
        phone.browser.get(f"/account?lang={lang}")
        for path, body in sent.items():
            refused = phone.send(path, body)
            assert (refused.status_code, refused.get_json()["code"]) == (409, "over"), path
            assert said in refused.get_json()["detail"]
    assert phone.send("addenda", {"text": "Board replaced"}).status_code == 201


def test_who_had_to_hand_the_work_over_may_still_add_to_it(as_, phone, order):
    hand_over(as_, order, "wang")
    refused = phone.send("results/q1", {"verdict": "pass"})
    assert refused.status_code == 403
    assert refused.get_json()["code"] == "not_yours"
    assert phone.send("addenda", {"text": "Valve: passed"}).status_code == 201


@pytest.mark.database
def test_an_addendum_leaves_the_signed_record_as_it_is(as_, login, repair):
    complete(as_("chen"), no=repair.no, password=PASSWORD, said=SAID)
    close(as_("zhao"), no=repair.no, password=PASSWORD)
    browser = login("chen")

    url = f"/work-orders/{repair.no}/addenda"
    page = browser.post(url, data={"text": "Serial was 0042"})

    assert page.status_code == 303
    assert "Serial was 0042" in browser.get(page.location).get_data(as_text=True)
    assert is_intact(whole(as_, repair))
    assert login("qin").post(url, data={"text": "x"}).status_code == 404
    assert login("lin").post(url, data={"text": "x"}).status_code == 403


def test_an_open_record_takes_no_addenda(phone):
    assert phone.send("addenda", {"text": "x"}).status_code == 409


def test_the_other_hospital_cannot_send_anything(login, as_, order):
    phone = Phone(login("qin"), order.no)
    for path, body in [
        ("results/q1", {"verdict": "pass"}),
        ("results/q1/choice", {"verdict": "pass", "base": 0, "chosen": "mine"}),
        ("record", {"remedy": "x"}),
        ("photos", {"image": base64.b64encode(jpeg()).decode()}),
        ("labour", {"began": phone.now().isoformat(), "ended": phone.now().isoformat()}),
        ("downtime", {"began": phone.now().isoformat()}),
        ("addenda", {"text": "x"}),
    ]:
        assert phone.send(path, body).status_code == 404, path
    assert one(as_, WorkOrder, no=order.no).remedy is None
