"""Which work that forecasts speak for is best done in one visit, and what that saves.

Two ways, per department: several such works on one day (`predict.grouping.group`), or one of them
on the day of planned work that is due there anyway.  Moving a work away from its best moment costs
its penalty; each visit that falls away saves what going there costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, defer, joinedload, selectinload

from apm.accounts.queries import zone_of
from apm.assets.model import Asset, Department
from apm.core.clock import local_day
from apm.core.command import Context
from apm.core.many import among
from apm.forecasts.fleet_model import FleetEntry, Standing
from apm.forecasts.lifetimes import WEARS
from apm.forecasts.model import Forecast
from apm.forecasts.replacing import Money, Wear, is_planned_work, money_of, wear_of
from apm.work.model import WorkOrder
from predict.grouping import Visit, group

HORIZON = 90
"""Days within which a work must be due by itself to be put together with others."""
MOST = 100
"""Forecasts looked at, those that matter most first."""
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Together:
    """Work to do in one visit: where, on which day, on what; what it saves.

    order: the planned work that is due that day anyway; None: the forecasts' works alone.
    saved: in fen, or in planned visits where own costs are few.
    """

    department: Department | None
    on: date
    forecasts: list[Forecast]
    order: WorkOrder | None
    saved: float


@dataclass(frozen=True, slots=True)
class Visits:
    """All visits worth making together, what saves most first, and the costs they rest on."""

    visits: list[Together]
    money: Money


def together(ctx: Context) -> Visits:
    """Return what is best done in one visit; at most seven statements."""
    rows = _forecasts(ctx)
    money = money_of(ctx)
    zone = zone_of(ctx)
    today = local_day(ctx.now(), zone)
    wearing: dict[int | None, list[tuple[Forecast, Wear]]] = defaultdict(list)
    for said in rows:
        wear = wear_of(said, said.asset, money)
        if wear is not None and wear.policy.pays and wear.job.life.shape >= WEARS:
            since = (today - local_day(said.at, zone)).days
            if wear.wait - since <= HORIZON:
                wearing[said.asset.department_id].append((said, _aged(wear, since)))
    orders = _orders(ctx, wearing, today) if wearing else {}
    found = [
        one
        for place, some in wearing.items()
        for one in _of_place(some, orders.get(place, ()), money, today)
    ]
    found.sort(key=lambda one: (-one.saved, one.on))
    return Visits(found[:SHOWN], money)


def _of_place(
    some: list[tuple[Forecast, Wear]], orders: Iterable[WorkOrder], money: Money, today: date
) -> list[Together]:
    """Return the visits of one department: each work goes where it saves most, once."""
    by_name = {wear.job.name: (said, wear) for said, wear in some}
    joined: dict[int, list[tuple[Forecast, float]]] = defaultdict(list)
    known = {order.id: order for order in orders}
    left = dict(by_name)
    for name, (said, wear) in by_name.items():
        best = max(
            ((_saved(wear, order, money, today), order.id) for order in known.values()),
            default=(0.0, 0),
        )
        if best[0] > 0.0:
            joined[best[1]].append((said, best[0]))
            del left[name]
    found = [
        Together(
            said[0][0].asset.department, _due(known[order_id], today),
            [one for one, _saving in said], known[order_id], sum(saving for _one, saving in said),
        )
        for order_id, said in joined.items()
    ]  # fmt: skip
    visits = group([wear.job for _said, wear in left.values()], money.visit)
    found += [_visit(visit, left, today) for visit in visits if len(visit.jobs) > 1]
    return found


def _visit(visit: Visit, left: dict[str, tuple[Forecast, Wear]], today: date) -> Together:
    said = [left[name][0] for name in visit.jobs]
    on = today + timedelta(days=int(visit.wait))
    return Together(said[0].asset.department, on, said, None, visit.saved)


def _saved(wear: Wear, order: WorkOrder, money: Money, today: date) -> float:
    """Return what doing a work with planned work saves: a visit, less the penalty of moving it."""
    wait = float((_due(order, today) - today).days)
    forced = wear.job.penalty(wear.wait, wear.policy)  # what is overdue has lost that anyway
    return money.visit - (wear.job.penalty(wait, wear.policy) - forced)


def _due(order: WorkOrder, today: date) -> date:
    return max(order.due_on or today, today)


def _aged(wear: Wear, days: int) -> Wear:
    return replace(wear, job=replace(wear.job, age=wear.job.age + days))


def _forecasts(ctx: Context) -> list[Forecast]:
    """Return the forecasts that matter most, in three statements.

    In one, joined, a planner may read all forecasts before it sorts.
    """
    first = (
        select(FleetEntry.asset_id, FleetEntry.kind, FleetEntry.sensor_id)
        .where(FleetEntry.standing == Standing.FORETOLD)
        .order_by(FleetEntry.rank.desc(), FleetEntry.id.desc())
        .limit(MOST)
    )
    order = [(row.asset_id, row.kind, row.sensor_id) for row in ctx.session.execute(first)]
    query = (
        select(Forecast)
        .join(Asset, Asset.id == Forecast.asset_id)
        .options(
            contains_eager(Forecast.asset).joinedload(Asset.department),
            joinedload(Forecast.sensor),
            selectinload(Forecast.model),  # once each: its numbers are long
            defer(Forecast.path),
        )
        .where(
            among(Asset.id, [asset_id for asset_id, _kind, _sensor in order]),
            Forecast.life_median.is_not(None),
        )
    )
    found = {(one.asset_id, one.kind, one.sensor_id): one for one in ctx.session.scalars(query)}
    return [found[subject] for subject in order if subject in found]


def _orders(
    ctx: Context, places: Iterable[int | None], today: date
) -> dict[int | None, list[WorkOrder]]:
    """Return the planned work due in these departments within the horizon, by department."""
    query = (
        select(WorkOrder)
        .join(Asset, Asset.id == WorkOrder.asset_id)
        .options(contains_eager(WorkOrder.asset))
        .where(
            Asset.department_id.in_([place for place in places if place is not None]),
            *is_planned_work(),
            WorkOrder.due_on <= today + timedelta(days=HORIZON),
        )
        .order_by(WorkOrder.due_on, WorkOrder.id)
        .limit(MOST)
    )
    found: dict[int | None, list[WorkOrder]] = defaultdict(list)
    for order in ctx.session.scalars(query):
        found[order.asset.department_id if order.asset else None].append(order)
    return found
