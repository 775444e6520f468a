"""Sums over work orders, assets and occurrences, grouped by the database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from apm.accounts.queries import zone_of
from apm.analytics.instants import larger, seconds, smaller
from apm.analytics.period import Period, period_of
from apm.assets.model import Asset, AssetState, Department, Location
from apm.core.command import Context
from apm.maintenance.holds import still_covers_last_day
from apm.maintenance.model import Occurrence, OccurrenceState, Plan
from apm.work.model import Cost, WorkOrder
from apm.work.states import WorkState, WorkType

IN_OPERATION = frozenset(
    {AssetState.IN_SERVICE, AssetState.ON_LOAN, AssetState.UNDER_REPAIR, AssetState.QUARANTINED}
)
"""States whose time counts as time in service: in use, or meant to be but for a fault."""

Key = int | str | None
"""A department's id or a category's code; None: belongs to none."""


class By(StrEnum):
    """What figures are grouped by."""

    DEPARTMENT = "department"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Money:
    """Repairs closed in the period: their cost in minor units, and how many they are."""

    cost: int
    orders: int


@dataclass(frozen=True, slots=True)
class Failures:
    """Failures that began in the period: all, and those of assets in operation today."""

    n: int
    n_in_operation: int


@dataclass(frozen=True, slots=True)
class Downtime:
    """Seconds that assets were down, overlaps counted once: all, and of those in operation."""

    down: float
    down_in_operation: float
    spells: int


@dataclass(frozen=True, slots=True)
class Punctuality:
    """Occurrences due in the period: judged, of them in time, and still within their grace."""

    judged: int
    in_time: int
    pending: int


def hospital_period(
    ctx: Context,
    *,
    first: date | None = None,
    last: date | None = None,
    preset: str | None = None,
) -> Period:
    """Return the period asked for, in the days of the actor's hospital; see `period_of`."""
    zone = zone_of(ctx)
    return period_of(first=first, last=last, preset=preset, zone=zone, now=ctx.now())


def repair_money(ctx: Context, by: By, period: Period, currency: str) -> dict[Key, Money]:
    """Return what the corrective orders closed in the period cost, in `currency`."""
    group = _group_of_work(by)
    query = (
        select(group, func.coalesce(func.sum(Cost.amount), 0), func.count(WorkOrder.id.distinct()))
        .select_from(WorkOrder)
        .outerjoin(Cost, and_(Cost.work_order_id == WorkOrder.id, Cost.currency == currency))
        .where(
            WorkOrder.type == WorkType.CORRECTIVE,
            WorkOrder.state == WorkState.CLOSED,
            WorkOrder.closed_at >= period.start,
            WorkOrder.closed_at < period.end,
        )
    )
    rows = ctx.session.execute(_joined(query).group_by(group))
    return {key: Money(int(cost), orders) for key, cost, orders in rows}


def failures(
    ctx: Context, by: By, period: Period, no_failure: Collection[str]
) -> dict[Key, Failures]:
    """Return how many failures began in the period; the causes `no_failure` are none."""
    group = _group_of_work(by)
    began = func.coalesce(WorkOrder.down_from, WorkOrder.created_at)
    operating = case((Asset.lifecycle.in_(IN_OPERATION), 1), else_=0)
    query = (
        select(group, func.count(WorkOrder.id), func.sum(operating))
        .select_from(WorkOrder)
        .where(
            WorkOrder.type == WorkType.CORRECTIVE,
            WorkOrder.state != WorkState.CANCELLED,
            or_(WorkOrder.cause_code.is_(None), WorkOrder.cause_code.not_in(no_failure)),
            began >= period.start,
            began < period.end,
        )
    )
    rows = ctx.session.execute(_joined(query).group_by(group))
    return {key: Failures(n, int(operating)) for key, n, operating in rows}


def downtime(ctx: Context, by: By, period: Period) -> dict[Key, Downtime]:
    """Return how long assets were down within the period.

    Each order is cut to the period; of one asset's overlapping orders only the part after the
    latest end so far is added, which makes the sum the length of their union.
    """
    first, last = _seconds_of(period)
    spells = (
        select(
            WorkOrder.asset_id,
            WorkOrder.id,
            larger(seconds(WorkOrder.down_from), first).label("start"),
            smaller(func.coalesce(seconds(WorkOrder.down_until), last), last).label("stop"),
        )
        .where(
            WorkOrder.asset_id.is_not(None),
            WorkOrder.state != WorkState.CANCELLED,
            WorkOrder.down_from < period.end,
            or_(WorkOrder.down_until.is_(None), WorkOrder.down_until > period.start),
        )
        .subquery()
    )
    before = func.max(spells.c.stop).over(
        partition_by=spells.c.asset_id, order_by=(spells.c.start, spells.c.id), rows=(None, -1)
    )
    ordered = select(spells, func.coalesce(before, spells.c.start).label("covered")).subquery()
    added = larger(ordered.c.stop - larger(ordered.c.start, ordered.c.covered), literal(0.0))
    group = group_of_asset(by)
    operating = case((Asset.lifecycle.in_(IN_OPERATION), added), else_=0.0)
    query = (
        select(group, func.sum(added), func.sum(operating), func.count(ordered.c.id))
        .join_from(Asset, ordered, ordered.c.asset_id == Asset.id)
        .group_by(group)
    )
    rows = ctx.session.execute(query)
    return {key: Downtime(float(down), float(some), n) for key, down, some, n in rows}


