"""What the chart of a sensor fetches: the readings a zoom needs, and a file of what is shown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from apm.accounts.queries import zone_of
from apm.core.errors import Invalid
from apm.core.http import context, requires
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.forecasts.timeline import Timeline, timeline, trend_of
from apm.readings import queries
from apm.readings.checking import instant
from apm.readings.profiles import limits_of
from apm.readings.reasons import title_of
from apm.readings.schema import SeriesWanted
from apm.readings.series import Resolution, Series, series

chart = Blueprint("chart", __name__)
MICRO = 1e6
DAY = timedelta(days=1)
MARK = "\ufeff"
"""What spreadsheet programs need to see UTF-8."""
MOST_POINTS = 1500
"""More would lie on the same pixels."""
HEADER = (
    "sensor", "at_utc", "at_local", "value", "lowest", "highest", "readings", "unit", "what",
)  # fmt: skip
READING, FORECAST = "reading", "forecast"
"""What a row of the file is: what was measured, or what is expected."""


@chart.get("/sensors/<code>/series.json")
@requires(Permission.READING_READ)
def data(code: str) -> ResponseReturnValue:
    """The readings of a stretch, as fine as a screen can show, and what happened meanwhile."""
    ctx = context()
    sensor = queries.sensor_by_code(ctx, code)
    start, end, resolution = _wanted()
    found = series(ctx, sensor.id, start=start, end=end, resolution=resolution, most=MOST_POINTS)
    around = timeline(ctx, sensor, start=start, end=end)
    return jsonify(
        {
            **_curve(found),
            **_marks(around, sees_work=ctx.actor.can(Permission.WORK_READ)),
            "limits": limits_of(sensor),
            "from": start.timestamp(),
            "to": end.timestamp(),
        }
    )


@chart.get("/sensors/<code>/readings.csv")
@requires(Permission.READING_READ)
def as_file(code: str) -> ResponseReturnValue:
    """The readings of a stretch as a file: raw, by hour, by day, or as fine as the chart.

    Of a stretch that reaches into the future it says what is foretold, marked as that.
    """
    ctx = context()
    sensor = queries.sensor_by_code(ctx, code)
    start, end, resolution = _wanted()
    now = ctx.now()
    found = series(ctx, sensor.id, start=start, end=end, resolution=resolution, most=MOST_POINTS)
    zone = ZoneInfo(zone_of(ctx))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows([sensor.code, *row, sensor.unit, READING] for row in _rows(found, zone))
    ahead = [row for row in trend_of(ctx, sensor) if max(start, now) <= row[0] <= end]
    for at, low, middle, high in ahead:
        local = at.astimezone(zone).isoformat()
        row = [sensor.code, at.isoformat(), local, middle, low, high, "", sensor.unit]
        writer.writerow([*row, FORECAST])
    answer = Response(MARK + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{sensor.code}.csv"'
    return answer


def _wanted() -> tuple[datetime, datetime, Resolution]:
    """Return the stretch asked for, the last day by default; `lang` may stand beside it."""
    names = ("from", "to", "resolution")
    try:
        wanted = SeriesWanted().load({n: v for n in names if (v := request.args.get(n))})
    except ValidationError as error:
        message = _l("Some values do not fit. Correct them and send again.")
        raise Invalid(message, fields=error.messages_dict) from error
    end = wanted.get("to") or context().now()
    start = wanted.get("from") or end - DAY
    return start, end, Resolution(wanted["resolution"])


def _curve(found: Series) -> dict[str, Any]:
    has_range = found.low is not None and found.high is not None
    return {
        "at": (found.at / MICRO).tolist(),
        "value": found.value.tolist(),
        "low": found.low.tolist() if found.low is not None and has_range else None,
        "high": found.high.tolist() if found.high is not None and has_range else None,
        "n": found.n.tolist() if found.n is not None else None,
        "width_s": found.width_s,
        "gaps": found.gaps(),
    }


def _marks(around: Timeline, *, sees_work: bool) -> dict[str, Any]:
    return {
        "alarms": [
            {
                "from": alarm.since.timestamp(),
                "to": alarm.ended_at.timestamp() if alarm.ended_at else None,
                "text": str(title_of(alarm.reason)),
                "url": f"/alarms/{alarm.id}",
            }
            for alarm in around.alarms
        ],
        "orders": [
            {
                "from": order.created_at.timestamp(),
                "to": order.done_at.timestamp() if order.done_at else None,
                "text": order.no,
                "url": f"/work-orders/{order.no}",
            }
            for order in (around.orders if sees_work else [])
        ],
        "bands": [
            [[at.timestamp(), low, high] for at, low, high in band] for band in around.bands
        ],
        "ahead": [[at.timestamp(), *row] for at, *row in around.ahead],
    }


def _rows(found: Series, zone: ZoneInfo) -> Iterator[list[object]]:
    n = len(found.at)
    nothing: list[object] = [""] * n
    low = found.low.tolist() if found.low is not None else nothing
    high = found.high.tolist() if found.high is not None else nothing
    counted = found.n.tolist() if found.n is not None else nothing
    for at, value, *rest in zip(
        found.at.tolist(), found.value.tolist(), low, high, counted, strict=True
    ):
        moment = instant(at)
        yield [moment.isoformat(), moment.astimezone(zone).isoformat(), value, *rest]
