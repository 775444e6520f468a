"""Sensors that send nothing: a gap is not normal.

Silence counts only while this program listened without a break: after a stop nobody can say
whether the sensor was silent or we were.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.alarms.catalogue import STALE, Spec
from apm.alarms.events import AlarmAnswered
from apm.alarms.model import Evaluated, Listening
from apm.alarms.muting import Silenced
from apm.alarms.opening import Seen, open_alarm
from apm.alarms.patience import Patience
from apm.alarms.ruling import rules_of
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.readings.model import Alarm, AlarmKind, EndedWhy, Latest, Sensor
from apm.readings.noting import note_inbox

BREAK = timedelta(minutes=5)
"""When the last look was longer ago, nobody listened meanwhile."""


def listen(ctx: Context) -> int:
    """Look for silent sensors, once all that came in is noted; return how many alarms opened."""
    note_inbox(ctx)
    return find_silent(ctx)


@command("alarm.listen", Permission.SYSTEM_RUN)
def find_silent(ctx: Context) -> int:
    """Open alarms for sensors that are silent, end those of sensors that send again.

    An alarm begins with the last reading.  Returns how many were opened.
    """
    since = _listening_since(ctx)
    now = ctx.now()
    query = (
        select(
            Latest.sensor_id, Latest.at, Latest.received_at, Evaluated.interval_s, Sensor.profile
        )
        .join(Evaluated, Evaluated.sensor_id == Latest.sensor_id)
        .join(Sensor, Sensor.id == Latest.sensor_id)
        .where(Latest.at.is_not(None), Sensor.retired_at.is_(None))
    )
    rows = ctx.session.execute(query).all()
    _end_heard(ctx, {row.sensor_id: row.at for row in rows})
    heard = np.array([max(row.at, row.received_at or row.at, since).timestamp() for row in rows])
    rule = Patience(ctx)
    patience = np.array([rule.seconds(row.sensor_id, row.profile, row.interval_s) for row in rows])
    waited = now.timestamp() - heard
    quiet = np.flatnonzero(waited > patience).tolist()
    return _open(ctx, {rows[k].sensor_id: rows[k].at for k in quiet})


def _listening_since(ctx: Context) -> datetime:
    row = ctx.session.scalar(select(Listening).execution_options(populate_existing=True))
    now = ctx.now()
    if row is None:
        ctx.session.add(Listening(since=now, last_at=now))
        return now
    if now - row.last_at > BREAK:
        row.since = now
    row.last_at = now
    return row.since


def _end_heard(ctx: Context, latest: dict[int, datetime]) -> None:
    query = select(Alarm).where(Alarm.active, Alarm.kind == AlarmKind.STALE)
    for alarm in ctx.session.scalars(query.execution_options(populate_existing=True)):
        at = latest.get(alarm.sensor_id)
        if at is not None and at > alarm.since:
            alarm.active, alarm.ended_at, alarm.ended_why = False, at, EndedWhy.RETURNED
            ctx.emit(AlarmAnswered(alarm.id))


def _open(ctx: Context, silent: dict[int, datetime]) -> int:
    """Open the alarms of these sensors: since when they are silent."""
    if not silent:
        return 0
    first = min(silent.values())
    known = ctx.session.execute(
        select(Alarm.sensor_id, Alarm.since).where(
            Alarm.kind == AlarmKind.STALE, Alarm.since >= first
        )
    )
    have = {(sensor_id, since) for sensor_id, since in known}
    new = [sensor_id for sensor_id, at in silent.items() if (sensor_id, at) not in have]
    sensors = _sensors(ctx, new)
    silenced, rules = Silenced(ctx, sensors), rules_of(ctx, sensors)
    opened = 0
    for sensor in sensors:
        spec = _stale(rules[sensor.id])
        if spec is None:
            continue
        seen = Seen(since=silent[sensor.id], raised_at=ctx.now(), ended_at=None, peak=None)
        open_alarm(ctx, sensor, spec, seen, silenced.why(sensor, spec.kind.value, spec.key))
        opened += 1
    return opened


def _stale(specs: Sequence[Spec]) -> Spec | None:
    return next((spec for spec in specs if spec.key == STALE and spec.is_on), None)


def _sensors(ctx: Context, ids: Sequence[int]) -> list[Sensor]:
    query = select(Sensor).where(Sensor.id.in_(ids)).order_by(Sensor.id)
    places = joinedload(Sensor.asset), joinedload(Sensor.location)
    return list(ctx.session.scalars(query.options(*places)))
