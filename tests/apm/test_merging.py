"""Several reports of one fault: none is lost, all reporters follow, and it can be undone."""

import threading

import pytest
from sqlalchemy import select

from apm.core.command import Context
from apm.core.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from apm.core.events import Outbox
from apm.requests import confirming, merging, triage
from apm.requests.model import Request
from apm.requests.queries import has_expired, merged_into, request_by_no, told_by
from apm.requests.reporting import Report, Sent, report_fault
from apm.requests.states import RequestState as R
from apm.work.completion import Completion, close, complete
from apm.work.moving import Facts, move_work
from tests.apm.hospital import jpeg, make_asset, make_request, start_work
from tests.conftest import PASSWORD
from tests.queries import count_queries


def fresh(as_, no):
    return request_by_no(as_("wang"), no)


def moves(as_, no):
    """What was told of a request, as (action, state)."""
    rows = as_("wang").session.scalars(select(Outbox).order_by(Outbox.id))
    moved = [row.payload for row in rows if row.kind == "requests.moved"]
    return [(m["action"], m["state"]) for m in moved if m["no"] == no]


@pytest.fixture
def asset(as_):
    return make_asset(as_("wang"), name="Bedside monitor")


@pytest.fixture
def first(as_, asset):
    return make_request(as_("lin"), asset, description="It beeps")


@pytest.fixture
def twin(as_, asset):
    """The same fault again, with a photo, from somebody else."""
    sent = Sent(client_key="twin-0000001", token="twin-token", photos=(jpeg(),))
    report = Report("screen", "Black screen", reporter_name="Nurse Two")
    return report_fault(as_("chen"), asset_code=asset.code, report=report, sent=sent)


def test_words_and_photos_are_shown_with_the_first_and_on_the_order(login, as_, first, twin):
    merging.mark_duplicate(as_("wang"), no=twin.no, of=first.no)
    order = triage.accept(as_("wang"), no=first.no)
    photo = f"/requests/{twin.no}/photos/1.jpg"
    for path in (f"/requests/{first.no}", f"/work-orders/{order.no}"):
        page = login("wang").get(path).get_data(as_text=True)
        for shown in ("Black screen", photo, twin.no, "It beeps"):
            assert shown in page, path
    [told] = told_by(as_("wang"), merged_into(as_("wang"), fresh(as_, first.no)))
    assert (told.request.no, len(told.photos)) == (twin.no, 1)
    assert login("wang").get(photo).status_code == 200


def test_the_other_reporter_follows_and_is_told_the_same(client, as_, first, twin):
    merging.mark_duplicate(as_("wang"), no=twin.no, of=first.no)
    order = triage.accept(as_("wang"), no=first.no)
    worker = as_("chen")
    start_work(worker, as_("wang"), order)
    page = client.get("/r/twin-token").get_data(as_text=True)
    assert "You follow the same repair here." in page
    assert "It beeps" not in page, "the words of the other reporter are theirs"
    done = Completion(cause="UPF", remedy="Board replaced")
    complete(worker, no=order.no, password=PASSWORD, said=done)
    close(as_("wang"), no=order.no, password=PASSWORD)
    told = [("accept", "assigned"), ("start", "in_progress"), ("complete", "resolved")]
    for no in (first.no, twin.no):
        heard = moves(as_, no)
        assert [move for move in told if move in heard] == told, no
    page = client.get("/r/twin-token").get_data(as_text=True)
    assert "Works again" not in page, "the first reporter confirms"
    assert client.post("/r/twin-token/verify", data={"rating": "1"}).status_code == 409


def test_it_can_be_taken_out_while_the_first_is_open(as_, first, twin):
    merging.mark_duplicate(as_("wang"), no=twin.no, of=first.no)
    merging.unmerge(as_("wang"), no=twin.no)
    found = fresh(as_, twin.no)
    assert (found.state, found.duplicate_of_id) == (R.OPEN, None)
    triage.accept(as_("wang"), no=twin.no)
    assert fresh(as_, first.no).state is R.OPEN


def test_it_cannot_be_taken_out_when_the_first_has_ended(login, as_, first, twin):
    merging.mark_duplicate(as_("wang"), no=twin.no, of=first.no)
    triage.reject(as_("wang"), no=first.no, reason="Cable")
    with pytest.raises(Conflict, match="finished"):
        merging.unmerge(as_("wang"), no=twin.no)
    page = login("wang").get(f"/requests/{twin.no}").get_data(as_text=True)
    assert "take it out again" not in page
    assert fresh(as_, twin.no).state is R.DUPLICATE


