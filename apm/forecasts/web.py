"""The pages of alarms, and of one sensor with what its detector thinks."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.http import context, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.forecasts.chart_pages import chart
from apm.forecasts.evidence import read_evidence
from apm.forecasts.timeline import Timeline, timeline
from apm.forecasts.watch import watch
from apm.readings import commands, queries
from apm.readings.profiles import limits_of, profiles
from apm.readings.reasons import sentence_for, title_of
from apm.readings.schema import QUANTITIES, NoteIn
from apm.readings.series import series

web = Blueprint("forecasts", __name__)
web.register_blueprint(chart)
PERIODS = {
    "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30),
    "year": timedelta(days=365),
}  # fmt: skip
AROUND = timedelta(hours=12)
"""How much before and after an alarm its chart shows."""
CHART_POINTS = 400
SHOWN = {
    "all": (None, None),
    "active": (True, None),
    "acknowledged": (None, True),
}
"""What each tab asks for: (active, acknowledged)."""


@web.get("/alarms")
@requires(Permission.ALARM_READ)
def alarms() -> ResponseReturnValue:
    """The alarms, active ones first."""
    ctx = context()
    show = request.args.get("show", "all")
    active, acknowledged = SHOWN.get(show, SHOWN["all"])
    page = queries.alarms_page(
        ctx, active=active, acknowledged=acknowledged, after=request.args.get("after")
    )
    return render_template(
        "forecasts/alarms.html",
        page=page,
        show=show if show in SHOWN else "all",
        n_active=queries.count_active(ctx),
        title_of=title_of,
    )


@web.get("/alarms/<int:alarm_id>")
@requires(Permission.ALARM_READ)
def alarm(alarm_id: int) -> ResponseReturnValue:
    """One alarm: what was seen, since when, and what is done about it."""
    ctx = context()
    found = queries.alarm_by_id(ctx, alarm_id)
    return render_template(
        "forecasts/alarm.html",
        alarm=found,
        start=found.since - AROUND,
        end=min((found.ended_at or ctx.now()) + AROUND, ctx.now()),
        evidence=read_evidence(found),
        limits=limits_of(found.sensor),
        title=title_of(found.reason),
        sentence=sentence_for(found.reason),
    )


@web.post("/alarms/<int:alarm_id>/acknowledge")
@requires(Permission.ALARM_HANDLE)
def acknowledge(alarm_id: int) -> ResponseReturnValue:
    """Say that one has seen it."""
    commands.acknowledge(context(), alarm_id=alarm_id, note=_note())
    flash(_("The alarm is acknowledged."), "success")
    return redirect(url_for("forecasts.alarm", alarm_id=alarm_id), 303)


@web.post("/alarms/<int:alarm_id>/clear")
@requires(Permission.ALARM_HANDLE)
def clear(alarm_id: int) -> ResponseReturnValue:
    """End it by hand."""
    commands.clear(context(), alarm_id=alarm_id, note=_note())
    flash(_("The alarm is cleared."), "success")
    return redirect(url_for("forecasts.alarm", alarm_id=alarm_id), 303)


def _note() -> str | None:
    """Return the note that goes with it; one that is too long is cut, not refused."""
    note: str = request.form.get("note", "").strip()
    return note[: NoteIn.LONGEST] or None


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
