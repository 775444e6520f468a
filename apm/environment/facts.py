"""What an excursion report states as measured: plain values, to be stored, hashed and printed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from apm.assets.model import Asset, Location
from apm.core.command import Context
from apm.core.errors import Conflict, NotFound
from apm.core.i18n import _l
from apm.environment.alarm_state import OF_LIMITS, alarms_between
from apm.environment.climate import damp_of
from apm.environment.places import COLD_STORES, equipment_in, orders_between
from apm.environment.stretches import MKT_HOURS, Stretch, at, mkt_window, stretch_of
from apm.environment.wall import Seen, sensors_seen
from predict.climate import ACTIVATION_KJ_PER_MOL
from predict.excursions import Excursion

BEFORE, AFTER = timedelta(hours=26), timedelta(days=31)
"""How much of the readings around its beginning is looked at to find an excursion again."""
MARGIN_S = 6 * 3600.0
POINTS = 240
SOON = timedelta(days=1)
"""Work that begins so soon after an excursion is named with it."""
NEAR_S = 1800.0
"""Temperature and humidity that lie further apart make no dew point."""
Facts = dict[str, Any]


def seen_by_code(ctx: Context, code: str) -> Seen:
    """Return a sensor as the wall sees it, or raise `NotFound`."""
    for one in sensors_seen(ctx, code=code):
        return one
    raise NotFound(_l("No sensor of this hospital has this code. Choose one from the list."))


def facts_of(ctx: Context, seen: Seen, began: datetime) -> Facts:
    """Return what is known of the excursion of a sensor that covers the instant `began`.

    Raises:
        Conflict: the readings show none there (any more).
    """
    stretch, one = _found(ctx, seen, began)
    start, end = at(one.start), at(one.end)
    location = ctx.session.get(Location, seen.place_id) if seen.place_id else None
    limits = stretch.limits
    return {
        "sensor": {"code": seen.code, "en": seen.name, "zh": seen.name_zh,
                   "quantity": seen.quantity, "unit": seen.unit},
        "place": {"en": seen.place_name, "zh": seen.place_name_zh, "floor": seen.floor},
        "limits": {"low": limits.low, "high": limits.high, "source": limits.source,
                   "to_verify": limits.to_verify} if limits else None,
        "side": one.side.value,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "seconds": one.duration,
        "extreme": one.extreme,
        "extreme_at": at(one.extreme_at).isoformat(),
        "n": one.n,
        "is_cut": one.is_cut,
        "is_open": one.is_open,
        "gap_s": stretch.longest_step,
        "mkt": _mkt(stretch, one),
        "air": _air(ctx, seen, one),
        "curve": _curve(stretch, one),
        "alarm": _alarm(ctx, seen, start, end),
        "equipment": _equipment(ctx, seen, location),
        "orders": [order.no for order in orders_between(ctx, location, start, end + SOON)]
        if location else [],
    }  # fmt: skip


def _found(ctx: Context, seen: Seen, began: datetime) -> tuple[Stretch, Excursion]:
    last = min(ctx.now(), began + AFTER) + timedelta(seconds=1)
    stretch = stretch_of(ctx, seen, began - BEFORE, max(last, began + timedelta(seconds=1)))
    second = began.timestamp()
    for one in stretch.found:
        if one.start <= second + 1 and second - 1 <= one.end:
            return stretch, one
    raise Conflict(
        _l("The readings show no excursion at this time. Choose one from the page of its place.")
    )


def _mkt(stretch: Stretch, one: Excursion) -> Facts | None:
    seen = stretch.seen
    if seen.profile not in COLD_STORES or seen.quantity != "temperature":
        return None
    begin, end = mkt_window(one)
    value = stretch.mkt(begin, end)
    if value is None:
        return None
    return {
        "value": value, "from": at(begin).isoformat(), "to": at(end).isoformat(),
        "hours": MKT_HOURS, "activation": ACTIVATION_KJ_PER_MOL,
    }  # fmt: skip


def _air(ctx: Context, seen: Seen, one: Excursion) -> Facts | None:
    """Return temperature, humidity and dew point of the room at the worst moment, if known."""
    if seen.place_id is None or seen.asset_code is not None:
        return None
    values = {seen.quantity: one.extreme}
    around = timedelta(seconds=NEAR_S)
    for other in sensors_seen(ctx, place_ids=[seen.place_id]):
        if other.asset_code or other.quantity in values:
            continue
        worst = at(one.extreme_at)
        near = stretch_of(ctx, other, worst - around, worst + around)
        if len(near.times):
            nearest = int(abs(near.times - one.extreme_at).argmin())
            values[other.quantity] = float(near.values[nearest])
    if not {"temperature", "humidity"} <= values.keys():
        return None
    damp = damp_of(values["temperature"], values["humidity"])
    if damp is None:
        return None
    return {
        "temperature": damp.temperature, "humidity": damp.humidity, "dew_point": damp.dew_point,
    }  # fmt: skip


def _curve(stretch: Stretch, one: Excursion) -> list[list[Any]]:
    part = stretch.between(one.start - MARGIN_S, one.end + MARGIN_S)
    return [[moment.isoformat(), value] for moment, value in part.points(POINTS)]


def _alarm(ctx: Context, seen: Seen, start: datetime, end: datetime) -> Facts | None:
    found = alarms_between(ctx, [seen.sensor_id], start, end)
    if not found:
        return None
    # What somebody has seen, and rather a limit's alarm than a detector's, which begins earlier.
    first = min(found, key=lambda alarm: (not alarm.acknowledged_by, alarm.kind not in OF_LIMITS))
    by_whom = first.acknowledged_at
    return {
        "id": first.id, "since": first.since.isoformat(), "by": first.acknowledged_by,
        "at": by_whom.isoformat() if by_whom else None, "note": first.note,
        "work_order": first.work_order_no,
    }  # fmt: skip


def _equipment(ctx: Context, seen: Seen, location: Location | None) -> list[Facts]:
    """Return the equipment whose sensor it is, else what stands in the place."""
    if seen.asset_code:
        query = select(Asset).where(Asset.code == seen.asset_code)
        assets: Sequence[Asset] = list(ctx.session.scalars(query))
    else:
        assets = equipment_in(ctx, location) if location else []
    return [
        {"code": one.code, "number": one.number, "en": one.name, "zh": one.name_zh}
        for one in assets
    ]
