"""Counts what is new on every sensor, and what came late anew; opens, updates and ends alarms.

Safe to repeat and to stop at any point: readings, memory and alarms of some sensors are stored
together.  The rows of `Latest` are locked first, so that nobody moves them meanwhile, and what is
not noted there is left for the next time: its note would say that it came late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import joinedload

from apm.alarms.counting import Count, count, known_states
from apm.alarms.model import Checkpoint, Evaluated
from apm.alarms.reconciling import Reconciler
from apm.alarms.ruling import fingerprint, hold_of, rules_of, unchanged
from apm.alarms.stretches import days_before, interval_of, spans
from apm.core.command import Context, command
from apm.core.many import among
from apm.core.permissions import Permission
from apm.readings import intake
from apm.readings.checking import MICROSECOND, instant
from apm.readings.model import Latest, Sensor
from apm.readings.noting import note_inbox

AT_ONCE = 400
"""Sensors of one transaction: whoever stores readings waits no longer than that."""


@dataclass(slots=True)
class Done:
    """What one run did."""

    sensors: int = 0
    readings: int = 0
    opened: int = 0


@dataclass(slots=True)
class _Task:
    """One sensor with something to count."""

    latest: Any
    sensor: Sensor
    known: Any
    """Its row of `Evaluated`, None before the first time."""
    start: datetime | None = None
    is_late: bool = False
    day: date | None = None
    reads_from: date | None = None
    """The day of the last reading before `start`, which speaks on, however long ago it was."""
    states: dict[str, Any] = field(default_factory=dict)
    rules: str = ""
    """The fingerprint of the rules in force."""


def evaluate_all(ctx: Context, *, until: datetime | None = None) -> Done:
    """Count the readings of the hospital that are new (those up to `until`)."""
    note_inbox(ctx)
    total = Done()
    ids = _due(ctx)
    for begin in range(0, len(ids), AT_ONCE):
        done = evaluate(ctx, sensor_ids=ids[begin : begin + AT_ONCE], until=until)
        total.sensors += done.sensors
        total.readings += done.readings
        total.opened += done.opened
    return total


def _due(ctx: Context) -> list[int]:
    query = (
        select(Latest.sensor_id)
        .outerjoin(Evaluated, Evaluated.sensor_id == Latest.sensor_id)
        .where(Latest.revision > func.coalesce(Evaluated.revision, 0))
        .order_by(Latest.sensor_id)
    )
    return list(ctx.session.scalars(query))


@command("alarm.evaluate", Permission.SYSTEM_RUN)
def evaluate(ctx: Context, *, sensor_ids: Sequence[int], until: datetime | None = None) -> Done:
    """Count what is new on these sensors."""
    tasks = _tasks(ctx, sensor_ids)
    _begin(ctx, tasks)
    reconciler = Reconciler(ctx, [task.sensor for task in tasks])
    counts = _counts(ctx, tasks, reconciler, until)
    count(counts)
    done = Done(sensors=len(tasks))
    for task, one in zip(tasks, counts, strict=True):
        done.readings += len(one.span.readings) - one.span.begin
        done.opened += reconciler.settle(task.sensor, one, is_late=task.is_late)
    _keep(ctx, tasks, counts, until)
    return done


def _tasks(ctx: Context, sensor_ids: Sequence[int]) -> list[_Task]:
    ids = sorted(sensor_ids)
    # Columns, not objects: nine of ten sensors have nothing to say, and pay for nothing more.
    query = select(
        Latest.id, Latest.sensor_id, Latest.at, Latest.revision, Latest.touched_from
    ).where(among(Latest.sensor_id, ids))
    locked = query.order_by(Latest.sensor_id).with_for_update()
    latest = {row.sensor_id: row for row in ctx.session.execute(locked)}
    known = {
        row.sensor_id: row
        for row in ctx.session.execute(
            select(
                Evaluated.id,
                Evaluated.sensor_id,
                Evaluated.revision,
                Evaluated.read_until,
                Evaluated.interval_s,
                Evaluated.rules,
                Evaluated.states,
            ).where(among(Evaluated.sensor_id, ids))
        )
    }
    places = joinedload(Sensor.asset), joinedload(Sensor.location)
    sensors = ctx.session.scalars(select(Sensor).where(among(Sensor.id, ids)).options(*places))
    tasks = [_Task(latest[s.id], s, known.get(s.id)) for s in sensors]
    return [t for t in tasks if t.known is None or t.latest.revision > t.known.revision]


def _begin(ctx: Context, tasks: Sequence[_Task]) -> None:
    """Say of each sensor from where it is counted, and what is known there."""
    late: dict[int, date] = {}
    for task in tasks:
        touched = task.latest.touched_from
        if task.known is None or task.known.read_until is None:
            # Before there were rules nothing is judged: what was stored then may be years.
            task.start = touched or task.latest.at or ctx.now()
        elif touched is None or touched > task.known.read_until:
            task.start = task.known.read_until + MICROSECOND
            task.states = dict(task.known.states)
        else:
            task.is_late = True
            late[task.sensor.id] = touched.date()
    days = days_before(ctx, late)
    begun = {sensor_id: days.get(sensor_id, day) for sensor_id, day in late.items()}
    earlier = days_before(ctx, begun)
    for task in tasks:
        if task.is_late:
            task.day = begun[task.sensor.id]
            task.reads_from = earlier.get(task.sensor.id)
            task.start = datetime.combine(task.day, time(0), UTC)
    _recall(ctx, [task for task in tasks if task.is_late])


def _recall(ctx: Context, tasks: Sequence[_Task]) -> None:
    """Go back to what was known at the midnight before late readings, and forget what followed."""
    ids = [task.sensor.id for task in tasks]
    if not ids:
        return
    rows = ctx.session.scalars(select(Checkpoint).where(among(Checkpoint.sensor_id, ids)))
    kept = {(row.sensor_id, row.day): row.states for row in rows}
    for task in tasks:
        task.states = dict(kept.get((task.sensor.id, task.day), {}))  # type: ignore[arg-type]
        ctx.session.execute(
            delete(Checkpoint).where(
                Checkpoint.sensor_id == task.sensor.id, Checkpoint.day >= task.day
            )
        )


def _counts(
    ctx: Context, tasks: Sequence[_Task], reconciler: Reconciler, until: datetime | None
) -> list[Count]:
    rules = rules_of(ctx, [task.sensor for task in tasks])
    air = _air_of(ctx, tasks)
    starts = {task.sensor.id: task.start for task in tasks}
    since = {task.sensor.id: task.reads_from for task in tasks if task.reads_from is not None}
    wanted = {**{a: starts[h] for h, a in air.items()}, **starts}
    here = intake.place(ctx)
    noted = 0 if here is None else here.noted
    loaded = spans(ctx, wanted, until=until, since=since, upto=noted)
    found = []
    prints: dict[int, str] = {}  # thousands of sensors share a few tuples of rules
    for task in tasks:
        specs, span = rules[task.sensor.id], loaded[task.sensor.id]
        if id(specs) not in prints:
            prints[id(specs)] = fingerprint(specs)
        task.rules = prints[id(specs)]
        same = unchanged(task.known.rules if task.known else task.rules, task.rules)
        interval = task.known.interval_s if task.known else None
        interval = interval if interval is not None else interval_of(span.readings.times)
        states = known_states(task.states, same)
        pair = air.get(task.sensor.id)
        reconciler.unchanged[task.sensor.id] = same
        found.append(
            Count(
                task.sensor.id,
                specs,
                hold_of(interval),
                span,
                states,
                loaded[pair] if pair is not None else None,
            )
        )
    return found


def _air_of(ctx: Context, tasks: Sequence[_Task]) -> dict[int, int]:
    """Return for humidity sensors the temperature sensor of the same place, the first by code."""
    damp = {t.sensor.id: _place(t.sensor) for t in tasks if t.sensor.quantity == "humidity"}
    if not damp:
        return {}
    query = select(Sensor).where(Sensor.quantity == "temperature").order_by(Sensor.code.desc())
    warm = {_place(sensor): sensor.id for sensor in ctx.session.scalars(query)}
    return {sensor_id: warm[place] for sensor_id, place in damp.items() if place in warm}


def _place(sensor: Sensor) -> tuple[int | None, int | None]:
    return (sensor.asset_id, sensor.location_id)


def _keep(
    ctx: Context, tasks: Sequence[_Task], counts: Sequence[Count], until: datetime | None
) -> None:
    """Store how far the sensors are counted, and give the readings' rows back."""
    fresh: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    checkpoints: list[dict[str, Any]] = []
    for task, one in zip(tasks, counts, strict=True):
        row = _counted(task, one, is_all=_is_all(task, until))
        if task.known is None:
            fresh.append({"sensor_id": task.sensor.id, **row})
        else:
            moved.append({"id": task.known.id, **row})
        checkpoints += [
            {"sensor_id": task.sensor.id, "day": day, "states": states}
            for day, states in one.checkpoints.items()
        ]
    ctx.bulk_insert(Evaluated, fresh)
    if moved:
        ctx.session.execute(update(Evaluated), moved)
    ctx.bulk_insert(Checkpoint, checkpoints)
    for is_all in (True, False):
        ids = [task.latest.id for task in tasks if _is_all(task, until) is is_all]
        touched = None if is_all or until is None else until + MICROSECOND
        ctx.session.execute(
            update(Latest)
            .where(among(Latest.id, ids))
            .values(touched_from=touched)
            .execution_options(synchronize_session=False)
        )


def _is_all(task: _Task, until: datetime | None) -> bool:
    """Tell whether nothing of a sensor is left to be counted."""
    return until is None or task.latest.at is None or task.latest.at <= until


def _counted(task: _Task, one: Count, *, is_all: bool) -> dict[str, Any]:
    """Return the columns of `Evaluated` after counting."""
    times, known = one.span.readings.times, task.known
    last = instant(int(times[-1])) if len(times) else None
    before = known.read_until if known else None
    return {
        "revision": task.latest.revision if is_all else (known.revision if known else 0),
        "read_until": max(filter(None, (last, before)), default=None),
        "interval_s": interval_of(times) or (known.interval_s if known else None),
        "rules": task.rules,
        "states": one.states,
    }
