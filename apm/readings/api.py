"""The JSON API of sensors, readings and alarms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, jsonify, request

from apm.core.http import check_version, context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.readings import commands, queries
from apm.readings.body import parse, unpacked
from apm.readings.model import Alarm
from apm.readings.schema import (
    AlarmOut,
    AlarmPage,
    AlarmsWanted,
    IngestOut,
    NoteIn,
    PageWanted,
    SensorIn,
    SensorOut,
    SensorPage,
    SeriesOut,
    SeriesWanted,
)
from apm.readings.series import Resolution, series

api = Blueprint("readings_api", __name__, url_prefix="/api/v1", description="Sensors and alarms")
LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
BODY = {
    "content": {
        kind: {"schema": {"type": "array", "items": {"type": "object"}}}
        for kind in ("application/json", "application/x-ndjson")
    },
    "required": True,
}


@api.post("/readings")
@api.doc(requestBody=BODY)
@api.response(200, IngestOut)
@requires(Permission.READING_SEND)
def send_readings() -> commands.IngestReport:
    """Store readings: a JSON array or a line each, gzip allowed, up to 100,000 a call."""
    body = unpacked(request.get_data(), request.headers.get("Content-Encoding"))
    return commands.ingest(context(), parse(body, is_lines=request.mimetype in LINES))


@api.get("/sensors")
@api.arguments(PageWanted, location="query")
@api.response(200, SensorPage)
@requires(Permission.READING_READ)
def sensors(wanted: dict[str, Any]) -> Any:
    """List the sensors by code."""
    return queries.sensors_page(context(), **wanted)


@api.post("/sensors")
@api.arguments(SensorIn)
@api.response(201, SensorOut)
@requires(Permission.SENSOR_EDIT)
def add_sensor(new: dict[str, Any]) -> Any:
    """Add a sensor on an asset (its code) or in a place (its name or code)."""
    return commands.add_sensor(context(), **new)


@api.get("/sensors/<code>")
@api.response(200, SensorOut)
@requires(Permission.READING_READ)
def sensor(code: str) -> Any:
    """One sensor with its latest reading."""
    return queries.sensor_by_code(context(), code)


@api.get("/sensors/<code>/readings")
@api.arguments(SeriesWanted, location="query")
@api.response(200, SeriesOut)
@requires(Permission.READING_READ)
def sensor_readings(wanted: dict[str, Any], code: str) -> Any:
    """A stretch of readings, by default the last day; marked-bad ones are left out."""
    ctx = context()
    found = queries.sensor_by_code(ctx, code)
    end = wanted.get("to") or ctx.now()
    start = wanted.get("from") or end - timedelta(days=1)
    resolution = Resolution(wanted["resolution"])
    return series(ctx, found.id, start=start, end=end, resolution=resolution)


@api.get("/alarms")
@api.arguments(AlarmsWanted, location="query")
@api.response(200, AlarmPage)
@requires(Permission.ALARM_READ)
def alarms(wanted: dict[str, Any]) -> Any:
    """List the alarms, active ones first, then the newest."""
    return queries.alarms_page(context(), **wanted)


@api.get("/alarms/<int:alarm_id>")
@api.response(200, AlarmOut)
@requires(Permission.ALARM_READ)
def alarm(alarm_id: int) -> Response:
    """One alarm with its evidence."""
    return _answer(queries.alarm_by_id(context(), alarm_id))


@api.post("/alarms/<int:alarm_id>/acknowledge")
@api.arguments(NoteIn)
@api.response(200, AlarmOut)
@requires(Permission.ALARM_HANDLE)
def acknowledge(given: dict[str, Any], alarm_id: int) -> Response:
    """Say that somebody has seen it."""
    check_version(queries.alarm_by_id(context(), alarm_id).version)
    return _answer(commands.acknowledge(context(), alarm_id=alarm_id, **given))


@api.post("/alarms/<int:alarm_id>/clear")
@api.arguments(NoteIn)
@api.response(200, AlarmOut)
@requires(Permission.ALARM_HANDLE)
def clear(given: dict[str, Any], alarm_id: int) -> Response:
    """End it by hand."""
    check_version(queries.alarm_by_id(context(), alarm_id).version)
    return _answer(commands.clear(context(), alarm_id=alarm_id, **given))


def _answer(found: Alarm) -> Response:
    answer = jsonify(AlarmOut().dump(found))
    answer.set_etag(str(found.version))
    return answer
