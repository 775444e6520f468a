"""Reading alarms with their groups, silences and history, and the rules of sensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.alarms.catalogue import Spec, shipped
from apm.alarms.model import AlarmRule, Neighbours, Shelf
from apm.alarms.ruling import rules_of
from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.readings.model import Alarm, AlarmGroup, Sensor

MOST_MEMBERS = 50
MOST_ENTRIES = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One step in the life of an alarm, from the audit trail."""

    at: datetime
    who: str
    what: str
    """The command that did it."""


def rules_for(ctx: Context, sensor: Sensor) -> tuple[Spec, ...]:
    """Return the rules in force on a sensor, those that are off too."""
    return rules_of(ctx, [sensor])[sensor.id]


def rules_of_profile(ctx: Context, profile: str, quantity: str, unit: str) -> tuple[Spec, ...]:
    """Return the rules of a profile for a quantity, as this hospital has them."""
    nobody = Sensor(id=0, profile=profile, quantity=quantity, unit=unit)
    return rules_of(ctx, [nobody])[0]


def own_rules(ctx: Context, *, sensor_id: int | None, profile: str | None) -> dict[str, AlarmRule]:
    """Return the departures from what is shipped, by key."""
    query = select(AlarmRule)
    if sensor_id is not None:
        query = query.where(AlarmRule.sensor_id == sensor_id)
    else:
        query = query.where(AlarmRule.profile == profile)
    return {row.key: row for row in ctx.session.scalars(query)}


def group_members(ctx: Context, group_id: int | None) -> list[Alarm]:
    """Return the alarms of one cause, the first ones first."""
    if group_id is None:
        return []
    places = joinedload(Alarm.sensor)
    query = select(Alarm).where(Alarm.group_id == group_id).order_by(Alarm.since, Alarm.id)
    options = places.joinedload(Sensor.asset), places.joinedload(Sensor.location)
    return list(ctx.session.scalars(query.options(*options).limit(MOST_MEMBERS)))


def group_sizes(ctx: Context, alarms: Sequence[Alarm]) -> dict[int, int]:
    """Return how many alarms the groups of these alarms have."""
    ids = {alarm.group_id for alarm in alarms if alarm.group_id is not None}
    query = select(AlarmGroup.id, AlarmGroup.n).where(AlarmGroup.id.in_(ids))
    rows = ctx.session.execute(query) if ids else ()
    return {row[0]: row[1] for row in rows}


def open_shelf(ctx: Context, alarm: Alarm) -> Shelf | None:
    """Return what silences an alarm now, None for nothing."""
    query = select(Shelf).where(
        Shelf.sensor_id == alarm.sensor_id,
        Shelf.kind == alarm.kind.value,
        Shelf.rule == alarm.rule,
        Shelf.ended_at.is_(None),
    )
    return ctx.session.scalar(query.order_by(Shelf.id.desc()).limit(1))


def open_shelves(ctx: Context) -> list[Shelf]:
    """Return everything that is silenced now, what ends first in front."""
    query = select(Shelf).where(Shelf.ended_at.is_(None)).options(joinedload(Shelf.sensor))
    found = ctx.session.scalars(query.order_by(Shelf.until, Shelf.id).limit(MOST_ENTRIES))
    return list(found)


def history_of(ctx: Context, alarm: Alarm) -> list[Entry]:
    """Return what happened to an alarm, newest first, from the audit trail."""
    query = (
        select(AuditEntry)
        .where(AuditEntry.entity == "Alarm", AuditEntry.entity_id == alarm.id)
        .where(AuditEntry.chain == alarm.hospital_id)
        .order_by(AuditEntry.seq.desc())
        .limit(MOST_ENTRIES)
    )
    found: list[Entry] = []
    for row in ctx.session.scalars(query):
        what = _what(row)
        if what is not None:
            found.append(Entry(row.at, row.actor, what))
    return found


def _what(row: AuditEntry) -> str | None:
    """Return which step a change was; None for one that says nothing (a higher peak)."""
    new = {name: values[1] for name, values in row.changes.items()}
    steps = {
        "raised": "sensor_id" in new,
        row.command: row.command in STEPS,
        f"ended.{new.get('ended_why')}": bool(new.get("ended_why")),
        "returned": bool(new.get("returned_at")),
        "calls_again": "muted" in new and new["muted"] is None,
        "again": new.get("active") == "True",
    }
    return next((name for name, is_it in steps.items() if is_it), None)


STEPS = frozenset(
    {
        "alarm.acknowledge",
        "alarm.clear",
        "alarm.shelve",
        "alarm.unshelve",
        "alarm.take_out",
        "alarm.put_back",
        "alarm.judge",
    }
)


def neighbours_of(ctx: Context, sensor_id: int) -> Neighbours | None:
    """Return what the other sensors of the room said of one last."""
    return ctx.session.scalar(select(Neighbours).where(Neighbours.sensor_id == sensor_id))


def shipped_for(sensor: Sensor) -> dict[str, Spec]:
    """Return the rules as shipped, by key."""
    return {s.key: s for s in shipped(sensor.profile, sensor.quantity, sensor.unit)}
