"""Suspected adverse events: said by anybody, marked everywhere, the device kept as it is."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from apm.assets.commands import advance
from apm.assets.model import Asset, AssetState, Availability
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.core.events import Outbox
from apm.requests import harm, triage
from apm.requests.model import Request
from apm.requests.queries import request_by_no
from apm.requests.urgency import priority_of
from apm.work.completion import Completion, close, complete
from tests.apm.hospital import make_asset, make_request, start_work
from tests.conftest import PASSWORD

FAULT = {"symptom": "alarm", "nonce": "NONCE-000001"}
CHIP = "Suspected adverse event"


def events(as_):
    rows = as_("wang").session.scalars(select(Outbox))
    return [row.payload["no"] for row in rows if row.kind == "requests.adverse_event"]


@pytest.fixture
def asset(as_):
    return make_asset(as_("wang"), "MON", name="Bedside monitor")


@pytest.fixture
def request_(as_, asset):
    return make_request(as_("lin"), asset, adverse_event=True)


def test_a_nurse_says_so_beside_that_a_patient_is_affected(client, as_, asset):
    page = client.get(f"/a/{asset.code}").get_data(as_text=True)
    assert 'name="patient_involved"' in page
    assert "Somebody may have been harmed" in page
    link = client.post(f"/a/{asset.code}", data={**FAULT, "adverse_event": "true"}).location
    found = as_("wang").session.scalars(select(Request)).one()
    assert found.adverse_at is not None
    assert not found.patient_involved
    assert events(as_) == [found.no]
    assert CHIP in client.get(link).get_data(as_text=True)


def test_without_the_mark_nothing_is_suspected(client, as_, asset):
    client.post(f"/a/{asset.code}", data=FAULT)
    assert as_("wang").session.scalars(select(Request)).one().adverse_at is None
    assert events(as_) == []


def test_me_too_may_say_so_as_well(client, as_, asset):
    client.post(f"/a/{asset.code}", data=FAULT)
    no = as_("wang").session.scalars(select(Request.no)).one()
    more = {"no": no, "nonce": "NONCE-000002", "adverse_event": "true"}
    assert client.post(f"/a/{asset.code}/join", data=more).status_code == 303
    assert request_by_no(as_("wang"), no).adverse_at is not None
    assert events(as_) == [no]


def test_it_is_urgent(as_, request_):
    assert priority_of(request_by_no(as_("wang"), request_.no)) == "urgent"


@pytest.mark.parametrize("who", ["lin", "chen", "wang", "zhao"])
def test_anybody_of_the_hospital_may_suspect_later(login, as_, asset, who):
    plain = make_request(as_("lin"), asset)
    for _ in range(2):
        answer = login(who).post(f"/requests/{plain.no}/harm", data={"suspected": "true"})
        assert answer.status_code == 303
    assert request_by_no(as_("wang"), plain.no).adverse_at is not None
    assert events(as_) == [plain.no], "once, however often it is said"
    assert priority_of(request_by_no(as_("wang"), plain.no)) == "urgent"


def test_it_is_taken_back_with_a_reason_by_who_triages(as_, request_):
    with pytest.raises(NotAllowed):
        harm.suspect_harm(as_("lin"), no=request_.no, is_suspected=False, reason="x")
    with pytest.raises(Invalid):
        harm.suspect_harm(as_("wang"), no=request_.no, is_suspected=False, reason=" ")
    harm.suspect_harm(as_("wang"), no=request_.no, is_suspected=False, reason="Cable was out")
    found = request_by_no(as_("wang"), request_.no)
    assert (found.adverse_at, found.adverse_note) == (None, "Cable was out")


def test_the_days_to_report_it_are_counted_by_the_hospitals_calendar(as_, asset):
    late = datetime(2026, 5, 1, 20, tzinfo=UTC)  # already the 2nd in Shanghai
    made = make_request(as_("lin", now=lambda: late), asset, adverse_event=True)
    found = harm.deadlines_of(as_("wang"), request_by_no(as_("wang"), made.no))
    days = (date(2026, 5, 2), date(2026, 5, 9), date(2026, 5, 22))
    assert (found.known_on, found.death_by, found.serious_by) == days


def test_one_tap_puts_the_device_aside_and_the_repair_does_not_release_it(
    login, as_, asset, request_
):
    page = login("wang").get(f"/requests/{request_.no}").get_data(as_text=True)
    assert "Quarantine the equipment" in page
    for _ in range(2):
        assert login("wang").post(f"/requests/{request_.no}/quarantine").status_code == 303
    order = triage.accept(as_("wang"), no=request_.no)
    worker = as_("chen")
    start_work(worker, as_("wang"), order)
    done = Completion(cause="UPF", remedy="Board replaced")
    complete(worker, no=order.no, password=PASSWORD, said=done)
    close(as_("wang"), no=order.no, password=PASSWORD)
    found = as_("wang").session.get(Asset, asset.id)
    assert (found.lifecycle, found.availability) == (AssetState.QUARANTINED, Availability.DOWN)


def test_a_retired_device_is_not_put_aside(as_, asset, request_):
    triage.reject(as_("wang"), no=request_.no, reason="x")
    advance(as_("wang"), code=asset.code, action="retire")
    with pytest.raises(Conflict):
        harm.quarantine(as_("wang"), no=request_.no)


@pytest.mark.parametrize(("who", "error"), [("lin", NotAllowed), ("chen", NotAllowed),
                                            ("qin", NotFound)])  # fmt: skip
def test_who_may_not_put_it_aside(as_, asset, request_, who, error):
    with pytest.raises(error):
        harm.quarantine(as_(who), no=request_.no)
    assert as_("wang").session.get(Asset, asset.id).lifecycle is AssetState.IN_SERVICE


def test_it_is_seen_on_request_order_asset_and_in_the_list(login, as_, asset, request_):
    plain = make_request(as_("lin"), make_asset(as_("wang"), name="Harmless pump"))
    order = triage.accept(as_("wang"), no=request_.no)
    wang = login("wang")
    for path in (f"/requests/{request_.no}", f"/work-orders/{order.no}", f"/assets/{asset.code}"):
        assert CHIP in wang.get(path).get_data(as_text=True), path
    listed = wang.get("/requests?adverse=1").get_data(as_text=True)
    assert request_.no in listed
    assert plain.no not in listed
    assert request_.no not in login("qin").get("/requests?adverse=1").get_data(as_text=True)


def test_over_the_api(client, bearer, as_, asset, request_):
    plain = make_request(as_("lin"), asset)
    headers = bearer()
    [listed] = client.get("/api/v1/requests?adverse=true", headers=headers).json["items"]
    assert listed["no"] == request_.no
    path = f"/api/v1/requests/{plain.no}"
    said = client.post(f"{path}/harm", json={}, headers=headers)
    assert said.json["adverse_at"]
    assert client.post(f"{path}/quarantine", headers=headers).status_code == 200
    back = client.post(f"{path}/harm", json={"suspected": False, "reason": "no"}, headers=headers)
    assert back.json["adverse_at"] is None
    assert (
        client.post(f"{path}/harm", json={"suspected": False}, headers=headers).status_code == 422
    )
