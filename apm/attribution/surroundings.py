"""Evidence from where the equipment stands: climate, mains, alarms, what else failed there.

The sensors of the room tell of the environment.  Those on the equipment itself tell of its own
condition: a warm refrigerator is what failed, not why.  Mains voltage is environment either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from apm.assets.model import Asset
from apm.attribution.excursions import LEAST_SEEN, beyond_limits, supply_events
from apm.attribution.finding import Failure, Found
from apm.core.command import Context
from apm.detecting.model import DetectorState
from apm.readings.model import Alarm, Sensor
from apm.readings.profiles import limits_of, profiles
from apm.work.model import WorkOrder
from apm.work.states import WorkState, WorkType
from predict.rate_ratio import at_least

CLIMATE_WINDOW = timedelta(hours=72)
POWER_WINDOW, POWER_USUAL = timedelta(hours=24), timedelta(days=7)
OWN_WINDOW = timedelta(days=7)
TOGETHER, YEAR = timedelta(hours=48), timedelta(days=365)
BRIEF_MINUTES, LONG_MINUTES = 10.0, 60.0
RARE = 0.05
MOST_SENSORS = 40
MOST_READ = 3
"""Sensors of one quantity that are read."""
CLIMATE = {"temperature": "room_temperature", "humidity": "room_humidity"}
ROOM, OWN = "room_alarm", "own_alarm"


def surroundings(ctx: Context, failure: Failure) -> Iterator[Found]:
    """Yield what could be seen of the room, the mains and the equipment's own sensors."""
    sensors = sensors_around(ctx, failure.asset)
    room = [s for s in sensors if s.asset_id is None]
    own = [s for s in sensors if s.asset_id == failure.asset.id]
    for quantity, kind in CLIMATE.items():
        some = [s for s in room if s.quantity == quantity and limits_of(s)]
        yield from _climate(ctx, failure, kind, some[:MOST_READ])
    yield from _power(ctx, failure, [s for s in sensors if s.quantity == "voltage"][:MOST_READ])
    yield from _alarms(ctx, failure, ROOM, room, CLIMATE_WINDOW)
    yield from _alarms(ctx, failure, OWN, own, OWN_WINDOW)
    yield from _room_peers(ctx, failure)


def sensors_around(ctx: Context, asset: Asset) -> list[Sensor]:
    """Return the sensors on an asset and in its room, by code."""
    here = [Sensor.asset_id == asset.id]
    if asset.location_id is not None:
        here.append(Sensor.location_id == asset.location_id)
    query = select(Sensor).where(or_(*here)).order_by(Sensor.code).limit(MOST_SENSORS)
    return list(ctx.session.scalars(query))


def _climate(ctx: Context, failure: Failure, kind: str, sensors: list[Sensor]) -> Iterator[Found]:
    start, best = failure.at - CLIMATE_WINDOW, None
    for sensor in sensors:
        limits = limits_of(sensor)
        if limits is None:
            continue
        seen = beyond_limits(ctx, sensor.id, limits, start=start, end=failure.at)
        if seen.minutes < BRIEF_MINUTES and seen.seen < LEAST_SEEN:
            continue
        if best is None or seen.minutes > best[1].minutes:
            best = (sensor, seen, limits)
    if best is None:
        return
    sensor, seen, (low, high) = best
    level = "long" if seen.minutes >= LONG_MINUTES else "brief"
    profile = profiles()[sensor.profile or ""]
    facts = {
        "sensor": sensor.name, "sensor_zh": sensor.name_zh, "code": sensor.code,
        "unit": sensor.unit, "low": low, "high": high, "minutes": round(seen.minutes),
        "worst": seen.worst, "seen": round(seen.seen, 2), "to_verify": profile.to_verify,
    }  # fmt: skip
    yield Found(
        kind,
        level if seen.minutes >= BRIEF_MINUTES else "none",
        facts,
        f"/sensors/{sensor.code}?period=week",
        tuple(begin for begin, _end in seen.spells[-3:]),
    )


