"""What is done with connections and their points, by people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from apm.collecting.entries import CONNECTION, ENCRYPTED, Unfit, fingerprint_typed
from apm.collecting.model import Connection, Link, LinkState, Point, Protocol
from apm.collecting.queries import connection_by_id, point_by_id, sensor_with_code
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.core.units import same_unit
from apm.readings.model import Sensor

MOST_CONNECTIONS, MOST_POINTS = 500, 1000


@dataclass(frozen=True, slots=True)
class Details:
    """What a connection is, its secret sealed; `secret` None keeps the one it has."""

    name: str
    config: dict[str, Any]
    period_s: float
    max_skew_s: float
    secret: str | None = None
    is_secret_typed: bool = False
    """A person gave a password or key now, for this address."""


@dataclass(frozen=True, slots=True)
class PointDetails:
    """What a point is."""

    sensor: str
    config: dict[str, Any]
    scale: float = 1.0
    offset: float = 0.0
    unit: str | None = None


@command("connection.add", Permission.SENSOR_EDIT)
def add_connection(ctx: Context, *, protocol: Protocol, details: Details) -> Connection:
    """Add a connection; the collector takes it within seconds.

    Raises:
        Invalid: another one has this name.
        Conflict: there are too many.
    """
    if (ctx.session.scalar(select(func.count(Connection.id))) or 0) >= MOST_CONNECTIONS:
        raise Conflict(_l("There are too many connections. Remove one first."))
    _refuse_taken(ctx, details.name, 0)
    made = Connection(protocol=protocol, secret="", is_enabled=True, points=[], link=_new_link())
    _apply(made, details)
    ctx.session.add(made)
    ctx.session.flush()
    return made


def _new_link() -> Link:
    return Link(
        state=LinkState.WAITING, skew_n=0, received=0, refused=0, dropped=0, spooled=0,
        live={}, strays=[],
    )  # fmt: skip


@command("connection.edit", Permission.SENSOR_EDIT)
def edit_connection(ctx: Context, *, connection_id: int, details: Details) -> Connection:
    """Change a connection; a secret is not sent along to another host by itself.

    Raises:
        Invalid: another one has this name, or the address changed and the secret was not given.
    """
    found = connection_by_id(ctx, connection_id)
    _refuse_taken(ctx, details.name, found.id)
    if _holds_login(found) and not details.is_secret_typed and _goes_elsewhere(found, details):
        message = _l(
            "The address has changed. Enter the secret again, so that it goes nowhere else."
        )
        entry = next(e.name for e in CONNECTION[found.protocol] if e.is_secret)
        raise Invalid(message, fields={entry: [message]}, code="secret_needed")
    _apply(found, details)
    return found


def _holds_login(found: Connection) -> bool:
    """Tell whether a password or key is kept: our own certificate's key goes nowhere."""
    return bool(found.secret) and (found.protocol is not Protocol.OPCUA or "user" in found.config)


def _goes_elsewhere(found: Connection, details: Details) -> bool:
    places = ("host", "url", "port", "security", "header")
    return any(found.config.get(name) != details.config.get(name) for name in places)


def _refuse_taken(ctx: Context, name: str, own_id: int) -> None:
    query = select(Connection.id).where(Connection.name == name, Connection.id != own_id)
    if ctx.session.scalar(query) is not None:
        message = _l("Another connection has this name. Give a different one.")
        raise Invalid(message, fields={"name": [message]}, code="name_taken")


def _apply(connection: Connection, details: Details) -> None:
    connection.name, connection.config = details.name, details.config
    connection.period_s, connection.max_skew_s = details.period_s, details.max_skew_s
    if details.secret is not None:
        connection.secret = details.secret


