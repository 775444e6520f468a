"""Counts what is new on every sensor, and what came late anew; opens, updates and ends alarms.

Safe to repeat and to stop at any point: readings, memory and alarms of some sensors are stored
together.  Most of the work is done without a lock.  What is stored then is what `Latest` stood for
when it began: sensors whose row has moved on since are left for the next time, and what is not
noted there too, since its note would say that it came late.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, func, select, update
from sqlalchemy.orm import joinedload

from apm.alarms.counting import Count, count
from apm.alarms.measuring import counts_of, look_round
from apm.alarms.model import Checkpoint, Evaluated
from apm.alarms.reconciling import IS_COUNTED, Reconciler
from apm.alarms.ruling import unchanged
from apm.alarms.tasks import Task, tasks_of
from apm.core.command import Context, command
from apm.core.many import among, repeat, stamps
from apm.core.permissions import Permission
from apm.readings.checking import MICROSECOND, instant, microseconds
from apm.readings.model import Alarm, Latest, Sensor
from apm.readings.noting import note_inbox, turn

AT_ONCE = 1000
"""Sensors of one transaction: whoever stores readings waits some hundredths of a second."""
_TABLE = cast(Table, Evaluated.__table__)
_COUNTED = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("row"), _TABLE.c.hospital_id == bindparam("hospital"))
    .values(
        {
            name: bindparam(name, type_=_TABLE.c[name].type)
            for name in ("revision", "read_until", "interval_s", "rules", "states")
        }
    )
)


@dataclass(frozen=True, slots=True)
class Work:
    """One sensor that was counted, and what `Evaluated` shall say of it."""

    task: Task
    one: Count
    row: dict[str, Any]


@dataclass(slots=True)
class Done:
    """What one run did."""

    sensors: int = 0
    readings: int = 0
    opened: int = 0


def evaluate_all(ctx: Context, *, until: datetime | None = None) -> Done:
    """Count the readings of the hospital that are new (those up to `until`)."""
    note_inbox(ctx)
    total = Done()
    ids = due(ctx)
    for begin in range(0, len(ids), AT_ONCE):
        with turn(ctx):
            done = evaluate(ctx, sensor_ids=ids[begin : begin + AT_ONCE], until=until)
        total.sensors += done.sensors
        total.readings += done.readings
        total.opened += done.opened
    return total


def due(ctx: Context) -> list[int]:
    """Return the sensors with noted readings that are not counted, by id."""
    query = (
        select(Latest.sensor_id)
        .outerjoin(Evaluated, Evaluated.sensor_id == Latest.sensor_id)
        .where(Latest.revision > func.coalesce(Evaluated.revision, 0))
        .order_by(Latest.sensor_id)
    )
    return list(ctx.session.scalars(query))


def evaluate(ctx: Context, *, sensor_ids: Sequence[int], until: datetime | None = None) -> Done:
    """Count what is new on these sensors, then store what came of it."""
    tasks = tasks_of(ctx, sensor_ids)
    counts = counts_of(ctx, tasks, until)
    count(counts)
    look_round(ctx, tasks, counts, until)
    work = [
        Work(task, one, _counted(task, one, is_all=_is_all(task, until)))
        for task, one in zip(tasks, counts, strict=True)
    ]
    return keep(ctx, work=work, until=until)


@command("alarm.evaluate", Permission.SYSTEM_RUN)
def keep(ctx: Context, *, work: Sequence[Work], until: datetime | None = None) -> Done:
    """Store what was counted of sensors that nobody has touched meanwhile."""
    work = _untouched(ctx, work)
    done = Done(sensors=len(work))
    concerned = _concerned(ctx, work)
    reconciler = Reconciler(ctx, [*concerned.values()])
    for each in work:
        task, one = each.task, each.one
        done.readings += len(one.span.readings) - one.span.begin
        sensor = concerned.get(task.sensor.id)
        if sensor is not None:
            before = task.known.rules if task.known else one.plan.prints
            reconciler.unchanged[sensor.id] = unchanged(before, one.plan.prints)
            done.opened += reconciler.settle(sensor, one, is_late=task.is_late)
    _keep(ctx, work, until)
    return done


def _untouched(ctx: Context, work: Sequence[Work]) -> list[Work]:
    """Lock the rows of the readings; leave out sensors that moved on since they were counted."""
    ids = [each.one.sensor_id for each in work]
    latest = select(Latest.sensor_id, Latest.revision).where(among(Latest.sensor_id, ids))
    locked = latest.order_by(Latest.sensor_id).with_for_update()
    revisions = {row.sensor_id: row.revision for row in ctx.session.execute(locked)}
    query = select(Evaluated.sensor_id, Evaluated.revision)
    rows = ctx.session.execute(query.where(among(Evaluated.sensor_id, ids)))
    counted = {row.sensor_id: row.revision for row in rows}
    return [
        each
        for each in work
        if revisions.get(each.one.sensor_id) == each.task.latest.revision
        and counted.get(each.one.sensor_id)
        == (each.task.known.revision if each.task.known else None)
    ]


def _concerned(ctx: Context, work: Sequence[Work]) -> dict[int, Sensor]:
    """Return the sensors whose alarms may have to change, with their places."""
    ids = [each.one.sensor_id for each in work]
    query = select(Alarm.sensor_id).where(among(Alarm.sensor_id, ids), Alarm.active, IS_COUNTED)
    found = {*ctx.session.scalars(query)}
    found |= {w.one.sensor_id for w in work if w.task.is_late or w.one.episodes}
    if not found:
        return {}
    places = joinedload(Sensor.asset), joinedload(Sensor.location)
    sensors = select(Sensor).where(among(Sensor.id, found)).options(*places)
    return {sensor.id: sensor for sensor in ctx.session.scalars(sensors)}


def _keep(ctx: Context, work: Sequence[Work], until: datetime | None) -> None:
    """Store how far the sensors are counted, and give the readings' rows back."""
    connection, hospital = ctx.session.connection(), ctx.actor.hospital_id
    stamp = stamps(connection.dialect)
    fresh: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    checkpoints: list[dict[str, Any]] = []
    for each in work:
        task, one, last = each.task, each.one, each.row["read_until"]
        if task.known is None:
            at = None if last is None else instant(last)
            row = each.row | {"sensor_id": one.sensor_id, "read_until": at}
            fresh.append(row | {"states": one.states})
        else:
            at = None if last is None else stamp(last)
            moved.append(
                {**each.row, "row": task.known.id, "hospital": hospital, "read_until": at}
            )
        if task.is_late:  # what followed is forgotten
            ctx.session.execute(
                delete(Checkpoint).where(
                    Checkpoint.sensor_id == task.sensor.id, Checkpoint.day >= task.day
                )
            )
        checkpoints += [
            {"sensor_id": one.sensor_id, "day": day, "states": states}
            for day, states in one.checkpoints.items()
        ]
    ctx.bulk_insert(Evaluated, fresh)
    repeat(connection, _COUNTED, moved)
    ctx.bulk_insert(Checkpoint, checkpoints)
    for is_all in (True, False):
        ids = [w.task.latest.id for w in work if _is_all(w.task, until) is is_all]
        touched = None if is_all or until is None else until + MICROSECOND
        if ids:
            ctx.session.execute(
                update(Latest)
                .where(among(Latest.id, ids))
                .values(touched_from=touched)
                .execution_options(synchronize_session=False)
            )


def _is_all(task: Task, until: datetime | None) -> bool:
    """Tell whether nothing of a sensor is left to be counted."""
    return until is None or task.latest.at is None or task.latest.at <= until


def _counted(task: Task, one: Count, *, is_all: bool) -> dict[str, Any]:
    """Return the columns of `Evaluated`; until when it is counted in microseconds since 1970."""
    known = task.known
    ends = [int(one.span.readings.times[-1])] if len(one.span.readings) else []
    if known and known.read_until:
        ends.append(microseconds(known.read_until))
    return {
        "revision": task.latest.revision if is_all else (known.revision if known else 0),
        "read_until": max(ends, default=None),
        "interval_s": one.interval_s,
        "rules": one.plan.prints,
        "states": json.dumps(one.states) if one.states else "{}",
    }