def _power(ctx: Context, failure: Failure, sensors: list[Sensor]) -> Iterator[Found]:
    at = failure.at
    known = []
    for sensor in sensors:
        supply = supply_events(
            ctx, sensor.id, start=at - POWER_USUAL, since=at - POWER_WINDOW, end=at
        )
        if supply is not None:
            known.append((sensor, supply))
    if not known:
        return
    sensor, supply = next((pair for pair in known if pair[1].worst), known[0])
    facts = {
        "sensor": sensor.name, "sensor_zh": sensor.name_zh, "code": sensor.code,
        "what": supply.worst, "volts": supply.volts, "usual": round(supply.usual, 1),
    }  # fmt: skip
    marks = (supply.at,) if supply.at else ()
    level = "event" if supply.worst else "none"
    yield Found("power", level, facts, f"/sensors/{sensor.code}?period=week", marks)


def _alarms(
    ctx: Context, failure: Failure, kind: str, sensors: list[Sensor], window: timedelta
) -> Iterator[Found]:
    """Tell of alarms in the time before; that there was none counts where one could be raised."""
    if not sensors:
        return
    ids = {sensor.id: sensor for sensor in sensors}
    raised = (
        select(Alarm)
        .where(
            Alarm.sensor_id.in_(ids),
            Alarm.since <= failure.at,
            or_(Alarm.ended_at.is_(None), Alarm.ended_at >= failure.at - window),
        )
        .order_by(Alarm.since.desc())
        .limit(3)
    )
    found = list(ctx.session.scalars(raised))
    if found:
        last = found[0]
        sensor = ids[last.sensor_id]
        facts = {
            "sensor": sensor.name, "sensor_zh": sensor.name_zh, "n": len(found),
            "reason": last.reason,
        }  # fmt: skip
        marks = tuple(alarm.since for alarm in found)
        yield Found(kind, "alarm", facts, f"/alarms/{last.id}", marks)
        return
    watched = select(func.count(DetectorState.id)).where(
        DetectorState.sensor_id.in_(ids), DetectorState.watching_since <= failure.at
    )
    if ctx.session.scalar(watched):
        yield Found(kind, "none", {"sensors": len(sensors), "days": window.days})


def _room_peers(ctx: Context, failure: Failure) -> Iterator[Found]:
    """Tell whether more of the room's equipment failed at once than it usually does."""
    place, at = failure.asset.location_id, failure.at
    if place is None:
        return
    others = select(func.count(Asset.id)).where(
        Asset.location_id == place, Asset.id != failure.asset.id
    )
    if (ctx.session.scalar(others) or 0) < 2:
        return
    before = _failures_of_others(ctx, failure, at - YEAR, at - TOGETHER)
    together = _failures_of_others(ctx, failure, at - TOGETHER, at)
    usual = (before + 1) / ((YEAR - TOGETHER) / TOGETHER)
    p = at_least(together, usual)
    facts = {"n": together, "usual": round(usual, 2), "hours": 48, "p": round(p, 4)}
    level = "together" if together and p < RARE else "usual"
    yield Found("room_peers", level, facts, "/work-orders?type=corrective")


def _failures_of_others(ctx: Context, failure: Failure, start: datetime, end: datetime) -> int:
    query = (
        select(func.count(WorkOrder.asset_id.distinct()))
        .join(Asset, Asset.id == WorkOrder.asset_id)
        .where(
            Asset.location_id == failure.asset.location_id,
            WorkOrder.asset_id != failure.asset.id,
            WorkOrder.type == WorkType.CORRECTIVE,
            WorkOrder.state != WorkState.CANCELLED,
            WorkOrder.created_at >= start,
            WorkOrder.created_at < end,
        )
    )
    return ctx.session.scalar(query) or 0
