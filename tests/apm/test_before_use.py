"""Equipment out of use over the end of a window: due before use on return, and honestly counted.

The plan of `planned` is due on 31 March; its window is 17 March to 7 April, the next one opens on
16 June.
"""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from apm.analytics.period import period_of
from apm.analytics.queries import By, punctuality
from apm.assets.model import Asset, AssetState
from apm.maintenance.generation import settle
from apm.maintenance.jobs import generate_due
from apm.maintenance.lists import Stand, plan_page, stand_counts
from apm.maintenance.model import OccurrenceState, Plan, PlanMode
from apm.notify.overdue import remind
from apm.reports.compliance import Span, compliance
from apm.work.states import WorkState
from tests.apm.test_plan_generation import (  # noqa: F401  (fixtures)
    at,
    occurrences,
    order_of,
    planned,
    set_state,
)

pytestmark = pytest.mark.database
S = OccurrenceState
DUE, OPENS, LAST = date(2026, 3, 31), date(2026, 3, 17), date(2026, 4, 7)


@pytest.fixture
def life(at):  # noqa: F811
    """`life(day, state)` puts the ventilator into a state on a day, and lets the worker see it."""

    def enter(day: date, state: AssetState) -> int:
        ctx = at(day)
        with ctx.writing("test.state"):
            ctx.session.scalars(select(Asset)).one().lifecycle = state
        return generate_due(ctx)

    return enter


@pytest.fixture
def finish(at):  # noqa: F811
    """`finish(plan_id, day)` ends the newest work of a plan on a day, and returns its record."""

    def end(plan_id: int, day: date):
        ctx = at(day)
        newest = occurrences(ctx, plan_id)[-1]
        done = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
        set_state(ctx, newest.work_order_id, WorkState.DONE, done)
        settle(ctx, work_order_id=newest.work_order_id)
        return occurrences(ctx, plan_id)[-1]

    return end


def counted(at, day, month):  # noqa: F811
    total = compliance(at(day), Span(2026, month)).total
    kinds = ("in_time", "late", "missed", "overdue", "pending", "held")
    return {kind: n for kind in kinds if (n := getattr(total, kind))}


def test_open_work_is_held_and_then_due_before_use(planned, at, life, finish):  # noqa: F811
    plan_id = planned()
    generate_due(at(OPENS))
    life(date(2026, 4, 2), AssetState.STANDBY)  # after the due date, within the window
    assert counted(at, date(2026, 5, 1), 3) == {"held": 1}

    assert life(date(2026, 5, 4), AssetState.IN_SERVICE) == 0  # the same work, not another one

    [one] = occurrences(at(DUE), plan_id)
    assert (one.state, one.due, one.window_end) == (S.OPEN, DUE, LAST)
    assert (one.held_since, one.held_until) == (date(2026, 4, 2), date(2026, 5, 4))
    assert (one.late_after, one.why) == (date(2026, 5, 11), "before_use")
    order = order_of(at(DUE), one)
    # 4 and 5 May 2026 are holidays
    assert (order.due_on, order.late_after) == (date(2026, 5, 6), one.late_after)
    assert counted(at, date(2026, 5, 11), 3) == {"pending": 1}
    assert counted(at, date(2026, 5, 12), 3) == {"overdue": 1}
    done = finish(plan_id, date(2026, 5, 11))
    assert (done.state, done.done_on) == (S.DONE, date(2026, 5, 11))
    assert counted(at, date(2026, 6, 1), 3) == {"in_time": 1}
    [apart] = compliance(at(date(2026, 6, 1)), Span(2026, 3)).before_use
    assert apart.occurrence.id == done.id


def test_a_date_nobody_had_opened_is_due_before_use(planned, at, life, finish):  # noqa: F811
    plan_id = planned()
    life(date(2026, 3, 1), AssetState.ON_LOAN)
    assert life(date(2026, 5, 20), AssetState.IN_SERVICE) == 1
    [one] = occurrences(at(DUE), plan_id)
    assert (one.due, one.window_end, one.late_after) == (DUE, LAST, date(2026, 5, 27))
    late = finish(plan_id, date(2026, 5, 28))
    assert late.done_on > late.late_after
    assert counted(at, date(2026, 6, 1), 3) == {"late": 1}


