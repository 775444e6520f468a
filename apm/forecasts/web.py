"""The page of one sensor with what its detector thinks."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from apm.alarms.queries import neighbours_of
from apm.core.http import context, requires
from apm.core.permissions import Permission
from apm.forecasts.watch import watch
from apm.readings import queries
from apm.readings.profiles import limits_of, profiles
from apm.readings.schema import QUANTITIES
from apm.readings.series import series

web = Blueprint("forecasts", __name__)
PERIODS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
CHART_POINTS = 400


@web.get("/sensors/<code>")
@requires(Permission.READING_READ)
def sensor(code: str) -> ResponseReturnValue:
    """One sensor: a day, a week or a month of it."""
    ctx = context()
    found = queries.sensor_by_code(ctx, code)
    period = request.args.get("period", "day")
    period = period if period in PERIODS else "day"
    end = ctx.now()
    start = end - PERIODS[period]
    watched = watch(ctx, found.id)
    return render_template(
        "forecasts/sensor.html",
        sensor=found,
        period=period,
        now=end,
        quantity=str(QUANTITIES.get(found.quantity, found.quantity)),
        points=series(ctx, found.id, start=start, end=end, most=CHART_POINTS).points(),
        watch=watched,
        neighbours=neighbours_of(ctx, found.id),
        band=[row for row in watched.band if row[0] >= end - PERIODS["day"]],
        limits=limits_of(found),
        profile=profiles().get(found.profile or ""),
        alarm=queries.active_alarms(ctx, [found.id]).get(found.id),
    )
