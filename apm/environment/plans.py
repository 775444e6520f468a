"""Plans of floors: a picture, and pins of sensors and places on it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload, undefer

from apm.assets.model import Location
from apm.core.command import Context, command
from apm.core.errors import Invalid, NotFound, TooMany
from apm.core.i18n import _l, choose
from apm.core.permissions import Permission
from apm.core.pictures import Picture, clean_picture
from apm.environment.model import FloorPin, FloorPlan
from apm.environment.standing import ORDER, Standing
from apm.environment.wall import Card, cards_of, sensors_seen
from apm.readings.model import Sensor

MOST_PLANS, MOST_PINS = 60, 120
PER_CENT = 10
"""Thousandths in a hundredth."""
SENSOR, PLACE = "sensor:", "place:"
"""How a form names what is pinned."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A pin with what it shows: one sensor, or a place with the worst of its sensors."""

    pin: FloorPin
    name: str
    url: str
    standing: Standing
    cards: list[Card]


def all_plans(ctx: Context) -> list[FloorPlan]:
    """Return the plans by name, without their pictures."""
    query = select(FloorPlan).order_by(FloorPlan.name, FloorPlan.id).limit(MOST_PLANS)
    return list(ctx.session.scalars(query.options(selectinload(FloorPlan.pins))))


def plan_by_id(ctx: Context, plan_id: int) -> FloorPlan:
    """Return a plan with its pins, or raise `NotFound`."""
    pins = selectinload(FloorPlan.pins)
    query = select(FloorPlan).where(FloorPlan.id == plan_id)
    found = ctx.session.scalar(
        query.options(pins.joinedload(FloorPin.sensor), pins.joinedload(FloorPin.location))
    )
    if found is None:
        raise _no_plan()
    return found


def plan_jpeg(ctx: Context, plan_id: int) -> FloorPlan:
    """Return a plan with its picture, or raise `NotFound`."""
    query = select(FloorPlan).where(FloorPlan.id == plan_id).options(undefer(FloorPlan.jpeg))
    found = ctx.session.scalar(query)
    if found is None:
        raise _no_plan()
    return found


def pinned(ctx: Context, plan: FloorPlan) -> list[Pinned]:
    """Return the pins with how each stands, the most pressing first: of what is in service."""
    cards = cards_of(ctx, sensors_seen(ctx, in_service_at=ctx.now()), ctx.now())
    found = []
    for pin in plan.pins:
        mine = [card for card in cards if _shows(pin, card)]
        worst = min((card.standing for card in mine), key=ORDER.__getitem__, default=None)
        thing = pin.sensor or pin.location
        if thing is None or (pin.sensor and pin.sensor.retired_at):
            continue
        url = f"/sensors/{pin.sensor.code}" if pin.sensor else f"/environment/{thing.code}"
        name = choose(thing.name, thing.name_zh)
        found.append(Pinned(pin, name, url, worst or Standing.NO_DATA, mine))
    return sorted(found, key=lambda one: (ORDER[one.standing], one.name, one.pin.id))


def _shows(pin: FloorPin, card: Card) -> bool:
    if pin.sensor_id is not None:
        return card.seen.sensor_id == pin.sensor_id
    return card.seen.place_id == pin.location_id


def choices(ctx: Context) -> list[tuple[str, str]]:
    """Return what can be pinned: places with sensors, then sensors."""
    seen = sensors_seen(ctx, in_service_at=ctx.now())
    places = {(f"{PLACE}{one.place_code}", one.place) for one in seen if one.place_code}
    sensors = [(f"{SENSOR}{one.code}", choose(one.name, one.name_zh)) for one in seen]
    return [*sorted(places, key=lambda pair: pair[1]), *sensors]


