"""A nurse reports a fault: by the label, without a login, once, at her own hospital only."""

import io
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from apm.assets.commands import advance
from apm.core.audit import AuditEntry, verify_chain
from apm.core.codes import PublicCode
from apm.core.command import Context
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany
from apm.core.events import Outbox
from apm.core.limits import Attempt
from apm.core.permissions import Permission
from apm.requests import reporting
from apm.requests.model import Comment, Photo, Request
from apm.requests.reporting import PER_ASSET, Report, Sent, report_fault
from apm.requests.triage import accept
from apm.requests.urgency import priority_of
from apm.work.moving import Facts, move_work
from tests.apm.hospital import jpeg, make_asset, make_request

FAULT = {"symptom": "alarm", "nonce": "NONCE-000001"}


@pytest.fixture
def monitor(as_):
    return make_asset(as_("wang"), name="Bedside monitor", name_zh="监护仪")


@pytest.fixture
def ventilator(as_):
    return make_asset(as_("wang"), "VENT", name="Ventilator")


def reported(ctx):
    """The reports that were told of."""
    return list(ctx.session.scalars(select(Outbox).where(Outbox.kind == "requests.reported")))


def all_of(ctx, model):
    return list(ctx.session.scalars(select(model).execution_options(populate_existing=True)))


def test_a_visitor_reports_and_follows(client, as_, monitor):
    answer = client.post(f"/a/{monitor.code}", data={**FAULT, "description": "Beeps"})

    assert answer.status_code == 303
    assert answer.location.startswith("/r/")
    page = client.get(answer.location).get_data(as_text=True)
    [request] = all_of(as_("wang"), Request)
    assert request.no in page
    assert "Beeps" in page
    assert request.no.startswith("R-")
    assert request.no.endswith("-000001")
    assert request.reporter_id is None


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "Somebody sees to it by "), ("zh", "前有人处理。")]
)
def test_who_reports_is_told_by_when_somebody_sees_to_it(client, as_, monitor, lang, said):
    link = client.post(f"/a/{monitor.code}", data=FAULT).location
    assert said in client.get(f"{link}?lang={lang}").get_data(as_text=True)
    order = accept(as_("wang"), no=all_of(as_("wang"), Request)[0].no)
    assert said in client.get(link).get_data(as_text=True)
    give = Facts(assignee_id=as_("chen").actor.user_id)
    move_work(as_("wang"), no=order.no, action="assign", facts=give)
    assert said not in client.get(link).get_data(as_text=True), "somebody has answered"


def test_the_same_form_sent_twice_is_one_request(client, as_, monitor):
    first = client.post(f"/a/{monitor.code}", data=FAULT)
    second = client.post(f"/a/{monitor.code}", data=FAULT)

    assert first.location == second.location
    assert len(all_of(as_("wang"), Request)) == 1
    assert len(reported(as_("wang"))) == 1


COPIES = 10


