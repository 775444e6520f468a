"""A round: many simple devices on one sheet, signed at once, each in a record of its own."""

from __future__ import annotations

import re
from typing import Any

import pytest

from apm.assets.model import Risk
from apm.assets.queries import departments, locations
from apm.procedures import trial
from apm.procedures.model import Verdict
from apm.procedures.releasing import release
from apm.work import rounds
from apm.work.completion import is_intact
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.queries import work_order
from apm.work.states import WorkState, WorkType
from seed.demo.drafts import CODE, write_round
from tests.apm.field import hand_over
from tests.apm.hospital import make_asset, make_work
from tests.conftest import PASSWORD
from tests.queries import count_queries

HR = {"hr@60": "61", "hr@120": "121,5"}


@pytest.fixture
def monthly(as_: Any) -> str:
    """A template with two checks and two values: simple."""
    wang = as_("wang")
    write_round(wang)
    trial.try_draft(wang, code=CODE, answers={"hr@60": {"value": "64"}})
    release(wang, code=CODE, note="First", password=PASSWORD)
    return CODE


def planned(
    as_: Any, number: str, to: str = "chen", code: str = CODE, **details: Any
) -> WorkOrder:
    """A planned order on a device, given to somebody."""
    wang = as_("wang")
    placed = {"department": "ICU", "location": "Room 1", **details}
    asset = make_asset(wang, number=number, name=f"Monitor {number}", **placed)
    order = make_work(wang, asset, type=WorkType.PREVENTIVE, template_code=code)
    give = Facts(assignee_id=as_(to).actor.user_id, is_confirmed=True, reason="Round")
    move_work(wang, no=order.no, action="assign", facts=give)
    return work_order(as_("wang"), order.no)


def url_of(order: WorkOrder, page: str = "") -> str:
    """The address of the sheet it stands on."""
    assert order.asset
    return f"/rounds/{order.template_code}/{order.asset.department_id or 0}{page}"


def filled(order: WorkOrder, result: str = "pass", **values: str) -> dict[str, list[str]]:
    """What a sheet sends of one device, as it was shown."""
    form = {
        "order": [order.no],
        f"d{order.id}_result": [result],
        f"d{order.id}_version": [str(order.version)],
    }
    for step in order.steps:
        if step.unit:
            given = {**HR, **values}[step.key]
            form |= {f"s{step.id}": [given], f"s{step.id}_base": [str(step.revision)]}
            form.setdefault("step", []).append(step.key)
    return form


def together(*forms: dict[str, list[str]], **said: str) -> dict[str, list[str]]:
    """One sheet of several devices."""
    sent: dict[str, list[str]] = {name: [text] for name, text in said.items()}
    for form in forms:
        for name, texts in form.items():
            sent[name] = sent.get(name, []) + texts
    return sent


def state(as_: Any, order: WorkOrder) -> WorkState:
    """Where an order stands now."""
    return work_order(as_("wang"), order.no).state


@pytest.mark.database
def test_two_devices_are_signed_at_once_each_in_its_own_record(login, as_, monthly):
    second, first = planned(as_, "M-2"), planned(as_, "M-1")
    planned(as_, "W-1", department="Ward 9")
    planned(as_, "M-0", to="wang")
    planned(as_, "M-3", code="MON")
    chen = login("chen")

    overview = chen.get("/rounds").text
    assert "ICU · Monitor, monthly round" in overview
    assert "Ward 9" in overview
    assert "Room 1: 2" in overview, "somebody else's are not counted"
    page = chen.get(url_of(first)).text
    assert page.index("Monitor M-1") < page.index("Monitor M-2"), "in walking order"
    for absent in ("M-0", "W-1", "M-3"):
        assert absent not in page

    sent = together(filled(first), filled(second), password=PASSWORD, labour_minutes="4")
    answer = chen.post(url_of(first), data=sent)

    assert answer.status_code == 303
    told = chen.get(answer.location).text
    assert "2 devices are signed." in told
    assert told.count("Signed</span>") == 2
    for order in (first, second):
        now = work_order(as_("wang"), order.no)
        assert now.state is WorkState.DONE
        assert now.done_by == as_("chen").actor.user_id
        assert (now.labour_minutes, len(now.signatures), is_intact(now)) == (4, 1, True)
        assert {s.key: s.value for s in now.steps if s.unit} == {"hr@60": 61, "hr@120": 121.5}
        assert {s.verdict for s in now.steps} == {Verdict.PASS}


