"""Work on a phone: from the nurse's report to her stars, over the pages alone."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from apm.accounts.queries import hospital_day
from apm.core.command import Context
from apm.procedures.model import Verdict
from apm.requests import triage
from apm.requests.model import Request
from apm.today import queries as today
from apm.work import queries
from apm.work.model import WorkOrder, WorkStep
from apm.work.moving import Facts, move_work
from apm.work.states import Priority, WorkState, WorkType
from apm.work.timeline import timeline_of
from tests.apm.field import answer_elsewhere
from tests.apm.hospital import make_asset, make_request, make_work, start_work
from tests.conftest import PASSWORD
from tests.queries import count_queries


def text(answer):
    assert answer.status_code == 200, answer.status
    return answer.get_data(as_text=True)


def only(as_, model, **by):
    return as_("wang").session.scalars(select(model).filter_by(**by)).one()


@pytest.mark.database
def test_report_triage_work_approval_and_stars(client, login, as_):
    asset = make_asset(as_("wang"), "MON", name="Bedside monitor", name_zh="监护仪")
    nurse, chen, wang = client, login("chen"), login("wang")

    report = {"symptom": "alarm", "description": "Beeps all night", "nonce": "NONCE-000001"}
    link = nurse.post(f"/a/{asset.code}", data=report).location
    assert "Beeps all night" in text(wang.get("/requests/R-" + link_no(as_)))

    accept = {"priority": "high", "template": "MON"}
    work = wang.post(f"/requests/R-{link_no(as_)}/accept", data=accept).location
    chen_id = as_("chen").actor.user_id
    wang.post(f"{work}/assign", data={"assignee": chen_id})
    assert "Bedside monitor" in text(chen.get("/"))
    assert "Beeps all night" in text(chen.get(work)), "the words of the report come along"
    assert chen.post(f"{work}/start").status_code == 303
    assert "Do not use" in text(nurse.get(f"/a/{asset.code}"))

    answers = {}
    for step in as_("wang").session.scalars(select(WorkStep)):
        answers.setdefault("step", []).append(step.key)
        answers[f"s{step.id}" if step.kind.value == "check" else f"s{step.id}_verdict"] = (
            "pass" if step.kind.value == "check" else "na"
        )
        if step.key == "hr@60":
            answers[f"s{step.id}"] = "61,5"
    assert chen.post(f"{work}/results", data=answers).status_code == 303
    assert only(as_, WorkStep, key="hr@60").value == 61.5

    done = {"cause": "UPF", "remedy": "Alarm board replaced", "labour_minutes": "35"}
    refused = chen.post(f"{work}/complete", data={**done, "part": "complete", "password": "no"})
    assert refused.status_code == 422
    assert "password is wrong" in refused.get_data(as_text=True)
    chen.post(f"{work}/costs", data={"kind": "parts", "amount": "199,90", "note": "Board"})
    assert chen.post(f"{work}/complete", data={**done, "password": PASSWORD}).status_code == 303
    assert "Does it work again?" in text(nurse.get(link))
    wang.post(f"{work}/close", data={"password": PASSWORD})
    assert only(as_, WorkOrder).state is WorkState.CLOSED

    assert nurse.post(f"{link}/verify", data={"rating": "5"}).status_code == 303
    assert "5 of 5" in text(nurse.get(link))
    page = text(wang.get(work))
    for shown in ("Work performed", "Work approved", "199.90", "Chen Bo", "Unpreventable failure"):
        assert shown in page
    assert "Usable" in text(nurse.get(f"/a/{asset.code}"))


def link_no(as_):

    return only(as_, Request).no.removeprefix("R-")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("who", ["chen", "wang", "zhao"])
def test_an_order_in_every_state_has_a_page(login, as_, lang, who):
    browser = login(who)
    repair = make_work(as_("wang"), template_code="MON", asset=make_asset(as_("wang")))
    assert text(browser.get(f"/work-orders/{repair.no}?lang={lang}"))
    start_work(as_("chen"), as_("wang"), repair)
    assert text(browser.get(f"/work-orders/{repair.no}?lang={lang}"))
    move_work(as_("wang"), no=repair.no, action="cancel", facts=Facts("not needed"))
    assert "not needed" in text(browser.get(f"/work-orders/{repair.no}?lang={lang}"))


def test_an_answer_given_meanwhile_is_shown_and_not_overwritten(login, as_):
    """Without a script: the form says what somebody else answered; saved again, it counts."""
    order = make_work(as_("wang"), template_code="VENT")
    start_work(as_("chen"), as_("wang"), order)
    q1 = only(as_, WorkStep, key="q1")
    form = {"step": ["q1"], f"s{q1.id}": "pass", f"s{q1.id}_base": str(q1.revision)}
    answer_elsewhere(as_, order, "q1", verdict=Verdict.FAIL)

    url = f"/work-orders/{order.no}/results"
    refused = login("chen").post(url, data=form)

    assert refused.status_code == 409
    assert "answered meanwhile: Fail" in refused.get_data(as_text=True)
    assert only(as_, WorkStep, key="q1").verdict is Verdict.FAIL
    now = re.search(rf'name="s{q1.id}_base" value="(\d+)"', refused.get_data(as_text=True))
    again = login("chen").post(url, data={**form, f"s{q1.id}_base": now[1]})
    assert again.status_code == 303
    assert only(as_, WorkStep, key="q1").verdict is Verdict.PASS


def test_a_wrong_number_keeps_what_was_typed(login, as_):
    order = make_work(as_("wang"), template_code="VENT")
    start_work(as_("chen"), as_("wang"), order)
    vt, es1 = only(as_, WorkStep, key="vt@400"), only(as_, WorkStep, key="es1")
    form = {"step": ["vt@400", "es1"], f"s{vt.id}": "4oo", f"s{es1.id}": "0.25"}
    page = login("chen").post(f"/work-orders/{order.no}/results", data=form)
    assert page.status_code == 422
    assert 'value="4oo"' in page.get_data(as_text=True)
    assert 'value="0.25"' in page.get_data(as_text=True)
    assert only(as_, WorkStep, key="es1").value is None


def test_evidence_is_a_chart_with_words(login, as_):
    start = datetime(2026, 11, 1, tzinfo=UTC)
    times = [(start + timedelta(hours=n)).isoformat() for n in range(48)]
    evidence = {
        "sensor": "CT-TEMP", "unit": "°C", "score": 2.4, "reason": "level",
        "since": times[30],
        "series": {"at": times, "value": [20 + n / 10 for n in range(48)],
                   "low": [19.0] * 48, "high": [23.0] * 48},
    }  # fmt: skip
    order = make_work(as_("system"), type=WorkType.PREDICTIVE, origin="alarm:1", evidence=evidence,
                      asset=make_asset(as_("wang")))  # fmt: skip
    page = text(login("chen").get(f"/work-orders/{order.no}"))
    assert "CT-TEMP" in page
    assert '<svg class="plot"' in page
    assert 'class="band"' in page


def section(page, title):
    found = re.search(rf"<h2>{title}</h2>(.*?)(?=<h2>|</main>)", page, re.DOTALL)
    return found.group(1) if found else ""


@pytest.mark.database
def test_my_work_today_shows_each_thing_once_in_its_place(login, as_):
    wang, chen = as_("wang"), as_("chen")

    def made(title, **facts):
        return make_work(as_("wang"), make_asset(wang), title=title, **facts)

    made("URGENT-ONE", priority=Priority.URGENT)
    made("TAKE-ME")
    made("SEEN-AHEAD", type=WorkType.PREDICTIVE, origin="alarm:1")
    mine, waits, others = made("MINE-NOW"), made("WAITS"), made("SOMEBODY-ELSES")
    start_work(chen, as_("wang"), mine)
    start_work(as_("chen"), as_("wang"), waits)
    move_work(as_("chen"), no=waits.no, action="wait_parts", facts=Facts("fan"))
    start_work(as_("wang"), as_("wang"), others)
    late = made("LATE-ONE", due_on=hospital_day(as_("wang")) - timedelta(days=5))
    make_work(as_("qin"), make_asset(as_("qin")), title="SOUTHERN")
    gone = made("CANCELLED-ONE")
    move_work(as_("wang"), no=gone.no, action="cancel", facts=Facts("x"))

    page = text(login("chen").get("/"))
    places = {
        "URGENT-ONE": "Now", "LATE-ONE": "Now", "TAKE-ME": "To take", "MINE-NOW": "Mine",
        "SEEN-AHEAD": "Predicted soon", "WAITS": "Waiting",
    }  # fmt: skip
    for title, place in places.items():
        assert page.count(title) == 1, title
        assert title in section(page, place), title
    for absent in ("SOMEBODY-ELSES", "SOUTHERN", "CANCELLED-ONE"):
        assert absent not in page
    assert late.no in page


def test_of_a_long_day_ones_own_work_is_not_what_is_left_out(login, as_, monkeypatch):
    monkeypatch.setattr(today, "MOST", 2)
    own = make_work(as_("wang"), title="LOW-BUT-MINE", priority=Priority.LOW)
    start_work(as_("chen"), as_("wang"), own)
    browser = login("chen")
    for title in ("URGENT-ONE", "URGENT-TWO"):
        assert "All work orders" not in text(browser.get("/"))
        make_work(as_("wang"), title=title, priority=Priority.URGENT)
    page = text(browser.get("/"))
    assert page.index("URGENT-ONE") < page.index("LOW-BUT-MINE")
    assert "URGENT-TWO" not in page
    assert "All work orders" in page


def test_an_empty_day_says_so(login):
    assert "Nothing to do right now." in text(login("chen").get("/"))


def test_new_reports_stand_before_those_who_triage(login, as_):
    request = make_request(as_("lin"), make_asset(as_("wang")))
    assert request.no in text(login("wang").get("/"))
    assert request.no not in text(login("chen").get("/"))
    triage.accept(as_("wang"), no=request.no)
    assert request.no not in text(login("wang").get("/"))


def test_a_reporter_is_led_to_the_requests(login):
    answer = login("lin").get("/")
    assert (answer.status_code, answer.location) == (303, "/requests")
    assert login("lin").get("/work-orders").status_code == 403


@pytest.mark.database
def test_the_list_filters_with_noise_and_keeps_hospitals_apart(login, as_):
    asset = make_asset(as_("wang"), department="ICU")
    mine = make_work(as_("wang"), asset, title="THE-ONE", type=WorkType.PREVENTIVE)
    start_work(as_("chen"), as_("wang"), mine)
    make_work(as_("wang"), make_asset(as_("wang")), title="NOISE")
    make_work(as_("qin"), make_asset(as_("qin")), title="SOUTHERN")
    browser = login("chen")
    for wanted in (
        "state=in_progress", "type=preventive", f"asset={asset.code}", "assignee=me",
        f"department={asset.department_id}", f"q={mine.no.lower()}",
    ):  # fmt: skip
        page = text(browser.get(f"/work-orders?{wanted}"))
        assert "THE-ONE" in page, wanted
        assert "NOISE" not in page, wanted
    assert "NOISE" in text(browser.get("/work-orders"))
    assert "SOUTHERN" not in text(browser.get("/work-orders"))
    assert "No work order matches." in text(browser.get("/work-orders?state=closed"))


@pytest.mark.database
def test_the_list_goes_on_page_by_page(as_):
    asset = make_asset(as_("wang"))
    for _ in range(5):
        make_work(as_("wang"), asset)
    ctx, wanted = as_("wang"), queries.WorkFilter()
    first = queries.work_page(ctx, wanted, limit=3)
    rest = queries.work_page(ctx, wanted, after=first.next, limit=3)
    assert [o.no[-1] for o in first.items + rest.items] == list("54321")
    assert rest.next is None


@pytest.mark.parametrize(
    "url", ["/", "/work-orders", "/requests", "/work-orders/{no}", "/a/{code}"]
)
def test_statements_do_not_grow_with_the_rows(login, as_, engine, url):
    asset = make_asset(as_("wang"), department="ICU", location="Room 1")
    browser, counts = login("wang"), []
    for amount in (2, 6):
        for _ in range(amount):
            other = make_asset(as_("wang"), department="ICU", location="Room 1")
            order = make_work(as_("wang"), other, template_code="US")
            make_request(as_("lin"), other)
        address = url.format(no=order.no, code=asset.code)
        browser.get(address)
        with count_queries(engine) as sent:
            assert browser.get(address).status_code == 200
        counts.append(len(sent))
    assert counts[0] == counts[1]
    assert counts[0] < 40  # the page of an order has a section of each feature


def test_a_stale_form_is_told_to_reload(login, as_):
    order = make_work(as_("wang"))
    chen, wang = login("chen"), login("wang")
    seen = {"version": str(order.version)}
    assert chen.post(f"/work-orders/{order.no}/take", data=seen).status_code == 303
    answer = wang.post(f"/work-orders/{order.no}/take", data=seen)
    assert answer.status_code == 409
    assert "Reload" in answer.get_data(as_text=True)


def test_what_somebody_did_at_once_is_one_line_of_the_story(as_):
    wang = as_("wang")
    order = make_work(wang)
    for request_id in ("one", "two"):
        ctx = Context(wang.session, wang.actor, request_id=request_id)
        with ctx.writing("work_order.prioritise"):  # two writes of the row: two entries each
            order.title = f"Repair {request_id}"
            ctx.session.flush()
            order.priority = Priority.LOW if request_id == "one" else Priority.URGENT
    lines = timeline_of(wang, order)
    assert [(line.action, line.priority) for line in lines[:2]] == [
        ("prioritise", "urgent"), ("prioritise", "low"),
    ]  # fmt: skip
    assert len(queries.history_of(wang, order)) == len(lines) + 2


def test_notes_are_saved_on_the_way_without_a_signature(login, as_):
    order = make_work(as_("wang"))
    start_work(as_("chen"), as_("wang"), order)
    said = {"remedy": "Fan ordered", "labour_minutes": "20", "cause": "", "password": ""}
    assert login("chen").post(f"/work-orders/{order.no}/record", data=said).status_code == 303
    kept = only(as_, WorkOrder)
    assert (kept.remedy, kept.labour_minutes, kept.state) == (
        "Fan ordered",
        20,
        WorkState.IN_PROGRESS,
    )
    assert login("wang").post(f"/work-orders/{order.no}/record", data=said).status_code == 403


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_other_hospitals_orders_do_not_exist(login, as_, method):
    order = make_work(as_("wang"))
    url = f"/work-orders/{order.no}" + ("/take" if method == "post" else "")
    assert getattr(login("qin"), method)(url).status_code == 404


def test_the_page_of_a_device_tells_of_its_work(login, as_):
    asset = make_asset(as_("wang"))
    make_work(as_("wang"), asset, title="OPEN-ONE")
    gone = make_work(as_("wang"), asset, title="OLD-ONE")
    move_work(as_("wang"), no=gone.no, action="cancel", facts=Facts("x"))
    make_work(as_("wang"), make_asset(as_("wang")), title="NOISE")
    request = make_request(as_("lin"), asset)
    page = text(login("wang").get(f"/assets/{asset.code}"))
    for shown in ("OPEN-ONE", "OLD-ONE", request.no):
        assert shown in page
    assert "NOISE" not in page
