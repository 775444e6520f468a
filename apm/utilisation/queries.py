"""Reading feeds, days of use and breaks of counters."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.utilisation.model import BreakState, EnergyTerms, Feed, MeterBreak, UseDay

MOST_BREAKS = 50


def feed_of_sensor(ctx: Context, sensor_id: int) -> Feed | None:
    """Return the feed of a sensor, stopped or not."""
    query = select(Feed).where(Feed.sensor_id == sensor_id).options(joinedload(Feed.sensor))
    return ctx.session.scalar(query)


def feeds_of_asset(ctx: Context, asset_id: int) -> list[Feed]:
    """Return the feeds of an asset with their sensors, those at work first."""
    query = (
        select(Feed)
        .where(Feed.asset_id == asset_id)
        .options(joinedload(Feed.sensor))
        .order_by(Feed.is_active.desc(), Feed.id)
    )
    return list(ctx.session.scalars(query))


def days_of(ctx: Context, feed_ids: list[int], first: date, last: date) -> list[UseDay]:
    """Return the days of feeds from first to last, by day."""
    query = (
        select(UseDay)
        .where(UseDay.feed_id.in_(feed_ids), UseDay.day >= first, UseDay.day <= last)
        .order_by(UseDay.day, UseDay.feed_id)
    )
    return list(ctx.session.scalars(query))


def breaks_of(ctx: Context, feed_ids: list[int]) -> list[MeterBreak]:
    """Return the newest breaks of feeds, with sensor, those that wait for a person first."""
    query = (
        select(MeterBreak)
        .where(MeterBreak.feed_id.in_(feed_ids))
        .options(joinedload(MeterBreak.feed).joinedload(Feed.sensor))
        .order_by(MeterBreak.state != BreakState.OPEN, MeterBreak.at.desc(), MeterBreak.id)
        .limit(MOST_BREAKS)
    )
    return list(ctx.session.scalars(query))


def break_for_writing(ctx: Context, break_id: int) -> MeterBreak:
    """Return a break with its feed, sensor and asset, locked until the command ends."""
    feed = joinedload(MeterBreak.feed)
    query = (
        select(MeterBreak)
        .where(MeterBreak.id == break_id)
        .options(feed.joinedload(Feed.sensor), feed.joinedload(Feed.asset))
        .with_for_update(of=MeterBreak)
        .execution_options(populate_existing=True)
    )
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such break of a counter in this hospital."))
    return found


def terms_of(ctx: Context) -> EnergyTerms | None:
    """Return what energy costs this hospital, None before somebody said so."""
    return ctx.session.scalar(select(EnergyTerms))