def test_sent_twice_it_is_signed_once(login, as_, monthly):
    order = planned(as_, "M-1")
    sent = together(filled(order), password=PASSWORD, nonce="THE-SAME")
    chen = login("chen")
    for _again in range(2):
        assert chen.post(url_of(order), data=sent).status_code == 303
    assert len(work_order(as_("wang"), order.no).signatures) == 1


@pytest.mark.database
def test_out_of_tolerance_is_refused_and_the_other_is_signed(login, as_, monthly):
    bad, good = planned(as_, "M-1"), planned(as_, "M-2")
    sent = together(filled(bad, **{"hr@60": "80"}), filled(good), password=PASSWORD)

    answer = login("chen").post(url_of(bad), data=sent)

    assert answer.status_code == 409
    assert "Out of tolerance: Heart rate" in answer.text
    assert 'value="80"' in answer.text, "what was typed is kept"
    assert state(as_, good) is WorkState.DONE
    left = work_order(as_("wang"), bad.no)
    assert left.state is WorkState.ASSIGNED, "nothing of it was written"
    assert {step.verdict for step in left.steps} == {None}


def test_what_failed_is_left_to_its_own_page(login, as_, monthly):
    failed, good = planned(as_, "M-1"), planned(as_, "M-2")
    sent = together(filled(failed, "fail"), filled(good), password=PASSWORD)
    chen = login("chen")
    answer = chen.post(url_of(failed), data=sent)
    assert answer.status_code == 303
    told = chen.get(answer.location).text
    assert "Failed: not signed" in told
    assert f'href="/work-orders/{failed.no}"' in told
    assert (state(as_, failed), state(as_, good)) == (WorkState.ASSIGNED, WorkState.DONE)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"password": "wrong"}, "The password is wrong."),
        ({"password": ""}, "Enter your password"),
        ({"password": PASSWORD, "labour_minutes": "x"}, "Nothing was saved yet"),
    ],
)
def test_without_the_password_nothing_changes(login, as_, monthly, said, says):
    order = planned(as_, "M-1")
    answer = login("chen").post(url_of(order), data=together(filled(order), **said))
    assert answer.status_code == 422
    assert says in answer.text
    assert 'value="61"' in answer.text
    now = work_order(as_("wang"), order.no)
    assert (now.state, now.version, now.signatures) == (WorkState.ASSIGNED, order.version, [])


@pytest.mark.parametrize("typed", ["", "6O", "1,234"])
def test_a_value_that_is_none_is_said_beside_its_field(login, as_, monthly, typed):
    order, other = planned(as_, "M-1"), planned(as_, "M-2")
    sent = together(filled(order, **{"hr@60": typed}), filled(other), password=PASSWORD)
    answer = login("chen").post(url_of(order), data=sent)
    assert answer.status_code == 422
    [step] = [step for step in order.steps if step.key == "hr@60"]
    assert f'id="s{step.id}-error"' in answer.text
    assert state(as_, other) is WorkState.ASSIGNED


def test_a_sheet_with_nothing_marked_says_what_to_do(login, as_, monthly):
    order = planned(as_, "M-1")
    sent = together(filled(order, ""), password=PASSWORD)
    answer = login("chen").post(url_of(order), data=sent)
    assert answer.status_code == 422
    assert "Mark at least one device as passed" in answer.text


def test_somebody_elses_order_is_not_signed(login, as_, monthly):
    mine, theirs = planned(as_, "M-1"), planned(as_, "M-2")
    sent = together(filled(mine), filled(theirs), password=PASSWORD)
    hand_over(as_, theirs, "wang")
    answer = login("chen").post(url_of(mine), data=sent)
    assert answer.status_code == 409
    assert "Wang Lei&#39;s now" in answer.text
    assert (state(as_, mine), state(as_, theirs)) == (WorkState.DONE, WorkState.ASSIGNED)
    assert work_order(as_("wang"), theirs.no).signatures == []


@pytest.mark.database
def test_what_ended_meanwhile_is_told_and_the_others_are_signed(login, as_, monthly):
    orders = [planned(as_, f"M-{n}") for n in range(3)]
    sent = together(*(filled(order) for order in orders), password=PASSWORD)
    move_work(as_("wang"), no=orders[1].no, action="cancel", facts=Facts("Lent out"))
    answer = login("chen").post(url_of(orders[0]), data=sent)
    assert answer.status_code == 409
    assert "This work order was cancelled by" in answer.text
    assert answer.text.count("Not signed") == 1
    assert answer.text.count("Signed</span>") == 2
    states = [state(as_, order) for order in orders]
    assert states == [WorkState.DONE, WorkState.CANCELLED, WorkState.DONE]


