"""Departments, rooms and the equipment that stands in them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apm.assets import search
from apm.assets.categories import category
from apm.assets.model import Asset, AssetState, Availability, Condition, Department, Location
from apm.assets.places import code_row
from apm.core.command import Context
from seed.demo.diary import Diary
from seed.demo.scenery import Kind, hospital, kinds
from seed.demo.world import Unit, World, clock_time

OLDEST_DAYS = 9 * 365
USUAL_DAYS = 900
FROM_ROOM = {"CT": "CT room", "MRI": "MRI room", "DR": "X-ray room", "CHILLER": "Chiller room"}
"""What stands in rooms of its own, and how those are called."""
LEMON_FROM = 2.0
"""From this many times the usual failures on, an asset is judged to be poor."""


def furnish(world: World, diary: Diary) -> None:
    """Note that the hospital was set up, and that its equipment was registered."""
    for entry in hospital()["departments"]:
        for code, count in entry["assets"].items():
            world.units += [_unit(world, entry, kinds()[code], i) for i in range(count)]
    diary.note(world.began, world.system, "demo.places", lambda ctx: _open_rooms(ctx, world))
    wang = world.people["wang"].actor
    first = world.began + timedelta(hours=1)
    older = [unit for unit in world.units if unit.registered_at <= first]
    diary.note(first, wang, "asset.import", lambda ctx: _register(ctx, world, older))
    for unit in world.units:
        if unit.registered_at > first:
            _note_purchase(world, diary, unit)


def _note_purchase(world: World, diary: Diary, unit: Unit) -> None:
    wang = world.people["wang"].actor
    diary.note(unit.registered_at, wang, "asset.create", lambda ctx: _register(ctx, world, [unit]))


def _unit(world: World, department: dict[str, Any], kind: Kind, index: int) -> Unit:
    rng = world.rng
    maker, model, frailty = rng.choice(kind.models)
    bought = world.today - timedelta(days=int(rng.triangular(40, OLDEST_DAYS, USUAL_DAYS)))
    in_service = bought + timedelta(days=rng.randint(7, 30))
    return Unit(
        category=kind.code,
        department=department["name"],
        room=_room(kind.code, department["rooms"], index),
        maker=maker,
        model=model,
        serial=f"{maker[0]}{model[0]}{bought:%y%m}{rng.randrange(10**5):05d}",
        bought=bought,
        in_service=in_service,
        warranty=bought + timedelta(days=365 * rng.choice((1, 2, 3))),
        cost=round(rng.uniform(*kind.price) * 10) * 10_000,
        frailty=frailty * rng.gammavariate(4.0, 0.25),
        code=world.code(),
        registered_at=max(
            world.began + timedelta(hours=1), clock_time(in_service, 9 + rng.uniform(0, 6))
        ),
    )


def _room(code: str, rooms: list[dict[str, str]], index: int) -> str:
    fitting = [room["en"] for room in rooms if room["en"].startswith(FROM_ROOM.get(code, ""))]
    return fitting[index % len(fitting)]


def _open_rooms(ctx: Context, world: World) -> None:
    for entry in hospital()["departments"]:
        department = Department(name=entry["name"], name_zh=entry["name_zh"])
        ctx.session.add(department)
        ctx.session.flush()  # its rooms need its id
        world.departments[entry["name"]] = department
        for room in entry["rooms"]:
            made = Location(
                code=world.code(),
                name=room["en"],
                name_zh=room["zh"],
                department_id=department.id,
            )
            ctx.session.add_all([made, code_row(ctx, kind="location", code=made.code)])
            world.rooms[room["en"]] = made


def _register(ctx: Context, world: World, units: list[Unit]) -> None:
    ctx.session.flush()  # an asset needs the ids of its places
    for unit in units:
        unit.asset = _asset(world, unit)
        ctx.session.add_all([unit.asset, code_row(ctx, kind="asset", code=unit.code)])
    ctx.session.flush()
    search.index(ctx, [unit.row for unit in units])


def _asset(world: World, unit: Unit) -> Asset:
    kind = category(unit.category)
    world.numbers[kind.code] = world.numbers.get(kind.code, 0) + 1
    return Asset(
        code=unit.code,
        number=f"{kind.code}-{unit.bought:%Y}-{world.numbers[kind.code]:03d}",
        name=kind.en,
        name_zh=kind.zh,
        category=kind.code,
        manufacturer=unit.maker,
        model=unit.model,
        serial=unit.serial,
        department_id=world.departments[unit.department].id,
        location_id=world.rooms[unit.room].id,
        lifecycle=AssetState.IN_SERVICE,
        availability=Availability.UP,
        condition=_condition(world, unit),
        risk=kind.risk,
        purchased_on=unit.bought,
        in_service_on=unit.in_service,
        warranty_until=unit.warranty,
        purchase_cost=unit.cost,
    )


def _condition(world: World, unit: Unit) -> Condition:
    if unit.frailty > LEMON_FROM:
        return Condition.POOR
    return Condition.WATCH if (world.today - unit.in_service).days > 7 * 365 else Condition.GOOD