def test_what_was_merged_into_it_comes_along(as_, asset, first, twin):
    third = make_request(as_("lin"), asset)
    merging.mark_duplicate(as_("wang"), no=third.no, of=twin.no)
    merging.mark_duplicate(as_("wang"), no=twin.no, of=first.no)
    assert {r.no for r in merged_into(as_("wang"), first)} == {twin.no, third.no}
    with pytest.raises(Invalid):
        merging.mark_duplicate(as_("wang"), no=first.no, of=third.no)


def test_one_tap_gathers_the_new_ones_of_that_equipment_alone(login, as_, asset, first, twin):
    elsewhere = make_request(as_("lin"), make_asset(as_("wang")))
    asked = make_request(as_("lin"), asset)
    triage.ask(as_("wang"), no=asked.no, reason="?")
    taken = make_request(as_("lin"), asset)
    triage.accept(as_("wang"), no=taken.no)
    page = login("wang").get(f"/requests/{first.no}").get_data(as_text=True)
    assert "Merge the 2 other new reports into this one" in page
    assert login("wang").post(f"/requests/{first.no}/gather").status_code == 303
    states = {r.no: fresh(as_, r.no).state for r in (first, twin, asked, taken, elsewhere)}
    assert list(states.values()) == [R.OPEN, R.DUPLICATE, R.DUPLICATE, R.ASSIGNED, R.OPEN]
    assert login("wang").post(f"/requests/{twin.no}/gather").status_code == 409


def test_each_other_open_report_is_offered_with_one_tap(login, as_, first, twin):
    page = login("wang").get(f"/requests/{twin.no}").get_data(as_text=True)
    assert f"Merge into {first.no}" in page
    sent = {"of": first.no, "version": str(twin.version)}
    answer = login("wang").post(f"/requests/{twin.no}/mark_duplicate", data=sent)
    assert answer.status_code == 303
    assert fresh(as_, twin.no).duplicate_of.no == first.no
    assert "Merge into" not in login("lin").get(f"/requests/{twin.no}").get_data(as_text=True)


@pytest.mark.parametrize("act", [merging.gather, merging.unmerge])
def test_only_who_triages_in_that_hospital(as_, first, twin, act):
    merging.mark_duplicate(as_("wang"), no=twin.no, of=first.no)
    for who, error in (("lin", NotAllowed), ("chen", NotAllowed), ("qin", NotFound)):
        with pytest.raises(error):
            act(as_(who), no=twin.no)


@pytest.mark.database
def test_two_people_merge_crosswise_and_one_of_them_wins(as_, sessions, first, twin):
    actors, gate, refused = [as_("wang").actor, as_("zhao").actor], threading.Barrier(2), []

    def merge(actor, no, of):
        with sessions() as session:
            gate.wait()
            try:
                merging.mark_duplicate(Context(session, actor), no=no, of=of)
            except DomainError:
                refused.append(no)

    ways = [(actors[0], twin.no, first.no), (actors[1], first.no, twin.no)]
    threads = [threading.Thread(target=merge, args=way) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert {fresh(as_, no).state for no in (first.no, twin.no)} == {R.OPEN, R.DUPLICATE}


def test_the_link_of_a_merged_report_lasts_as_long_as_the_repair(as_, first, twin):
    merging.mark_duplicate(as_("wang"), no=twin.no, of=first.no)
    ctx = as_("wang")
    with ctx.writing("test"):
        found = request_by_no(ctx, twin.no)
        found.reported_at = found.reported_at.replace(year=2020)
    assert not has_expired(fresh(as_, twin.no), ctx.now())


def test_rework_is_visible_on_both_orders(login, as_, first):
    order = triage.accept(as_("wang"), no=first.no)
    worker = as_("chen")
    start_work(worker, as_("wang"), order)
    done = Completion(cause="UPF", remedy="Board replaced")
    complete(worker, no=order.no, password=PASSWORD, said=done)
    again = confirming.reopen(as_("lin"), no=first.no, comment="Beeps again")
    old, new = (
        login("wang").get(f"/work-orders/{no}").get_data(as_text=True)
        for no in (order.no, again.no)
    )
    assert again.no in old
    assert f"Rework of {order.no}" in new
    assert "It beeps" in old, "the report is still told where it was first repaired"
    assert "It beeps" in new
    move_work(as_("wang"), no=again.no, action="cancel", facts=Facts(reason="sold"))


def test_the_page_costs_the_same_however_many_are_merged(login, engine, as_, asset, first, twin):
    merging.mark_duplicate(as_("wang"), no=twin.no, of=first.no)
    wang = login("wang")

    def statements():
        with count_queries(engine) as sent:
            assert wang.get(f"/requests/{first.no}").status_code == 200
        return len(sent)

    before = statements()
    for _ in range(4):
        more = make_request(as_("lin"), asset)
        merging.mark_duplicate(as_("wang"), no=more.no, of=first.no)
    assert statements() == before
    assert as_("wang").session.scalars(select(Request.id)).all()