@pytest.mark.database
def test_ten_copies_of_a_form_at_the_same_moment_are_one_request(as_, sessions):
    asset = make_asset(as_("wang"))
    actor, code = as_("lin").actor, asset.code
    numbers, start = [], threading.Barrier(COPIES)

    def send():
        with sessions() as session:
            ctx = Context(session, actor)
            start.wait()
            sent = Sent(client_key="NONCE-000001", token="t" * 43)
            numbers.append(
                report_fault(ctx, asset_code=code, report=Report("alarm"), sent=sent).no
            )

    threads = [threading.Thread(target=send) for _ in range(COPIES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(numbers) == COPIES
    assert len(set(numbers)) == 1
    assert len(all_of(as_("wang"), Request)) == 1


@pytest.mark.database
def test_numbers_have_no_gap_and_each_hospital_its_own(as_):
    here, there = make_asset(as_("wang")), make_asset(as_("qin"))
    ours = [make_request(as_("lin"), here).no[-6:] for _ in range(3)]
    theirs = make_request(as_("qin"), there).no[-6:]
    assert ours == ["000001", "000002", "000003"]
    assert theirs == "000001"


def test_the_year_of_a_number_is_the_hospitals(as_):

    new_years_eve = datetime(2026, 12, 31, 17, tzinfo=UTC)  # 01:00 of the next day in Shanghai
    ctx = as_("lin", now=lambda: new_years_eve)
    assert make_request(ctx, make_asset(as_("wang"))).no == "R-2027-000001"


def test_one_tap_and_send_is_enough_and_nothing_less(client, as_, monitor):
    answer = client.post(f"/a/{monitor.code}", data={"nonce": "NONCE-000001"})
    assert answer.status_code == 422
    assert "Choose what is wrong." in answer.get_data(as_text=True)
    assert all_of(as_("wang"), Request) == []


def test_an_unknown_symptom_is_refused(as_, monitor):
    with pytest.raises(Invalid):
        make_request(as_("lin"), monitor, symptom="haunted")


@pytest.mark.parametrize(
    ("category", "patient", "priority"),
    [("MON", False, "normal"), ("MON", True, "urgent"), ("VENT", False, "urgent")],
    ids=["nobody in danger", "a patient is affected", "high-risk equipment"],
)
def test_danger_makes_it_urgent(as_, category, patient, priority):
    asset = make_asset(as_("wang"), category)
    if category == "MON":
        assert asset.risk != "high"
    request = make_request(as_("lin"), asset, patient_involved=patient)
    assert priority_of(request) == priority
    [event] = reported(as_("wang"))
    assert event.payload["is_urgent"] is (priority == "urgent")


def test_staff_report_under_their_name(login, as_, monitor):
    login("lin").post(f"/a/{monitor.code}", data=FAULT)
    [request] = all_of(as_("wang"), Request)
    assert request.reporter_name == "Lin Xia"
    assert request.reporter_id == as_("lin").actor.user_id


def test_anonymous_reports_of_one_device_have_an_end(client, as_, monitor):
    for n in range(PER_ASSET):
        sent = {**FAULT, "nonce": f"NONCE-{n:06}"}
        assert client.post(f"/a/{monitor.code}", data=sent).status_code == 303
    refused = client.post(f"/a/{monitor.code}", data={**FAULT, "nonce": "NONCE-LAST"})
    assert refused.status_code == 429
    assert len(all_of(as_("wang"), Request)) == PER_ASSET


def test_staff_are_not_limited(as_, monitor):
    for _ in range(PER_ASSET + 1):
        make_request(as_("lin"), monitor)


def test_one_address_cannot_fill_the_list_over_many_devices(as_, monkeypatch):
    monkeypatch.setattr(reporting, "PER_ADDRESS", 2)
    ctx = as_("lin")
    devices = [make_asset(as_("wang")) for _ in range(3)]

    def send(n):
        sent = Sent(f"NONCE-{n:06}", f"token-{n}", address="digest")
        report_fault(ctx, asset_code=devices[n].code, report=Report("alarm"), sent=sent)

    send(0), send(1)
    with pytest.raises(TooMany):
        send(2)


def test_the_network_address_is_not_kept(client, as_, monitor):

    client.post(f"/a/{monitor.code}", data=FAULT, environ_base={"REMOTE_ADDR": "10.9.8.7"})
    keys = [attempt.key for attempt in all_of(as_("wang"), Attempt)]
    assert len(keys) == 2
    assert not any("10.9.8.7" in key for key in keys)


def test_a_retired_device_takes_no_report(client, as_, monitor):
    advance(as_("wang"), code=monitor.code, action="retire")
    page = client.get(f"/a/{monitor.code}").get_data(as_text=True)
    assert "This equipment is retired." in page
    assert "<form" not in page
    with pytest.raises(Conflict):
        make_request(as_("lin"), monitor)
    assert all_of(as_("wang"), Request) == []


def test_the_other_hospital_neither_reports_nor_reads(login, as_, monitor):
    request = make_request(as_("lin"), monitor)
    south = login("qin")
    assert south.post(f"/a/{monitor.code}", data=FAULT).status_code == 404
    assert south.get(f"/requests/{request.no}").status_code == 404
    with pytest.raises(NotFound):
        make_request(as_("qin"), monitor)
    assert all_of(as_("qin"), Request) == []


def test_without_the_permission_nothing_is_reported(as_, monitor):
    ctx = as_("lin")
    bare = Context(ctx.session, type(ctx.actor)("x", ctx.actor.hospital_id))
    with pytest.raises(NotAllowed):
        make_request(bare, monitor)
    assert not bare.actor.can(Permission.REQUEST_REPORT)


def test_a_file_that_is_no_photo_is_left_out_and_the_report_is_kept(client, as_, monitor):
    good, bad = (io.BytesIO(jpeg()), "a.jpg"), (io.BytesIO(b"MZ\x90 program"), "b.jpg")
    answer = client.post(f"/a/{monitor.code}", data={**FAULT, "photos": [good, bad]})
    assert answer.status_code == 303
    [request] = all_of(as_("wang"), Request)
    [photo] = all_of(as_("wang"), Photo)
    assert photo.request_id == request.id
    page = client.get(answer.location).get_data(as_text=True)
    assert "It is stored, but not every photo" in page
    assert "not a photo we can read" in page
    assert "It is stored" not in client.get(answer.location).get_data(as_text=True), "said once"


def test_a_photo_can_follow(client, as_, monitor):
    link = client.post(f"/a/{monitor.code}", data=FAULT).location
    for n in range(2):  # a message without words is a photo without words
        sent = {"photos": (io.BytesIO(jpeg()), "a.jpg"), "nonce": f"NONCE-LATE-{n}"}
        assert client.post(f"{link}/comment", data=sent).status_code == 303
    assert len(all_of(as_("wang"), Photo)) == 2
    assert all_of(as_("wang"), Comment) == []
    sent = {"photos": (io.BytesIO(b"MZ"), "a.jpg")}
    refused = client.post(f"{link}/comment", data=sent)
    assert refused.status_code == 422
    assert "not a photo we can read" in refused.get_data(as_text=True)
    assert len(all_of(as_("wang"), Photo)) == 2


def test_of_many_photos_the_first_four_are_kept(client, as_, monitor):
    photos = [(io.BytesIO(jpeg(40 + n, 40)), "a.jpg") for n in range(6)]
    answer = client.post(f"/a/{monitor.code}", data={**FAULT, "photos": photos})
    assert answer.status_code == 303
    assert len(all_of(as_("wang"), Photo)) == 4
    assert "at most 4 photos" in client.get(answer.location).get_data(as_text=True)


def test_me_too_joins_the_open_report(client, as_, monitor):
    first = client.post(f"/a/{monitor.code}", data=FAULT).location
    page = client.get(f"/a/{monitor.code}").get_data(as_text=True)
    [request] = all_of(as_("wang"), Request)
    assert request.no in page

    more = {
        "no": request.no,
        "nonce": "NONCE-000002",
        "text": "Now smoke",
        "patient_involved": "true",
    }
    joined = client.post(f"/a/{monitor.code}/join", data=more)
    again = client.post(f"/a/{monitor.code}/join", data=more)

    assert joined.location == again.location != first
    [request] = all_of(as_("wang"), Request)
    assert request.patient_involved
    assert [c.text for c in all_of(as_("wang"), Comment)] == ["Now smoke"]
    assert "Now smoke" in client.get(first).get_data(as_text=True)
    links = [c for c in all_of(as_("wang"), PublicCode) if c.kind == "request"]
    assert len(links) == 2


def test_me_too_cannot_reach_into_the_other_hospital(client, as_, monitor):
    theirs = [make_request(as_("qin"), make_asset(as_("qin"))) for _ in range(2)][-1]
    make_request(as_("lin"), monitor)
    more = {"no": theirs.no, "nonce": "NONCE-000002", "text": "hi"}
    assert client.post(f"/a/{monitor.code}/join", data=more).status_code == 404
    assert all_of(as_("qin"), Comment) == []


def test_a_label_opens_no_report_on_another_asset(client, as_, monitor):
    elsewhere = make_request(as_("lin"), make_asset(as_("wang"), name="Defibrillator"))
    more = {"no": elsewhere.no, "nonce": "NONCE-000002", "text": "let me see"}
    assert client.post(f"/a/{monitor.code}/join", data=more).status_code == 404
    assert all_of(as_("wang"), Comment) == []
    assert [c.target for c in all_of(as_("wang"), PublicCode) if c.kind == "request"] == [
        elsewhere.no
    ]


def test_everything_stands_in_the_trail(client, as_, monitor):
    client.post(f"/a/{monitor.code}", data=FAULT)
    ctx = as_("system")

    entries = [e for e in all_of(ctx, AuditEntry) if e.entity == "Request"]
    assert [(e.actor, e.command) for e in entries] == [("visitor", "request.report")]
    assert (
        "client_key" not in entries[0].changes or entries[0].changes["client_key"] == ["***"] * 2
    )
    assert verify_chain(ctx.session, ctx.actor.hospital_id).broken_at is None