@command("connection.accept", Permission.SENSOR_EDIT)
def accept_certificate(ctx: Context, *, connection_id: int, fingerprint: str) -> Connection:
    """Accept the certificate a device has shown, by its SHA-256; the collector follows.

    Raises:
        Invalid: this is no fingerprint.
        Conflict: the connection is not encrypted.
    """
    found = connection_by_id(ctx, connection_id)
    if found.config.get("security") != ENCRYPTED:
        raise Conflict(_l("This connection is not encrypted."))
    try:
        accepted = fingerprint_typed(fingerprint)
    except Unfit as unfit:
        raise Invalid(unfit.args[0], fields={"fingerprint": [unfit.args[0]]}) from None
    found.config = {**found.config, "fingerprint": accepted}
    return found


@command("connection.switch", Permission.SENSOR_EDIT)
def switch_connection(ctx: Context, *, connection_id: int, is_enabled: bool) -> Connection:
    """Switch a connection on or off; the collector follows within seconds."""
    found = connection_by_id(ctx, connection_id)
    found.is_enabled = is_enabled
    return found


@command("connection.remove", Permission.SENSOR_EDIT)
def remove_connection(ctx: Context, *, connection_id: int) -> None:
    """Remove a connection with its points and its secret; sensors and readings stay."""
    found = connection_by_id(ctx, connection_id)
    for part in (*found.points, found.link, found):
        ctx.session.delete(part)


@command("point.add", Permission.SENSOR_EDIT)
def add_point(ctx: Context, *, connection_id: int, details: PointDetails) -> Point:
    """Add a point: where one sensor's value stands.

    Raises:
        Invalid: no such sensor, it has a point here already, or its unit asks for a scale.
        Conflict: there are too many.
    """
    connection = connection_by_id(ctx, connection_id)
    if len(connection.points) >= MOST_POINTS:
        raise Conflict(_l("There are too many points. Make a second connection."))
    sensor = _sensor(ctx, details)
    if any(point.sensor_id == sensor.id for point in connection.points):
        message = _l("This sensor has a point here already. Change that one.")
        raise Invalid(message, fields={"sensor": [message]}, code="sensor_taken")
    made = Point(connection=connection)
    _apply_point(made, sensor, details)
    ctx.session.add(made)
    ctx.session.flush()
    return made


@command("point.edit", Permission.SENSOR_EDIT)
def edit_point(ctx: Context, *, connection_id: int, point_id: int, details: PointDetails) -> Point:
    """Change a point.

    Raises:
        Invalid: no such sensor, it has another point here, or its unit asks for a scale.
    """
    connection = connection_by_id(ctx, connection_id)
    found = point_by_id(ctx, connection_id, point_id)
    sensor = _sensor(ctx, details)
    if any(p.sensor_id == sensor.id and p.id != found.id for p in connection.points):
        message = _l("This sensor has a point here already. Change that one.")
        raise Invalid(message, fields={"sensor": [message]}, code="sensor_taken")
    _apply_point(found, sensor, details)
    return found


@command("point.remove", Permission.SENSOR_EDIT)
def remove_point(ctx: Context, *, connection_id: int, point_id: int) -> None:
    """Remove a point; the sensor and its readings stay."""
    ctx.session.delete(point_by_id(ctx, connection_id, point_id))


def _sensor(ctx: Context, details: PointDetails) -> Sensor:
    sensor = sensor_with_code(ctx, details.sensor)
    if sensor is None:
        message = _l("No sensor of this hospital has this code. Choose one from the list.")
        raise Invalid(message, fields={"sensor": [message]}, code="unknown_sensor")
    is_as_sent = details.scale == 1 and details.offset == 0
    if details.unit and is_as_sent and not same_unit(details.unit, sensor.unit):
        message = _l("The sensor is in %(unit)s. Give scale and offset that lead there.")
        text = str(message) % {"unit": sensor.unit}
        raise Invalid(text, fields={"unit": [text]}, code="unit_differs")
    return sensor


def _apply_point(point: Point, sensor: Sensor, details: PointDetails) -> None:
    point.sensor_id, point.sensor = sensor.id, sensor
    point.config, point.unit = details.config, details.unit
    point.scale, point.offset = details.scale, details.offset
