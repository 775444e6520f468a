"""Lists of plans and occurrences, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import joinedload, selectinload

from apm.accounts.queries import hospital_day
from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.maintenance.due import NEVER
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanTrigger
from apm.work.model import WorkOrder


class Stand(StrEnum):
    """Where a plan stands today."""

    OVERDUE = "overdue"
    """there is a work order, and its due date (or the return to use) has passed"""
    DUE = "due"
    """there is a work order, and its due date is still to come"""
    UPCOMING = "upcoming"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan (its asset loaded), the occurrence that is open, and that one's work order number."""

    plan: Plan
    open: Occurrence | None
    work_order_no: str | None

    @property
    def due(self) -> date:
        """When it is due: the open occurrence, else the next."""
        return self.open.asked_for if self.open else self.plan.next_due

    @property
    def has_due(self) -> bool:
        """Tell whether there is a day: a plan by its triggers alone has none until one speaks."""
        return self.due < NEVER

    def stand(self, today: date) -> Stand:
        """Where it stands."""
        if self.plan.held_why:
            return Stand.HELD
        if self.open:
            return Stand.OVERDUE if self.due < today else Stand.DUE
        return Stand.UPCOMING


@dataclass(frozen=True, slots=True)
class OccurrenceFilter:
    """Which occurrences are wanted; None: any."""

    asset: str | None = None
    plan: int | None = None
    state: OccurrenceState | None = None
    first: date | None = None
    last: date | None = None


def plan_page(
    ctx: Context,
    *,
    stand: Stand,
    after: str | None = None,
    limit: int = 50,
) -> Page[PlanRow]:
    """Return the active plans that stand so, those due first first."""
    today = hospital_day(ctx)
    if stand in {Stand.OVERDUE, Stand.DUE}:
        return _page_of_open(ctx, _is_late(today, stand), after=after, limit=limit)
    query = _active()
    if stand is Stand.UPCOMING:
        query = query.where(~_has_open(), Plan.held_why.is_(None))
    else:
        query = query.where(Plan.held_why.is_not(None))
    return _page_of_plans(ctx, query, after=after, limit=limit)


def plans_of_asset(
    ctx: Context, code: str | None, *, after: str | None = None, limit: int = 50
) -> Page[PlanRow]:
    """Return the active plans, of one asset if its code is given."""
    query = _active()
    if code is not None:
        query = query.where(Plan.asset_id.in_(select(Asset.id).where(Asset.code == code)))
    return _page_of_plans(ctx, query, after=after, limit=limit)


def plan_row(ctx: Context, plan_id: int) -> PlanRow:
    """Return one plan, stopped or not, as a row, or raise `NotFound`."""
    query = _whole(select(Plan).where(Plan.id == plan_id))
    plan = ctx.session.scalar(query.execution_options(populate_existing=True))
    if plan is None:
        raise NotFound(_l("There is no such plan. Look for it in the list of plans."))
    return _rows(ctx, [plan])[0]


def _active() -> Select[Plan]:
    return _whole(select(Plan).where(Plan.is_active))


def _whole(query: Select[Plan]) -> Select[Plan]:
    """Load what a row shows: the asset, and the triggers with their meters and sensors."""
    triggers = selectinload(Plan.triggers)
    return query.options(
        joinedload(Plan.asset).joinedload(Asset.department),
        triggers.joinedload(PlanTrigger.meter),
        triggers.joinedload(PlanTrigger.sensor),
    )


def _has_open() -> ColumnElement[bool]:
    return (
        select(Occurrence.id)
        .where(Occurrence.plan_id == Plan.id, Occurrence.state == OccurrenceState.OPEN)
        .exists()
    )


def _is_late(today: date, stand: Stand) -> ColumnElement[bool]:
    is_late = func.coalesce(Occurrence.held_until, Occurrence.due) < today
    return is_late if stand is Stand.OVERDUE else ~is_late


def _page_of_plans(
    ctx: Context, query: Select[Plan], *, after: str | None, limit: int
) -> Page[PlanRow]:
    page = page_of(ctx.session, query, by=(Plan.next_due, Plan.id), after=after, limit=limit)
    return Page(_rows(ctx, page.items), page.next)