def add_plan(ctx: Context, *, name: str, data: bytes, name_zh: str | None = None) -> FloorPlan:
    """Keep a plan of a floor.

    Raises:
        Invalid: it is no picture we read, or the name is taken.
        TooMany: there are as many plans as there may be.
    """
    # Decoding takes long; it is done before the command, so that it holds no lock.
    try:
        picture = clean_picture(data)
    except Invalid as error:
        errors = [str(error)]
        raise Invalid(error.message, fields={"picture": errors}, code=error.code) from error
    return _add(ctx, name=name, name_zh=name_zh, picture=picture)


@command("floor_plan.add", Permission.ENVIRONMENT_EDIT)
def _add(ctx: Context, *, name: str, name_zh: str | None, picture: Picture) -> FloorPlan:
    """Store a clean picture of a floor."""
    if ctx.session.scalar(select(FloorPlan.id).where(FloorPlan.name == name)) is not None:
        message = _l("Another plan has this name. Give a different one.")
        raise Invalid(message, fields={"name": [message]}, code="name_taken")
    if (ctx.session.scalar(select(func.count(FloorPlan.id))) or 0) >= MOST_PLANS:
        raise TooMany(_l("A hospital keeps at most %(n)s plans. Remove one."), n=MOST_PLANS)
    plan = FloorPlan(
        name=name,
        name_zh=name_zh,
        jpeg=picture.jpeg,
        sha256=hashlib.sha256(picture.jpeg).hexdigest(),
        width=picture.width,
        height=picture.height,
        author=ctx.actor.name,
        at=ctx.now(),
    )
    ctx.session.add(plan)
    ctx.session.flush()
    return plan


@command("floor_plan.remove", Permission.ENVIRONMENT_EDIT)
def remove_plan(ctx: Context, *, plan_id: int) -> None:
    """Remove a plan with its pins; sensors and places stay."""
    ctx.session.delete(plan_by_id(ctx, plan_id))


@command("floor_plan.pin", Permission.ENVIRONMENT_EDIT)
def place_pin(ctx: Context, *, plan_id: int, what: str, x: float, y: float) -> FloorPin:
    """Pin a sensor or a place on a plan, or move its pin; x and y in percent from the upper left.

    Raises:
        NotFound: no such plan, sensor or place.
        TooMany: the plan has as many pins as it may have.
    """
    plan = plan_by_id(ctx, plan_id)
    sensor_id, location_id = _meant(ctx, what)
    found = next(
        (p for p in plan.pins if (p.sensor_id, p.location_id) == (sensor_id, location_id)), None
    )
    if found is None:
        if len(plan.pins) >= MOST_PINS:
            raise TooMany(_l("A plan takes at most %(n)s pins."), n=MOST_PINS)
        found = FloorPin(sensor_id=sensor_id, location_id=location_id)
        plan.pins.append(found)
    found.x, found.y = round(x * PER_CENT), round(y * PER_CENT)
    ctx.session.flush()
    return found


@command("floor_plan.unpin", Permission.ENVIRONMENT_EDIT)
def remove_pin(ctx: Context, *, plan_id: int, pin_id: int) -> None:
    """Take a pin off a plan."""
    plan = plan_by_id(ctx, plan_id)
    for pin in plan.pins:
        if pin.id == pin_id:
            plan.pins.remove(pin)
            return
    raise NotFound(_l("This pin is gone already. Reload the page."))


def _meant(ctx: Context, what: str) -> tuple[int | None, int | None]:
    """Return the ids of the sensor or the place that a form names."""
    if what.startswith(SENSOR):
        code = what.removeprefix(SENSOR)
        if found := ctx.session.scalar(select(Sensor.id).where(Sensor.code == code)):
            return found, None
    elif what.startswith(PLACE):
        code = what.removeprefix(PLACE)
        if found := ctx.session.scalar(select(Location.id).where(Location.code == code)):
            return None, found
    raise NotFound(_l("Choose a sensor or a place from the list."))


def _no_plan() -> NotFound:
    return NotFound(_l("There is no such floor plan. Choose one from the list."))
