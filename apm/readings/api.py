"""The JSON API of sensors and readings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
from flask import Response, jsonify, request

from apm.core.http import check_version, context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.readings import changing, commands, queries
from apm.readings.body import parse, unpacked
from apm.readings.iso import iso_json
from apm.readings.schema import (
    IngestOut,
    PageWanted,
    SensorIn,
    SensorMove,
    SensorOut,
    SensorPage,
    SensorPatch,
    SeriesOut,
    SeriesWanted,
)
from apm.readings.series import Resolution, Series, series

api = Blueprint("readings_api", __name__, url_prefix="/api/v1", description="Sensors and readings")
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
    """One sensor with its latest reading; the `ETag` is its version."""
    return _shown(code)


@api.patch("/sensors/<code>")
@api.arguments(SensorPatch(partial=True))
@api.response(200, SensorOut)
@requires(Permission.SENSOR_EDIT)
def change_sensor(changes: dict[str, Any], code: str) -> Response:
    """Change the fields given; `If-Match` with the ETag guards against a change in between.

    Equipment, quantity and unit can be corrected only before it has read anything (409).
    `in_service`: false takes it out of service, true puts it back.
    """
    ctx = context()
    check_version(queries.sensor_by_code(ctx, code).version)
    changing.change_sensor(ctx, code=code, **changes)
    return _shown(code)


@api.post("/sensors/<code>/move")
@api.arguments(SensorMove)
@api.response(200, SensorOut)
@requires(Permission.SENSOR_EDIT)
def move_sensor(where: dict[str, Any], code: str) -> Response:
    """Let it measure something else from now on; its past stays where it was, as `CODE:1`."""
    ctx = context()
    check_version(queries.sensor_by_code(ctx, code).version)
    changing.move_sensor(ctx, code=code, **where)
    return _shown(code)


def _shown(code: str) -> Response:
    found = queries.sensor_by_code(context(), code)
    answer = jsonify(SensorOut().dump(found))
    answer.set_etag(str(found.version))
    return answer


@api.get("/sensors/<code>/readings")
@api.arguments(SeriesWanted, location="query")
@api.response(200, SeriesOut)
@requires(Permission.READING_READ)
def sensor_readings(wanted: dict[str, Any], code: str) -> Any:
    """A stretch of readings, by default the last day; marked-bad ones are left out."""
    ctx = context()
    sensor_id = queries.sensor_id_of(ctx, code)
    end = wanted.get("to") or ctx.now()
    start = wanted.get("from") or end - timedelta(days=1)
    resolution = Resolution(wanted["resolution"])
    return _answer(series(ctx, sensor_id, start=start, end=end, resolution=resolution))


def _answer(found: Series) -> Response:
    """Return what `SeriesOut` describes: thousands of points, straight from their arrays."""
    columns: dict[str, Any] = {
        "resolution_s": found.width_s,
        "at": orjson.Fragment(iso_json(found.at)),
        "value": found.value,
    }
    more = {"min": found.low, "max": found.high, "n": found.n}
    columns |= {name: column for name, column in more.items() if column is not None}
    data = orjson.dumps(columns, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(data, mimetype="application/json")
