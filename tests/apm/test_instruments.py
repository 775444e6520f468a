"""Test instruments: their calibration, sign-off, and what is in doubt when one was wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
import yaml
from sqlalchemy import select

from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.events import Outbox
from apm.core.settings import ROOT
from apm.metrology import instruments, naming
from apm.metrology.catalogue import fitting_tests, safety_tests
from apm.metrology.instruments import Details, calibrate, was_calibrated
from apm.metrology.jobs import watch
from apm.metrology.model import AppliedPart, InstrumentUse, Method, ProtectionClass, Result
from apm.metrology.safety import describe_safety, open_safety_test
from apm.procedures.model import Verdict
from apm.work.queries import work_order
from apm.work.results import Answer, answer_steps
from apm.work.states import WorkState, WorkType
from tests.apm.hospital import make_asset, make_work, start_work
from tests.apm.metrology import days, issued, make_instrument, sign

pytestmark = pytest.mark.database
GOOD = {"es1": 0.12, "es2": 0.05, "es3": 120.0, "es7": 8.0}


@pytest.fixture
def monitor(as_):
    """A monitor of class I with a type CF part."""
    asset = make_asset(as_("wang"), "MON", number="M-1")
    describe_safety(
        as_("wang"),
        asset=asset.code,
        protection=ProtectionClass.I,
        parts=[AppliedPart.CF],
        method=Method.DIRECT,
    )
    return asset


@pytest.fixture
def order(as_, monitor):
    """A safety test in Chen's hands, every step answered well."""
    made = open_safety_test(as_("wang"), asset=monitor.code)
    start_work(as_("chen"), as_("wang"), made)
    answer_steps(as_("chen"), no=made.no, answers={k: Answer(value=v) for k, v in GOOD.items()})
    return made


def events(ctx, kind):
    """What was announced of a kind."""
    return list(ctx.session.scalars(select(Outbox).where(Outbox.kind == f"metrology.{kind}")))


def test_every_limit_is_that_of_the_templates():
    plain = yaml.safe_load((ROOT / "seed" / "templates.yaml").read_text())
    steps = {step["id"]: step for step in plain["safety"]}
    assert set(steps) == set(safety_tests())
    for key, test in safety_tests().items():
        step = steps[key]
        assert test.tolerance == step["tolerance"], key
        assert (test.unit, test.en, test.zh) == (step["unit"], step["en"], step["zh"])
        trust = plain["sources"][step["source"]]["trust"]
        assert test.to_verify is (trust == "recalled"), key


@pytest.mark.parametrize(
    ("protection", "parts", "method", "limits"),
    [
        ("I", ["BF"], "direct", {"es1": 0.3, "es2": 0.1, "es3": 500, "es8": 5000, "es9": 2}),
        ("I", ["CF"], "alternative", {"es1": 0.3, "es2": 0.1, "es5": 1000, "es7": 50, "es9": 2}),
        ("II", ["BF", "CF"], "differential", {"es4": 100, "es7": 50, "es8": 5000, "es10": 7}),
        ("II", ["B"], "alternative", {"es6": 500, "es10": 7}),
        ("I", [], "differential", {"es1": 0.3, "es2": 0.1, "es3": 500, "es9": 2}),
    ],
)
def test_the_limit_follows_method_class_and_part(protection, parts, method, limits):
    """Figures of IEC 62353 as `facts.md` gives them."""
    found = fitting_tests(ProtectionClass(protection), parts, Method(method))
    assert {test.key: test.limit for test in found} == limits


def test_a_cord_that_cannot_be_taken_off_is_not_measured_by_itself():
    found = fitting_tests(ProtectionClass.I, [], Method.DIRECT, has_cord=False)
    assert "es2" not in {test.key for test in found}