def seconds_in_service(ctx: Context, by: By, period: Period) -> dict[Key, float]:
    """Return the calendar time in service within the period of the assets in operation today.

    An asset counts from the day it was put in service, else from its purchase, else throughout.
    """
    first, last = _seconds_of(period)
    since = func.coalesce(Asset.in_service_on, Asset.purchased_on)
    whole = or_(since.is_(None), since <= period.first)  # most of them: decided without arithmetic
    part = larger(last - (seconds(since) - period.seconds_east), literal(0.0))
    length = case((whole, last - first), else_=part)
    group = group_of_asset(by)
    query = (
        select(group, func.sum(length)).where(Asset.lifecycle.in_(IN_OPERATION)).group_by(group)
    )
    return {key: float(total) for key, total in ctx.session.execute(query)}


def punctuality(ctx: Context, by: By, period: Period) -> dict[Key, Punctuality]:
    """Return how many occurrences due in the period were done by their frozen last day.

    Excused ones are left out; one still open counts as late once its last day has passed, unless
    its equipment was out of use on it and still is.
    """
    is_away = (
        select(Plan.id).where(Plan.id == Occurrence.plan_id, still_covers_last_day()).exists()
    )
    settled = Occurrence.state.in_({OccurrenceState.DONE, OccurrenceState.MISSED})
    judged = or_(settled, and_(Occurrence.late_after < period.today, not_(is_away)))
    in_time = and_(
        Occurrence.state == OccurrenceState.DONE, Occurrence.done_on <= Occurrence.late_after
    )
    # Summed by plan first: a plan has many occurrences, and its asset is then looked up once.
    plans = (
        select(
            Occurrence.plan_id,
            func.sum(case((judged, 1), else_=0)).label("judged"),
            func.sum(case((in_time, 1), else_=0)).label("in_time"),
            func.count().label("n"),
        )
        .where(
            Occurrence.due >= period.first,
            Occurrence.due <= period.last,
            Occurrence.state.not_in({OccurrenceState.CANCELLED, OccurrenceState.EXCUSED}),
            Occurrence.is_extra.is_(False),
        )
        .group_by(Occurrence.plan_id)
        .subquery()
    )
    group = group_of_asset(by)
    query = (
        select(group, func.sum(plans.c.judged), func.sum(plans.c.in_time), func.sum(plans.c.n))
        .select_from(Asset)
        .join(Plan, Plan.asset_id == Asset.id)
        .join(plans, plans.c.plan_id == Plan.id)
        .group_by(group)
    )
    rows = ctx.session.execute(query)
    return {
        key: Punctuality(int(judged), int(in_time), int(n) - int(judged))
        for key, judged, in_time, n in rows
    }


def department_names(ctx: Context) -> dict[Key, tuple[str, str | None]]:
    """Return the hospital's departments: English and Chinese name by id."""
    rows = ctx.session.execute(select(Department.id, Department.name, Department.name_zh))
    return {key: (name, name_zh) for key, name, name_zh in rows}


def group_of_asset(by: By) -> InstrumentedAttribute[Any]:
    """Return the column that assets are grouped by."""
    return Asset.department_id if by is By.DEPARTMENT else Asset.category


def _group_of_work(by: By) -> ColumnElement[Any] | InstrumentedAttribute[Any]:
    # Work on a room has no asset, but the room belongs to a department.
    if by is By.DEPARTMENT:
        return func.coalesce(Asset.department_id, Location.department_id)
    return Asset.category


def _joined(query: Select[Any]) -> Select[Any]:
    return query.outerjoin(Asset, Asset.id == WorkOrder.asset_id).outerjoin(
        Location, Location.id == WorkOrder.location_id
    )


def _seconds_of(period: Period) -> tuple[ColumnElement[float], ColumnElement[float]]:
    return literal(period.start.timestamp()), literal(period.end.timestamp())
