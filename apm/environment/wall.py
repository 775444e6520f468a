"""The sensor wall: every sensor in service with how it stands, the most pressing first."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from apm.alarms.model import Evaluated
from apm.assets.model import Asset, AssetState, Location
from apm.core.command import Context
from apm.core.i18n import choose
from apm.environment.alarm_state import Limits, Ringing, is_muted, limits_for, ringing
from apm.environment.model import MonitoredPlace
from apm.environment.standing import ORDER, Standing, silent_ids, standing_of
from apm.readings import intake
from apm.readings.fresh import news
from apm.readings.model import Latest, Sensor
from apm.readings.queries import sparklines

CARDS = 60
"""Cards of one page."""
CURVE_EVERY_S = 600
"""So often the curves move on although nothing was read."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One sensor as a card needs it, read without its row."""

    sensor_id: int
    code: str
    name: str
    name_zh: str | None
    quantity: str
    unit: str
    profile: str | None
    asset_code: str | None
    asset_name: str | None
    asset_name_zh: str | None
    lifecycle: AssetState | None
    place_id: int | None
    place_code: str | None
    place_name: str | None
    place_name_zh: str | None
    floor: str | None
    at: datetime | None
    value: float | None
    interval_s: float | None
    """Its usual interval, as the alarms count it; None before it has sent enough."""
    retired_at: datetime | None
    """Since when it is out of service."""

    @property
    def place(self) -> str:
        """The place's name in the language spoken; empty without a place."""
        return choose(self.place_name, self.place_name_zh)


@dataclass(frozen=True, slots=True)
class Card:
    """One sensor and how it stands."""

    seen: Seen
    standing: Standing
    alarm: Ringing | None
    limits: Limits | None


@dataclass(frozen=True, slots=True)
class WallFilter:
    """Which sensors are wanted; empty: all."""

    floor: str = ""
    room: str = ""
    kind: str = ""
    standing: str = ""


@dataclass(frozen=True, slots=True)
class Wall:
    """One page of cards, and what all of the sensors that were asked for say together."""

    cards: list[Card]
    counts: dict[Standing, int]
    n: int
    page: int
    pages: int
    key: str
    """The same as long as the page would look the same."""
    choices: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    @property
    def unseen(self) -> int:
        """How many of the cards ring and were acknowledged by nobody."""
        return sum(1 for one in self.cards if one.alarm and not one.alarm.acknowledged_by)


def cards_of(ctx: Context, seen: Sequence[Seen], now: datetime) -> list[Card]:
    """Return a card for each of these sensors, the most pressing first, then by name."""
    alarms, silent = ringing(ctx), silent_ids(ctx, seen, now)
    cards = []
    for one in seen:
        limits, alarm = limits_for(one.profile, one.quantity), alarms.get(one.sensor_id)
        standing = standing_of(
            one,
            alarm=alarm,
            limits=limits,
            is_muted=is_muted(one.lifecycle) or bool(alarm and alarm.is_muted),
            is_silent=one.sensor_id in silent,
        )
        cards.append(Card(one, standing, alarm, limits))
    return sorted(cards, key=_place_on_the_wall)


def _place_on_the_wall(card: Card) -> tuple[int, bool, str, int]:
    is_seen = bool(card.alarm and card.alarm.acknowledged_by)
    return ORDER[card.standing], is_seen, card.seen.code, card.seen.sensor_id