def test_an_order_that_moved_on_since_it_was_shown_is_not_signed(login, as_, monthly):
    order = planned(as_, "M-1")
    sent = together(filled(order), password=PASSWORD)
    move_work(as_("chen"), no=order.no, action="start")
    answer = login("chen").post(url_of(order), data=sent)
    assert answer.status_code == 409
    assert "Somebody else changed this first" in answer.text
    assert state(as_, order) is WorkState.IN_PROGRESS


def test_a_device_that_is_not_simple_has_its_own_page(login, as_, monthly):
    order = planned(as_, "M-1", code="MON")
    chen = login("chen")
    page = chen.get(url_of(order)).text
    assert "43 values are to be measured" in page
    assert f'href="/work-orders/{order.no}"' in page
    assert 'name="password"' not in page
    forced = {"order": order.no, f"d{order.id}_result": "pass", "password": PASSWORD}
    answer = chen.post(url_of(order), data=forced)
    assert answer.status_code == 409
    assert "43 values are to be measured" in answer.text
    assert state(as_, order) is WorkState.ASSIGNED


@pytest.mark.parametrize("page", ["", "/approval"])
def test_the_other_hospital_has_no_such_sheet(login, as_, monthly, page):
    order = planned(as_, "M-1")
    qin = login("qin")
    assert qin.get(url_of(order, page)).status_code == 404
    sent = together(filled(order), password=PASSWORD)
    for url in (url_of(order, page), f"/rounds/MON/0{page}"):
        assert qin.post(url, data=sent).status_code == 404
    assert "M-1" not in qin.get("/rounds").text
    assert state(as_, order) is WorkState.ASSIGNED


@pytest.mark.parametrize(
    ("typed", "found"), [("m-2", "Monitor M-2"), ("code", "Monitor M-2"), ("Z-9", None)]
)
def test_a_scanned_device_is_marked_without_a_script(login, as_, monthly, typed, found):
    order, wanted = planned(as_, "M-1"), planned(as_, "M-2")
    assert wanted.asset
    text = wanted.asset.code.lower() if typed == "code" else typed
    page = login("chen").get(url_of(order), query_string={"code": text}).text
    marked = re.findall(r'toned t-info" id="device-(\d+)"', page)
    assert marked == ([str(wanted.id)] if found else [])
    assert (f"Found: {found}" if found else "Z-9 is not on this sheet") in page


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("who", ["chen", "wang", "zhao", "amy"])
def test_without_work_a_round_says_what_to_do(login, who, lang):
    page = login(who).get(f"/rounds?lang={lang}").text
    assert 'class="empty"' in page


def test_rounds_are_narrowed_to_a_template(login, as_, monthly):
    planned(as_, "M-1")
    planned(as_, "M-2", code="MON", department="Ward 9")
    page = login("chen").get(f"/rounds?template={CODE}").text
    assert "ICU" in page
    assert "Ward 9" not in page


@pytest.mark.database
def test_an_approver_signs_once_for_simple_records(login, as_, monthly):
    plain, risky = planned(as_, "M-1"), planned(as_, "M-2", risk=Risk.HIGH)
    own = planned(as_, "M-3", to="wang", risk=Risk.HIGH)
    for who, orders in (("chen", (plain, risky)), ("wang", (own,))):
        sent = together(*(filled(order) for order in orders), password=PASSWORD)
        assert login(who).post(url_of(plain), data=sent).status_code == 303
    done = [work_order(as_("wang"), order.no) for order in (plain, risky, own)]
    marked = together(*(approved(order) for order in done), password=PASSWORD)
    wang, url = login("wang"), url_of(plain, "/approval")
    page = wang.get(url).text
    assert "somebody other than who did the work approves it" in page
    assert login("chen").post(url, data=marked).status_code == 403

    assert wang.post(url, data={**marked, "password": "no"}).status_code == 422
    assert {state(as_, order) for order in done} == {WorkState.DONE}
    answer = wang.post(url, data=marked)

    assert answer.status_code == 409, "her own work on high risk"
    assert answer.text.count("Not signed") == 1
    states = [state(as_, order) for order in done]
    assert states == [WorkState.CLOSED, WorkState.CLOSED, WorkState.DONE]
    zhao = login("zhao")
    last = zhao.post(url, data=together(approved(done[2]), password=PASSWORD))
    assert last.status_code == 303
    assert "1 record is approved." in zhao.get(last.location).text


