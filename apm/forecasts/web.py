"""The page of one sensor with what its detector thinks."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from apm.alarms.queries import neighbours_of
from apm.core.http import context, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.detecting.watch import watch
from apm.forecasts import panels
from apm.forecasts.asset_pages import asset_pages
from apm.forecasts.chart_pages import chart
from apm.forecasts.fan import Ahead
from apm.forecasts.fleet_pages import fleet_pages
from apm.forecasts.model_pages import model_pages
from apm.forecasts.record_pages import record_pages
from apm.forecasts.score_pages import score_pages
from apm.forecasts.timeline import Timeline, timeline, trend_of
from apm.forecasts.why_pages import why_pages
from apm.readings import queries
from apm.readings.profiles import limits_of, profiles
from apm.readings.schema import QUANTITIES
from apm.readings.series import series
from apm.readings.silent import silent_among

web = Blueprint("forecasts", __name__)
web.register_blueprint(chart)
web.register_blueprint(fleet_pages)
web.register_blueprint(asset_pages)
for part in (model_pages, record_pages, score_pages, why_pages):
    web.register_blueprint(part)
PANELS = (panels.forecast_panel, panels.forecast_section)
"""Registered with the pages of assets and work orders by being imported here."""
PERIODS = {
    "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30),
    "year": timedelta(days=365),
}  # fmt: skip
CHART_POINTS = 400


@web.get("/sensors/<code>")
@requires(Permission.READING_READ)
def sensor(code: str) -> ResponseReturnValue:
    """One sensor: a day, a week, a month or a year of it."""
    ctx = context()
    found = queries.sensor_by_code(ctx, code)
    period = request.args.get("period", "day")
    period = period if period in PERIODS else "day"
    end = ctx.now()
    start = end - PERIODS[period]
    watched = watch(ctx, found.id)
    curve = series(ctx, found.id, start=start, end=end, most=CHART_POINTS)
    around = timeline(ctx, found, start=start, end=end)
    ahead = _ahead(trend_of(ctx, found), end, PERIODS[period])
    return render_template(
        "forecasts/sensor.html",
        sensor=found,
        period=period,
        start=start,
        now=end,
        quantity=str(QUANTITIES.get(found.quantity, found.quantity)),
        ahead=ahead,
        points=curve.broken_points(),
        spread=curve.spread(),
        windows=_windows(around, end),
        marks=_marks(around, start) if ctx.actor.can(Permission.WORK_READ) else [],
        watch=watched,
        neighbours=neighbours_of(ctx, found.id),
        band=[row for row in watched.band if row[0] >= end - PERIODS["day"]],
        limits=limits_of(found),
        profile=profiles().get(found.profile or ""),
        is_silent=bool(silent_among(ctx, [found], end)),
        alarm=queries.active_alarms(ctx, [found.id]).get(found.id),
    )


def _ahead(trend: list[Ahead], now: datetime, shown: timedelta) -> list[Ahead]:
    """Return what is to come, half as long as what was: of a day or a week it says nothing."""
    if shown < PERIODS["month"]:
        return []
    found = [row for row in trend if row[0] <= now + shown / 2]
    return found if len(found) > 1 else []


def _windows(around: Timeline, end: datetime) -> list[tuple[datetime, datetime, str]]:
    """Return when alarms lasted, the newest three: more text would lie on one another."""
    return [(one.since, one.ended_at or end, _("Unusual")) for one in around.alarms[-3:]]


def _marks(around: Timeline, start: datetime) -> list[tuple[datetime, str]]:
    """Return when the newest orders were made."""
    return [(one.created_at, one.no) for one in around.orders if one.created_at >= start][-2:]