def _page_of_open(
    ctx: Context, late: ColumnElement[bool], *, after: str | None, limit: int
) -> Page[PlanRow]:
    query = (
        select(Occurrence)
        .join(Plan, Plan.id == Occurrence.plan_id)
        .where(Plan.is_active, Plan.held_why.is_(None))
        .where(Occurrence.state == OccurrenceState.OPEN, late)
        .options(
            joinedload(Occurrence.plan).joinedload(Plan.asset).joinedload(Asset.department),
            joinedload(Occurrence.plan).selectinload(Plan.triggers),
        )
    )
    page = page_of(
        ctx.session, query, by=(Occurrence.due, Occurrence.id), after=after, limit=limit
    )
    numbers = _numbers(ctx, page.items)
    rows = [PlanRow(o.plan, o, numbers.get(o.work_order_id or 0)) for o in page.items]
    return Page(rows, page.next)


def _rows(ctx: Context, plans: list[Plan]) -> list[PlanRow]:
    query = select(Occurrence).where(
        Occurrence.plan_id.in_([plan.id for plan in plans]),
        Occurrence.state == OccurrenceState.OPEN,
    )
    found = {occurrence.plan_id: occurrence for occurrence in ctx.session.scalars(query)}
    numbers = _numbers(ctx, list(found.values()))
    return [
        PlanRow(plan, here, numbers.get(here.work_order_id or 0) if here else None)
        for plan in plans
        for here in [found.get(plan.id)]
    ]


def _numbers(ctx: Context, occurrences: list[Occurrence]) -> dict[int, str]:
    ids = [o.work_order_id for o in occurrences if o.work_order_id]
    rows = ctx.session.execute(select(WorkOrder.id, WorkOrder.no).where(WorkOrder.id.in_(ids)))
    return {row.id: row.no for row in rows}


def stand_counts(ctx: Context) -> dict[Stand, int]:
    """Return how many active plans stand where."""
    is_late = _is_late(hospital_day(ctx), Stand.OVERDUE)
    opened = (
        select(is_late, func.count(Occurrence.id))
        .join(Plan, Plan.id == Occurrence.plan_id)
        .where(Plan.is_active, Plan.held_why.is_(None), Occurrence.state == OccurrenceState.OPEN)
        .group_by(is_late)
    )
    open_ones = {bool(late): n for late, n in ctx.session.execute(opened)}
    is_held = Plan.held_why.is_not(None)
    active = select(is_held, func.count(Plan.id)).where(Plan.is_active).group_by(is_held)
    plans = {bool(held): n for held, n in ctx.session.execute(active)}
    return {
        Stand.OVERDUE: open_ones.get(True, 0),
        Stand.DUE: open_ones.get(False, 0),
        # A plan has at most one open occurrence.
        Stand.UPCOMING: plans.get(False, 0) - sum(open_ones.values()),
        Stand.HELD: plans.get(True, 0),
    }


@dataclass(frozen=True, slots=True)
class OccurrenceRow:
    """An occurrence (plan and asset loaded) and the number of its work order."""

    occurrence: Occurrence
    work_order_no: str | None


def occurrence_page(
    ctx: Context, wanted: OccurrenceFilter, *, after: str | None = None, limit: int = 50
) -> Page[OccurrenceRow]:
    """Return occurrences, the latest due first."""
    query = (
        select(Occurrence)
        .join(Plan, Plan.id == Occurrence.plan_id)
        .options(joinedload(Occurrence.plan).joinedload(Plan.asset))
    )
    conditions = [
        None if wanted.plan is None else Occurrence.plan_id == wanted.plan,
        None if wanted.state is None else Occurrence.state == wanted.state,
        None if wanted.first is None else Occurrence.due >= wanted.first,
        None if wanted.last is None else Occurrence.due <= wanted.last,
        None
        if wanted.asset is None
        else Plan.asset_id.in_(select(Asset.id).where(Asset.code == wanted.asset)),
    ]
    query = query.where(*(c for c in conditions if c is not None))
    page = page_of(
        ctx.session,
        query,
        by=(Occurrence.due, Occurrence.id),
        after=after,
        limit=limit,
        descending=True,
    )
    numbers = _numbers(ctx, page.items)
    rows = [OccurrenceRow(o, numbers.get(o.work_order_id or 0)) for o in page.items]
    return Page(rows, page.next)


def occurrence_row(ctx: Context, occurrence_id: int) -> OccurrenceRow:
    """Return one occurrence as a row, or raise `NotFound`."""
    query = (
        select(Occurrence)
        .where(Occurrence.id == occurrence_id)
        .options(joinedload(Occurrence.plan).joinedload(Plan.asset))
        .execution_options(populate_existing=True)
    )
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such due date. Look for it on the page of its plan."))
    numbers = _numbers(ctx, [found])
    return OccurrenceRow(found, numbers.get(found.work_order_id or 0))
