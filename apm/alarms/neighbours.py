"""Compares each sensor of a room with the others: drift of one, or the room itself.

Three sensors of a kind are needed: of two nobody can say which is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.alarms.catalogue import NEIGHBOURS, Spec
from apm.alarms.events import AlarmAnswered
from apm.alarms.model import Neighbours
from apm.alarms.muting import Silenced
from apm.alarms.opening import Seen, open_alarm
from apm.alarms.ruling import rules_of
from apm.alarms.stretches import spans
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.readings.blocks import Readings
from apm.readings.checking import instant, microseconds
from apm.readings.model import Alarm, EndedWhy, Sensor
from predict.errors import NotEnoughData
from predict.peers import Comparison, compare, fit

PAST, LATELY = timedelta(days=14), timedelta(days=1)
SLOT_US = 10 * 60 * 1_000_000
"""Sensors of a room read at different instants: their means of ten minutes are compared."""
LEAST_OFF = {"temperature": 0.3, "humidity": 2.0}
"""What is never worth an alarm, in the sensor's unit."""
ROOM_MOVED = {"temperature": 1.0, "humidity": 8.0}
LEAST_SENSORS = 3
AFTER_CLEARING = timedelta(days=7)
"""Cleared by hand, the same drift calls nobody again so soon."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the others say of one sensor."""

    sensor: Sensor
    peers: list[str]
    verdict: str
    result: Comparison | None
    n: int = 0


def compare_rooms(ctx: Context) -> int:
    """Compare all rooms, each in a transaction of its own; return how many sensors are off."""
    query = (
        select(Sensor)
        .where(Sensor.location_id.is_not(None), Sensor.quantity.in_(LEAST_OFF))
        .where(Sensor.retired_at.is_(None))
        .options(joinedload(Sensor.asset), joinedload(Sensor.location))
        .order_by(Sensor.location_id, Sensor.quantity, Sensor.code)
    )
    rooms: dict[tuple[int | None, str, str], list[Sensor]] = {}
    for sensor in ctx.session.scalars(query):
        key = (sensor.location_id, sensor.quantity, sensor.unit)
        rooms.setdefault(key, []).append(sensor)
    return sum(compare_room(ctx, sensors=sensors) for sensors in rooms.values())


@command("alarm.compare", Permission.SYSTEM_RUN)
def compare_room(ctx: Context, *, sensors: Sequence[Sensor]) -> int:
    """Compare the sensors of one room over the last day; return how many are off."""
    findings = _findings(ctx, sensors)
    ids = [sensor.id for sensor in sensors]
    kept = ctx.session.scalars(select(Neighbours).where(Neighbours.sensor_id.in_(ids)))
    rows = {row.sensor_id: row for row in kept}
    for found in findings:
        row = rows.get(found.sensor.id) or Neighbours(sensor_id=found.sensor.id)
        row.at, row.verdict, row.peers, row.n = ctx.now(), found.verdict, found.peers, found.n
        row.offset = found.result.offset if found.result else None
        row.limit = found.result.limit if found.result else None
        ctx.session.add(row)
    _settle(ctx, findings)
    return sum(found.verdict == "sensor" for found in findings)


def _findings(ctx: Context, sensors: Sequence[Sensor]) -> list[Finding]:
    if len(sensors) < LEAST_SENSORS:
        return [Finding(sensor, [], "alone", None) for sensor in sensors]
    start = ctx.now() - PAST
    begin = microseconds(start)
    loaded = spans(ctx, {sensor.id: begin for sensor in sensors}, until=ctx.now())
    first = begin // SLOT_US
    n = int(PAST / timedelta(minutes=10))
    table = np.column_stack([_slots(loaded[s.id].readings, first, n) for s in sensors])
    split = n - int(LATELY / timedelta(minutes=10))
    left_out: set[int] = set()
    found = _round(sensors, table, split, left_out)
    while worst := _worst(found, left_out):
        left_out.add(worst - 1)  # what drifts may not speak of the others
        if len(sensors) - len(left_out) < LEAST_SENSORS - 1:
            break
        again = _round(sensors, table, split, left_out)
        found = [found[k] if k in left_out else again[k] for k in range(len(sensors))]
    return found


