"""How much of each part is used a month, and the forecast that is kept of it.

Use is what was issued less what came back, by the month of the issue in the hospital's time.
Only whole months count, from the month after a part's first move on: before that nobody could
have used it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from apm.accounts.queries import hospital_day, zone_of
from apm.core.clock import local_day
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.parts.model import DemandForecast, MoveKind, Part, StockMove
from predict.demand import Forecast, forecast_demand
from predict.errors import NotEnoughData

MOST_MONTHS = 36
"""Older use says little about what comes."""
Month = int
"""Months since the year 0, so that they can be subtracted."""


@dataclass(frozen=True, slots=True)
class Use:
    """A part's use: thousandths of its unit in each whole month, the oldest first."""

    part_id: int
    first: date
    milli: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be expected of a part; without a forecast there is not enough history."""

    use: Use
    forecast: Forecast | None


def month_of(day: date) -> Month:
    """Return the number of a day's month.

    >>> month_of(date(2026, 1, 31)) - month_of(date(2025, 12, 1))
    1
    """
    return day.year * 12 + day.month - 1


def first_day(month: Month) -> date:
    """Return the first day of a month."""
    return date(month // 12, month % 12 + 1, 1)


def use_of(ctx: Context, part_id: int | None = None) -> dict[int, Use]:
    """Return the use of every part in the catalogue (or of one) by its id, in two statements."""
    this_month = month_of(hospital_day(ctx))
    oldest = this_month - MOST_MONTHS
    used = _used(ctx, part_id, oldest)
    return {
        each: Use(
            each,
            first_day(first),
            tuple(max(used[each].get(month, 0), 0) for month in range(first, this_month)),
        )
        for each, seen in _first_seen(ctx, part_id).items()
        for first in [max(seen + 1, oldest)]
    }


def _first_seen(ctx: Context, part_id: int | None) -> dict[int, Month]:
    query = (
        select(StockMove.part_id, func.min(StockMove.at))
        .join(Part, Part.id == StockMove.part_id)
        .where(Part.is_active.is_(True))
        .group_by(StockMove.part_id)
    )
    if part_id is not None:
        query = query.where(StockMove.part_id == part_id)
    month = _months(ctx)
    return {each: month(at) for each, at in ctx.session.execute(query)}


def _used(ctx: Context, part_id: int | None, oldest: Month) -> dict[int, dict[Month, int]]:
    # A month early, because the hospital's month may begin before that of UTC.
    since = datetime.fromisoformat(f"{first_day(oldest - 1)}T00:00:00+00:00")
    query = (
        select(
            StockMove.id,
            StockMove.part_id,
            StockMove.at,
            StockMove.quantity_milli,
            StockMove.returns_id,
        )
        .where(StockMove.kind.in_([MoveKind.ISSUE, MoveKind.RETURN]), StockMove.at >= since)
        .order_by(StockMove.id)
    )
    if part_id is not None:
        query = query.where(StockMove.part_id == part_id)
    month = _months(ctx)
    issued: dict[int, Month] = {}
    used: dict[int, dict[Month, int]] = defaultdict(lambda: defaultdict(int))
    for move_id, each, at, milli, returns_id in ctx.session.execute(query):
        when = issued.get(returns_id) if returns_id is not None else month(at)
        if when is not None:  # what came back of an issue before our time is no use of ours
            issued[move_id] = when
            used[each][when] -= milli
    return used


def _months(ctx: Context) -> Callable[[datetime], Month]:
    """Return what tells the hospital's month of an instant."""
    zone = zone_of(ctx)
    return lambda at: month_of(local_day(at, zone))


def outlooks(ctx: Context) -> list[Outlook]:
    """Return what is to be expected of every part; outside a command, for it takes a while."""
    return [Outlook(use, _forecast(use)) for use in use_of(ctx).values()]


def _forecast(use: Use) -> Forecast | None:
    try:
        return forecast_demand(use.milli)
    except NotEnoughData:
        return None


@command("part.forecast", Permission.PART_STOCK)
def keep_forecasts(ctx: Context, *, found: list[Outlook]) -> int:
    """Keep what was calculated, in place of what was known before; return for how many parts."""
    known = {row.part_id: row for row in ctx.session.scalars(select(DemandForecast))}
    for outlook in found:
        row = known.get(outlook.use.part_id)
        if row is None:
            row = DemandForecast(part_id=outlook.use.part_id)
            ctx.session.add(row)
        _fill(row, outlook, ctx.now())
    return len(found)


def _fill(row: DemandForecast, outlook: Outlook, at: datetime) -> None:
    forecast, milli = outlook.forecast, outlook.use.milli
    row.at = at
    row.months, row.demands = len(milli), sum(each > 0 for each in milli)
    row.pattern = forecast.classification.pattern.value if forecast else None
    row.method = forecast.method.value if forecast else None
    row.mean_milli = forecast.mean if forecast else None
    row.low_milli = forecast.low if forecast else None
    row.high_milli = forecast.high if forecast else None
    row.spread_milli = forecast.spread if forecast else None


def forecast_of(ctx: Context, part_id: int) -> DemandForecast | None:
    """Return what was last calculated of a part."""
    return ctx.session.scalar(select(DemandForecast).where(DemandForecast.part_id == part_id))


def recalculate(ctx: Context) -> int:
    """Calculate and keep the forecast of every part; return for how many."""
    ctx.actor.require(Permission.PART_STOCK)
    return keep_forecasts(ctx, found=outlooks(ctx))
