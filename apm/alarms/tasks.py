"""What there is to count on which sensors, from where on, and with what is known there.

Nothing is locked and nothing is written.  `latest` is read first: what is judged is what it stood
for then, and whoever stores the result sees by it whether anything came in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import select

from apm.alarms.model import Checkpoint, Evaluated
from apm.alarms.stretches import CONTEXT_US, days_before
from apm.core.command import Context
from apm.core.many import among
from apm.readings.blocks import DAY_US
from apm.readings.checking import microseconds
from apm.readings.days import day_number
from apm.readings.model import Latest, Sensor


class Judged(NamedTuple):
    """What rules and places depend on, of one sensor."""

    id: int
    quantity: str
    unit: str
    profile: str | None
    asset_id: int | None
    location_id: int | None


@dataclass(slots=True)
class Task:
    """One sensor with something to count.

    start, read: the first instant to be counted and to be read, microseconds since 1970.
    """

    latest: Any
    sensor: Judged
    known: Any
    """Its row of `Evaluated`, None before the first time."""
    interval_s: float | None
    """How far apart its readings usually are, as far as is known."""
    start: int = 0
    is_late: bool = False
    day: date | None = None
    reads_from: date | None = None
    """The day of the last reading before `start`, which speaks on, however long ago it was."""
    states: dict[str, Any] = field(default_factory=dict)

    def reads(self, context_us: int) -> int:
        """Return from where on readings are needed, where the rules look so far back."""
        if self.is_late and self.reads_from is not None:
            return min(self.start - CONTEXT_US, day_number(self.reads_from) * DAY_US)
        if self.is_late or self.interval_s is None:
            return self.start - CONTEXT_US
        # The one judged last speaks on, and must itself be judged again.
        return self.start - 1 - context_us


def tasks_of(ctx: Context, sensor_ids: Sequence[int]) -> list[Task]:
    """Return what is to be counted on these sensors."""
    ids = sorted(sensor_ids)
    # Columns, not objects: nine of ten sensors have nothing to say, and pay for nothing more.
    latest = {
        row.sensor_id: row
        for row in ctx.session.execute(
            select(
                Latest.id, Latest.sensor_id, Latest.at, Latest.revision, Latest.touched_from
            ).where(among(Latest.sensor_id, ids))
        )
    }
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
    query = select(
        Sensor.id,
        Sensor.quantity,
        Sensor.unit,
        Sensor.profile,
        Sensor.asset_id,
        Sensor.location_id,
    )
    rows = ctx.session.execute(query.where(among(Sensor.id, ids)).order_by(Sensor.id))
    tasks = [_task(latest[row[0]], Judged(*row), known.get(row[0])) for row in rows]
    due = [t for t in tasks if t.known is None or t.latest.revision > t.known.revision]
    _begin(ctx, due)
    return due


def _task(latest: Any, sensor: Judged, known: Any) -> Task:
    return Task(latest, sensor, known, known.interval_s if known else None)


def _begin(ctx: Context, tasks: Sequence[Task]) -> None:
    """Say of each sensor from where it is counted, and what is known there."""
    late: dict[int, date] = {}
    for task in tasks:
        touched = task.latest.touched_from
        if task.known is None or task.known.read_until is None:
            # Before there were rules nothing is judged: what was stored then may be years.
            task.start = microseconds(touched or task.latest.at or ctx.now())
        elif touched is None or touched > task.known.read_until:
            task.start = microseconds(task.known.read_until) + 1
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
            task.start = day_number(task.day) * DAY_US
    _recall(ctx, {task.sensor.id: task for task in tasks if task.is_late})


def _recall(ctx: Context, tasks: Mapping[int, Task]) -> None:
    """Go back to what was known at the midnight before late readings."""
    if not tasks:
        return
    query = select(Checkpoint.sensor_id, Checkpoint.day, Checkpoint.states)
    for row in ctx.session.execute(query.where(among(Checkpoint.sensor_id, tasks))):
        if row.day == tasks[row.sensor_id].day:
            tasks[row.sensor_id].states = dict(row.states)