def _worst(found: list[Finding], left_out: set[int]) -> int:
    """Return one more than the place of the sensor that is furthest off; 0: none is."""
    off = {
        k: abs(one.result.offset) / one.result.limit
        for k, one in enumerate(found)
        if k not in left_out and one.result is not None and one.verdict == "sensor"
    }
    return max(off, key=lambda k: off[k]) + 1 if off else 0


def _round(
    sensors: Sequence[Sensor], table: Floats, split: int, left_out: set[int]
) -> list[Finding]:
    found = []
    for k, sensor in enumerate(sensors):
        others = [j for j in range(len(sensors)) if j != k and j not in left_out]
        peers = [sensors[j].code for j in others]
        try:
            model = fit(table[:split, k], table[:split, others])
            least = LEAST_OFF[sensor.quantity]
            result = compare(model, table[split:, k], table[split:, others], least_off=least)
        except NotEnoughData:
            found.append(Finding(sensor, peers, "too_few", None))
            continue
        moved = abs(result.own_move) > ROOM_MOVED[sensor.quantity]
        verdict = "sensor" if result.is_off else ("room" if moved else "alike")
        found.append(Finding(sensor, peers, verdict, result, model.n))
    return found


def _slots(readings: Readings, first: int, n: int) -> Floats:
    """Return means of ten minutes, shape (n,), NaN where nothing was read."""
    place = readings.times // SLOT_US - first
    inside = (place >= 0) & (place < n)
    count = np.bincount(place[inside], minlength=n)
    total = np.bincount(place[inside], weights=readings.values[inside], minlength=n)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _settle(ctx: Context, findings: Sequence[Finding]) -> None:
    """Open an alarm for a sensor that is off, end that of one that is not any more."""
    sensors = [found.sensor for found in findings]
    query = (
        select(Alarm)
        .where(Alarm.sensor_id.in_([sensor.id for sensor in sensors]), Alarm.rule == NEIGHBOURS)
        .order_by(Alarm.id)
        .execution_options(populate_existing=True)
    )
    last = {alarm.sensor_id: alarm for alarm in ctx.session.scalars(query)}
    rules, silenced = rules_of(ctx, sensors), Silenced(ctx, sensors)
    for found in findings:
        spec = next((s for s in rules[found.sensor.id] if s.key == NEIGHBOURS), None)
        if found.result is not None and spec is not None:
            _one(ctx, found, spec, last.get(found.sensor.id), silenced)


def _one(
    ctx: Context, found: Finding, spec: Spec, known: Alarm | None, silenced: Silenced
) -> None:
    sensor, result = found.sensor, found.result
    if result is None:
        return
    if found.verdict != "sensor" or not spec.is_on:
        if known is not None and known.active:
            known.active, known.ended_at = False, ctx.now()
            known.ended_why = EndedWhy.RETURNED
            ctx.emit(AlarmAnswered(known.id))
        return
    if known is not None and (known.active or _was_cleared(known, ctx.now())):
        return
    since = instant(microseconds(ctx.now() - LATELY))
    seen = Seen(since=since, raised_at=ctx.now(), ended_at=None, peak=round(result.offset, 3))
    muted = silenced.why(sensor, spec.kind.value, spec.key)
    alarm = open_alarm(ctx, sensor, spec, seen, muted)
    alarm.limit = round(result.limit, 3)


def _was_cleared(alarm: Alarm, now: datetime) -> bool:
    return (
        alarm.cleared_by is not None
        and alarm.ended_at is not None
        and now - alarm.ended_at < AFTER_CLEARING
    )