def wall(ctx: Context, wanted: WallFilter, *, page: int = 1, most: int = CARDS) -> Wall:
    """Return one page of the wall."""
    now = ctx.now()
    every = sensors_seen(ctx, in_service_at=now)
    fitting = [one for one in every if _fits(one, wanted)]
    cards = cards_of(ctx, fitting, now)
    counts = Counter(card.standing for card in cards)
    if wanted.standing:
        cards = [card for card in cards if card.standing == wanted.standing]
    pages = max(1, -(-len(cards) // most))
    page = min(max(page, 1), pages)
    shown = cards[(page - 1) * most : page * most]
    return Wall(
        cards=shown,
        counts={standing: counts[standing] for standing in Standing if counts[standing]},
        n=len(fitting),
        page=page,
        pages=pages,
        key=key_of(
            shown, sorted(counts.items()), page, pages, int(now.timestamp() // CURVE_EVERY_S)
        ),
        choices=_choices(every),
    )


def sensors_seen(
    ctx: Context,
    *,
    place_ids: Collection[int] | None = None,
    code: str | None = None,
    ids: Collection[int] | None = None,
    in_service_at: datetime | None = None,
) -> list[Seen]:
    """Return all sensors, those in some places and on the equipment there, or some, by code.

    in_service_at: without those that were out of service then already.
    """
    here = intake.place(ctx)
    place = func.coalesce(Sensor.location_id, Asset.location_id)
    query = (
        select(
            Sensor.id, Sensor.code, Sensor.name, Sensor.name_zh, Sensor.quantity, Sensor.unit,
            Sensor.profile, Asset.code, Asset.name, Asset.name_zh, Asset.lifecycle,
            Location.id, Location.code, Location.name, Location.name_zh, MonitoredPlace.floor,
            Latest.at, Latest.value, Evaluated.interval_s, Sensor.retired_at,
        )
        .outerjoin(Asset, Sensor.asset_id == Asset.id)
        .outerjoin(Location, Location.id == place)
        .outerjoin(MonitoredPlace, MonitoredPlace.location_id == Location.id)
        .outerjoin(Latest, Latest.sensor_id == Sensor.id)
        .outerjoin(Evaluated, Evaluated.sensor_id == Sensor.id)
        .order_by(Sensor.code, Sensor.id)
    )  # fmt: skip
    if place_ids is not None:
        query = query.where(place.in_(place_ids))
    if code is not None:
        query = query.where(Sensor.code == code)
    if ids is not None:
        query = query.where(Sensor.id.in_(ids))
    if in_service_at is not None:
        query = query.where(Sensor.retired_at.is_(None) | (Sensor.retired_at > in_service_at))
    rows: list[Any] = list(ctx.session.execute(query))
    seen = [Seen(*row) for row in rows]
    new = news(ctx, here, {one.sensor_id: one for one in seen})
    return [
        replace(one, at=new[one.sensor_id].at, value=new[one.sensor_id].value)
        if one.sensor_id in new
        else one
        for one in seen
    ]


def curves(
    ctx: Context, cards: Sequence[Card], now: datetime
) -> dict[int, list[tuple[datetime, float]]]:
    """Return the last day of each card's sensor, by sensor id."""
    return sparklines(ctx, [card.seen.sensor_id for card in cards], until=now) if cards else {}


def outside_since(
    points: Sequence[tuple[datetime, float]], limits: Limits | None
) -> datetime | None:
    """Return since when a curve has been outside its limits to its end; None when it is not."""
    since = None
    for at, value in reversed(points):
        if limits is None or not limits.is_outside(value):
            break
        since = at
    return since


def key_of(cards: Sequence[Card], *more: object) -> str:
    """Return a digest of what the cards say."""
    said = [(c.seen, c.standing, c.alarm, c.limits) for c in cards]
    return hashlib.sha256(repr((said, more)).encode()).hexdigest()[:32]


def _fits(one: Seen, wanted: WallFilter) -> bool:
    return (
        (not wanted.floor or one.floor == wanted.floor)
        and (not wanted.room or one.place_code == wanted.room)
        and (not wanted.kind or one.quantity == wanted.kind)
    )


def _choices(every: Sequence[Seen]) -> dict[str, list[tuple[str, str]]]:
    return {
        "floor": sorted({(one.floor, one.floor) for one in every if one.floor}),
        "room": sorted(
            {(one.place_code, one.place) for one in every if one.place_code},
            key=lambda pair: pair[1],
        ),
        "kind": sorted({(one.quantity, one.quantity) for one in every}),
    }
