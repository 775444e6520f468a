"""The page of one sensor with what its detector thinks."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from apm.alarms.queries import neighbours_of
from apm.core.http import context, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.forecasts.chart_pages import chart
from apm.forecasts.fatigue_pages import fatigue
from apm.forecasts.timeline import Timeline, timeline
from apm.forecasts.watch import watch
from apm.readings import queries
from apm.readings.profiles import limits_of, profiles
from apm.readings.schema import QUANTITIES
from apm.readings.series import series

web = Blueprint("forecasts", __name__)
web.register_blueprint(chart)
web.register_blueprint(fatigue)
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
    return render_template(
        "forecasts/sensor.html",
        sensor=found,
        period=period,
        start=start,
        now=end,
        quantity=str(QUANTITIES.get(found.quantity, found.quantity)),
        points=curve.broken_points(),
        spread=curve.spread(),
        windows=_windows(around, end),
        marks=_marks(around, start) if ctx.actor.can(Permission.WORK_READ) else [],
        watch=watched,
        neighbours=neighbours_of(ctx, found.id),
        band=[row for row in watched.band if row[0] >= end - PERIODS["day"]],
        limits=limits_of(found),
        profile=profiles().get(found.profile or ""),
        alarm=queries.active_alarms(ctx, [found.id]).get(found.id),
    )


def _windows(around: Timeline, end: datetime) -> list[tuple[datetime, datetime, str]]:
    """Return when alarms lasted, the newest three: more text would lie on one another."""
    return [(one.since, one.ended_at or end, _("Unusual")) for one in around.alarms[-3:]]


def _marks(around: Timeline, start: datetime) -> list[tuple[datetime, str]]:
    """Return when the newest orders were made."""
    return [(one.created_at, one.no) for one in around.orders if one.created_at >= start][-2:]