def test_maintained_while_it_stood_by_is_in_time(planned, at, life, finish):  # noqa: F811
    plan_id = planned()
    generate_due(at(OPENS))
    life(date(2026, 3, 20), AssetState.STANDBY)
    one = finish(plan_id, date(2026, 5, 10))
    assert (one.late_after, one.window_end) == (date(2026, 5, 10), LAST)
    life(date(2026, 5, 20), AssetState.IN_SERVICE)
    [one] = occurrences(at(DUE), plan_id)
    assert (one.held_since, one.held_until) == (date(2026, 3, 20), date(2026, 5, 20))
    assert counted(at, date(2026, 6, 1), 3) == {"in_time": 1}


def test_work_that_is_returned_after_the_standby_has_its_days(planned, at, life, finish):  # noqa: F811
    plan_id = planned()
    generate_due(at(OPENS))
    life(date(2026, 3, 20), AssetState.STANDBY)
    one = finish(plan_id, date(2026, 5, 10))
    set_state(at(DUE), one.work_order_id, WorkState.IN_PROGRESS)
    settle(at(date(2026, 5, 11)), work_order_id=one.work_order_id)
    [one] = occurrences(at(DUE), plan_id)
    assert (one.state, one.late_after, one.window_end) == (S.OPEN, LAST, None)
    life(date(2026, 5, 20), AssetState.IN_SERVICE)
    [one] = occurrences(at(DUE), plan_id)
    assert (one.late_after, one.window_end) == (date(2026, 5, 27), LAST)


def test_the_next_window_is_open_already(planned, at, life):  # noqa: F811
    plan_id = planned()
    generate_due(at(OPENS))
    life(date(2026, 4, 2), AssetState.UNDER_REPAIR)
    assert life(date(2026, 6, 20), AssetState.IN_SERVICE) == 1
    held, current = occurrences(at(DUE), plan_id)
    assert (held.state, held.outcome, held.late_after) == (S.EXCUSED, "held", LAST)
    assert (held.held_since, held.held_until) == (date(2026, 4, 2), date(2026, 6, 20))
    assert order_of(at(DUE), held).state is WorkState.CANCELLED
    assert (current.due, current.late_after) == (date(2026, 6, 30), date(2026, 7, 7))
    assert (current.why, current.held_since) == ("before_use", None)
    assert order_of(at(DUE), current).due_on == date(2026, 6, 18)  # 19 to 21 June is a holiday
    assert counted(at, date(2026, 6, 21), 3) == {"held": 1}


def test_the_next_window_opens_within_the_days_before_use(planned, at, life):  # noqa: F811
    plan_id = planned()
    generate_due(at(OPENS))
    life(date(2026, 4, 2), AssetState.STANDBY)
    life(date(2026, 6, 12), AssetState.IN_SERVICE)
    generate_due(at(date(2026, 6, 16)))
    held, current = occurrences(at(DUE), plan_id)
    assert (held.state, held.outcome, held.late_after) == (S.EXCUSED, "held", LAST)
    assert (current.state, current.why) == (S.OPEN, "before_use")


def test_used_for_weeks_without_it_is_missed(planned, at, life):  # noqa: F811
    plan_id = planned()
    generate_due(at(OPENS))
    life(date(2026, 4, 2), AssetState.STANDBY)
    life(date(2026, 5, 4), AssetState.IN_SERVICE)
    generate_due(at(date(2026, 6, 16)))
    missed, current = occurrences(at(DUE), plan_id)
    assert (missed.state, missed.outcome) == (S.MISSED, "superseded")
    assert (missed.held_until, missed.late_after) == (date(2026, 5, 4), date(2026, 5, 11))
    assert current.why == "calendar"


