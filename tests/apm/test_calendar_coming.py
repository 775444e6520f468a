"""The calendar shows every date of a plan, on the day its work will be planned for."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from apm.assets.commands import advance
from apm.maintenance.calendar import month_of, week_of
from apm.maintenance.coming import coming_between, plans_coming_on, settled_between
from apm.maintenance.commands import add_plan, stop_plan
from apm.maintenance.due import add_months
from apm.maintenance.generation import settle
from apm.maintenance.jobs import generate_due
from apm.maintenance.model import Occurrence, OccurrenceState, PlanMode
from apm.maintenance.rhythm import Rhythm
from apm.maintenance.workload import minutes_of
from apm.procedures.catalogue import template
from apm.work.model import WorkOrder
from apm.work.states import WorkState
from tests.apm.hospital import make_asset
from tests.queries import count_queries

pytestmark = pytest.mark.database
BEGIN = datetime(2026, 1, 5, 4, tzinfo=UTC)
FIRST, LAST = date(2026, 2, 1), date(2026, 12, 31)


@pytest.fixture
def hospital(as_):
    """`hospital(who)` acts at the beginning; its clock can be moved on."""

    def act(who="wang", now=BEGIN):
        return as_(who, now=lambda: now)

    return act


@pytest.fixture
def plan(hospital):
    def make(anchor, template="MON", who="wang", mode=PlanMode.FIXED, **more):
        ctx = hospital(who)
        facts = {"interval_months": 1, "early_days": 10, "grace_days": 10, **more}
        asset = make_asset(ctx, "MON")
        rhythm = Rhythm(mode, anchor=anchor, **facts)
        return add_plan(ctx, asset=asset.code, template=template, rhythm=rhythm)

    return make


def days(found):
    return {day: {one.template_code: one.n for one in all_} for day, all_ in found.items()}


@pytest.mark.parametrize(
    ("anchor", "more"),
    [
        (date(2026, 1, 31), {}),
        (date(2026, 2, 14), {}),  # in the Spring Festival
        (date(2026, 1, 30), {"interval_months": 0, "interval_days": 20, "early_days": 9,
                             "grace_days": 9}),
        (date(2026, 3, 1), {"mode": PlanMode.FLOATING}),
    ],
    ids=["month end", "holidays", "days", "floating"],
)  # fmt: skip
def test_the_year_comes_as_it_was_shown(hospital, plan, as_, anchor, more):
    """What the calendar shows in January is what the engine makes, if all is done on its day."""
    plan(anchor, **more)
    shown = sorted(coming_between(hospital(), FIRST, LAST))
    planned, now, ctx = [], BEGIN, as_("system")
    while now.date() <= LAST + timedelta(days=10):
        ctx.now = lambda now=now: now
        generate_due(ctx)
        query = (
            select(Occurrence, WorkOrder)
            .join(WorkOrder, WorkOrder.id == Occurrence.work_order_id)
            .where(Occurrence.state == OccurrenceState.OPEN, Occurrence.due <= now.date())
        )
        for occurrence, order in ctx.session.execute(query).all():
            assert occurrence.due == now.date()
            planned.append(order.due_on)
            with ctx.writing("test.done"):
                order.state, order.done_at = WorkState.CLOSED, now
            settle(ctx, work_order_id=order.id)
        now += timedelta(days=1)
    assert [day for day in planned if FIRST <= day <= LAST] == shown
    assert len(shown) >= 10


def test_only_what_is_planned_and_in_use(hospital, plan):
    plan(date(2026, 6, 9))
    plan(date(2026, 6, 9), "INFP")
    plan(date(2026, 6, 9), who="qin")
    stop_plan(hospital(), plan_id=plan(date(2026, 6, 9)).id)
    away = plan(date(2026, 6, 9))
    advance(hospital(), code=away.asset.code, action="stand_by")
    found = coming_between(hospital(), date(2026, 9, 1), date(2026, 9, 30))
    assert days(found) == {date(2026, 9, 9): {"INFP": 1, "MON": 1}}
    [infusion, monitor] = found[date(2026, 9, 9)]
    assert monitor.minutes == minutes_of(template("MON"))
    assert infusion.minutes == minutes_of(template("INFP"))


def test_many_plans_of_one_kind_are_one_line_and_one_statement(engine, hospital, plan):
    first = plan(date(2026, 6, 9))
    ctx = hospital()
    with count_queries(engine) as few:
        coming_between(ctx, FIRST, LAST)
    for k in range(6):
        plan(date(2026, 6, 9 + k))
    plan(date(2026, 6, 9))
    plan(date(2026, 7, 9))
    ctx = hospital()
    with count_queries(engine) as many:
        found = coming_between(ctx, date(2026, 9, 9), date(2026, 9, 9))
    assert len(many) == len(few)
    assert days(found) == {date(2026, 9, 9): {"MON": 4}}
    page = plans_coming_on(hospital(), date(2026, 9, 9), "MON")
    assert first.id in {one.id for one in page.items}
    assert len(page.items) == 4
    assert plans_coming_on(hospital(), date(2026, 9, 8), "MON").items == []


def test_the_week_of_nobody_has_what_is_planned(hospital, plan):
    plan(date(2026, 6, 9))
    nobody, *people = week_of(hospital(), date(2026, 9, 7))
    minutes = minutes_of(template("MON"))
    assert [cell.expected for cell in nobody.cells] == [0, 0, minutes, 0, 0, 0, 0]
    assert nobody.expected == minutes
    assert not any(row.expected for row in people)


def test_a_month_that_is_over_tells_what_became_of_it(as_, hospital, plan):
    plan(date(2026, 2, 10))
    plan(date(2026, 2, 10), who="qin")
    generate_due(as_("system", now=lambda: datetime(2026, 2, 10, 4, tzinfo=UTC)))
    generate_due(as_("system", now=lambda: datetime(2026, 3, 10, 4, tzinfo=UTC)))
    ctx = hospital(now=datetime(2026, 3, 11, tzinfo=UTC))
    february = date(2026, 2, 1)
    assert settled_between(ctx, february, date(2026, 2, 28)) == {date(2026, 2, 10): {"missed": 1}}
    [told] = [one for one in month_of(ctx, february) if not one.is_empty]
    assert (told.day, told.settled) == (date(2026, 2, 10), {"missed": 1})


def test_the_pages(login, as_):
    now = as_("wang").now()
    ahead = add_months(now.date().replace(day=9), 5)
    asset = make_asset(as_("wang"), "MON")
    rhythm = Rhythm(PlanMode.FIXED, 1, ahead, 10, 10)
    add_plan(as_("wang"), asset=asset.code, template="MON", rhythm=rhythm)
    wang = login("wang")
    [day] = coming_between(as_("wang"), ahead.replace(day=1), ahead.replace(day=28))
    link = f"/calendar/planned/{day}/MON"
    for view in ("month", "list", "week"):
        assert link in wang.get(f"/calendar?view={view}&day={day}").text
    assert link not in wang.get(f"/calendar?view=month&day={day}&who=me").text
    assert asset.number in wang.get(link).text
    assert "Nothing is planned for this day" in wang.get(f"/calendar/planned/{day}/VENT").text
    assert "Nothing is planned for this day" in login("qin").get(link).text
    for path in ("/calendar/planned/2026-02-30/MON", "/calendar/planned/0001-01-01/MON",
                 f"/calendar/planned/{day}/NONE"):  # fmt: skip
        assert wang.get(path).status_code == 404
