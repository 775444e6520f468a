"""Meters, conditions and predictions make plans due, once each, and say why."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from apm.assets.commands import create_asset
from apm.core.errors import Conflict, Invalid, NotFound
from apm.maintenance.commands import add_plan
from apm.maintenance.conditions import Condition, Watch, follow, listen
from apm.maintenance.due import NEVER
from apm.maintenance.jobs import generate_due, watch_triggers
from apm.maintenance.metering import read_meter
from apm.maintenance.model import (
    MeterKind,
    MeterReading,
    Occurrence,
    OccurrenceState,
    Phase,
    Plan,
    PlanMode,
    PlanTrigger,
    TriggerKind,
)
from apm.maintenance.rhythm import Rhythm
from apm.maintenance.settling import settle
from apm.maintenance.trigger_commands import add_trigger, remove_trigger
from apm.maintenance.triggers import prediction_due
from apm.maintenance.usage import Reading, pace, projection, running, value_at
from apm.maintenance.wishes import Said, Wanted
from apm.readings.commands import add_sensor, ingest
from apm.work.model import WorkOrder
from apm.work.states import WorkState

pytestmark = pytest.mark.database
JANUARY = datetime(2026, 1, 5, 4, tzinfo=UTC)
DAY = timedelta(days=1)


def after(days: float):
    return lambda: JANUARY + timedelta(days=days)


@pytest.fixture
def vent(as_):
    return create_asset(as_("wang", now=after(0)), number="V-1", name="Vent", category="VENT")


@pytest.fixture
def plan(as_, vent):
    """A yearly plan due in December, unless told otherwise."""

    def make(*triggers: Wanted, **changes) -> int:
        facts = {
            "mode": PlanMode.FIXED, "interval_months": 12, "anchor": date(2026, 12, 15),
            "early_days": 14, "grace_days": 14, **changes,
        }  # fmt: skip
        ctx = as_("wang", now=after(0))
        made = add_plan(
            ctx, asset=vent.code, template="VENT", rhythm=Rhythm(**facts), triggers=triggers
        )
        return made.id

    return make


@pytest.fixture
def hours(as_, vent):
    """`hours(10, 80)`: on the tenth day the meter says 80."""

    def say(days: float, value: float, **more) -> MeterReading:
        said = Said(vent.code, MeterKind.HOURS, value, **more)
        return read_meter(as_("chen", now=after(days)), said=said)

    return say


def occurrences(ctx, plan_id: int) -> list[Occurrence]:
    query = select(Occurrence).where(Occurrence.plan_id == plan_id).order_by(Occurrence.seq)
    return list(ctx.session.scalars(query.execution_options(populate_existing=True)))


def trigger_of(ctx, plan_id: int) -> PlanTrigger:
    query = select(PlanTrigger).where(PlanTrigger.plan_id == plan_id)
    return ctx.session.scalars(query.execution_options(populate_existing=True)).one()


def finish(as_, days: float, occurrence: Occurrence, state: WorkState = WorkState.DONE) -> None:
    ctx = as_("system", now=after(days))
    with ctx.writing("test.work"):
        order = ctx.session.get(WorkOrder, occurrence.work_order_id)
        order.state = state
        order.done_at = ctx.now() if state is WorkState.DONE else None
    settle(ctx, work_order_id=occurrence.work_order_id)


METER = Wanted(TriggerKind.METER, meter=MeterKind.HOURS, every=500.0)


def test_below_three_readings_nothing_is_projected(as_, plan, hours):
    plan_id = plan(METER)
    hours(1, 100.0)
    hours(11, 180.0)
    found = trigger_of(as_("wang"), plan_id)
    assert (found.phase, found.due_on) == (Phase.NOT_ENOUGH, None)
    assert generate_due(as_("system", now=after(12))) == 0


def test_a_meter_opens_work_ahead_of_its_projected_day_and_says_why(as_, plan, hours):
    plan_id = plan(METER)
    for k in range(4):
        hours(10 * k + 1, 100.0 + 80 * k)  # 8 hours a day: 600 after 62.5 days
    found = trigger_of(as_("wang"), plan_id)
    assert found.phase is Phase.NORMAL
    assert found.due_on == date(2026, 3, 10)  # midnight at the hospital
    assert generate_due(as_("system", now=after(64 - 15))) == 0
    worker = as_("system", now=after(64 - 14))
    assert generate_due(worker) == 1
    assert generate_due(worker) == 0
    [made] = occurrences(worker, plan_id)
    assert (made.why, made.is_extra, made.due) == ("meter", True, found.due_on)
    [reason] = made.reasons
    assert (reason["value"], reason["base"], reason["every"]) == (340.0, 100.0, 500.0)
    assert reason["per_day"] == 8.0
    order = worker.session.get(WorkOrder, made.work_order_id)
    assert order.due_on <= made.late_after
    # an extra visit moves no fixed date
    assert worker.session.get(Plan, plan_id).next_due == date(2026, 12, 15)

    finish(as_, 60, made)
    again = trigger_of(as_("wang"), plan_id)
    assert again.fired_seq is None
    assert again.base_value == pytest.approx(340.0)  # the newest reading: nothing later is known
    assert again.due_on > (JANUARY + 60 * DAY).date()


def test_called_off_work_is_asked_for_a_whole_interval_later(as_, plan, hours):
    plan_id = plan(METER)
    for k in range(4):
        hours(10 * k + 1, 100.0 + 200 * k)
    worker = as_("system", now=after(32))
    assert generate_due(worker) == 1
    [made] = occurrences(worker, plan_id)
    finish(as_, 33, made, WorkState.CANCELLED)
    [made] = occurrences(as_("system"), plan_id)
    assert (made.state, made.outcome) == (OccurrenceState.CANCELLED, "cancelled")
    assert generate_due(as_("system", now=after(33))) == 0
    assert trigger_of(as_("wang"), plan_id).base_value == 600.0


def test_a_plan_by_meter_alone_has_no_date_of_its_own(as_, plan, hours):
    plan_id = plan(METER, interval_months=0)
    assert as_("wang").session.get(Plan, plan_id).next_due == NEVER
    hours(1, 0.0)
    hours(5, 510.0)
    worker = as_("system", now=after(6))
    assert generate_due(worker) == 1
    [made] = occurrences(worker, plan_id)
    assert (made.why, made.is_extra) == ("meter", False)
    assert worker.session.get(Plan, plan_id).next_due == NEVER


def test_a_floating_plan_is_due_by_what_comes_first(as_, plan, hours):
    plan_id = plan(METER, mode=PlanMode.FLOATING, interval_months=6, anchor=date(2026, 7, 5))
    hours(1, 0.0)
    hours(20, 520.0)
    worker = as_("system", now=after(21))
    generate_due(worker)
    [made] = occurrences(worker, plan_id)
    finish(as_, 25, made)
    assert as_("wang").session.get(Plan, plan_id).next_due == date(2026, 7, 30)


def test_a_meter_joins_work_the_calendar_has_opened(as_, plan, hours):
    plan_id = plan(METER, anchor=date(2026, 1, 25))
    generate_due(as_("system", now=after(8)))
    hours(9, 0.0)
    hours(12, 505.0)
    worker = as_("system", now=after(12))
    assert watch_triggers(worker) == 0
    [made] = occurrences(worker, plan_id)
    assert [r["trigger"] for r in made.reasons] == ["meter", "calendar"]
    assert made.due == date(2026, 1, 25)  # frozen
    assert worker.session.get(WorkOrder, made.work_order_id).due_on == date(2026, 1, 17)


def test_meters_do_not_run_backwards_unless_reset(hours):
    hours(1, 100.0)
    with pytest.raises(Invalid) as refusal:
        hours(2, 90.0)
    assert "100" in str(refusal.value)
    hours(2, 3.0, is_reset=True)
    hours(3, 8.0)
    with pytest.raises(Invalid):
        hours(4, 9.0, at=JANUARY + 2.5 * DAY)
    with pytest.raises(Invalid):
        hours(4, float("nan"))
    with pytest.raises(Invalid):
        hours(4, 9.0, at=JANUARY + 40 * DAY)


def test_the_same_reading_again_changes_nothing(as_, hours):
    at = JANUARY + DAY
    hours(2, 100.0, at=at)
    hours(2, 100.0, at=at)
    assert len(as_("wang").session.scalars(select(MeterReading)).all()) == 1


def test_a_reset_meter_goes_on_counting():
    day = [JANUARY + k * DAY for k in range(4)]
    seen = [
        Reading(day[0], 90.0), Reading(day[1], 100.0), Reading(day[2], 5.0, is_reset=True),
        Reading(day[3], 15.0),
    ]  # fmt: skip
    whole = running(seen)
    assert [r.value for r in whole] == [90.0, 100.0, 100.0, 110.0]
    assert value_at(whole, day[0] + DAY / 2) == 95.0


def test_the_band_holds_what_it_promises():
    """Eight times of ten the day lies between the two ends."""
    from random import Random

    rng, held = Random(4), 0
    for _ in range(400):
        at, value, seen = JANUARY, 0.0, []
        for _reading in range(8):
            seen.append(Reading(at, value))
            days = rng.choice([5, 7, 10])
            at, value = at + days * DAY, value + sum(max(0, rng.gauss(8, 4)) for _ in range(days))
        found = projection(seen, seen[-1].value + 400)
        at, value, target = seen[-1].at, seen[-1].value, seen[-1].value + 400
        while value < target:
            at, value = at + DAY, value + max(0, rng.gauss(8, 4))
        held += found.earliest <= at <= (found.latest or at)
    assert 0.74 < held / 400 < 0.88
    assert pace(seen[:2]) is None


LIMIT = Condition(limit=8.0, is_above=True, hysteresis=1.0, lasting=timedelta(minutes=30))


def watched(*values: float, every: int = 10) -> Watch:
    readings = [(JANUARY + timedelta(minutes=every * k), v) for k, v in enumerate(values)]
    return follow(LIMIT, Watch(), readings)


@pytest.mark.parametrize(
    ("values", "phase"),
    [
        ((7.0, 8.0), Phase.NORMAL),
        ((9.0, 9.0, 9.0), Phase.PENDING),
        ((9.0, 9.0, 9.0, 9.0), Phase.MET),
        ((9.0, 9.0, 7.5, 9.0), Phase.MET),  # within the hysteresis: still the same episode
        ((9.0, 9.0, 7.0, 9.0), Phase.PENDING),
        ((9.0, 9.0, 9.0, 9.0, 7.5), Phase.MET),
        ((9.0, 9.0, 9.0, 9.0, 6.9), Phase.NORMAL),
    ],
)
def test_a_condition_needs_time_and_comes_back_past_the_hysteresis(values, phase):
    assert watched(*values).phase is phase


def test_a_silence_breaks_what_was_not_met_yet():
    assert watched(9.0, 9.0, every=90).phase is Phase.PENDING
    quiet = listen(watched(7.0), JANUARY + timedelta(hours=2))
    assert quiet.phase is Phase.NO_DATA
    met = listen(watched(9.0, 9.0, 9.0, 9.0), JANUARY + 9 * DAY)
    assert met.phase is Phase.MET


@pytest.fixture
def warm(as_, vent):
    """`warm(minutes, value)`: what the sensor says so many minutes after noon."""
    add_sensor(
        as_("wang", now=after(0)), code="T1", name="T", quantity="temperature", unit="°C",
        asset=vent.code,
    )  # fmt: skip

    def say(*pairs: tuple[int, float]) -> None:
        rows = [
            {
                "sensor": "T1",
                "at": (JANUARY + timedelta(minutes=m)).isoformat(),
                "value": v,
            }
            for m, v in pairs
        ]
        late = max(m for m, _v in pairs)
        ingest(as_("wang", now=lambda: JANUARY + timedelta(minutes=late)), rows)

    return say


WARM = Wanted(TriggerKind.CONDITION, sensor="T1", limit=8.0, hysteresis=1.0, minutes=30)


def test_a_condition_opens_work_once_an_episode(as_, plan, warm):
    plan_id = plan()
    add_trigger(as_("wang", now=after(0)), plan_id=plan_id, wanted=WARM)

    def at(minutes: int):
        return as_("system", now=lambda: JANUARY + timedelta(minutes=minutes))

    warm((10, 9.0), (20, 9.0))
    assert watch_triggers(at(21)) == 0
    assert trigger_of(at(21), plan_id).phase is Phase.PENDING
    warm((30, 9.5), (40, 9.0), (50, 9.1))
    assert watch_triggers(at(51)) == 1
    [made] = occurrences(at(51), plan_id)
    assert (made.why, made.is_extra) == ("condition", True)
    assert (made.reasons[0]["sensor"], made.reasons[0]["limit"]) == ("T1", 8.0)
    warm((60, 9.9))
    assert watch_triggers(at(61)) == 0  # the same episode
    assert len(occurrences(at(61), plan_id)) == 1

    finish(as_, 70 / 1440, made)
    warm((80, 9.0))
    assert watch_triggers(at(81)) == 0  # what is wrong after the visit must last anew
    warm((90, 9.0), (100, 9.0), (111, 9.0))
    assert watch_triggers(at(112)) == 1


def test_a_silent_sensor_is_neither_good_nor_bad(as_, plan, warm):
    plan_id = plan()
    add_trigger(as_("wang", now=after(0)), plan_id=plan_id, wanted=WARM)
    warm((10, 4.0))
    watch_triggers(as_("system", now=after(0.01)))
    assert trigger_of(as_("wang"), plan_id).phase is Phase.NORMAL
    watch_triggers(as_("system", now=after(0.2)))
    assert trigger_of(as_("wang"), plan_id).phase is Phase.NO_DATA


FORESEE = Wanted(TriggerKind.PREDICTION, floor=0.6, horizon_days=30)


@pytest.mark.parametrize(
    ("probability", "horizon", "n"), [(0.8, 20, 1), (0.5, 20, 0), (0.9, 60, 0)]
)
def test_a_prediction_counts_if_likely_and_near(as_, plan, vent, probability, horizon, n):
    plan_id = plan(FORESEE)
    worker = as_("system", now=after(3))
    due = prediction_due(worker, vent.id, probability, horizon, "bearing wear")
    assert due == [plan_id] * n
    assert watch_triggers(worker) == n
    for made in occurrences(worker, plan_id):
        assert made.why == "prediction"
        assert made.due == (JANUARY + (3 + horizon // 2) * DAY).date()
        assert made.reasons[0]["why"] == "bearing wear"


def test_a_prediction_for_other_equipment_or_another_hospital_is_nothing_to_us(as_, plan, vent):
    plan(FORESEE)
    other = create_asset(as_("qin"), number="V-9", name="Vent", category="VENT")
    assert prediction_due(as_("system", now=after(3)), other.id, 0.9, 10, "?") == []
    assert watch_triggers(as_("system", now=after(3))) == 0
    with pytest.raises(Invalid):
        prediction_due(as_("system"), vent.id, 1.2, 10, "?")


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted(TriggerKind.METER, every=5.0), "meter"),
        (Wanted(TriggerKind.METER, meter=MeterKind.USES, every=0.0), "every"),
        (Wanted(TriggerKind.METER, meter=MeterKind.USES, every=float("inf")), "every"),
        (Wanted(TriggerKind.CONDITION, sensor="NONE", limit=1.0), "sensor"),
        (Wanted(TriggerKind.CONDITION, sensor="NONE"), "limit"),
        (Wanted(TriggerKind.PREDICTION, floor=0.0, horizon_days=9), "floor"),
        (Wanted(TriggerKind.PREDICTION, floor=0.5, horizon_days=0), "horizon_days"),
    ],
)
def test_triggers_that_make_no_sense_are_refused(as_, plan, wanted, field):
    plan_id = plan()
    with pytest.raises(Invalid) as refusal:
        add_trigger(as_("wang"), plan_id=plan_id, wanted=wanted)
    assert list(refusal.value.fields) == [field]
    assert as_("wang").session.scalars(select(PlanTrigger)).all() == []


def test_a_meter_counts_once_for_a_plan_and_can_be_taken_away(as_, plan):
    plan_id = plan(METER)
    with pytest.raises(Conflict):
        add_trigger(as_("wang"), plan_id=plan_id, wanted=METER)
    trigger_id = trigger_of(as_("wang"), plan_id).id
    with pytest.raises(NotFound):
        remove_trigger(as_("qin"), plan_id=plan_id, trigger_id=trigger_id)
    remove_trigger(as_("wang"), plan_id=plan_id, trigger_id=trigger_id)
    assert as_("wang").session.scalars(select(PlanTrigger)).all() == []
