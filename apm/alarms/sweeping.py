"""What time alone changes: shelves run out, equipment comes back into use, alarms call again."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.alarms.model import Shelf
from apm.alarms.muting import Silenced
from apm.alarms.opening import announce
from apm.alarms.ruling import rules_of
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.readings.model import Alarm, AlarmKind, Sensor

MOST = 500
"""Alarms looked at in one turn."""


@command("alarm.sweep", Permission.SYSTEM_RUN)
def sweep(ctx: Context) -> int:
    """End shelves whose time is over, and let the active alarms behind them call; return how many.

    An alarm that was muted and is not any more calls as if it were new, unless somebody has
    acknowledged it.
    """
    _end_shelves(ctx)
    alarms = _silent(ctx)
    sensors = list({alarm.sensor_id: alarm.sensor for alarm in alarms}.values())
    silenced = Silenced(ctx, sensors)
    rules = rules_of(ctx, sensors)
    called = 0
    for alarm in alarms:
        muted = silenced.why(alarm.sensor, alarm.kind.value, alarm.rule)
        if alarm.muted != muted:
            alarm.muted = muted
        if muted is None and not alarm.acknowledged:
            specs = {spec.key: spec for spec in rules[alarm.sensor_id]}
            spec = specs.get(alarm.rule)
            opens_work = alarm.kind is AlarmKind.ANOMALY or (spec is not None and spec.opens_work)
            announce(ctx, alarm, alarm.sensor, opens_work=opens_work)
            called += 1
    return called


def _end_shelves(ctx: Context) -> None:
    query = select(Shelf).where(Shelf.ended_at.is_(None), Shelf.until <= ctx.now())
    for shelf in ctx.session.scalars(query):
        shelf.ended_at = shelf.until
    # What ended meanwhile keeps how it was muted: that is what happened.


def _silent(ctx: Context) -> list[Alarm]:
    """Return the active alarms that have called nobody, or were silenced since."""
    places = joinedload(Alarm.sensor)
    query = (
        select(Alarm)
        .where(
            Alarm.active,
            Alarm.muted.is_not(None)
            | (
                Alarm.announced_at.is_(None)
                & Alarm.returned_at.is_(None)
                & Alarm.acknowledged.is_(False)
            ),
        )
        .options(places.joinedload(Sensor.asset), places.joinedload(Sensor.location))
        .order_by(Alarm.id)
        .limit(MOST)
        .execution_options(populate_existing=True)
    )
    return list(ctx.session.scalars(query))
