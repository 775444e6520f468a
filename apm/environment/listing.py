"""Rooms and excursions as lists that programs read page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from apm.assets.model import Asset, Location
from apm.core.command import Context
from apm.core.errors import Invalid, NotFound
from apm.core.i18n import _l
from apm.core.paging import cursor_of, cursor_values, page_of
from apm.core.typed import whole_number
from apm.environment.model import ExcursionReport, MonitoredPlace
from apm.environment.places import COLD_STORES, Place, known_of, place_by_code
from apm.environment.reporting import reports_by_start
from apm.environment.standing import ORDER, Standing
from apm.environment.stretches import Stretch, mkt_window, stretch_of
from apm.environment.wall import Card, Seen, cards_of, sensors_seen
from apm.readings.model import Sensor
from predict.excursions import Excursion

LONGEST = timedelta(days=92)
USUAL = timedelta(days=7)
AT_ONCE = 25
"""Sensors whose readings are looked through in one call: each costs a statement."""
ALL_PAST = 2**60


@dataclass(frozen=True, slots=True)
class Room:
    """A place that is watched, with how its sensors stand."""

    place: Place
    cards: list[Card]

    @property
    def standing(self) -> Standing:
        """The most pressing of its sensors; no data without any."""
        found = [card.standing for card in self.cards]
        return min(found, key=lambda one: ORDER[one], default=Standing.NO_DATA)


@dataclass(frozen=True, slots=True)
class Left:
    """One time that a sensor left its limits.

    low, high: extremes of the readings within, in the sensor's unit.  mkt: mean kinetic
    temperature of it and the 24 hours before its end, °C; None where it means nothing.
    """

    seen: Seen
    stretch: Stretch
    one: Excursion
    low: float
    high: float
    mkt: float | None
    report: ExcursionReport | None


def room_page(
    ctx: Context, *, after: str | None = None, limit: int = 50
) -> tuple[list[Room], str | None]:
    """Return the places that have sensors or are described, and the cursor that goes on."""
    place = func.coalesce(Sensor.location_id, Asset.location_id)
    sensed = select(place).outerjoin(Asset, Asset.id == Sensor.asset_id).where(place.is_not(None))
    described = select(MonitoredPlace.location_id)
    query = select(Location).where(or_(Location.id.in_(sensed), Location.id.in_(described)))
    page = page_of(ctx.session, query, by=[Location.id], after=after, limit=limit)
    ids = [location.id for location in page.items]
    found = ctx.session.scalars(select(MonitoredPlace).where(MonitoredPlace.location_id.in_(ids)))
    known = {row.location_id: row for row in found}
    places = [Place(location, known.get(location.id)) for location in page.items]
    return _rooms(ctx, places), page.next


def room_of(ctx: Context, name: str) -> Room:
    """Return a room by the code of its label, or by its number in our lists.

    Raises:
        NotFound: no such place here.
    """
    [room] = _rooms(ctx, [_place(ctx, name)])
    return room


def _place(ctx: Context, name: str) -> Place:
    try:
        return place_by_code(ctx, name)
    except NotFound:
        number = whole_number(name)
        query = select(Location).where(Location.id == number)
        location = ctx.session.scalar(query) if number is not None else None
        if location is None:
            raise
        return Place(location, known_of(ctx, location.id))


def _rooms(ctx: Context, places: Sequence[Place]) -> list[Room]:
    ids, now = [place.location.id for place in places], ctx.now()
    seen = sensors_seen(ctx, place_ids=ids, in_service_at=now)
    cards: dict[int | None, list[Card]] = defaultdict(list)
    for card in cards_of(ctx, seen, now):
        cards[card.seen.place_id].append(card)
    return [Room(place, cards[place.location.id]) for place in places]


def excursion_page(
    ctx: Context,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    room: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[Left], str | None]:
    """Return excursions within start..end, sensor after sensor, oldest first.

    A page may hold fewer than `limit`, even none, and still name a cursor: so many sensors were
    looked through.  Without a period: the last seven days.

    Raises:
        Invalid: a period that ends before it begins or is longer than 92 days.
        NotFound: no such room.
    """
    start, end = _period(ctx, start, end)
    first, past = cursor_values(after, [int, int]) if after else (0, 0)
    ids = _with_limits(ctx, first, room)
    seen = sorted(sensors_seen(ctx, ids=ids[:AT_ONCE]), key=lambda one: one.sensor_id)
    reports = reports_by_start(ctx, ids[:AT_ONCE])
    found: list[Left] = []
    for one in seen:
        stretch = stretch_of(ctx, one, start, end)
        for excursion in stretch.found:
            if one.sensor_id == first and _micros(excursion) <= past:
                continue
            found.append(_left(stretch, excursion, reports))
            if len(found) == limit:
                return found, cursor_of([one.sensor_id, _micros(excursion)])
    is_more = len(ids) > AT_ONCE
    return found, cursor_of([ids[AT_ONCE - 1], ALL_PAST]) if is_more else None


def _period(
    ctx: Context, start: datetime | None, end: datetime | None
) -> tuple[datetime, datetime]:
    end = end or ctx.now()
    start = start or end - USUAL
    if start >= end:
        message = _l("The period ends before it begins. Exchange the two.")
        raise Invalid(message, fields={"from": [message]})
    if end - start > LONGEST:
        message = _l("Ask for %(n)s days at most.", n=LONGEST.days)
        raise Invalid(message, fields={"from": [message]})
    return start, end


def _with_limits(ctx: Context, first: int, room: str | None) -> list[int]:
    query = select(Sensor.id).where(Sensor.profile.is_not(None), Sensor.id >= first)
    if room is not None:
        place = func.coalesce(Sensor.location_id, Asset.location_id)
        here = place == _place(ctx, room).location.id
        query = query.outerjoin(Asset, Asset.id == Sensor.asset_id).where(here)
    return list(ctx.session.scalars(query.order_by(Sensor.id).limit(AT_ONCE + 1)))


def _left(
    stretch: Stretch,
    one: Excursion,
    reports: dict[tuple[int, datetime], ExcursionReport],
) -> Left:
    seen = stretch.seen
    part = stretch.between(one.start, one.end)
    # The last one is back inside, unless nothing more is known.
    values = part.values if one.is_cut else part.values[part.times < one.end]
    is_store = seen.profile in COLD_STORES and seen.quantity == "temperature"
    near = (
        row
        for (sensor_id, began), row in reports.items()
        if sensor_id == seen.sensor_id and abs(began.timestamp() - one.start) <= 1
    )
    return Left(
        seen,
        stretch,
        one,
        float(values.min()),
        float(values.max()),
        stretch.mkt(*mkt_window(one)) if is_store else None,
        next(near, None),
    )


def _micros(one: Excursion) -> int:
    return round(one.start * 1e6)