def test_a_safety_test_is_judged_and_its_memory_limits_say_so(as_, monitor):
    wang = as_("wang")
    order = open_safety_test(wang, asset=monitor.code)
    assert open_safety_test(as_("wang"), asset=monitor.code).no == order.no
    assert order.type is WorkType.INSPECTION
    steps = {step.key: step for step in work_order(as_("wang"), order.no).steps}
    assert set(steps) == {"es1", "es2", "es3", "es7", "es9"}
    assert steps["es3"].tolerance == {"type": "le", "limit": 500}
    assert not steps["es9"].mandatory
    start_work(as_("chen"), as_("wang"), order)
    answer_steps(as_("chen"), no=order.no, answers={"es7": Answer(value=50.1)})
    after = {step.key: step.verdict for step in work_order(as_("wang"), order.no).steps}
    assert after["es7"] is Verdict.FAIL
    describe_safety(
        as_("wang"), asset=monitor.code, protection=ProtectionClass.II, parts=[],
        method=Method.ALTERNATIVE,
    )  # fmt: skip
    assert len(work_order(as_("wang"), order.no).steps) == 5  # frozen when it was opened


def test_without_a_class_there_is_no_safety_test(as_):
    asset = make_asset(as_("wang"), "MON")
    with pytest.raises(Invalid, match="protection class"):
        open_safety_test(as_("wang"), asset=asset.code)
    theirs = make_asset(as_("qin"), "MON")
    with pytest.raises(NotFound):
        open_safety_test(as_("wang"), asset=theirs.code)


def test_measured_steps_name_the_instrument_and_work_is_signed(as_, order):
    analyser = make_instrument(as_("wang"))
    naming.name_instrument(as_("chen"), no=order.no, instrument_id=analyser.id)
    naming.name_instrument(as_("chen"), no=order.no, instrument_id=analyser.id)
    uses = list(as_("chen").session.scalars(select(InstrumentUse)))
    assert sorted(use.step_key for use in uses) == ["es1", "es2", "es3", "es7", "es9"]
    assert {use.calibrated_until for use in uses} == {analyser.calibrated_until}
    assert sign(as_("chen"), order).state is WorkState.DONE


@pytest.mark.parametrize("until", [-1, None], ids=["expired", "never"])
def test_an_instrument_out_of_date_blocks_the_signature(as_, order, until):
    analyser = make_instrument(as_("wang"), until=until)
    naming.name_instrument(as_("chen"), no=order.no, instrument_id=analyser.id)
    with pytest.raises(Invalid, match=analyser.serial) as refusal:
        sign(as_("chen"), order)
    assert refusal.value.code == "instrument_out_of_date"
    good = issued(as_("wang"), until=300, ago=30)
    calibrate(as_("wang"), instrument_id=analyser.id, issued=good)
    assert sign(as_("chen"), order).state is WorkState.DONE


def test_taken_off_it_blocks_nothing(as_, order):
    analyser = make_instrument(as_("wang"), until=-1)
    naming.name_instrument(as_("chen"), no=order.no, instrument_id=analyser.id, scope="es1")
    naming.unname_instrument(as_("chen"), no=order.no, instrument_id=analyser.id)
    assert sign(as_("chen"), order).state is WorkState.DONE
    with pytest.raises(Conflict):
        naming.name_instrument(as_("chen"), no=order.no, instrument_id=analyser.id)


def test_what_counts_is_the_day_of_use(as_, order):
    analyser = make_instrument(as_("wang"), until=-1)
    yesterday = days(-2, as_("chen"))
    naming.name_instrument(as_("chen"), no=order.no, instrument_id=analyser.id, used_on=yesterday)
    assert sign(as_("chen"), order).state is WorkState.DONE


@pytest.mark.parametrize("scope", ["nowhere", "function", "vt@400"])
def test_an_instrument_cannot_measure_what_is_not_there(as_, order, scope):
    analyser = make_instrument(as_("wang"))
    with pytest.raises(Invalid):
        naming.name_instrument(as_("chen"), no=order.no, instrument_id=analyser.id, scope=scope)
    with pytest.raises(Invalid):
        naming.name_instrument(
            as_("chen"), no=order.no, instrument_id=analyser.id, used_on=days(3, as_("chen"))
        )