def test_work_that_had_begun_stands_for_what_passed_meanwhile(planned, at, life, finish):  # noqa: F811
    plan_id = planned()
    generate_due(at(OPENS))
    [one] = occurrences(at(DUE), plan_id)
    set_state(at(OPENS), one.work_order_id, WorkState.IN_PROGRESS)
    life(date(2026, 4, 2), AssetState.UNDER_REPAIR)
    assert life(date(2026, 8, 3), AssetState.IN_SERVICE) == 0
    begun, held = occurrences(at(DUE), plan_id)
    assert (begun.state, begun.late_after) == (S.OPEN, date(2026, 8, 10))
    assert (held.due, held.outcome) == (date(2026, 6, 30), "held")
    assert generate_due(at(date(2026, 8, 4))) == 0
    assert len(occurrences(at(DUE), plan_id)) == 2


def test_back_within_the_window_changes_nothing(planned, at, life):  # noqa: F811
    plan_id = planned()
    generate_due(at(OPENS))
    life(date(2026, 3, 20), AssetState.UNDER_REPAIR)
    life(date(2026, 3, 25), AssetState.IN_SERVICE)
    [one] = occurrences(at(DUE), plan_id)
    assert (one.late_after, one.window_end, one.why) == (LAST, None, "calendar")


def test_late_before_it_went_out_of_use_stays_late(planned, at, life):  # noqa: F811
    plan_id = planned()
    generate_due(at(OPENS))
    life(date(2026, 4, 20), AssetState.STANDBY)
    assert counted(at, date(2026, 5, 1), 3) == {"overdue": 1}
    life(date(2026, 5, 4), AssetState.IN_SERVICE)
    [one] = occurrences(at(DUE), plan_id)
    assert (one.late_after, one.window_end) == (LAST, None)
    assert counted(at, date(2026, 5, 5), 3) == {"overdue": 1}


def test_the_days_before_use_are_no_more_than_the_plans_grace(planned, at, life):  # noqa: F811
    plan_id = planned(grace_days=2)
    life(date(2026, 3, 1), AssetState.STANDBY)
    life(date(2026, 5, 20), AssetState.IN_SERVICE)
    [one] = occurrences(at(DUE), plan_id)
    assert one.late_after == date(2026, 5, 22)


def test_a_floating_plan_is_due_before_use_as_well(planned, at, life, finish):  # noqa: F811
    plan_id = planned(mode=PlanMode.FLOATING)
    life(date(2026, 3, 1), AssetState.STANDBY)
    life(date(2026, 12, 1), AssetState.IN_SERVICE)
    [one] = occurrences(at(DUE), plan_id)
    assert (one.state, one.why, one.late_after) == (S.OPEN, "before_use", date(2026, 12, 8))
    finish(plan_id, date(2026, 12, 5))
    plan = at(DUE).session.get(Plan, plan_id)
    assert plan.next_due == date(2027, 3, 5)


def test_nobody_is_reminded_of_what_waits_for_the_return(planned, at, life):  # noqa: F811
    planned()
    generate_due(at(OPENS))
    remind(at(OPENS))
    life(date(2026, 4, 2), AssetState.STANDBY)
    assert remind(at(date(2026, 4, 8))) == 0
    life(date(2026, 5, 6), AssetState.IN_SERVICE)
    assert remind(at(date(2026, 5, 6))) == 1


def test_lists_and_figures_know_it_is_held(planned, at, life):  # noqa: F811
    planned()
    generate_due(at(OPENS))
    life(date(2026, 4, 2), AssetState.STANDBY)
    today = date(2026, 5, 1)
    later = at(today)
    period = period_of(
        first=date(2026, 3, 1), last=DUE, preset=None, zone="Asia/Shanghai", now=later.now()
    )
    [figure] = punctuality(later, By.CATEGORY, period).values()
    assert (figure.judged, figure.in_time) == (0, 0)
    [row] = plan_page(later, stand=Stand.HELD).items
    assert row.stand(today) is Stand.HELD
    assert plan_page(later, stand=Stand.OVERDUE).items == []
    assert {k: n for k, n in stand_counts(later).items() if n} == {Stand.HELD: 1}
    life(date(2026, 5, 6), AssetState.IN_SERVICE)
    back = at(date(2026, 5, 7))
    [row] = plan_page(back, stand=Stand.OVERDUE).items  # asked for yesterday
    assert row.due == date(2026, 5, 6)
