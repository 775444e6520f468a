"""Hours of actual use and the failures in them, of the equipment whose sensors tell its use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, func, or_, select

from apm.analytics.period import Period
from apm.analytics.queries import By, Key, group_of_asset
from apm.assets.model import Asset
from apm.core.clock import local_day
from apm.core.command import Context
from apm.maintenance.model import MeterKind
from apm.utilisation.model import STATES, Feed, FeedWay, UseDay
from apm.work.model import WorkOrder
from apm.work.states import WorkState, WorkType

HOUR = 3600.0
IS_STATES = and_(Feed.way.in_(STATES), UseDay.on_s.is_not(None))
IS_HOURS = and_(
    Feed.way == FeedWay.COUNTER, Feed.meter == MeterKind.HOURS, UseDay.counted.is_not(None)
)


@dataclass(frozen=True, slots=True)
class Use:
    """Hours on of `devices` metered devices, and the failures on the days these hours are of."""

    hours: float = 0.0
    failures: int = 0
    devices: int = 0

    def plus(self, other: Use) -> Use:
        """Return both together."""
        return Use(
            self.hours + other.hours,
            self.failures + other.failures,
            self.devices + other.devices,
        )


def metered_use(
    ctx: Context, by: By, period: Period, no_failure: Collection[str]
) -> dict[Key, Use]:
    """Return the use of each group's metered devices.  Three statements, whatever the size.

    Of a device that tells its states and has an hour counter as well, the states count.
    """
    groups: dict[int, Key] = {}
    hours: dict[int, dict[bool, float]] = defaultdict(dict)
    for asset_id, key, is_states, on, counted in ctx.session.execute(_hours(by, period)):
        groups[asset_id] = key
        hours[asset_id][is_states] = on / HOUR if is_states else counted
    failed = _failures(ctx, period, no_failure, set(groups))
    found: dict[Key, Use] = defaultdict(Use)
    for asset_id, key in groups.items():
        told = hours[asset_id]
        own = told[True] if True in told else told[False]
        found[key] = found[key].plus(Use(own, failed.get(asset_id, 0), 1))
    return dict(found)


def _hours(by: By, period: Period) -> Any:
    group, is_states = group_of_asset(by), Feed.way.in_(STATES)
    return (
        select(
            Asset.id,
            group,
            is_states,
            func.coalesce(func.sum(UseDay.on_s), 0.0),
            func.coalesce(func.sum(UseDay.counted), 0.0),
        )
        .join_from(UseDay, Feed, Feed.id == UseDay.feed_id)
        .join(Asset, Asset.id == Feed.asset_id)
        .where(_within(period), or_(IS_STATES, IS_HOURS))
        .group_by(Asset.id, group, is_states)
    )


def _within(period: Period) -> Any:
    return and_(UseDay.day >= period.first, UseDay.day <= period.last)


def _failures(
    ctx: Context, period: Period, no_failure: Collection[str], assets: set[int]
) -> dict[int, int]:
    """Return how often each of these assets failed on a day whose use is known."""
    began = func.coalesce(WorkOrder.down_from, WorkOrder.created_at)
    query = select(WorkOrder.asset_id, began).where(
        WorkOrder.type == WorkType.CORRECTIVE,
        WorkOrder.state != WorkState.CANCELLED,
        or_(WorkOrder.cause_code.is_(None), WorkOrder.cause_code.not_in(no_failure)),
        began >= period.start,
        began < period.end,
        WorkOrder.asset_id.in_(select(Feed.asset_id)),
    )
    rows = [
        (asset_id, local_day(at, period.zone))
        for asset_id, at in ctx.session.execute(query)
        if asset_id in assets
    ]
    known = _known_days(ctx, period, {asset_id for asset_id, _day in rows})
    found: dict[int, int] = defaultdict(int)
    for row in rows:
        found[row[0]] += row in known
    return found


def _known_days(ctx: Context, period: Period, assets: set[int]) -> set[tuple[int, date]]:
    query = (
        select(Feed.asset_id, UseDay.day)
        .join_from(UseDay, Feed, Feed.id == UseDay.feed_id)
        .where(_within(period), or_(IS_STATES, IS_HOURS), Feed.asset_id.in_(assets))
    )
    return {(asset_id, day) for asset_id, day in ctx.session.execute(query)}