def test_an_instrument_found_wrong_tells_what_is_in_doubt(as_, order, monitor):
    analyser = make_instrument(as_("wang"))  # calibrated 400 days ago
    other = make_instrument(as_("wang"))
    noise = make_work(as_("wang"), monitor, type=WorkType.PREVENTIVE, template_code="MON")
    start_work(as_("chen"), as_("wang"), noise)
    naming.name_instrument(as_("chen"), no=noise.no, instrument_id=other.id)
    naming.name_instrument(as_("chen"), no=order.no, instrument_id=analyser.id)
    sign(as_("chen"), order)
    wrong = issued(as_("wang"), result=Result.FAIL, valid_until=None, ago=0)
    failed = calibrate(as_("wang"), instrument_id=analyser.id, issued=wrong)
    [event] = events(as_("wang"), "instrument_out_of_tolerance")
    assert event.payload["orders"] == 1
    wang = as_("wang")
    instrument = instruments.instrument_by_id(wang, analyser.id)
    [used] = instruments.affected_by(wang, instrument, instrument.certificates[0])
    assert used.order.no == order.no
    assert instrument.certificates[0].id == failed.id
    # Work after a new good calibration is not in doubt, and none before the last good one.
    assert instruments.doubtful_since(instrument.certificates, failed) == days(-400, wang)


def test_only_what_lies_between_is_affected(as_, monitor):
    analyser = make_instrument(as_("wang"), until=None)
    for ago in (700, 350):
        good = issued(as_("wang"), ago=ago, until=400 - ago)
        calibrate(as_("wang"), instrument_id=analyser.id, issued=good)
    nos = {}
    for ago in (500, 350, 100, 0):
        made = make_work(as_("wang"), monitor, type=WorkType.PREVENTIVE, template_code="MON")
        start_work(as_("chen"), as_("wang"), made)
        naming.name_instrument(
            as_("chen"), no=made.no, instrument_id=analyser.id, used_on=days(-ago, as_("chen"))
        )
        nos[ago] = made.no
    wrong = issued(as_("wang"), result=Result.FAIL, valid_until=None, ago=50)
    calibrate(as_("wang"), instrument_id=analyser.id, issued=wrong)
    wang = as_("wang")
    instrument = instruments.instrument_by_id(wang, analyser.id)
    found = instruments.affected_by(wang, instrument, instrument.certificates[0])
    assert {used.order.no for used in found} == {nos[350], nos[100]}


def test_a_failure_ends_what_a_certificate_promised(as_):
    analyser = make_instrument(as_("wang"), until=300)
    wrong = issued(as_("wang"), result=Result.FAIL, valid_until=None, ago=5)
    calibrate(as_("wang"), instrument_id=analyser.id, issued=wrong)
    wang = as_("wang")
    known = instruments.instrument_by_id(wang, analyser.id).certificates
    assert was_calibrated(known, days(-6, wang))
    assert not was_calibrated(known, days(-5, wang))
    assert not was_calibrated(known, days(0, wang))
    instruments.withdraw_calibration(
        as_("wang"), certificate_id=known[0].id, reason="Another instrument"
    )
    wang = as_("wang")
    again = instruments.instrument_by_id(wang, analyser.id)
    assert was_calibrated(again.certificates, days(0, wang))
    assert again.result is Result.PASS


def test_a_serial_is_one_instrument_a_hospital(as_):
    make_instrument(as_("wang"), serial="ESA-1", until=None)
    with pytest.raises(Invalid):
        make_instrument(as_("wang"), serial="ESA-1", until=None)
    theirs = make_instrument(as_("qin"), serial="ESA-1", until=None)
    with pytest.raises(NotFound):
        instruments.instrument_by_id(as_("wang"), theirs.id)
    with pytest.raises(NotFound):
        instruments.change_instrument(
            as_("wang"), instrument_id=theirs.id, details=Details("x", "y")
        )


