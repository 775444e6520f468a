"""How frozen forecasts turn out: by repairs, by what planned work finds, by what people say."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from apm.assets.commands import advance
from apm.assets.model import AssetState
from apm.core.audit import AuditEntry
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.forecasts.judging import Frozen, Happening, Kind, judge
from apm.forecasts.model import ForecastRecord, Outcome
from apm.forecasts.outcomes import judge_everything, judge_news, put_right
from apm.work.completion import Completion, complete
from apm.work.states import AsFound, WorkType
from tests.apm.hospital import make_asset, make_work, start_work
from tests.apm.judged import make_record, make_version
from tests.conftest import PASSWORD

pytestmark = pytest.mark.database
BEGAN = datetime(2026, 3, 1, 8, tzinfo=UTC)
EVIDENCE = {"kind": "forecast", "record": 1}


def after(days):
    return BEGAN + timedelta(days=days)


def clock(days):
    return {"now": lambda: after(days)}


def told(as_, record, days):
    """What a record says after so many days."""
    judge_everything(as_("system", **clock(days)))
    ctx = as_("wang")
    found = ctx.session.get(ForecastRecord, record.id)
    return found.outcome, found.outcome_at, (found.outcome_why or {}).get("code")


@pytest.fixture
def asset(as_):
    return make_asset(as_("wang", **clock(-400)), lifecycle=AssetState.IN_SERVICE)


@pytest.fixture
def version(as_):
    return make_version(as_("system", **clock(-1)))


def do_work(as_, asset, days, *, said=None, **facts):
    """Work opened and completed by Chen on a day; its number."""
    order = make_work(as_("wang", **clock(days)), asset, **facts)
    start_work(as_("chen", **clock(days)), as_("wang", **clock(days)), order)
    chen = as_("chen", **clock(days + 0.1))
    complete(chen, no=order.no, password=PASSWORD, said=said or Completion())
    return order.no


def test_a_failure_in_time_makes_a_warning_a_hit_and_its_absence_a_miss(as_, asset, version):
    warned = make_record(as_("system"), version, asset, BEGAN)
    quiet = make_record(as_("system"), version, asset, BEGAN, warned=False, probability=0.1)
    assert told(as_, warned, 10) == (Outcome.OPEN, None, None)
    make_work(as_("wang", **clock(12)), asset)
    assert told(as_, warned, 13) == (Outcome.HIT, after(12), "failure")
    assert told(as_, quiet, 13) == (Outcome.MISS, after(12), "failure")


def test_the_end_of_the_horizon_decides_where_nothing_happened(as_, asset, version):
    noise = make_asset(as_("wang"), lifecycle=AssetState.IN_SERVICE)
    make_work(as_("wang", **clock(5)), noise)
    warned = make_record(as_("system"), version, asset, BEGAN)
    quiet = make_record(as_("system"), version, asset, BEGAN, warned=False)
    make_work(as_("wang", **clock(31)), asset)  # too late for both
    assert told(as_, warned, 40) == (Outcome.FALSE_ALARM, after(30), "horizon")
    assert told(as_, quiet, 40) == (Outcome.QUIET, after(30), "horizon")


def test_a_repair_that_finds_no_fault_is_no_failure(as_, asset, version):
    record = make_record(as_("system"), version, asset, BEGAN)
    said = Completion(cause="NPF", remedy="Checked")
    do_work(as_, asset, 3, said=said)
    assert told(as_, record, 40)[0] == Outcome.FALSE_ALARM


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (AsFound.DEFECT, Outcome.AVERTED),
        (AsFound.WEAR, Outcome.AVERTED),
        (AsFound.NOTHING, Outcome.FALSE_ALARM),
        (AsFound.CANNOT_TELL, Outcome.UNRESOLVED),
    ],
)
def test_the_technician_says_what_was_found(as_, asset, version, found, outcome):
    facts = {"type": WorkType.PREDICTIVE, "evidence": EVIDENCE}
    no = do_work(as_, asset, 4, said=Completion(as_found=found), **facts)
    record = make_record(as_("system"), version, asset, BEGAN, work_order_no=no)
    assert told(as_, record, 5)[0::2] == (outcome, f"as_found_{found}")


def test_without_an_answer_the_work_is_not_complete(as_, asset):
    with pytest.raises(Invalid) as refused:
        do_work(as_, asset, 4, type=WorkType.PREDICTIVE, evidence=EVIDENCE)
    assert "as_found" in refused.value.fields
    other = make_asset(as_("wang"))
    do_work(as_, other, 5, type=WorkType.PREDICTIVE, evidence={"kind": "anomaly"})  # not asked


def test_what_was_said_wrongly_is_put_right_and_the_signed_work_stays(as_, asset, version):
    facts = {"type": WorkType.PREDICTIVE, "evidence": EVIDENCE}
    no = do_work(as_, asset, 4, said=Completion(as_found=AsFound.NOTHING), **facts)
    record = make_record(as_("system"), version, asset, BEGAN, work_order_no=no)
    assert told(as_, record, 5)[0] == Outcome.FALSE_ALARM
    with pytest.raises(NotAllowed):
        put_right(as_("chen"), record_id=record.id, as_found=AsFound.WEAR)
    with pytest.raises(NotFound):
        put_right(as_("qin"), record_id=record.id, as_found=AsFound.WEAR)
    wang = as_("wang", **clock(6))
    put_right(wang, record_id=record.id, as_found=AsFound.WEAR, note="Seen in the workshop")
    assert told(as_, record, 50)[0] == Outcome.AVERTED
    said = wang.session.get(ForecastRecord, record.id).outcome_why["said"]
    assert (said["by"], said["as_found"]) == ("wang@north.example", "wear")
    trail = select(AuditEntry).where(AuditEntry.command == "forecast.put_right")
    assert wang.session.scalars(trail).all()


def test_only_finished_work_that_the_forecast_led_to_can_be_put_right(as_, asset, version):
    record = make_record(as_("system"), version, asset, BEGAN)
    with pytest.raises(Conflict):
        put_right(as_("wang"), record_id=record.id, as_found=AsFound.WEAR)


def test_equipment_that_is_gone_leaves_the_forecast_unresolved(as_, asset, version):
    record = make_record(as_("system"), version, asset, BEGAN)
    wang = as_("wang", **clock(9))
    advance(wang, code=asset.code, action="retire")
    assert told(as_, record, 40)[0::2] == (Outcome.UNRESOLVED, "retired")


def test_a_dismissal_is_a_false_alarm_at_once_until_it_fails_after_all(as_, asset, version):
    facts = {"dismissed_at": after(2), "dismissed_by": "wang", "dismissed_why": "checked_fine"}
    record = make_record(as_("system"), version, asset, BEGAN, **facts)
    soon = {**facts, "dismissed_why": "replaced_soon"}
    other = make_record(as_("system"), version, asset, BEGAN, **soon)
    assert judge_news(as_("system", **clock(3))) == {Outcome.FALSE_ALARM: 1}
    assert told(as_, record, 3) == (Outcome.FALSE_ALARM, after(2), "dismissed")
    assert told(as_, other, 3)[0] == Outcome.OPEN
    make_work(as_("wang", **clock(20)), asset)
    assert judge_news(as_("system", **clock(21))) == {Outcome.HIT: 2}
    assert judge_news(as_("system", **clock(21))) == {}  # the same facts, the same judgement


def _at(kind, days, **more):
    return Happening(kind, after(days), kind.value, "WO-1", **more)


@pytest.mark.parametrize(
    ("happened", "outcome"),
    [
        ([_at(Kind.REPLACED, 5), _at(Kind.FAILURE, 9)], Outcome.UNRESOLVED),
        ([_at(Kind.FAILURE, 5), _at(Kind.FOUND, 5)], Outcome.HIT),
        ([_at(Kind.FOUND, 5), _at(Kind.FAILURE, 9)], Outcome.AVERTED),
        ([_at(Kind.LOOKED, 5)], Outcome.OPEN),  # a routine visit answers no warning
        ([_at(Kind.LOOKED, 5, was_asked_for=True)], Outcome.FALSE_ALARM),
        ([_at(Kind.LOOKED, 5, was_asked_for=True), _at(Kind.FAILURE, 9)], Outcome.HIT),
        ([_at(Kind.FAILURE, -1), _at(Kind.FAILURE, 0), _at(Kind.FAILURE, 31)], Outcome.OPEN),
        ([_at(Kind.FAILURE, 25)], Outcome.OPEN),  # not yet
    ],
)
def test_what_comes_first_decides(happened, outcome):
    said = Frozen(BEGAN, after(30), warned=True)
    assert judge(said, happened, after(20)).outcome == outcome


def test_a_finding_without_a_warning_is_nobodys_merit():
    said = Frozen(BEGAN, after(30), warned=False)
    found = judge(said, [_at(Kind.FOUND, 5)], after(20))
    assert found.outcome == Outcome.UNRESOLVED