def approved(order: WorkOrder) -> dict[str, list[str]]:
    """A ticked record, as it was shown."""
    named = {"result": "pass", "version": str(order.version)}
    return {"order": [order.no], **{f"d{order.id}_{key}": [text] for key, text in named.items()}}


def test_a_record_that_is_not_simple_is_not_approved_at_once(login, as_, monthly):
    order = planned(as_, "M-1")
    ctx = as_("chen")
    move_work(ctx, no=order.no, action="start")
    checks = {f"s{step.id}": "pass" for step in order.steps if not step.unit}
    checks[next(iter(checks))] = "fail"
    values = {f"s{step.id}": HR[step.key] for step in order.steps if step.unit}
    answers = {"step": [step.key for step in order.steps], **checks, **values}
    chen = login("chen")
    assert chen.post(f"/work-orders/{order.no}/results", data=answers).status_code == 303
    assert "A step has failed already" in chen.get(url_of(order)).text
    repair = {"password": PASSWORD, "follow_up": "true"}
    assert chen.post(f"/work-orders/{order.no}/complete", data=repair).status_code == 303
    done = work_order(as_("wang"), order.no)
    sent = together(approved(done), password=PASSWORD)
    answer = login("wang").post(url_of(order, "/approval"), data=sent)
    assert answer.status_code == 409
    assert "A step has failed. Look at the record" in answer.text
    assert state(as_, order) is WorkState.DONE


@pytest.mark.parametrize("who", ["chen", "wang"])
def test_statements_of_a_page_do_not_grow_with_the_devices(login, as_, engine, monthly, who):
    browser, counts = login(who), []
    for amount in (2, 5):
        for n in range(amount):
            order = planned(as_, f"M-{amount}-{n}", location=f"Room {n}")
            if who == "wang":
                sent = together(filled(order), password=PASSWORD)
                assert login("chen").post(url_of(order), data=sent).status_code == 303
        for url in ("/rounds", url_of(order, "/approval" if who == "wang" else "")):
            browser.get(url)
            with count_queries(engine) as sent_now:
                assert browser.get(url).status_code == 200
            counts.append(len(sent_now))
    assert counts[:2] == counts[2:]
    assert max(counts) < 25


def test_signing_costs_the_same_for_every_device(login, as_, engine, monthly):
    chen, counts = login("chen"), []
    for amount in (1, 3, 5):
        orders = [planned(as_, f"M-{amount}-{n}") for n in range(amount)]
        sent = together(*(filled(order) for order in orders), password=PASSWORD)
        with count_queries(engine) as sent_now:
            assert chen.post(url_of(orders[0]), data=sent).status_code == 303
        counts.append(len(sent_now))
    one, three, five = counts
    assert abs((five - three) - (three - one)) <= 2


@pytest.mark.database
def test_one_walks_from_room_2_to_room_10(login, as_, monthly):
    for number, room in (("M-1", "Room 10"), ("M-3", "Room 2"), ("M-20", "Room 1")):
        last = planned(as_, number, location=room)
    planned(as_, "M-10", location="Room 1")
    planned(as_, "M-4", location="Room 3", department="Ward 10")
    planned(as_, "M-5", location="Room 3", department="Ward 9")

    [icu, *wards] = rounds.my_stops(as_("chen"))
    assert [name for name, _zh, _n in icu.rooms] == ["Room 1", "Room 2", "Room 10"]
    assert [stop.department[0] for stop in wards] == ["Ward 9", "Ward 10"]
    sheet = rounds.sheet_of(as_("chen"), CODE, last.asset.department_id)
    assert [device.asset.number for device in sheet] == ["M-10", "M-20", "M-3", "M-1"]


def test_places_are_listed_as_people_count(as_):
    for room in ("Room 10", "Room 2", "Room 1"):
        make_asset(as_("wang"), location=room, department=room.replace("Room", "Ward"))
    mine = [place.name for place in locations(as_("wang"))]
    assert mine == ["Room 1", "Room 2", "Room 10"]
    wards = [ward.name for ward in departments(as_("wang")) if ward.name.startswith("Ward")]
    assert wards == ["Ward 1", "Ward 2", "Ward 10"]


def test_a_number_that_was_not_found_can_be_corrected(login, as_, monthly):
    order = planned(as_, "M-1")
    chen = login("chen")
    assert 'value="M-7"' in chen.get(url_of(order) + "?code=M-7").text
    assert 'value="M-1"' not in chen.get(url_of(order) + "?code=M-1").text.split("<form", 2)[1]
    assert 'value="M-7"' in chen.get("/scan?code=M-7").text
