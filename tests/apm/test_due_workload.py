"""Level months, simulated years, working days, plans for many."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import numpy as np
import pytest
from sqlalchemy import select

from apm.assets.commands import create_asset
from apm.core.errors import Conflict, Invalid
from apm.maintenance.due import Interval, add_months, window
from apm.maintenance.jobs import generate_due
from apm.maintenance.level_commands import level, levelled
from apm.maintenance.levelling import Movable, propose
from apm.maintenance.model import Plan, PlanMode
from apm.maintenance.rhythm import Rhythm
from apm.maintenance.scopes import coverage, plan_many, scope_named
from apm.maintenance.simulation import Load, simulate, visits_of
from apm.maintenance.workdays import Workdays, workdays, workdays_in
from apm.maintenance.workload import Change, Scope, simulated

TODAY = date(2026, 11, 23)
NONE = Workdays(frozenset(), frozenset(), frozenset())


def noon():
    return datetime(2026, 11, 23, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "is_worked"),
    [
        (date(2026, 2, 14), True),  # a Saturday worked in exchange
        (date(2026, 2, 16), False),  # spring festival
        (date(2026, 2, 24), True),
        (date(2026, 10, 10), True),
        (date(2026, 11, 22), False),  # a Sunday
    ],
)
def test_holidays_and_the_weekends_worked_for_them(day, is_worked):
    assert workdays().is_workday(day) is is_worked
    assert workdays().knows(2026)
    assert not workdays().knows(2027)
    assert workdays_in("Europe/Berlin").is_workday(date(2026, 2, 16))


def test_the_holiday_file_makes_sense():
    days = workdays()
    assert not days.off & days.worked
    assert all(day.weekday() >= 5 for day in days.worked)
    assert {day.year for day in days.off | days.worked} == set(days.years)


def test_the_nearest_working_day_of_the_window_is_taken():
    sunday = date(2026, 11, 22)
    assert NONE.within(window(sunday, early_days=3, grace_days=3)) == date(2026, 11, 23)
    saturday = date(2026, 11, 21)
    assert NONE.within(window(saturday, early_days=3, grace_days=3)) == date(2026, 11, 20)
    assert NONE.within(window(sunday, early_days=0, grace_days=0)) == sunday


def movable(n: int) -> list[Movable]:
    rng = Random(3)
    return [
        Movable(
            k, k % 4, rng.choice([30.0, 60.0, 120.0]), rng.choice([6, 12]),
            date(2027, 3, 1 + k % 28), TODAY + timedelta(days=14),
        )
        for k in range(n)
    ]  # fmt: skip


def test_levelling_levels_and_lengthens_no_interval():
    plans = movable(400)
    made = propose(plans, today=TODAY, groups=4, days=NONE)
    before, after = made.spread
    assert after < before / 3  # the dates may only move earlier: four months are free
    by_id = {plan.plan_id: plan for plan in plans}
    for move in made.moves:
        plan = by_id[move.plan_id]
        assert move.before == plan.due
        assert plan.not_before <= move.after < plan.due
        assert move.after.day <= 28
        assert NONE.is_workday(move.after)
    own = made.after / made.after.sum(axis=0)
    busiest = made.before / made.before.sum(axis=0)
    assert (own.max(axis=0) < busiest.max(axis=0)).all()  # each department, too
    assert np.isclose(made.after.sum(), made.before.sum(), rtol=0.6)


def test_what_may_not_move_stays():
    fixed = [Movable(1, 0, 60.0, 1, date(2026, 12, 10), date(2026, 12, 10))]
    assert propose(fixed, today=TODAY, groups=1, days=NONE).moves == []


def independent(loads: list[Load], first: date) -> tuple[int, float]:
    """Count visits and hours day by day, with another arithmetic."""
    last = add_months(first, 12)
    visits, minutes = 0, 0.0
    for load in loads:
        k = 0
        while True:
            due = add_months(load.first, k * load.interval.months)
            if due >= last:
                break
            visits, minutes, k = visits + 1, minutes + load.minutes, k + 1
    return visits, minutes / 60


def loads_of(n: int) -> list[Load]:
    rng = Random(5)
    return [
        Load(
            k % 3, rng.choice([30, 45, 90]), TODAY + timedelta(days=rng.randrange(180)),
            Interval(rng.choice([1, 3, 6])), 13, 13,
        )
        for k in range(n)
    ]  # fmt: skip


def test_a_simulated_year_adds_up():
    loads = loads_of(200)
    year = simulate(loads, first=TODAY, groups=3, capacity=[480.0] * 365)
    visits, hours = independent(loads, TODAY)
    assert (year.visits.sum(), round(year.hours.sum(), 6)) == (visits, round(hours, 6))
    assert year.worked.sum() <= 480 * 365 / 60
    assert year.hours.shape == (12, 3)


@pytest.mark.parametrize(("minutes", "share"), [(0.0, 0.0), (1e6, 1.0)])
def test_nobody_does_nothing_and_everybody_does_all(minutes, share):
    loads = [Load(0, 60, TODAY + timedelta(days=k), Interval(3), 5, 5) for k in range(60)]
    year = simulate(loads, first=TODAY, groups=1, capacity=[minutes] * 365)
    still_to_come = int((visits_of(loads, TODAY).late_after >= 365).sum())
    assert year.compliance == pytest.approx(
        max(share, still_to_come / year.visits.sum()), abs=0.001
    )


def test_more_hours_never_do_less():
    loads = loads_of(300)
    shares = [
        simulate(loads, first=TODAY, groups=3, capacity=[c] * 365).compliance
        for c in (30, 60, 120, 240, 480)
    ]
    assert shares == sorted(shares)
    assert shares[0] < 0.9 < shares[-1]


def test_a_year_without_plans_is_empty():
    year = simulate([], first=TODAY, groups=1, capacity=[480.0] * 365)
    assert (year.compliance, year.hours.sum()) == (None, 0)


@pytest.fixture
def fleet(as_):
    """Six ventilators and two monitors at North, one ventilator at South."""
    wang = as_("wang", now=noon)
    for k in range(6):
        create_asset(
            wang, number=f"V-{k}", name="Vent", category="VENT", model="V300",
            department="ICU" if k % 2 else "Ward",
        )  # fmt: skip
    for k in range(2):
        create_asset(wang, number=f"M-{k}", name="Mon", category="MON", department="ICU")
    create_asset(as_("qin", now=noon), number="S-1", name="Vent", category="VENT")
    return wang


RHYTHM = Rhythm(PlanMode.FIXED, 6, date(2027, 3, 15), 14, 14)


def test_plans_for_many_are_made_once(fleet, as_):
    scope = Scope(category="VENT")
    assert coverage(fleet, scope, "VENT").missing == 6
    assert plan_many(fleet, scope=scope, template="VENT", rhythm=RHYTHM) == 6
    assert plan_many(fleet, scope=scope, template="VENT", rhythm=RHYTHM) == 0
    found = coverage(fleet, scope, "VENT")
    assert (found.assets, found.having, found.missing) == (6, 6, 0)
    assert as_("qin").session.scalars(select(Plan)).all() == []
    with pytest.raises(Invalid):
        plan_many(fleet, scope=Scope(), template="VENT", rhythm=RHYTHM)
    icu = scope_named(fleet, {"department": "ICU", "category": "VENT", "model": "V300"})
    assert coverage(fleet, icu, "MON").assets == 3
    with pytest.raises(Invalid):
        scope_named(fleet, {"department": "Nowhere"})


def test_a_proposal_is_taken_over_as_it_was_seen(fleet, as_):
    plan_many(fleet, scope=Scope(category="VENT"), template="VENT", rhythm=RHYTHM)
    seen = levelled(fleet, Scope())
    assert len(seen.proposal.moves) >= 4
    with pytest.raises(Conflict):
        level(fleet, scope=Scope(), mark="something else")
    assert level(fleet, scope=Scope(), mark=seen.mark) == len(seen.proposal.moves)
    after = {m.plan_id: m.after for m in seen.proposal.moves}
    for plan in as_("wang").session.scalars(select(Plan)):
        if plan.id in after:
            assert plan.next_due == plan.anchor == after[plan.id]
    assert levelled(as_("wang", now=noon), Scope()).mark != seen.mark


def test_levelling_keeps_out_of_the_last_window(fleet, as_):
    rhythm = Rhythm(PlanMode.FIXED, 6, date(2026, 11, 25), 14, 14)
    plan_many(fleet, scope=Scope(category="VENT"), template="VENT", rhythm=rhythm)
    assert generate_due(as_("system", now=noon)) == 6
    for move in levelled(fleet, Scope()).proposal.moves:
        assert move.after - timedelta(days=14) > date(2026, 11, 25) + timedelta(days=14)


def test_a_plan_is_tried_out_without_being_made(fleet, as_):
    plan_many(fleet, scope=Scope(category="VENT"), template="VENT", rhythm=RHYTHM)
    now = simulated(fleet, Scope(), capacity_hours=40)
    assert (now.plans, now.year.visits.sum()) == (6, 12)
    change = Change("VENT", Rhythm(PlanMode.FIXED, 1, date(2026, 12, 1), 5, 5))
    tried = simulated(fleet, Scope(category="VENT"), capacity_hours=40, change=change)
    assert (tried.plans, tried.added, tried.year.visits.sum()) == (6, 0, 72)
    monitors = simulated(
        fleet, Scope(category="MON"), capacity_hours=40, change=Change("MON", RHYTHM)
    )
    assert (monitors.added, monitors.year.visits.sum()) == (2, 4)
    assert len(as_("wang").session.scalars(select(Plan)).all()) == 6
    assert simulated(as_("qin", now=noon), Scope(), capacity_hours=1).plans == 0


def test_open_work_is_part_of_the_year(fleet, as_):
    rhythm = Rhythm(PlanMode.FIXED, 12, date(2026, 11, 25), 14, 14)
    plan_many(fleet, scope=Scope(category="VENT"), template="VENT", rhythm=rhythm)
    generate_due(as_("system", now=noon))
    assert simulated(fleet, Scope(), capacity_hours=40).year.visits.sum() == 6
