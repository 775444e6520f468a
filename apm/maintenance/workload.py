"""What the plans of a hospital ask for, read for the simulator and for levelling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, select

from apm.accounts.queries import hospital_day, zone_of
from apm.assets.model import GONE, Asset, AssetState, Department
from apm.core.command import Context
from apm.core.i18n import _, choose
from apm.maintenance.due import LONGEST_EARLY_DAYS, NEVER, Interval
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.maintenance.rhythm import Rhythm
from apm.maintenance.simulation import MONTHS, Load, Year, simulate
from apm.maintenance.workdays import workdays_in
from apm.procedures.catalogue import Template
from apm.procedures.model import StepKind
from apm.procedures.shelf import templates_for

FIXED_MINUTES, CHECK_MINUTES, MEASURE_MINUTES = 10, 2, 3
UNKNOWN_MINUTES = 30
MOST_PLANS = 50_000
"""Plans of one simulation: more would keep whoever asked waiting."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which plans or assets are meant; None: any."""

    department_id: int | None = None
    category: str | None = None
    model: str | None = None

    def fits(self) -> list[ColumnElement[bool]]:
        """Return the conditions on assets."""
        wanted = (
            (Asset.department_id, self.department_id),
            (Asset.category, self.category),
            (Asset.model, self.model),
        )
        return [column == value for column, value in wanted if value is not None]


@dataclass(frozen=True, slots=True)
class Planned:
    """One active plan with a calendar, and what levelling and the simulator need of it."""

    plan_id: int
    asset_id: int
    department_id: int | None
    template_code: str
    mode: PlanMode
    anchor: date
    next_due: date
    early_days: int
    grace_days: int
    interval: Interval


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated year, and what it was made of."""

    year: Year
    departments: list[str]
    """Their names, in the order of the columns of `year.hours`."""
    plans: int
    added: int
    """Plans that are not there yet and were taken in."""
    is_cut: bool
    knows_holidays: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A rhythm that all assets of the scope would get for a template."""

    template_code: str
    rhythm: Rhythm


def minutes_of(template: Template | None) -> int:
    """Return how long a procedure takes: as its template says, else guessed from its steps."""
    if template is None:
        return UNKNOWN_MINUTES
    if template.minutes:
        return template.minutes
    return FIXED_MINUTES + sum(
        MEASURE_MINUTES * max(1, len(step.at)) if step.kind is StepKind.MEASURE else CHECK_MINUTES
        for step in template.steps
    )


def planned(ctx: Context, scope: Scope, *, most: int = MOST_PLANS) -> list[Planned]:
    """Return up to `most` active plans of assets in service that have a calendar."""
    query = (
        select(
            Plan.id, Plan.asset_id, Asset.department_id, Plan.template_code, Plan.mode,
            Plan.anchor, Plan.next_due, Plan.early_days, Plan.grace_days,
            Plan.interval_months, Plan.interval_days,
        )
        .join(Asset, Asset.id == Plan.asset_id)
        .where(Plan.is_active, Asset.lifecycle == AssetState.IN_SERVICE, Plan.next_due < NEVER)
        .where(*scope.fits())
        .order_by(Plan.id)
        .limit(most)
    )  # fmt: skip
    return [
        Planned(
            row.id, row.asset_id, row.department_id, row.template_code, row.mode, row.anchor,
            row.next_due, row.early_days, row.grace_days,
            Interval(row.interval_months or 0, row.interval_days or 0),
        )
        for row in ctx.session.execute(query)
    ]  # fmt: skip


def last_windows(ctx: Context, plan_ids: Sequence[int]) -> dict[int, date]:
    """Return the last day of the latest due date on record, by plan."""
    found: dict[int, date] = {}
    for begin in range(0, len(plan_ids), 5_000):
        query = (
            select(Occurrence.plan_id, func.max(Occurrence.late_after))
            .where(
                Occurrence.plan_id.in_(plan_ids[begin : begin + 5_000]),
                Occurrence.is_extra.is_(False),
            )
            .group_by(Occurrence.plan_id)
        )
        found.update((plan_id, day) for plan_id, day in ctx.session.execute(query))
    return found


