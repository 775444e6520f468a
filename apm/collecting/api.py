"""The JSON API of connections to devices."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, jsonify

from apm.collecting import commands, queries
from apm.collecting.failures import LineFailed
from apm.collecting.filling import (
    checked,
    connection_filled,
    details_of,
    point_details,
    point_filled,
)
from apm.collecting.model import Connection
from apm.collecting.schema import (
    ConnectionChange,
    ConnectionIn,
    ConnectionOut,
    ConnectionPage,
    ConnectionsWanted,
    PointIn,
    PointOut,
    TestOut,
)
from apm.collecting.trying import tried
from apm.core.http import check_version, context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission

api = Blueprint(
    "connections_api", __name__, url_prefix="/api/v1", description="Connections to devices"
)
EDIT = Permission.SENSOR_EDIT


def _key() -> str:
    return str(current_app.config["APM_SETTINGS"].secret_key)


def _answer(connection_id: int, status: int = 200) -> Response:
    ctx = context()
    ctx.session.expire_all()
    found = queries.connection_by_id(ctx, connection_id)
    answer = jsonify(ConnectionOut().dump(found))
    answer.status_code = status
    answer.set_etag(str(found.version))
    return answer


@api.get("/connections")
@api.arguments(ConnectionsWanted, location="query")
@api.response(200, ConnectionPage)
@requires(EDIT)
def connections(wanted: dict[str, Any]) -> Any:
    """List the connections by name, and how each fares."""
    return queries.connections_page(context(), **wanted)


@api.post("/connections")
@api.arguments(ConnectionIn)
@api.response(201, ConnectionOut)
@requires(EDIT)
def add_connection(body: dict[str, Any]) -> Response:
    """Add a connection; the collector takes it within seconds."""
    typed = {**body["config"], **body["secret"]}
    filled = checked(connection_filled(body["protocol"], typed, None), "config")
    details = details_of(_key(), body, filled, None)
    made = commands.add_connection(context(), protocol=body["protocol"], details=details)
    return _answer(made.id, 201)


@api.get("/connections/<int:connection_id>")
@api.response(200, ConnectionOut)
@requires(EDIT)
def connection(connection_id: int) -> Response:
    """One connection with its points."""
    return _answer(connection_id)


@api.patch("/connections/<int:connection_id>")
@api.arguments(ConnectionChange)
@api.response(200, ConnectionOut)
@requires(EDIT)
def change_connection(body: dict[str, Any], connection_id: int) -> Response:
    """Change a connection, or switch it on or off."""
    ctx = context()
    found = queries.connection_by_id(ctx, connection_id)
    check_version(found.version)
    enabled = body.pop("enabled", None)
    if set(body) - {"secret"} or body["secret"]:
        _change(found, body)
    if enabled is not None:
        commands.switch_connection(ctx, connection_id=connection_id, is_enabled=enabled)
    return _answer(connection_id)


def _change(found: Connection, body: dict[str, Any]) -> None:
    general = {name: body.get(name, getattr(found, name)) for name in
               ("name", "period_s", "max_skew_s")}  # fmt: skip
    typed = {**body.get("config", found.config), **body["secret"]}
    filled = checked(connection_filled(found.protocol, typed, found), "config")
    details = details_of(_key(), general, filled, found)
    commands.edit_connection(context(), connection_id=found.id, details=details)


@api.delete("/connections/<int:connection_id>")
@api.response(204)
@requires(EDIT)
def remove_connection(connection_id: int) -> None:
    """Remove a connection with its points; sensors and readings stay."""
    commands.remove_connection(context(), connection_id=connection_id)


@api.post("/connections/<int:connection_id>/test")
@api.response(200, TestOut)
@requires(EDIT)
def test_connection(connection_id: int) -> dict[str, Any]:
    """Try it for a few seconds; nothing is stored."""
    try:
        samples = tried(context(), connection_id=connection_id, key=_key())
    except LineFailed as failure:
        return {"works": False, "error": failure.stored, "samples": []}
    return {"works": True, "error": None, "samples": samples}


@api.post("/connections/<int:connection_id>/points")
@api.arguments(PointIn)
@api.response(201, PointOut)
@requires(EDIT)
def add_point(body: dict[str, Any], connection_id: int) -> Any:
    """Add a point: where one sensor's value stands."""
    ctx = context()
    found = queries.connection_by_id(ctx, connection_id)
    filled = checked(point_filled(found.protocol, body["config"]), "config")
    details = point_details(body, filled)
    return commands.add_point(ctx, connection_id=connection_id, details=details)


@api.delete("/connections/<int:connection_id>/points/<int:point_id>")
@api.response(204)
@requires(EDIT)
def remove_point(connection_id: int, point_id: int) -> None:
    """Remove a point; the sensor and its readings stay."""
    commands.remove_point(context(), connection_id=connection_id, point_id=point_id)
