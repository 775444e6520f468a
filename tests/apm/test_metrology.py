"""Mandatory verification: who is subject, how it stands, and that what is overdue is not used."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import select

from apm.assets.commands import advance
from apm.assets.model import Availability
from apm.core.errors import Conflict, Invalid
from apm.core.events import Outbox
from apm.metrology import certificates, queries
from apm.metrology.blocking import assets_to_settle
from apm.metrology.jobs import watch
from apm.metrology.lights import SOON, Light
from apm.metrology.model import AppliedPart, Method, ProtectionClass, Result
from apm.metrology.queries import RegisterFilter, light_counts, register_page
from apm.metrology.safety import describe_safety, open_safety_test
from apm.procedures.model import Verdict
from apm.work.completion import close
from apm.work.model import WorkOrder
from apm.work.queries import work_order
from apm.work.results import Answer, answer_steps
from apm.work.states import WorkType
from tests.apm.hospital import jpeg, make_asset, make_work, start_work
from tests.apm.metrology import days, issued, sign, verify
from tests.conftest import PASSWORD
from tests.queries import count_queries

pytestmark = pytest.mark.database


def pdf() -> bytes:
    """A certificate of one page."""
    out = io.BytesIO()
    sheet = Canvas(out)
    sheet.drawString(100, 700, "Verification certificate")
    sheet.save()
    return out.getvalue()


def later(ctx, n):
    """The same actor, `n` days from now."""
    now = ctx.now() + timedelta(days=n)
    return lambda: now


def availability(as_, asset):
    """What the register says now."""
    return as_("wang").session.get(type(asset), asset.id).availability


def kinds(ctx):
    """The kinds of events announced, in order."""
    return [
        e.kind for e in ctx.session.scalars(select(Outbox).order_by(Outbox.id))
        if e.kind.startswith("metrology.")
    ]  # fmt: skip


@pytest.fixture
def monitor(as_):
    """A patient monitor: on the list."""
    return make_asset(as_("wang"), "MON", number="M-1", serial="SN-77")


def lights(ctx):
    """Every asset of the register and its light."""
    return {e.asset.number: e.light for e in register_page(ctx, RegisterFilter()).items}


def test_the_list_says_who_is_subject(as_, monitor):
    wang = as_("wang")
    make_asset(wang, "ECG", number="E-1")
    make_asset(wang, "VENT", number="V-1")
    chosen = make_asset(wang, "DR", number="X-1")
    make_asset(as_("qin"), "MON", number="S-1")
    assert set(lights(wang)) == {"M-1", "E-1"}
    certificates.decide_subject(
        wang, asset=chosen.code, is_subject=True, reason="The local office says so"
    )
    certificates.decide_subject(
        wang, asset=monitor.code, is_subject=False, reason="Only used for training"
    )
    assert set(lights(wang)) == {"E-1", "X-1"}
    certificates.decide_subject(wang, asset=monitor.code, is_subject=None, reason="Back")
    assert set(lights(wang)) == {"M-1", "E-1", "X-1"}


@pytest.mark.parametrize(
    ("until", "light"),
    [(300, Light.OK), (SOON.days + 1, Light.OK), (SOON.days, Light.SOON), (0, Light.SOON),
     (-1, Light.OVERDUE)],
)  # fmt: skip
def test_the_light_and_its_counts(as_, monitor, until, light):
    wang = as_("wang")
    make_asset(wang, "MON", number="noise")
    verify(wang, monitor, until=until, ago=200)
    assert lights(wang)["M-1"] is light
    counts = light_counts(wang)
    assert counts[light] == 1
    assert counts[Light.NONE] == 1
    assert sum(counts.values()) == 2
    [entry] = register_page(wang, RegisterFilter(light=light)).items
    assert entry.asset.number == "M-1"


def test_what_failed_or_ran_out_is_blocked_at_once_and_freed_by_a_new_certificate(as_, monitor):
    wang = as_("wang")
    verify(wang, monitor, until=-1, ago=366)
    assert availability(as_, monitor) is Availability.DOWN
    wang = as_("wang")
    verify(wang, monitor, until=365, ago=0)
    assert availability(as_, monitor) is Availability.UP
    wang = as_("wang")
    verify(wang, monitor, result=Result.FAIL, valid_until=None, ago=0)
    assert availability(as_, monitor) is Availability.DOWN
    assert lights(as_("wang"))["M-1"] is Light.FAILED
    said = kinds(as_("wang"))
    assert said.count("metrology.use_blocked") == 2
    assert said.count("metrology.use_allowed") == 1


def test_the_job_blocks_when_the_day_comes_and_says_it_once(as_, monitor):
    other = make_asset(as_("wang"), "MON", number="M-2", department="ICU")
    for asset in (monitor, other):
        verify(as_("wang"), asset, until=90)
    assert watch(as_("system")) == 0
    for _turn in range(2):
        assert watch(as_("system", now=later(as_("system"), 40))) == 0
    [due] = as_("wang").session.scalars(select(Outbox).where(Outbox.kind.like("metrology.%")))
    assert (due.kind, due.payload) == ("metrology.verifications_due", {"n": 2})
    late = as_("system", now=later(as_("system"), 91))
    assert watch(late) == 2
    assert availability(as_, monitor) is Availability.DOWN
    assert watch(as_("system", now=later(as_("system"), 91))) == 0
    assert assets_to_settle(as_("system", now=later(as_("system"), 92))) == []
    assert kinds(as_("wang")) == [
        "metrology.verifications_due", "metrology.use_blocked", "metrology.use_blocked"
    ]  # fmt: skip


def test_no_certificate_is_shown_but_does_not_block(as_, monitor):
    assert watch(as_("system")) == 0
    assert lights(as_("wang"))["M-1"] is Light.NONE
    assert availability(as_, monitor) is Availability.UP


def test_the_other_hospital_is_left_alone(as_, monitor):
    theirs = make_asset(as_("qin"), "MON", number="M-1")
    verify(as_("qin"), theirs, until=-5, ago=300)
    assert lights(as_("wang"))["M-1"] is Light.NONE
    assert watch(as_("system")) == 0
    with pytest.raises(Exception, match="label"):
        verify(as_("wang"), theirs)


def test_a_repair_that_ends_does_not_free_it(as_, monitor):
    chen, wang = as_("chen"), as_("wang")
    order = make_work(wang, monitor)
    start_work(chen, wang, order)
    verify(as_("wang"), monitor, until=-1, ago=366)
    sign(as_("chen"), order, cause="BATT", remedy="New battery")
    assert availability(as_, monitor) is Availability.DOWN
    close(as_("wang"), no=order.no, password=PASSWORD)
    assert availability(as_, monitor) is Availability.DOWN
    verify(as_("wang"), monitor, until=365, ago=0)
    assert availability(as_, monitor) is Availability.UP


def test_a_certificate_does_not_free_what_a_repair_holds(as_, monitor):
    chen, wang = as_("chen"), as_("wang")
    verify(wang, monitor, until=-1, ago=366)
    order = make_work(as_("wang"), monitor)
    start_work(chen, as_("wang"), order)
    verify(as_("wang"), monitor, until=365, ago=0)
    assert availability(as_, monitor) is Availability.DOWN
    sign(as_("chen"), order, cause="BATT", remedy="New battery")
    assert availability(as_, monitor) is Availability.UP


def test_quarantine_outlives_the_block(as_, monitor):
    wang = as_("wang")
    verify(wang, monitor, until=-1, ago=366)
    advance(as_("wang"), code=monitor.code, action="quarantine")
    verify(as_("wang"), monitor, until=365, ago=0)
    assert availability(as_, monitor) is Availability.DOWN
    advance(as_("wang"), code=monitor.code, action="release")
    assert availability(as_, monitor) is Availability.UP


def test_what_is_released_while_overdue_is_blocked_again_by_the_job(as_, monitor):
    advance(as_("wang"), code=monitor.code, action="quarantine")
    verify(as_("wang"), monitor, until=-1, ago=366)
    advance(as_("wang"), code=monitor.code, action="release")
    assert assets_to_settle(as_("system")) == [monitor.id]
    watch(as_("system"))
    assert availability(as_, monitor) is Availability.DOWN
    verify(as_("wang"), monitor, until=365, ago=0)
    assert availability(as_, monitor) is Availability.UP


def test_a_withdrawn_certificate_counts_no_more(as_, monitor):
    verify(as_("wang"), monitor, until=100, ago=100)
    wrong = verify(as_("wang"), monitor, result=Result.FAIL, valid_until=None, ago=1)
    assert availability(as_, monitor) is Availability.DOWN
    certificates.withdraw_certificate(
        as_("wang"), certificate_id=wrong.id, reason="Of another monitor"
    )
    assert availability(as_, monitor) is Availability.UP
    assert lights(as_("wang"))["M-1"] is Light.OK
    with pytest.raises(Conflict):
        certificates.withdraw_certificate(as_("wang"), certificate_id=wrong.id, reason="Again")


def test_an_older_certificate_typed_in_later_changes_nothing(as_, monitor):
    verify(as_("wang"), monitor, until=300, ago=10)
    verify(as_("wang"), monitor, until=-20, ago=380)
    assert lights(as_("wang"))["M-1"] is Light.OK
    assert availability(as_, monitor) is Availability.UP


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"ago": -3}, "issued_on"), ({"valid_until": None}, "valid_until"),
     ({"until": -400, "ago": 10}, "valid_until"), ({"until": 9999}, "valid_until"),
     ({"result": Result.LIMITED}, "note")],
)  # fmt: skip
def test_days_that_cannot_be_are_refused(as_, monitor, wrong, field):
    with pytest.raises(Invalid) as refusal:
        verify(as_("wang"), monitor, **wrong)
    assert field in refusal.value.fields


def test_a_certificate_is_recorded_once(as_, monitor):
    verify(as_("wang"), monitor, number="JL-1")
    with pytest.raises(Conflict):
        verify(as_("wang"), monitor, number="JL-1")
    other = make_asset(as_("wang"), "MON", number="M-2")
    verify(as_("wang"), other, number="JL-1")  # one certificate may list many


@pytest.mark.parametrize("data", [pdf(), jpeg()], ids=["pdf", "photo"])
def test_the_file_is_kept(as_, login, monitor, data):
    made = certificates.record_certificate(
        as_("wang"), asset=monitor.code, issued=issued(as_("wang")), data=data
    )
    answer = login("chen").get(f"/metrology/certificates/{made.id}/file")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.data[:4] in {b"%PDF", b"\xff\xd8\xff\xe0"}
    assert login("qin").get(f"/metrology/certificates/{made.id}/file").status_code == 404


@pytest.mark.parametrize(
    "data", [b"MZ\x90\x00" * 50, b"%PDF-1.4 broken", b"<html>", b"\x00" * (10 * 1024 * 1024 + 1)]
)
def test_what_is_no_certificate_is_refused(as_, monitor, data):
    with pytest.raises(Invalid) as refusal:
        certificates.record_certificate(
            as_("wang"), asset=monitor.code, issued=issued(as_("wang")), data=data
        )
    assert "file" in refusal.value.fields


def test_the_pages_tell_it(as_, login, client, monitor):
    verify(as_("wang"), monitor, until=-1, ago=366, number="JL-OLD")
    page = login("chen").get("/metrology").text
    assert "M-1" in page
    assert "Overdue" in page
    assert "Do not use" in page
    assert "Do not use" in client.get(f"/a/{monitor.code}").text
    asset = login("chen").get(f"/assets/{monitor.code}").text
    assert "The mandatory verification is overdue" in asset
    own = login("chen").get(f"/metrology/assets/{monitor.code}").text
    assert "JL-OLD" in own
    assert "Record a certificate" not in own
    assert "Record a certificate" in login("wang").get(f"/metrology/assets/{monitor.code}").text
    assert login("lin").get("/metrology").status_code == 403
    assert "M-1" not in login("qin").get("/metrology").text


def test_a_certificate_comes_by_the_form(as_, login, monitor):
    wang = as_("wang")
    browser = login("wang")
    form = {
        "number": "JL-2026-1", "body": "Institute", "issued_on": days(-2, wang).isoformat(),
        "valid_until": days(363, wang).isoformat(), "result": "pass", "nonce": "a" * 20,
        "file": (io.BytesIO(jpeg()), "certificate.jpg"),
    }  # fmt: skip
    url = f"/metrology/assets/{monitor.code}/certificates"
    answer = browser.post(url, data=form, content_type="multipart/form-data")
    assert answer.status_code == 303
    assert lights(as_("wang"))["M-1"] is Light.OK
    fake = (io.BytesIO(b"MZ" * 90), "c.pdf")
    wrong = {**form, "file": fake, "number": "JL-2", "nonce": "b" * 20}
    refused = browser.post(url, data=wrong, content_type="multipart/form-data")
    assert refused.status_code == 422
    assert "no PDF and no picture" in refused.text


def test_the_export_holds_what_the_page_shows_and_no_formula(as_, login, monitor):
    make_asset(as_("wang"), "MON", number="=1+1")
    verify(as_("wang"), monitor, until=300)
    text = login("chen").get("/metrology/export.csv").data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[0] for row in rows[1:]] == ["'=1+1", "M-1"]
    only = login("chen").get("/metrology/export.csv?light=ok").text
    assert "M-1" in only
    assert "1+1" not in only


def test_filters_leave_the_noise_out(as_, login, monitor):
    wang = as_("wang")
    make_asset(wang, "ECG", number="E-1", department="Cardiology")
    verify(wang, monitor, number="JL-77")
    found = register_page(wang, RegisterFilter(q="JL-77")).items
    assert [e.asset.number for e in found] == ["M-1"]
    assert [e.asset.number for e in register_page(wang, RegisterFilter(q="SN-7")).items] == ["M-1"]
    found = register_page(wang, RegisterFilter(category="ECG")).items
    assert [e.asset.number for e in found] == ["E-1"]
    [cardiology] = queries.departments_with_subjects(wang)
    found = register_page(wang, RegisterFilter(department=cardiology.id)).items
    assert [e.asset.number for e in found] == ["E-1"]
    assert register_page(wang, RegisterFilter(q="%")).items == []


def test_the_register_asks_the_database_no_more_for_more_assets(as_, engine, monitor):
    wang = as_("wang")
    with count_queries(engine) as few:
        register_page(wang, RegisterFilter())
    for n in range(20):
        verify(wang, make_asset(wang, "MON", number=f"N-{n}"), until=100)
    wang = as_("wang")
    with count_queries(engine) as many:
        assert len(register_page(wang, RegisterFilter()).items) == 21
    assert len(many) == len(few)


def test_the_api_tells_and_takes(as_, client, bearer, monitor):
    wang = as_("wang")
    body = {
        "number": "JL-9", "body": "Institute", "issued_on": days(-400, wang).isoformat(),
        "valid_until": days(-30, wang).isoformat(), "result": "pass",
    }  # fmt: skip
    url = f"/api/v1/assets/{monitor.code}/certificates"
    answer = client.post(url, json=body, headers=bearer())
    assert answer.status_code == 201
    assert client.post(url, json=body, headers=bearer()).status_code == 409
    [entry] = client.get("/api/v1/verifications?light=overdue", headers=bearer()).json["items"]
    assert (entry["asset"], entry["blocked"]) == (monitor.code, "overdue")
    [one] = client.get(url, headers=bearer()).json["items"]
    assert one["number"] == "JL-9"


def test_a_failed_safety_step_opens_one_repair_and_limits_use(as_, monitor):
    """What `work.completion` does with failed steps holds for safety records too."""
    wang, chen = as_("wang"), as_("chen")
    describe_safety(
        wang, asset=monitor.code, protection=ProtectionClass.I, parts=[AppliedPart.CF],
        method=Method.DIRECT,
    )  # fmt: skip
    order = open_safety_test(as_("wang"), asset=monitor.code)
    start_work(chen, as_("wang"), order)
    values = {"es1": 0.45, "es2": 0.05, "es3": 120.0, "es7": 8.0}
    answer_steps(as_("chen"), no=order.no, answers={k: Answer(value=v) for k, v in values.items()})
    with pytest.raises(Invalid):
        sign(as_("chen"), order)
    sign(as_("chen"), order, has_follow_up=True)
    ctx = as_("wang")
    repairs = list(
        ctx.session.scalars(select(WorkOrder).where(WorkOrder.type == WorkType.CORRECTIVE))
    )
    assert [repair.origin for repair in repairs] == [f"failed:{order.no}"]
    assert "Protective earth" in repairs[0].title
    assert availability(as_, monitor) is Availability.PARTIAL
    steps = {step.key: step.verdict for step in work_order(as_("wang"), order.no).steps}
    assert (steps["es1"], steps["es3"]) == (Verdict.FAIL, Verdict.PASS)
