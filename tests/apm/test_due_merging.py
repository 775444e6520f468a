"""One visit instead of two; and nothing lost on the way."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from apm.assets.commands import create_asset
from apm.core.errors import Conflict, Invalid, NotFound
from apm.maintenance import merging
from apm.maintenance.commands import add_plan, change_plan
from apm.maintenance.jobs import generate_due
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.maintenance.rhythm import Rhythm
from apm.maintenance.settling import settle
from apm.maintenance.visits import credit, excuse, visit_now
from apm.maintenance.wishes import Excuse
from apm.work.commands import open_work
from apm.work.model import WorkOrder
from apm.work.states import WorkState, WorkType

pytestmark = pytest.mark.database
S = OccurrenceState
LARGE, SMALL = "VENT", "MON"


def at(month: int, day: int):
    return lambda: datetime(2026, month, day, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _larger(monkeypatch):
    """A hospital whose ventilator procedure takes its monitor procedure in."""
    monkeypatch.setattr(
        merging, "takes_in", lambda large, small: (large.code, small.code) == (LARGE, SMALL)
    )


@pytest.fixture
def vent(as_):
    create_asset(as_("qin", now=at(1, 1)), number="V-1", name="Vent", category="VENT")
    return create_asset(as_("wang", now=at(1, 1)), number="V-1", name="Vent", category="VENT")


@pytest.fixture
def plan(as_, vent):
    def make(template: str, due: date, months: int = 6, **changes) -> int:
        facts = {"mode": PlanMode.FIXED, "early_days": 14, "grace_days": 14, **changes}
        rhythm = Rhythm(interval_months=months, anchor=due, **facts)
        ctx = as_("wang", now=at(1, 1))
        return add_plan(ctx, asset=vent.code, template=template, rhythm=rhythm).id

    return make


def of(ctx, plan_id: int) -> list[Occurrence]:
    ctx.session.rollback()  # others have written since
    query = select(Occurrence).where(Occurrence.plan_id == plan_id).order_by(Occurrence.seq)
    return list(ctx.session.scalars(query.execution_options(populate_existing=True)))


def orders(ctx) -> list[WorkOrder]:
    ctx.session.rollback()
    query = select(WorkOrder).order_by(WorkOrder.id).execution_options(populate_existing=True)
    return list(ctx.session.scalars(query))


def finish(ctx, order: WorkOrder, state: WorkState = WorkState.DONE) -> None:
    with ctx.writing("test.work"):
        found = ctx.session.get(WorkOrder, order.id, populate_existing=True)
        found.state, found.done_at = state, ctx.now() if state is WorkState.DONE else None
    settle(ctx, work_order_id=order.id)


@pytest.mark.parametrize("first", [LARGE, SMALL])
def test_the_larger_visit_does_the_smaller_whichever_comes_first(as_, plan, first):
    days = {LARGE: date(2026, 3, 10), SMALL: date(2026, 3, 16)}
    if first is SMALL:
        days = {SMALL: date(2026, 3, 10), LARGE: date(2026, 3, 16)}
    ids = {code: plan(code, day) for code, day in days.items()}
    for day in range(20, 29):
        generate_due(as_("system", now=at(2, day)))
    worker = as_("system", now=at(3, 2))
    assert generate_due(worker) + 1
    [large], [small] = of(worker, ids[LARGE]), of(worker, ids[SMALL])
    assert large.work_order_id == small.work_order_id
    open_ones = [o for o in orders(worker) if o.state is not WorkState.CANCELLED]
    [order] = open_ones
    assert order.template_code == LARGE
    assert (large.state, small.state) == (S.OPEN, S.OPEN)
    assert order.due_on <= date(2026, 3, 10)  # what is due first counts

    finish(as_("system", now=at(3, 9)), order)
    assert [o.state for i in ids.values() for o in of(worker, i)] == [S.DONE, S.DONE]


def test_work_somebody_has_begun_takes_nothing_in(as_, plan):
    large = plan(LARGE, date(2026, 3, 10))
    small = plan(SMALL, date(2026, 3, 16))
    worker = as_("system", now=at(2, 25))
    generate_due(worker)
    [order] = orders(worker)
    with worker.writing("test.work"):
        order.state = WorkState.IN_PROGRESS
    generate_due(as_("system", now=at(3, 3)))
    assert of(worker, large)[0].work_order_id != of(worker, small)[0].work_order_id


def test_windows_that_do_not_meet_are_two_visits(as_, plan):
    large = plan(LARGE, date(2026, 3, 10), early_days=1, grace_days=1)
    small = plan(SMALL, date(2026, 4, 20), early_days=1, grace_days=1)
    worker = as_("system", now=at(3, 9))
    generate_due(worker)
    finish(worker, orders(worker)[0], WorkState.IN_PROGRESS)
    generate_due(as_("system", now=at(4, 19)))
    assert of(worker, large)[0].work_order_id != of(worker, small)[0].work_order_id


def test_the_same_procedure_is_never_asked_for_twice(as_, plan, vent):
    by_hand = open_work(
        as_("wang", now=at(2, 20)), type=WorkType.PREVENTIVE, title="By hand", asset=vent,
        template_code=LARGE,
    )  # fmt: skip
    plan_id = plan(LARGE, date(2026, 3, 10))
    worker = as_("system", now=at(3, 1))
    assert generate_due(worker) == 1
    [one] = of(worker, plan_id)
    assert one.work_order_id == by_hand.id
    assert len(orders(worker)) == 1


def test_called_off_shared_work_is_missed_by_both(as_, plan):
    ids = [plan(LARGE, date(2026, 3, 10)), plan(SMALL, date(2026, 3, 12))]
    worker = as_("system", now=at(3, 1))
    generate_due(worker)
    [order] = [o for o in orders(worker) if o.state is not WorkState.CANCELLED]
    finish(worker, order, WorkState.CANCELLED)
    assert [o.state for i in ids for o in of(worker, i)] == [S.MISSED, S.MISSED]


def test_an_excuse_of_one_leaves_the_others_visit(as_, plan):
    large, small = plan(LARGE, date(2026, 3, 10)), plan(SMALL, date(2026, 3, 12))
    worker = as_("system", now=at(3, 1))
    generate_due(worker)
    [one] = of(worker, small)
    wang = as_("wang", now=at(3, 2))
    with pytest.raises(Invalid):
        excuse(wang, occurrence_id=one.id, reason=Excuse.IN_USE, note="  ")
    with pytest.raises(NotFound):
        excuse(as_("qin"), occurrence_id=one.id, reason=Excuse.IN_USE, note="x")
    excuse(wang, occurrence_id=one.id, reason=Excuse.NOT_LOCATED, note="not in Bed 3")
    [one] = of(worker, small)
    assert (one.state, one.outcome, one.note) == (S.EXCUSED, "not_located", "not in Bed 3")
    assert one.decided_by == "wang@north.example"
    [kept] = of(worker, large)
    assert worker.session.get(WorkOrder, kept.work_order_id).state is WorkState.PLANNED
    with pytest.raises(Conflict):
        excuse(wang, occurrence_id=one.id, reason=Excuse.HELD, note="again")
    excuse(wang, occurrence_id=kept.id, reason=Excuse.HELD, note="ward closed")
    assert orders(worker)[0].state is WorkState.CANCELLED
    assert generate_due(as_("system", now=at(3, 3))) == 0
    assert generate_due(as_("system", now=at(9, 1))) == 2  # the next dates come as ever


def test_an_early_visit_is_extra_unless_it_is_credited(as_, plan):
    plan_id = plan(LARGE, date(2026, 6, 30))
    wang = as_("wang", now=at(3, 2))
    extra = visit_now(wang, plan_id=plan_id, note="trade fair")
    assert (extra.is_extra, extra.why) == (True, "by_hand")
    with pytest.raises(Conflict):
        visit_now(wang, plan_id=plan_id, note="again")
    with pytest.raises(Conflict):
        credit(wang, occurrence_id=extra.id, note="not done yet")
    worker = as_("system", now=at(3, 4))
    finish(worker, orders(worker)[0])
    assert worker.session.get(Plan, plan_id, populate_existing=True).next_due == date(2026, 6, 30)
    made = credit(wang, occurrence_id=extra.id, note="a full visit")
    assert (made.due, made.state, made.outcome) == (date(2026, 6, 30), S.DONE, "credited")
    assert made.done_on == date(2026, 3, 4)
    assert as_("wang").session.get(Plan, plan_id).next_due == date(2026, 12, 30)
    assert generate_due(as_("system", now=at(7, 1))) == 0
    with pytest.raises(Conflict):
        credit(wang, occurrence_id=extra.id, note="twice")


def test_an_extra_visit_that_ends_in_the_window_counts_for_it(as_, plan):
    plan_id = plan(LARGE, date(2026, 6, 30))
    visit_now(as_("wang", now=at(6, 10)), plan_id=plan_id, note="early")
    worker = as_("system", now=at(6, 18))
    finish(worker, orders(worker)[0])
    extra, counted = of(worker, plan_id)
    assert (extra.state, extra.outcome) == (S.CANCELLED, "merged")
    assert (counted.state, counted.due) == (S.DONE, date(2026, 6, 30))
    assert generate_due(as_("system", now=at(6, 20))) == 0


def test_an_extra_visit_nobody_began_becomes_the_dates_own(as_, plan):
    plan_id = plan(LARGE, date(2026, 6, 30))
    visit_now(as_("wang", now=at(6, 1)), plan_id=plan_id, note="early")
    worker = as_("system", now=at(6, 20))
    assert generate_due(worker) == 1
    extra, due = of(worker, plan_id)
    assert (extra.state, extra.outcome) == (S.CANCELLED, "merged")
    assert due.work_order_id == extra.work_order_id
    assert len(orders(worker)) == 1


def test_returned_work_is_done_together_with_the_newer_date(as_, plan):
    plan_id = plan(LARGE, date(2026, 3, 10), months=3)
    worker = as_("system", now=at(3, 1))
    generate_due(worker)
    [first] = orders(worker)
    finish(worker, first)
    later = as_("system", now=at(6, 1))
    assert generate_due(later) == 1
    finish(later, first, WorkState.IN_PROGRESS)
    old, new = of(later, plan_id)
    assert old.work_order_id == new.work_order_id == first.id
    assert (old.state, new.state) == (S.OPEN, S.OPEN)
    assert [o.state for o in orders(later)] == [WorkState.IN_PROGRESS, WorkState.CANCELLED]
    finish(later, first)
    assert [o.state for o in of(later, plan_id)] == [S.DONE, S.DONE]


def test_another_rhythm_holds_from_the_next_date_on(as_, plan):
    plan_id = plan(LARGE, date(2026, 3, 10))
    generate_due(as_("system", now=at(3, 1)))
    wang = as_("wang", now=at(3, 2))
    rhythm = Rhythm(PlanMode.FIXED, 0, date(2026, 3, 1), 5, 5, 30)
    change_plan(wang, plan_id=plan_id, rhythm=rhythm)
    [kept] = of(wang, plan_id)
    assert (kept.due, kept.state) == (date(2026, 3, 10), S.OPEN)
    assert wang.session.get(Plan, plan_id, populate_existing=True).next_due == date(2026, 3, 31)
    with pytest.raises(NotFound):
        change_plan(as_("qin"), plan_id=plan_id, rhythm=rhythm)
    generate_due(as_("system", now=at(3, 26)))
    old, new = of(wang, plan_id)
    assert (old.state, new.due) == (S.MISSED, date(2026, 3, 31))
    assert new.opens == date(2026, 3, 26) == new.due - timedelta(days=5)


def test_work_is_planned_for_a_working_day_of_the_window(as_, plan):
    plan_id = plan(LARGE, date(2026, 10, 3))  # in the national holidays
    worker = as_("system", now=at(9, 20))
    generate_due(worker)
    [one] = of(worker, plan_id)
    assert one.due == date(2026, 10, 3)
    assert orders(worker)[0].due_on == date(2026, 9, 30)
