"""The cause of a failure: evidence from the records, a proposal, and a person who decides."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest

from apm.attribution import commands
from apm.attribution.finding import failure_of
from apm.attribution.log import add_events, read_file
from apm.attribution.proposing import assess
from apm.attribution.queries import attribution_of, cause_of, decisions_of
from apm.attribution.story import curves_of
from apm.core.audit import AuditEntry
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.core.permissions import Role
from apm.procedures.model import StepKind, Verdict
from apm.readings.commands import add_sensor, ingest
from apm.requests.triage import accept
from apm.work.completion import Completion, close, complete
from apm.work.model import Cost, WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.queries import work_order
from apm.work.states import CostKind, WorkState, WorkType
from apm.worker.delivery import deliver
from predict.cause_table import Cause
from tests.apm.hospital import make_asset, make_request, make_work, start_work
from tests.conftest import PASSWORD
from tests.queries import count_queries

pytestmark = pytest.mark.database
ROOM = {"quantity": "temperature", "unit": "°C", "profile": "imaging_room"}


def room_log(ctx, code, *, hours=80.0, hot_hours=0.0, hot=29.0, usual=21.0, ended_hours_ago=1.0):
    """Ten-minute readings up to now: usual, but hot for a while that ended so long ago."""
    now = ctx.now()
    lines = []
    for minutes in np.arange(hours * 60, 5, -10):
        ago = minutes / 60
        is_hot = ended_hours_ago < ago <= ended_hours_ago + hot_hours
        at = now - timedelta(minutes=float(minutes))
        value = hot if is_hot else usual
        lines.append({"sensor": code, "at": at.isoformat(), "value": value})
    ingest(ctx, lines)


def scanner(as_, who="wang", **details):
    """A CT in its room."""
    facts = {"location": "CT room", "manufacturer": "Acme", "model": "C1", **details}
    return make_asset(as_(who), "CT", name="Scanner", **facts)


def old_scanner(as_):
    """A CT of which it is known when it came."""
    return scanner(as_, in_service_on=(as_("wang").now() - timedelta(days=900)).date())


def repair(as_, asset, symptom="alarm", who="wang"):
    """A repair that a report led to."""
    request = make_request(as_("lin"), asset, symptom=symptom)
    return accept(as_(who), no=request.no)


def found_of(as_, order, who="wang"):
    """What can be seen now, by kind."""
    ctx = as_(who)
    return {one.kind: one for one in assess(ctx, failure_of(work_order(ctx, order.no))).found}


def in_the_past(as_, order, *, days, who="wang", **facts):
    """Move an order into the past, as it was signed then unless said otherwise."""
    ctx = as_(who)
    at = ctx.now() - timedelta(days=days)
    with ctx.writing("test.past"):
        row = ctx.session.get(WorkOrder, order.id)
        row.created_at = row.clock_from = at
        row.done_at = at + timedelta(hours=2)
        row.state = WorkState.CLOSED
        for name, value in facts.items():
            setattr(row, name, value)
    return at


def test_a_room_that_was_hot_before_speaks_for_the_environment(as_):
    asset = old_scanner(as_)
    add_sensor(
        as_("wang"), code="CT-T", name="CT room", name_zh="CT机房", location="CT room", **ROOM
    )
    room_log(as_("wang"), "CT-T", hot_hours=5)
    order = repair(as_, asset)
    view = cause_of(as_("wang"), order.no)
    heat = view.assessment.of("room_temperature")
    assert heat.level == "long"
    assert heat.facts["minutes"] == pytest.approx(300, abs=11)
    assert (heat.facts["worst"], heat.facts["low"], heat.facts["high"]) == (29.0, 18.0, 24.0)
    proposal = view.assessment.proposal
    assert proposal.cause is Cause.ENVIRONMENT
    assert proposal.pieces[0].kind == "room_temperature"
    assert ("room_temperature", None) in {(c.kind, c.level) for c in view.changes}


def test_a_hot_room_after_the_failure_or_long_before_is_no_evidence(as_):
    asset = scanner(as_)
    add_sensor(as_("wang"), code="CT-T", name="CT room", location="CT room", **ROOM)
    room_log(as_("wang"), "CT-T", hours=120, hot_hours=5, ended_hours_ago=80)
    order = repair(as_, asset)
    assert found_of(as_, order)["room_temperature"].level == "none"
    before = found_of(as_, order)
    later = as_("wang").now() + timedelta(minutes=3)
    hot = {"sensor": "CT-T", "at": later.isoformat(), "value": 45.0}
    ingest(as_("wang"), [hot])
    make_request(as_("lin"), asset, symptom="broken")
    assert found_of(as_, order) == before


def test_silence_of_a_sensor_is_not_a_cool_room(as_):
    asset = scanner(as_)
    add_sensor(as_("wang"), code="CT-T", name="CT room", location="CT room", **ROOM)
    room_log(as_("wang"), "CT-T", hours=10)
    order = repair(as_, asset)
    assert "room_temperature" not in found_of(as_, order)


def test_another_room_and_the_devices_own_sensor_are_no_surroundings(as_):
    asset = scanner(as_)
    add_sensor(as_("wang"), code="X", name="Store", location="Store", **ROOM)
    add_sensor(as_("wang"), code="OWN", name="Tube", asset=asset.code, **ROOM)
    for code in ("X", "OWN"):
        room_log(as_("wang"), code, hot_hours=5)
    assert "room_temperature" not in found_of(as_, repair(as_, asset))


@pytest.mark.parametrize(
    ("volts", "what"), [(180.0, "sag"), (5.0, "outage"), (260.0, "swell"), (225.0, None)]
)
def test_the_mains(as_, volts, what):
    asset = scanner(as_)
    add_sensor(
        as_("wang"), code="V", name="Mains", location="CT room", quantity="voltage", unit="V"
    )
    room_log(as_("wang"), "V", usual=230.0, hot=volts, hot_hours=0.5)
    power = found_of(as_, repair(as_, asset))["power"]
    assert (power.level, power.facts["what"]) == ("event" if what else "none", what)


def test_others_of_the_room_that_fail_at_once_are_noticed(as_):
    asset = scanner(as_)
    others = [scanner(as_) for _ in range(4)]
    elsewhere = scanner(as_, location="Far away")
    for other in (*others[:2], elsewhere):
        make_work(as_("wang"), other)
    peers = found_of(as_, repair(as_, asset))["room_peers"]
    assert (peers.level, peers.facts["n"]) == ("together", 2)
    alone = scanner(as_, location="Alone")
    assert "room_peers" not in found_of(as_, repair(as_, alone))


def test_the_report_and_earlier_repairs(as_):
    asset = scanner(as_)
    earlier = make_work(as_("wang"), asset)
    in_the_past(as_, earlier, days=40, cause_code="NPF")
    order = repair(as_, asset, "broken")
    found = found_of(as_, order)
    assert (found["symptom"].level, found["no_fault_found"].level) == ("damage", "before")
    assert found["no_fault_found"].facts["no"] == earlier.no
    assert found["recent_work"].level == "none"
    assert "parts" not in found  # known when it is done
    with (ctx := as_("wang")).writing("test.done"):
        row = ctx.session.get(WorkOrder, order.id)
        row.state, row.done_at, row.cause_code = WorkState.DONE, ctx.now(), "NPF"
    found = found_of(as_, order)
    assert (found["parts"].level, found["no_fault_found"].level) == ("none", "now")
    with (ctx := as_("wang")).writing("test.cost"):
        cost = Cost(work_order_id=order.id, kind=CostKind.PARTS, amount=100, currency="CNY")
        ctx.session.add(cost)
    assert found_of(as_, order)["parts"].level == "replaced"


@pytest.mark.parametrize(("days", "level"), [(3, "week"), (20, "month"), (45, "none")])
def test_recent_work_on_it(as_, days, level):
    asset = scanner(as_)
    other = scanner(as_)
    for one, ago in ((asset, days), (other, 1)):
        work = make_work(as_("wang"), one, type=WorkType.PREVENTIVE, template_code="CT")
        in_the_past(as_, work, days=ago)
    recent = found_of(as_, repair(as_, asset))["recent_work"]
    assert recent.level == level


def test_a_value_near_its_limit_and_one_that_failed(as_):
    asset = scanner(as_)
    work = make_work(as_("wang"), asset, type=WorkType.PREVENTIVE, template_code="CT")
    in_the_past(as_, work, days=60)
    order = repair(as_, asset)

    def measured(value, verdict=Verdict.PASS):
        ctx = as_("wang")
        with ctx.writing("test.measure"):
            steps = work_order(ctx, work.no).steps
            step = next(s for s in steps if s.kind is StepKind.MEASURE)
            step.tolerance = {"type": "between", "low": 10.0, "high": 20.0}
            step.value, step.verdict = value, verdict
        return found_of(as_, order)["last_result"].level

    assert measured(15.0) == "well"
    assert measured(19.5) == "near"
    assert measured(25.0, Verdict.FAIL) == "failed"


def test_age_and_time_in_service(as_):
    def aged(days):
        since = (as_("wang").now() - timedelta(days=days)).date()
        return found_of(as_, repair(as_, scanner(as_, in_service_on=since)))

    new, old = aged(30), aged(9 * 365)
    assert (new["age"].level, new["commissioning"].level) == ("young", "first_months")
    assert (old["age"].level, old["commissioning"].level) == ("old", "later")
    assert old["age"].facts["to_verify"]
    assert "age" not in found_of(as_, repair(as_, scanner(as_)))


def test_a_model_that_fails_more_often_than_the_others(as_):
    since = (as_("wang").now() - timedelta(days=900)).date()
    bad = [scanner(as_, model="Bad", in_service_on=since, lot="L7") for _ in range(3)]
    good = [scanner(as_, model="Good", in_service_on=since) for _ in range(3)]
    theirs = scanner(as_, "qin", model="Good", in_service_on=since)
    first = make_work(as_("wang"), good[0])
    in_the_past(as_, first, days=800, cause_code="UPF")
    for n in range(9):
        work = make_work(as_("wang"), bad[1 + n % 2])
        in_the_past(as_, work, days=10 + 30 * n, cause_code="UPF")
        in_the_past(as_, make_work(as_("qin"), theirs), days=10 + n, who="qin", cause_code="UPF")
        no_fault = make_work(as_("wang"), good[1])
        in_the_past(as_, no_fault, days=12 + n, cause_code="NPF")
    in_the_past(as_, make_work(as_("wang"), good[2]), days=100, cause_code="UPF")
    found = found_of(as_, repair(as_, bad[0]))
    facts = found["peers"].facts
    assert (found["peers"].level, facts["k1"], facts["k2"]) == ("more", 9, 1)
    assert (found["lot"].level, found["lot"].facts["k"]) == ("others", 2)
    hazard = found["hazard"].facts
    assert (hazard["of"], hazard["n"]) == ("model", 9)
    spared = found_of(as_, repair(as_, good[0]))
    assert spared["peers"].level == "alike"
    assert "lot" not in spared


def test_a_devices_own_log(as_):
    asset, silent = scanner(as_), scanner(as_)
    now = as_("wang").now()

    def line(code, hours, of=asset.code):
        at = now - timedelta(hours=hours)
        return {"asset": of, "at": at, "code": code, "severity": "error", "text": None}

    lines = [line("door-open", 2), line("OVERTEMP", 3), line("DROP", 60), line("X-1", 1)]
    assert add_events(as_("wang"), lines=lines, source="api").stored == 4
    again = add_events(as_("wang"), lines=[*lines, line("Y", 5, asset.number)], source="api")
    assert (again.stored, again.known) == (1, 4)
    log = found_of(as_, repair(as_, asset))["device_log"]
    assert (log.level, log.facts["codes"]) == ("user", ["door-open"])
    assert "device_log" not in found_of(as_, repair(as_, silent))
    with pytest.raises(Invalid):
        add_events(as_("qin"), lines=lines, source="api")
    with pytest.raises(Invalid, match="future"):
        add_events(as_("wang"), lines=[line("A", -3)], source="api")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "columns"),
        (b"a,b\n1,2\n", "columns"),
        (b"asset,at,code\n", "wrong"),
        (b"asset,at,code\nX,yesterday,E1\n", "wrong"),
        (b"\xff\xfe\xff\x81", "not text"),
        (b"asset,at,code\n" + b"x" * 200_000, "not text"),
    ],
)
def test_a_file_that_is_no_log_is_refused(data, says):
    with pytest.raises(Invalid, match=says):
        read_file(data)


def test_a_file_of_a_log_is_read():
    data = "\ufeffAsset,AT,code,severity,text\nC-1,2026-05-01T08:00:00+08:00,E1,ERROR,过热\n"
    [line] = read_file(data.encode())
    assert (line["asset"], line["code"], line["severity"], line["text"]) == (
        "C-1", "E1", "error", "过热",
    )  # fmt: skip


def finished(as_, order, cause="UPF"):
    """Done by Chen and closed by Wang."""
    start_work(as_("chen"), as_("wang"), order)
    said = Completion(30, cause, "Replaced", has_follow_up=False)
    complete(as_("chen"), no=order.no, password=PASSWORD, said=said)
    close(as_("wang"), no=order.no, password=PASSWORD)


def run_worker(as_):
    system = as_("system")
    from apm.accounts.queries import system_actor
    from apm.core.command import Context

    while deliver(Context(system.session, system_actor(None))):
        pass


def test_the_evidence_is_kept_as_the_work_goes_on_and_frozen_when_it_is_closed(as_):
    asset = scanner(as_)
    order = repair(as_, asset)
    start_work(as_("chen"), as_("wang"), order)
    run_worker(as_)
    row = attribution_of(as_("wang"), order)
    assert (row.frozen_at, row.confirmed_cause) == (None, None)
    said = Completion(30, "UPF", "Replaced", has_follow_up=False)
    complete(as_("chen"), no=order.no, password=PASSWORD, said=said)
    close(as_("wang"), no=order.no, password=PASSWORD)
    run_worker(as_)
    row = attribution_of(as_("wang"), order)
    assert row.frozen_at is not None
    assert {one["kind"]: one["level"] for one in row.evidence}["parts"] == "none"
    frozen = cause_of(as_("wang"), order.no)
    with (ctx := as_("wang")).writing("test.later"):
        ctx.session.get(WorkOrder, order.id).cause_code = "NPF"
    after = cause_of(as_("wang"), order.no)
    assert after.is_frozen
    assert after.assessment == frozen.assessment
    commands.collect_evidence(as_("system"), no=order.no)
    assert cause_of(as_("wang"), order.no).assessment == frozen.assessment


def test_an_engineer_confirms_and_the_record_follows(as_):
    order = repair(as_, scanner(as_))
    start_work(as_("chen"), as_("wang"), order)
    with pytest.raises(Invalid, match="what you saw"):
        commands.confirm_cause(as_("wang"), no=order.no, cause=Cause.WEAR)
    made = commands.confirm_cause(
        as_("wang"), no=order.no, cause=Cause.WEAR, reason="Bearing worn out"
    )
    assert (made.code, made.is_addendum, made.proposed) == ("PPF", False, Cause.UNDETERMINED)
    assert work_order(as_("wang"), order.no).cause_code == "PPF"
    commands.confirm_cause(
        as_("wang"), no=order.no, cause=Cause.WEAR, reason="Battery", code="BATT"
    )
    assert work_order(as_("wang"), order.no).cause_code == "BATT"
    with pytest.raises(Invalid, match="failure code"):
        commands.confirm_cause(as_("wang"), no=order.no, cause=Cause.WEAR, reason="?", code="ENV")
    row = attribution_of(as_("wang"), order)
    assert (row.confirmed_cause, row.said_at_once) == (Cause.WEAR, Cause.UNDETERMINED)
    trail = as_("wang").session.query(AuditEntry).filter_by(entity="CauseDecision").all()
    assert {entry.command for entry in trail} == {"cause.confirm"}


def test_after_signing_it_becomes_an_addendum(as_):
    order = repair(as_, scanner(as_))
    finished(as_, order, cause="PPF")
    made = commands.confirm_cause(
        as_("wang"), no=order.no, cause=Cause.USER, reason="It was dropped"
    )
    after = work_order(as_("wang"), order.no)
    assert (made.is_addendum, made.code, after.cause_code) == (True, "USE", "PPF")
    [addendum] = after.addenda
    assert "Use and operation" in addendum.text
    assert "It was dropped" in addendum.text
    assert [one.cause for one in decisions_of(as_("wang"), order)] == [Cause.USER]


def test_who_may_not_decide(as_):
    order = repair(as_, scanner(as_))
    with pytest.raises(NotAllowed):
        commands.confirm_cause(as_("chen"), no=order.no, cause=Cause.WEAR, reason="x")
    with pytest.raises(NotAllowed, match="program"):
        commands.confirm_cause(as_("system"), no=order.no, cause=Cause.WEAR, reason="x")
    with pytest.raises(NotFound):
        commands.confirm_cause(as_("qin"), no=order.no, cause=Cause.WEAR, reason="x")
    other = make_work(as_("wang"), type=WorkType.PREVENTIVE, template_code="MON")
    with pytest.raises(NotFound):
        cause_of(as_("wang"), other.no)
    move_work(as_("wang"), no=order.no, action="cancel", facts=Facts(reason="Twice"))
    with pytest.raises(Conflict):
        commands.confirm_cause(as_("wang"), no=order.no, cause=Cause.WEAR, reason="x")


def test_confirmed_cases_move_what_is_believed_beforehand(as_):
    before = cause_of(as_("wang"), (order := repair(as_, scanner(as_))).no).assessment
    for _ in range(4):
        other = repair(as_, scanner(as_))
        commands.confirm_cause(as_("wang"), no=other.no, cause=Cause.WEAR, reason="Worn")
    after = cause_of(as_("wang"), order.no).assessment
    assert (before.priors.n, after.priors.n) == (0, 4)
    assert after.priors.shares[Cause.WEAR] == pytest.approx((12 * 0.125 + 4) / 16)
    assert after.proposal.posterior[Cause.WEAR] > before.proposal.posterior[Cause.WEAR]
    theirs = repair_of_south(as_)
    assert cause_of(as_("qin"), theirs.no).assessment.priors.n == 0


def repair_of_south(as_):
    return make_work(as_("qin"), scanner(as_, "qin"))


def test_the_number_of_statements_does_not_grow(as_, engine):
    asset = scanner(as_, in_service_on=(as_("wang").now() - timedelta(days=600)).date())
    add_sensor(as_("wang"), code="CT-T", name="CT room", location="CT room", **ROOM)
    room_log(as_("wang"), "CT-T", hot_hours=3)
    order = repair(as_, asset)
    with count_queries(engine) as few:
        cause_of(as_("wang"), order.no)
    for _ in range(8):
        since = (as_("wang").now() - timedelta(days=900)).date()
        other = scanner(as_, in_service_on=since)
        in_the_past(as_, make_work(as_("wang"), other), days=30, cause_code="UPF")
        in_the_past(as_, make_work(as_("wang"), asset), days=200, cause_code="UPF")
    with count_queries(engine) as many:
        cause_of(as_("wang"), order.no)
    assert len(many) <= len(few) + 2  # the neighbours of the room are asked for once there are any
    assert len(many) < 45


def test_the_pages(as_, login):
    asset = old_scanner(as_)
    add_sensor(as_("wang"), code="CT-T", name="CT room", location="CT room", **ROOM)
    room_log(as_("wang"), "CT-T", hot_hours=5)
    order = repair(as_, asset)
    browser = login("wang")
    url = f"/work-orders/{order.no}/cause"
    page = browser.get(url)
    assert page.status_code == 200
    for words in (
        "strongly for: Environment",
        "Nothing is decided",
        "What would change",
        "Outside",
    ):
        assert words in page.text
    chinese = browser.get(f"{url}?lang=zh").text
    assert "环境" in chinese
    browser.get(f"{url}?lang=en")
    assert browser.get(f"/work-orders/{order.no}").status_code == 200
    said = {"cause": "wear", "nonce": uuid4().hex}
    assert browser.post(f"{url}/confirm", data=said).status_code == 422
    said = {"cause": "environment", "nonce": uuid4().hex}
    assert browser.post(f"{url}/confirm", data=said).status_code == 303
    assert "Confirmed: Environment" in browser.get(url).text
    assert "Confirmed: Environment" in browser.get(f"/work-orders/{order.no}").text
    assert login("chen").get(url).status_code == 200
    assert login("chen").post(f"{url}/confirm", data=said).status_code == 403
    assert login("qin").get(url).status_code == 404


def test_the_page_of_the_log(as_, login):
    import io

    asset = scanner(as_)
    browser = login("wang")
    url = f"/assets/{asset.code}/log"
    assert "no log yet" in browser.get(url).text
    text = f"asset,at,code\n{asset.number},2026-05-01T08:00:00+08:00,DROP\n"
    sent = {"file": (io.BytesIO(text.encode()), "log.csv"), "nonce": uuid4().hex}
    assert browser.post(url, data=sent).status_code == 303
    assert "DROP" in browser.get(url).text
    assert "DROP" in browser.get(f"/assets/{asset.code}").text
    bad = {"file": (io.BytesIO(b"x"), "log.csv"), "nonce": uuid4().hex}
    assert browser.post(url, data=bad).status_code == 422
    assert login("qin").get(url).status_code == 404


def test_the_api(as_, client, bearer, login):
    asset = scanner(as_)
    order = repair(as_, asset, "broken")
    url = f"/api/v1/work-orders/{order.no}/cause"
    shown = client.get(url, headers=bearer()).json
    assert sum(shown["posterior"].values()) == pytest.approx(1)
    assert shown["confirmed"] is None
    [symptom] = [p for p in shown["pieces"] if p["kind"] == "symptom"]
    assert (symptom["level"], symptom["speaks_for"]) == ("damage", "user")
    body = {"cause": "user", "reason": "Dropped"}
    assert client.post(f"{url}/confirm", json=body, headers=bearer()).status_code == 403
    signed_in = login("wang")
    made = signed_in.post(f"{url}/confirm", json=body)
    assert (made.status_code, made.json["confirmed"]) == (201, "user")
    assert signed_in.post(f"{url}/confirm", json={"cause": "mood"}).status_code == 422
    lines = {"lines": [{"asset": asset.code, "at": "2026-05-01T08:00:00Z", "code": "DROP"}]}
    events = "/api/v1/device-events"
    device = bearer(Role.DEVICE)
    assert client.post(events, json=lines, headers=device).json == {"stored": 1, "known": 0}
    assert client.post(events, json=lines, headers=device).json == {"stored": 0, "known": 1}
    wrong = {"lines": [{"asset": "NOPE", "at": "2026-05-01T08:00:00Z", "code": "X"}]}
    refused = client.post(events, json=wrong, headers=device)
    assert (refused.status_code, list(refused.json["fields"])) == (422, ["lines.0.asset"])


def test_the_curves_of_a_room_are_read_at_once_and_keep_the_worst_value(as_, engine):
    asset = scanner(as_)
    wang = as_("wang")
    order = repair(as_, asset)
    failure = failure_of(work_order(as_("wang"), order.no))

    def statements():
        ctx = as_("wang")
        with count_queries(engine) as sent:
            found = curves_of(ctx, failure)
        return len(sent), found

    for n in range(3):
        add_sensor(wang, code=f"R{n}", name="Room", location=asset.location.code, **ROOM)
        room_log(as_("wang"), f"R{n}", hot_hours=1, hot=31.5)
        if n == 0:
            few, _curves = statements()
    many, curves = statements()

    assert many <= few + 2  # a sensor's days are one statement, of at most three sensors
    assert [curve.sensor.code for curve in curves] == ["R0", "R1", "R2"]
    for curve in curves:
        assert len(curve.points) <= 300
        assert max(value for _at, value in curve.points) == 31.5
        assert len(curve.windows) == 1
