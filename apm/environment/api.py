"""Rooms and excursions as JSON."""

from __future__ import annotations

from typing import Any

from apm.core.http import context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.environment.api_schema import ExcursionList, ExcursionsWanted, RoomList, RoomOut
from apm.environment.listing import Left, Room, excursion_page, room_of, room_page
from apm.environment.stretches import at
from apm.environment.wall import Card
from apm.readings.schema import PageWanted

READ = Permission.READING_READ
api = Blueprint("environment_api", __name__, url_prefix="/api/v1", description="Environment")


@api.get("/rooms")
@api.arguments(PageWanted, location="query")
@api.response(200, RoomList)
@requires(READ)
def rooms(wanted: dict[str, Any]) -> dict[str, Any]:
    """List the rooms that are watched, with limits, newest values and how they stand."""
    items, following = room_page(context(), **wanted)
    return {"items": [_room(room) for room in items], "next": following}


@api.get("/rooms/<room>")
@api.response(200, RoomOut)
@requires(READ)
def one_room(room: str) -> dict[str, Any]:
    """Return one room, by the code of its label or its number in the list."""
    return _room(room_of(context(), room))


@api.get("/excursions")
@api.arguments(ExcursionsWanted, location="query")
@api.response(200, ExcursionList)
@requires(READ)
def excursions(wanted: dict[str, Any]) -> dict[str, Any]:
    """List the times that limits were left, up to 92 days at once, of a room or of all."""
    items, following = excursion_page(
        context(),
        start=wanted.get("from"),
        end=wanted.get("to"),
        room=wanted.get("room"),
        after=wanted.get("after"),
        limit=wanted["limit"],
    )
    return {"items": [_left(one) for one in items], "next": following}


def _room(room: Room) -> dict[str, Any]:
    location, known = room.place.location, room.place.known
    return {
        "id": location.id,
        "code": location.code,
        "name": location.name,
        "name_zh": location.name_zh,
        "floor": known.floor if known else None,
        "profile": room.place.profile,
        "stores": known.stores if known else None,
        "checked_by_hand": bool(known and known.is_checked_by_hand),
        "state": room.standing.value,
        "sensors": [_sensor(card) for card in room.cards],
    }


def _sensor(card: Card) -> dict[str, Any]:
    seen = card.seen
    return {
        "code": seen.code,
        "asset": seen.asset_code,
        "quantity": seen.quantity,
        "unit": seen.unit,
        "value": seen.value,
        "at": seen.at,
        "state": card.standing.value,
        "limits": card.limits,
        "alarm": card.alarm.id if card.alarm else None,
    }


def _left(left: Left) -> dict[str, Any]:
    one, seen, report = left.one, left.seen, left.report
    return {
        "sensor": seen.code,
        "room": seen.place_code,
        "asset": seen.asset_code,
        "quantity": seen.quantity,
        "unit": seen.unit,
        "side": one.side.value,
        "start": at(one.start),
        "end": at(one.end),
        "minutes": round(one.duration / 60, 2),
        "min": left.low,
        "max": left.high,
        "n": one.n,
        "mkt": left.mkt,
        "state": "ongoing" if one.is_open else "ended",
        "cut": one.is_cut,
        "limits": left.stretch.limits,
        "report": report.id if report else None,
        "signed": report is not None and report.is_signed,
    }