def simulated(
    ctx: Context,
    scope: Scope,
    *,
    capacity_hours: float,
    change: Change | None = None,
    most: int = MOST_PLANS,
) -> Simulated:
    """Return the next twelve months of the plans in scope, with `change` if one is tried out.

    capacity_hours: what the staff can work a month, spread evenly over its working days.
    """
    today = hospital_day(ctx)
    plans = planned(ctx, scope, most=most + 1)
    is_cut = len(plans) > most
    plans = plans[:most]
    added = _with_change(ctx, scope, plans, change) if change else 0
    names = departments_of(ctx)
    column = {department_id: k for k, department_id in enumerate(names)}
    shelf = templates_for(ctx)
    minutes = {code: minutes_of(shelf.get(code)) for code in {p.template_code for p in plans}}
    loads = [
        Load(
            group=column[one.department_id],
            minutes=minutes[one.template_code],
            first=one.next_due,
            interval=one.interval,
            early_days=one.early_days,
            grace_days=one.grace_days,
            anchor=one.anchor if one.mode is PlanMode.FIXED else None,
        )
        for one in plans
    ]
    loads += _open_loads(ctx, scope, shelf, column)
    days = workdays_in(zone_of(ctx))
    horizon = [today + timedelta(days=k) for k in range(365)]
    worked = [day for day in horizon if days.is_workday(day)]
    a_day = capacity_hours * 60 * MONTHS / len(worked)
    capacity = [a_day if days.is_workday(day) else 0.0 for day in horizon]
    year = simulate(loads, first=today, groups=len(names), capacity=capacity)
    return Simulated(
        year=year,
        departments=list(names.values()),
        plans=len(plans),
        added=added,
        is_cut=is_cut,
        knows_holidays=all(days.knows(y) for y in {horizon[0].year, horizon[-1].year}),
    )


def _open_loads(
    ctx: Context, scope: Scope, shelf: dict[str, Template], column: dict[int | None, int]
) -> list[Load]:
    """Return what is open already: it is to be done, too, and some of it is late."""
    query = (
        select(Occurrence.due, Occurrence.late_after, Plan.template_code, Asset.department_id)
        .join(Plan, Plan.id == Occurrence.plan_id)
        .join(Asset, Asset.id == Plan.asset_id)
        .where(Occurrence.state == OccurrenceState.OPEN, *scope.fits())
        .limit(MOST_PLANS)
    )
    return [
        Load(
            group=column[department_id],
            minutes=minutes_of(shelf.get(code)),
            first=due,
            interval=Interval(),
            early_days=LONGEST_EARLY_DAYS,
            grace_days=(late_after - due).days,
        )
        for due, late_after, code, department_id in ctx.session.execute(query)
    ]


def _with_change(ctx: Context, scope: Scope, plans: list[Planned], change: Change) -> int:
    """Give the scope's assets the rhythm that is tried out; return how many had no plan yet."""
    rhythm, today = change.rhythm, hospital_day(ctx)
    first = rhythm.first_due(today)
    having = set()
    for k, one in enumerate(plans):
        if one.template_code == change.template_code:
            having.add(one.asset_id)
            plans[k] = replace(
                one, mode=rhythm.mode, interval=rhythm.interval, anchor=rhythm.anchor,
                next_due=first, early_days=rhythm.early_days, grace_days=rhythm.grace_days,
            )  # fmt: skip
    query = select(Asset.id, Asset.department_id).where(
        Asset.lifecycle.not_in(GONE), *scope.fits()
    )
    missing = [
        (asset_id, department_id)
        for asset_id, department_id in ctx.session.execute(query)
        if asset_id not in having
    ]
    plans += [
        Planned(
            0, asset_id, department_id, change.template_code, rhythm.mode, rhythm.anchor, first,
            rhythm.early_days, rhythm.grace_days, rhythm.interval,
        )
        for asset_id, department_id in missing
    ]  # fmt: skip
    return len(missing)


def departments_of(ctx: Context) -> dict[int | None, str]:
    """Return the names of the departments by id, then the place of what belongs to none."""
    query = select(Department.id, Department.name, Department.name_zh).order_by(Department.name)
    found: dict[int | None, str] = {
        row[0]: choose(row[1], row[2]) for row in ctx.session.execute(query)
    }
    found[None] = _("No department")
    return found
