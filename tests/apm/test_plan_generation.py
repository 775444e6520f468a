"""Plans turn into work orders: once each, without gaps, whatever the worker slept through."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from apm.assets.commands import advance, create_asset
from apm.assets.model import Asset, AssetState
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.events import Outbox
from apm.core.jobs import JOBS
from apm.maintenance.commands import add_plan, stop_plan
from apm.maintenance.generation import generate, settle
from apm.maintenance.handlers import settle_occurrence
from apm.maintenance.jobs import generate_due
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.maintenance.queries import plans_to_look_at
from apm.maintenance.rhythm import Rhythm
from apm.work.events import WorkOrderMoved
from apm.work.model import WorkOrder
from apm.work.states import WorkState, WorkType
from tests.conftest import As

pytestmark = pytest.mark.database
FIRST = date(2026, 3, 31)


def clock(day: date, hour: int = 4):
    """Noon in Shanghai, unless told otherwise."""
    return lambda: datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def rhythm(**changes) -> Rhythm:
    usual = {"mode": PlanMode.FIXED, "interval_months": 3, "anchor": FIRST}
    return Rhythm(**{**usual, "early_days": 14, "grace_days": 7, **changes})


@pytest.fixture
def planned(as_: As):
    """A ventilator of North with a quarterly plan, made in January; South has one, too."""

    def make(number: str = "V-1", who: str = "wang", **changes) -> int:
        ctx = as_(who, now=clock(date(2026, 1, 10)))
        asset = create_asset(ctx, number=number, name="Ventilator", category="VENT")
        return add_plan(ctx, asset=asset.code, template="VENT", rhythm=rhythm(**changes)).id

    return make


@pytest.fixture
def at(as_: As):
    """`at(day)` is the worker for North on that day."""
    return lambda day: as_("system", now=clock(day))


def occurrences(ctx, plan_id: int) -> list[Occurrence]:
    query = select(Occurrence).where(Occurrence.plan_id == plan_id).order_by(Occurrence.seq)
    return list(ctx.session.scalars(query.execution_options(populate_existing=True)))


def order_of(ctx, occurrence: Occurrence) -> WorkOrder:
    order = ctx.session.get(WorkOrder, occurrence.work_order_id, populate_existing=True)
    assert order
    return order


def set_state(ctx, order_id: int, state: WorkState, done: datetime | None = None) -> None:
    """Put an order where its own feature would put it."""
    with ctx.writing("test.work"):
        order = ctx.session.get(WorkOrder, order_id, populate_existing=True)
        order.state, order.done_at = state, done


def test_nothing_happens_before_the_window_opens(planned, at):
    plan_id = planned()
    assert generate_due(at(FIRST - timedelta(days=15))) == 0
    assert occurrences(at(FIRST), plan_id) == []


def test_the_open_window_makes_one_frozen_work_order(planned, at):
    plan_id = planned()
    planned("V-2", anchor=date(2026, 9, 1))  # noise: not due yet
    planned("S-1", who="qin")  # noise: South's worker has its own round
    opens = FIRST - timedelta(days=14)

    assert generate_due(at(opens)) == 1
    assert generate_due(at(opens)) == 0

    ctx = at(opens)
    [found] = occurrences(ctx, plan_id)
    assert (found.seq, found.due, found.opens) == (1, FIRST, opens)
    assert (found.late_after, found.why) == (FIRST + timedelta(days=7), "calendar")
    order = order_of(ctx, found)
    assert (order.type, order.origin) == (WorkType.PREVENTIVE, f"occurrence:{plan_id}:1")
    assert (order.due_on, order.late_after) == (found.due, found.late_after)
    assert order.template_code == "VENT"
    assert ctx.session.scalar(select(func.count(WorkOrder.id))) == 1
    assert ctx.session.get(Plan, plan_id).next_due == date(2026, 6, 30)


def test_the_window_opens_with_the_hospitals_day(planned, as_):
    plan_id = planned()
    eve = FIRST - timedelta(days=15)
    assert generate(as_("system", now=clock(eve, hour=15)), plan_id=plan_id) is None
    assert generate(as_("system", now=clock(eve, hour=16)), plan_id=plan_id)  # midnight there


def test_after_a_sleep_the_newest_gets_work_and_the_others_are_on_record(planned, at):
    plan_id = planned()
    assert generate_due(at(date(2026, 10, 5))) == 1
    found = occurrences(at(date(2026, 10, 5)), plan_id)
    assert [o.due for o in found] == [FIRST, date(2026, 6, 30), date(2026, 9, 30)]
    assert [o.state.value for o in found] == ["missed", "missed", "open"]
    assert [o.outcome for o in found] == ["superseded", "superseded", None]
    assert [o.work_order_id is None for o in found] == [True, True, False]
    assert [o.seq for o in found] == [1, 2, 3]


def test_a_newer_date_takes_the_place_of_work_nobody_started(planned, at):
    plan_id = planned()
    generate_due(at(FIRST))
    later = at(date(2026, 6, 20))
    assert generate_due(later) == 1
    old, new = occurrences(later, plan_id)
    assert (old.state, old.outcome) == (OccurrenceState.MISSED, "superseded")
    assert order_of(later, old).state is WorkState.CANCELLED
    assert order_of(later, old).reason
    assert order_of(later, new).state is WorkState.PLANNED
    events = later.session.scalars(select(Outbox).where(Outbox.kind == WorkOrderMoved.kind))
    assert [e.payload["state"] for e in events] == ["cancelled"]


def test_work_under_way_is_finished_before_the_next_begins(planned, at):
    plan_id = planned()
    generate_due(at(FIRST))
    ctx = at(date(2026, 6, 20))
    [first] = occurrences(ctx, plan_id)
    set_state(ctx, first.work_order_id, WorkState.IN_PROGRESS)
    assert generate_due(ctx) == 0
    assert [o.state.value for o in occurrences(ctx, plan_id)] == ["open"]

    set_state(ctx, first.work_order_id, WorkState.CLOSED, ctx.now())
    settle(ctx, work_order_id=first.work_order_id)
    assert generate_due(ctx) == 1
    assert [o.state.value for o in occurrences(ctx, plan_id)] == ["done", "open"]


def test_a_fixed_plan_does_not_move_when_work_is_late(planned, at):
    plan_id = planned()
    generate_due(at(FIRST))
    ctx = at(date(2026, 5, 2))
    [first] = occurrences(ctx, plan_id)
    set_state(ctx, first.work_order_id, WorkState.DONE, ctx.now())
    settle(ctx, work_order_id=first.work_order_id)
    assert occurrences(ctx, plan_id)[0].done_on == date(2026, 5, 2)
    assert ctx.session.get(Plan, plan_id).next_due == date(2026, 6, 30)


def test_a_floating_plan_counts_from_the_completion(planned, at):
    plan_id = planned(mode=PlanMode.FLOATING)
    generate_due(at(FIRST))
    late = at(date(2026, 8, 30))  # two intervals later: still the same work, nothing new
    assert generate_due(late) == 0
    [first] = occurrences(late, plan_id)
    set_state(late, first.work_order_id, WorkState.DONE, late.now())
    settle(late, work_order_id=first.work_order_id)
    assert late.session.get(Plan, plan_id).next_due == date(2026, 11, 30)
    assert generate_due(at(date(2026, 11, 15))) == 0
    assert generate_due(at(date(2026, 11, 16))) == 1
    assert occurrences(at(FIRST), plan_id)[1].why == "completion"


def test_done_counts_by_the_hospitals_day(planned, at):
    plan_id = planned()
    generate_due(at(FIRST))
    ctx = at(FIRST)
    [first] = occurrences(ctx, plan_id)
    set_state(ctx, first.work_order_id, WorkState.DONE, datetime(2026, 4, 7, 17, tzinfo=UTC))
    settle(ctx, work_order_id=first.work_order_id)
    assert occurrences(ctx, plan_id)[0].done_on == date(2026, 4, 8)


def test_an_occurrence_follows_its_work_order_there_and_back(planned, at):
    plan_id = planned()
    generate_due(at(FIRST))
    ctx = at(FIRST)
    [first] = occurrences(ctx, plan_id)
    order = order_of(ctx, first)

    def after(state: WorkState, done: datetime | None = None) -> OccurrenceState:
        set_state(ctx, order.id, state, done)
        payload = {"work_order_id": order.id, "type": order.type.value}
        for _ in range(2):  # events may come twice
            settle_occurrence(ctx, 1, payload)
        return occurrences(ctx, plan_id)[0].state

    assert after(WorkState.IN_PROGRESS) is OccurrenceState.OPEN
    assert after(WorkState.DONE, ctx.now()) is OccurrenceState.DONE
    assert after(WorkState.IN_PROGRESS) is OccurrenceState.OPEN
    assert occurrences(ctx, plan_id)[0].done_on is None
    assert after(WorkState.CANCELLED) is OccurrenceState.MISSED
    assert occurrences(ctx, plan_id)[0].outcome == "cancelled"
    assert after(WorkState.CLOSED, ctx.now()) is OccurrenceState.MISSED


def test_events_of_other_work_are_nothing_to_us(at):
    settle_occurrence(at(FIRST), 1, {"work_order_id": 99, "type": "corrective"})
    settle_occurrence(at(FIRST), 1, {"work_order_id": 99, "type": "preventive"})
    assert settle(at(FIRST), work_order_id=99) == []


def test_equipment_out_of_use_waits_and_is_due_before_use(planned, as_, at):
    plan_id = planned()
    ctx = as_("wang", now=clock(date(2026, 2, 1)))
    code = ctx.session.scalar(select(Asset.code).where(Asset.number == "V-1"))
    advance(ctx, code=code, action="stand_by")

    assert generate_due(at(date(2026, 2, 2))) == 0
    assert generate_due(at(date(2026, 7, 1))) == 0
    held = at(date(2026, 7, 1)).session.get(Plan, plan_id)
    assert (held.held_why, held.held_since) == ("standby", date(2026, 2, 2))

    advance(as_("wang", now=clock(date(2026, 7, 2))), code=code, action="put_in_service")
    back = at(date(2026, 7, 2))
    assert generate_due(back) == 1
    excused, due = occurrences(back, plan_id)
    assert (excused.state, excused.outcome) == (OccurrenceState.EXCUSED, "held")
    assert (due.due, due.why) == (date(2026, 6, 30), "before_use")
    plan = back.session.get(Plan, plan_id, populate_existing=True)
    assert (plan.held_why, plan.held_since) == (None, None)


@pytest.mark.parametrize("state", sorted(set(AssetState) - {AssetState.IN_SERVICE}))
def test_only_equipment_in_service_gets_work(planned, at, state):
    plan_id = planned()
    ctx = at(FIRST)
    with ctx.writing("test.state"):
        ctx.session.get(Plan, plan_id)
        ctx.session.scalars(select(Asset)).one().lifecycle = state
    assert generate_due(ctx) == 0
    plan = at(FIRST).session.get(Plan, plan_id)
    gone = state in {AssetState.RETIRED, AssetState.DISPOSED}
    assert (plan.is_active, plan.held_why) == (not gone, None if gone else state.value)


def test_retirement_ends_the_plan_and_excuses_what_was_open(planned, at):
    plan_id = planned()
    generate_due(at(FIRST))
    ctx = at(FIRST)
    with ctx.writing("test.retire"):
        ctx.session.scalars(select(Asset)).one().lifecycle = AssetState.RETIRED
    generate_due(ctx)
    [open_one] = occurrences(ctx, plan_id)
    assert (open_one.state, open_one.outcome) == (OccurrenceState.CANCELLED, "retired")
    assert order_of(ctx, open_one).state is WorkState.CANCELLED
    assert generate_due(at(date(2027, 1, 1))) == 0


def test_a_poisoned_plan_does_not_stop_the_rest(planned, at, caplog):
    bad, good = planned("V-0"), planned("V-1")
    ctx = at(FIRST)
    with ctx.writing("test.poison"):
        ctx.session.get(Plan, bad).template_code = "NO SUCH"
    assert generate_due(ctx) == 1
    assert [o.plan_id for o in at(FIRST).session.scalars(select(Occurrence))] == [good]
    assert "no such template" in at(FIRST).session.get(Plan, bad).problem
    assert f"no work order for plan {bad}" in caplog.text

    with ctx.writing("test.cure"):
        ctx.session.get(Plan, bad, populate_existing=True).template_code = "VENT"
    assert generate_due(at(FIRST)) == 1
    assert at(FIRST).session.get(Plan, bad).problem is None


def test_each_hospitals_round_leaves_the_other_alone(planned, as_):
    planned("S-1", who="qin")
    north = as_("system", now=clock(FIRST))
    assert generate_due(north) == 0
    [plan_id] = as_("qin").session.scalars(select(Plan.id))
    assert generate(north, plan_id=plan_id) is None
    with pytest.raises(NotFound):
        stop_plan(as_("wang"), plan_id=plan_id)


def test_a_round_looks_only_at_plans_with_something_to_do(planned, at):
    plan_id = planned()
    planned("V-2", anchor=FIRST + timedelta(days=1))  # noise: opens a day later
    opens = FIRST - timedelta(days=14)
    assert plans_to_look_at(at(opens), opens - timedelta(days=1)) == []
    assert plans_to_look_at(at(opens), opens) == [plan_id]
    generate_due(at(opens))
    assert plans_to_look_at(at(opens), opens) == []


def test_the_worker_knows_the_job():
    assert JOBS["maintenance.generate"].work is generate_due


def test_one_plan_an_asset_and_template(planned, as_):
    plan_id = planned()
    ctx = as_("wang", now=clock(FIRST))
    code = ctx.session.scalar(select(Asset.code))
    with pytest.raises(Conflict):
        add_plan(ctx, asset=code, template="VENT", rhythm=rhythm())
    stop_plan(ctx, plan_id=plan_id)
    with pytest.raises(Conflict):
        stop_plan(ctx, plan_id=plan_id)
    again = add_plan(ctx, asset=code, template="vent", rhythm=rhythm(interval_months=12))
    assert (again.id, again.is_active, again.interval_months) == (plan_id, True, 12)


def test_stopping_takes_unstarted_work_back(planned, as_, at):
    plan_id = planned()
    generate_due(at(FIRST))
    stop_plan(as_("wang", now=clock(FIRST)), plan_id=plan_id)
    ctx = at(FIRST)
    [one] = occurrences(ctx, plan_id)
    assert (one.state, one.outcome) == (OccurrenceState.CANCELLED, "stopped")
    assert order_of(ctx, one).state is WorkState.CANCELLED
    assert generate_due(at(date(2026, 7, 1))) == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"early_days": 61}, "early_days"), ({"early_days": 40, "grace_days": 44}, "grace_days")],
)
def test_a_rhythm_whose_windows_meet_is_refused(planned, as_, changes, field):
    with pytest.raises(Invalid) as refusal:
        planned(**changes)
    assert list(refusal.value.fields) == [field]
    assert as_("wang").session.scalars(select(Plan)).all() == []
