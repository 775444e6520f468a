"""Places that are watched: found, described, and listed with what stands and happens there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from apm.assets.model import GONE, Asset, Location
from apm.core.codes import normal_code
from apm.core.command import Context, command
from apm.core.errors import Invalid, NotFound
from apm.core.i18n import _l, choose
from apm.core.permissions import Permission
from apm.environment.model import MonitoredPlace
from apm.environment.wall import Seen, sensors_seen
from apm.readings.profiles import profiles
from apm.work.model import WorkOrder

MOST_SENSORS = 12
"""Sensors of one place that are looked at in one page: each costs a statement."""
MOST_EQUIPMENT, MOST_ORDERS, MOST_PLACES = 60, 40, 500
CLIMATE = ("temperature", "humidity")
COLD_STORES = frozenset({
    "vaccine_fridge", "vaccine_ultracold", "blood_rbc", "platelet", "plasma_freezer",
    "reagent_fridge", "ult_freezer",
})  # fmt: skip
"""Profiles of storage: for their goods the mean kinetic temperature is told."""


@dataclass(frozen=True, slots=True)
class Place:
    """A location and what is known of it here."""

    location: Location
    known: MonitoredPlace | None

    @property
    def name(self) -> str:
        """Its name in the language spoken."""
        return choose(self.location.name, self.location.name_zh)

    @property
    def profile(self) -> str | None:
        """The limits that hold for what is measured here by hand."""
        return self.known.profile if self.known else None


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place in the list."""

    place: Place
    sensors: int


def place_by_code(ctx: Context, code: str) -> Place:
    """Return a place of the hospital, or raise `NotFound`."""
    query = select(Location).where(Location.code == normal_code(code))
    location = ctx.session.scalar(query.options(joinedload(Location.department)))
    if location is None:
        raise NotFound(_l("There is no such place in this hospital. Choose one from the list."))
    return Place(location, known_of(ctx, location.id))


def known_of(ctx: Context, location_id: int) -> MonitoredPlace | None:
    """Return what is known of a location, if anything."""
    query = select(MonitoredPlace).where(MonitoredPlace.location_id == location_id)
    return ctx.session.scalar(query)


def watched_places(ctx: Context) -> list[PlaceRow]:
    """Return the places that have sensors or are known here, by floor and name."""
    counts: dict[int, int] = {}
    for one in sensors_seen(ctx):
        if one.place_id is not None:  # a place whose sensors are gone has its record still
            counts[one.place_id] = counts.get(one.place_id, 0) + (one.retired_at is None)
    query = (
        select(Location, MonitoredPlace)
        .outerjoin(MonitoredPlace, MonitoredPlace.location_id == Location.id)
        .where(or_(Location.id.in_(list(counts)), MonitoredPlace.id.is_not(None)))
        .order_by(MonitoredPlace.floor, Location.name, Location.id)
        .limit(MOST_PLACES)
    )
    return [
        PlaceRow(Place(location, known), counts.get(location.id, 0))
        for location, known in ctx.session.execute(query)
    ]


def sensors_in(ctx: Context, location: Location, since: datetime) -> list[Seen]:
    """Return the first sensors in a place and on its equipment: climate first, then by code.

    since: those that are out of service since before this are left out.
    """
    found = sensors_seen(ctx, place_ids=[location.id], in_service_at=since)
    found.sort(key=lambda one: (one.quantity not in CLIMATE, one.asset_code is not None, one.code))
    return found[:MOST_SENSORS]


def equipment_in(ctx: Context, location: Location) -> list[Asset]:
    """Return the equipment in a place that is still used, by number."""
    query = select(Asset).where(Asset.location_id == location.id, Asset.lifecycle.not_in(GONE))
    return list(ctx.session.scalars(query.order_by(Asset.number).limit(MOST_EQUIPMENT)))


def orders_between(
    ctx: Context, location: Location, start: datetime, end: datetime
) -> list[WorkOrder]:
    """Return the work on a place and its equipment that was open within start..end, by time."""
    began = func.coalesce(WorkOrder.down_from, WorkOrder.clock_from, WorkOrder.created_at)
    query = (
        select(WorkOrder)
        .outerjoin(Asset, WorkOrder.asset_id == Asset.id)
        .where(or_(WorkOrder.location_id == location.id, Asset.location_id == location.id))
        .where(began <= end, or_(WorkOrder.done_at.is_(None), WorkOrder.done_at >= start))
        .options(joinedload(WorkOrder.asset))
        .order_by(began.desc(), WorkOrder.id.desc())
        .limit(MOST_ORDERS)
    )
    return list(ctx.session.scalars(query))[::-1]


def began_at(order: WorkOrder) -> datetime:
    """Return when the trouble began that an order is about, as far as it is known."""
    return order.down_from or order.clock_from or order.created_at


@command("environment.describe_place", Permission.ENVIRONMENT_EDIT)
def describe_place(
    ctx: Context,
    *,
    place: str,
    floor: str | None = None,
    profile: str | None = None,
    stores: str | None = None,
    is_checked_by_hand: bool = False,
) -> MonitoredPlace:
    """Say where a place is, what it holds, which limits it has and how it is watched.

    Raises:
        NotFound: no such place.
        Invalid: no such profile, or checks by hand of a place without limits.
    """
    location = place_by_code(ctx, place).location
    if profile is not None and profile not in profiles():
        message = _l("There is no such profile. Choose one of the list.")
        raise Invalid(message, fields={"profile": [message]})
    if is_checked_by_hand and profile is None:
        message = _l("Choose the limits that the checks are judged against.")
        raise Invalid(message, fields={"profile": [message]})
    row = known_of(ctx, location.id) or MonitoredPlace(location_id=location.id)
    row.floor, row.profile, row.stores = floor, profile, stores
    row.is_checked_by_hand = is_checked_by_hand
    ctx.session.add(row)
    ctx.session.flush()
    return row


def measured_here(sensors: Sequence[Seen]) -> set[str]:
    """Return which of temperature and humidity a sensor of the place itself measures."""
    return {one.quantity for one in sensors if one.asset_code is None} & set(CLIMATE)
