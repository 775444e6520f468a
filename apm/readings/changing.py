"""What becomes of a sensor: corrected, moved elsewhere, taken out of service and put back.

What it has read stays where it was read.  A correction says that the program was wrong all along;
a sensor that moves leaves its past behind under a code of its own and begins anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict, Unpack

from sqlalchemy import or_, select

from apm.assets.model import Location
from apm.assets.places import Places
from apm.assets.queries import asset_by_code
from apm.core.codes import normal_code
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.core.registry import Hooks
from apm.readings import intake
from apm.readings.model import Latest, Sensor
from apm.readings.queries import sensor_by_code
from apm.readings.schema import unit_of

Leaves = Callable[[Context, Sensor, Sensor | None], None]
_TOLD: Hooks[Leaves] = Hooks("those told of sensors that leave")
on_leaving = _TOLD.add
"""Be told, inside the command, that a sensor is in service no more, and who has its code now."""


class Changes(TypedDict, total=False):
    """What may be said anew of a sensor."""

    name: str
    name_zh: str | None
    location: str | None
    """The name or code of the place; None: where its equipment is."""
    profile: str | None
    asset: str | None
    """The public code of the equipment; None: on none."""
    quantity: str
    unit: str
    in_service: bool


@command("sensor.change", Permission.SENSOR_EDIT)
def change_sensor(ctx: Context, *, code: str, **changes: Unpack[Changes]) -> Sensor:
    """Correct what is said of a sensor; what is not given stays.

    Readings, alarms and rules of its own stay; the new profile's rules hold from now on.

    Raises:
        NotFound: no such sensor, or no such equipment, in this hospital.
        Invalid: it would be nowhere, or its unit does not fit.
        Conflict: its readings rest on what would change.
    """
    sensor = sensor_by_code(ctx, code)
    asset = asset_by_code(ctx, wanted) if (wanted := changes.get("asset")) else None
    if "asset" not in changes:
        asset = sensor.asset
    quantity, unit = changes.get("quantity", sensor.quantity), changes.get("unit", sensor.unit)
    if (quantity, unit) != (sensor.quantity, sensor.unit):
        unit = unit_of(quantity, unit)
    if (asset, quantity, unit) != (sensor.asset, sensor.quantity, sensor.unit):
        _refuse_with_readings(ctx, sensor)
    location = changes.get("location", sensor.location)
    if location is None and asset is None:
        message = _l("Say which equipment or which place it measures.")
        raise Invalid(message, fields={"location": [message]})
    sensor.asset, sensor.quantity, sensor.unit = asset, quantity, unit
    sensor.location = place_named(ctx, location) if isinstance(location, str) else location
    sensor.name = changes.get("name", sensor.name)
    sensor.name_zh = changes.get("name_zh", sensor.name_zh)
    sensor.profile = changes.get("profile", sensor.profile)
    is_in_service = sensor.retired_at is None
    if changes.get("in_service", is_in_service) != is_in_service:
        turn = retire_sensor if is_in_service else return_sensor
        turn(ctx, code=code)
    return sensor


def has_readings(ctx: Context, sensor: Sensor) -> bool:
    """Tell whether anything of a sensor is stored, also if it is marked bad; inside a command."""
    here = intake.lock(ctx)
    return int(intake.newest(ctx, here, [sensor.id])[0]) != intake.NEVER


def _refuse_with_readings(ctx: Context, sensor: Sensor) -> None:
    if has_readings(ctx, sensor):
        raise Conflict(
            _l(
                "Its readings rest on its equipment, quantity and unit. Move it if it measures "
                "something else now, or add another sensor."
            ),
            code="has_readings",
        )


@command("sensor.move", Permission.SENSOR_EDIT)
def move_sensor(
    ctx: Context,
    *,
    code: str,
    asset: str | None = None,
    location: str | None = None,
    profile: str | None = None,
) -> Sensor:
    """Let a sensor measure something else from now on; return the one that sends by the code.

    Its past stays where it was, out of service, under the code with a number (`T-1:1`).  What
    sends by the code goes on; rules of its own and what detectors have learnt stay behind.  One
    that has read nothing yet is simply elsewhere.

    Raises:
        NotFound: no such sensor, or no such equipment, in this hospital.
        Invalid: it would be nowhere.
    """
    past = sensor_by_code(ctx, code)
    if not asset and not location:
        message = _l("Say which equipment or which place it measures.")
        raise Invalid(message, fields={"asset": [message]})
    equipment = asset_by_code(ctx, asset) if asset else None
    place = place_named(ctx, location) if location else None
    if not has_readings(ctx, past):
        past.asset, past.location, past.profile = equipment, place, profile
        return past
    past.code = _code_of_the_past(ctx, code)
    past.retired_at = past.retired_at or ctx.now()
    ctx.session.flush()  # its code is free now
    sensor = Sensor(
        code=code, name=past.name, name_zh=past.name_zh, quantity=past.quantity, unit=past.unit,
        profile=profile, asset=equipment, location=place,
        latest=Latest(revision=0, scored_revision=0),
    )  # fmt: skip
    ctx.session.add(sensor)
    ctx.session.flush()
    intake.move(ctx)  # processes remember codes
    _tell(ctx, past, sensor)
    return sensor


def _code_of_the_past(ctx: Context, code: str) -> str:
    query = select(Sensor.code).where(Sensor.code.startswith(f"{code}:", autoescape=True))
    taken = set(ctx.session.scalars(query))
    return next(c for n in range(1, len(taken) + 2) if (c := f"{code}:{n}") not in taken)


@command("sensor.retire", Permission.SENSOR_EDIT)
def retire_sensor(ctx: Context, *, code: str) -> Sensor:
    """Take a sensor out of service: it is not called silent any more, and its alarms end.

    It keeps its history, and what it sends all the same is stored; its alarms call nobody.

    Raises:
        NotFound: no such sensor in this hospital.
        Conflict: it is out of service already.
    """
    sensor = sensor_by_code(ctx, code)
    if sensor.retired_at is not None:
        raise Conflict(_l("This sensor is out of service already."), code="out_of_service")
    sensor.retired_at = ctx.now()
    _tell(ctx, sensor, None)
    return sensor


@command("sensor.return", Permission.SENSOR_EDIT)
def return_sensor(ctx: Context, *, code: str) -> Sensor:
    """Put a sensor back into service, where it was.

    Raises:
        NotFound: no such sensor in this hospital.
        Conflict: it is in service.
    """
    sensor = sensor_by_code(ctx, code)
    if sensor.retired_at is None:
        raise Conflict(_l("This sensor is in service already."), code="in_service")
    sensor.retired_at = None
    return sensor


def _tell(ctx: Context, sensor: Sensor, successor: Sensor | None) -> None:
    for told in _TOLD:
        told(ctx, sensor, successor)


def place_named(ctx: Context, named: str) -> Location | None:
    """Return the place with this code or name; one that is not known is made."""
    by_code = select(Location).where(
        or_(Location.code == named, Location.code == normal_code(named))
    )
    return ctx.session.scalar(by_code) or Places(ctx).location(named, None)