def test_a_reminder_comes_once(as_):
    make_instrument(as_("wang"), until=30)
    make_instrument(as_("wang"), until=300)
    watch(as_("system"))
    watch(as_("system"))
    assert len(events(as_("wang"), "instrument_due")) == 1
    now = as_("system").now() + timedelta(days=40)
    watch(as_("system", now=lambda: now))
    assert [e.payload["light"] for e in events(as_("wang"), "instrument_due")] == [
        "soon", "overdue"
    ]  # fmt: skip


def test_the_pages(as_, login, order):
    browser = login("wang")
    made = browser.post(
        "/metrology/instruments",
        data={"name": "Analyser", "serial": "ESA-9", "nonce": "n" * 20},
    )
    assert made.status_code == 303
    [url] = [made.location]
    page = browser.get(url).text
    assert "No calibration is on record" in page
    chen = login("chen")
    section = chen.get(f"/work-orders/{order.no}").text
    assert "Test instruments" in section
    instrument = instruments.instrument_by_serial(as_("wang"), "ESA-9")
    form = {"instrument": instrument.id, "scope": "safety", "nonce": "m" * 20}
    assert chen.post(f"/work-orders/{order.no}/instruments", data=form).status_code == 303
    after = chen.get(f"/work-orders/{order.no}").text
    assert "Not calibrated that day" in after
    wang = as_("wang")
    certificate = {
        "number": "CAL-1", "body": "Institute", "issued_on": days(-5, wang).isoformat(),
        "valid_until": days(300, wang).isoformat(), "result": "pass", "nonce": "k" * 20,
    }  # fmt: skip
    assert browser.post(f"{url}/calibrations", data=certificate).status_code == 303
    assert "Calibrated that day" in chen.get(f"/work-orders/{order.no}").text
    again = browser.post(f"{url}/calibrations", data={**certificate, "nonce": "l" * 20})
    assert again.status_code == 409
    assert order.no in browser.get(url).text
    change = {"name": "Analyser 2", "serial": "ESA-9", "is_active": "true", "nonce": "o" * 20}
    assert browser.post(url, data=change).status_code == 303
    assert "Analyser 2" in browser.get("/metrology/instruments").text
    assert "Analyser 2" not in login("qin").get("/metrology/instruments").text
    assert chen.post(url, data=change).status_code == 403


def test_the_api(as_, client, bearer, monitor, order):
    headers = bearer()
    made = client.post("/api/v1/instruments", json={"name": "A", "serial": "E-1"}, headers=headers)
    assert made.status_code == 201
    number = made.json["id"]
    wang = as_("wang")
    failed = {
        "number": "C-1", "body": "B", "issued_on": days(-1, wang).isoformat(), "result": "fail"
    }  # fmt: skip
    url = f"/api/v1/instruments/{number}"
    assert client.post(f"{url}/calibrations", json=failed, headers=headers).status_code == 201
    assert client.get(f"{url}/affected", headers=headers).json["items"] == []
    naming.name_instrument(as_("chen"), no=order.no, instrument_id=number, used_on=days(-3, wang))
    [one] = client.get(f"{url}/affected", headers=headers).json["items"]
    assert one["work_order"] == order.no
    [use] = client.get(f"/api/v1/work-orders/{order.no}/instruments", headers=headers).json[
        "items"
    ]
    assert (use["serial"], use["calibrated"]) == ("E-1", False)
    safety = client.get(f"/api/v1/assets/{monitor.code}/safety", headers=headers).json
    assert [t["key"] for t in safety["tests"]] == ["es1", "es2", "es3", "es7", "es9"]
    assert client.get("/api/v1/instruments", headers=headers).json["items"][0]["serial"] == "E-1"
