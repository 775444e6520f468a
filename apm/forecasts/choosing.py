"""What to do about a forecast, and what each way costs: now, with planned work, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import inf

from sqlalchemy import select

from apm.accounts.queries import zone_of
from apm.assets.model import Asset
from apm.core.clock import local_day
from apm.core.command import Context
from apm.forecasts.model import Forecast, ModelKind
from apm.forecasts.replacing import Money, Wear, is_planned_work, money_of, wear_of
from apm.maintenance.due import NEVER
from apm.maintenance.model import Plan
from apm.work.model import WorkOrder
from predict.options import options

AHEAD = 365
"""Days within which planned work counts as the next visit."""


class Way(StrEnum):
    """A way to act."""

    NOW = "now"
    VISIT = "visit"
    """with the next planned work on the equipment"""
    BEST = "best"
    """by itself, at the cheapest moment"""
    FAILURE = "failure"
    """not before it fails"""


@dataclass(frozen=True, slots=True)
class Visit:
    """The next planned work on an asset: its day, and its order if there is one already."""

    on: date
    order: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One way: on which day, how likely it fails before, what it costs more than the cheapest.

    extra: in fen, or in planned visits where own costs are few.
    """

    way: Way
    on: date | None
    failed: float
    extra: float
    order: str | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """The ways of one forecast, the cheapest first; `pays`: planned work before a failure does."""

    ways: list[Choice]
    money: Money
    pays: bool
    shape: float


def choices_of(ctx: Context, asset: Asset, said: Iterable[Forecast]) -> dict[int, Choices]:
    """Return the ways to act on each forecast of an asset that tells of a life, by its id.

    Four statements; none where no forecast does.
    """
    told = [one for one in said if one.kind is not ModelKind.SOON]
    if not told:
        return {}
    money, zone = money_of(ctx), zone_of(ctx)
    today = local_day(ctx.now(), zone)
    visit = next_visit(ctx, asset, today)
    found = {}
    for one in told:
        wear = wear_of(one, asset, money)
        if wear is not None:
            since = (today - local_day(one.at, zone)).days
            found[one.id] = _choices(wear, money, visit, today, since)
    return found


def next_visit(ctx: Context, asset: Asset, today: date) -> Visit | None:
    """Return the next planned work on an asset, within a year: open orders, else its plans."""
    orders = select(WorkOrder.due_on, WorkOrder.no).where(
        WorkOrder.asset_id == asset.id,
        *is_planned_work(),
        WorkOrder.due_on.is_not(None),
    )
    plans = select(Plan.next_due).where(
        Plan.asset_id == asset.id, Plan.is_active, Plan.next_due != NEVER, Plan.next_due >= today
    )
    known = [Visit(max(due, today), no) for due, no in ctx.session.execute(orders) if due]
    known += [Visit(due, None) for due in ctx.session.scalars(plans)]
    near = [one for one in known if (one.on - today).days <= AHEAD]
    return min(near, key=lambda one: one.on, default=None)


def _choices(wear: Wear, money: Money, visit: Visit | None, today: date, since: int) -> Choices:
    waits: dict[Way, tuple[float, float]] = {Way.NOW: (0.0, money.planned)}
    if visit is not None:
        waits[Way.VISIT] = ((visit.on - today).days, money.planned - money.visit)
    if 0.0 < wear.wait - since <= AHEAD:
        waits[Way.BEST] = (float(int(wear.wait - since)), money.planned)
    waits[Way.FAILURE] = (inf, money.planned)
    told = options(
        wear.job.life, wear.job.age + since, list(waits.values()),
        failure=money.averted, rate=wear.policy.cost,
    )  # fmt: skip
    least = min(one.cost for one in told)
    ways = [
        Choice(
            way,
            None if one.wait == inf else today + timedelta(days=int(one.wait)),
            one.failed,
            max(one.cost - least, 0.0),
            visit.order if visit and way is Way.VISIT else None,
        )
        for way, one in zip(waits, told, strict=True)
    ]
    ways.sort(key=lambda one: one.extra)
    return Choices(ways, money, wear.policy.pays, wear.job.life.shape)
