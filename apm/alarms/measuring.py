"""Reads what is to be counted on some sensors: rules, readings, and the air beside them.

No more than the rules need is read: where the last round ended at the reading before, that is that
reading and what a rate or a step looks back on.  The usual interval is looked at anew, over a day,
when the readings that came do not fit it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from apm.alarms.counting import Count, known_states
from apm.alarms.ruling import HOLDS_S, Plans, hold_of, rules_of, unchanged
from apm.alarms.stretches import CONTEXT_US, Span, interval_of, spans
from apm.alarms.tasks import Judged, Task
from apm.core.command import Context
from apm.readings import intake
from apm.readings.model import Sensor

FITS = 2.0
"""Readings so many times as far apart as usual, or as close, are a reason to look anew."""
_Place = tuple[int | None, int | None]


def counts_of(ctx: Context, tasks: Sequence[Task], until: datetime | None) -> list[Count]:
    """Return what is to be counted, with the readings."""
    rules, plans = rules_of(ctx, [task.sensor for task in tasks]), Plans()
    holds = {task.sensor.id: hold_of(task.interval_s) for task in tasks}
    reads = {
        key: task.reads(plans.of(rules[key], holds[key]).context_us)
        for key, task in ((task.sensor.id, task) for task in tasks)
    }
    air = _air_of(ctx, tasks)
    loaded = _load(ctx, tasks, reads, holds, air, until)
    unsure = {task.sensor.id for task in tasks if _is_unsure(task, loaded[task.sensor.id])}
    loaded |= _load(ctx, [task for task in tasks if task.sensor.id in unsure], {}, {}, air, until)
    found = []
    for task in tasks:
        key, span = task.sensor.id, loaded[task.sensor.id]
        interval = task.interval_s
        if interval is None or task.is_late or key in unsure:
            interval = interval_of(span.readings.times) or interval
        plan = plans.of(rules[key], hold_of(interval))
        states = task.states
        if task.known is not None and task.known.rules != plan.prints:
            states = known_states(states, unchanged(task.known.rules, plan.prints))
        beside = loaded[air[key]] if key in air else None
        found.append(Count(key, plan, hold_of(interval), span, states, interval, beside))
    return found


def look_round(
    ctx: Context, tasks: Sequence[Task], counts: Sequence[Count], until: datetime | None
) -> None:
    """Give sensors with an alarm the day before as well: its evidence shows what led to it."""
    stirred = {one.sensor_id: one for one in counts if one.episodes}
    some = [task for task in tasks if task.sensor.id in stirred and not task.is_late]
    air = _air_of(ctx, some)
    loaded = _load(ctx, some, {}, {}, air, until)
    for task in some:
        one = stirred[task.sensor.id]
        one.span = loaded[task.sensor.id]
        one.air = loaded[air[task.sensor.id]] if task.sensor.id in air else None


def _load(
    ctx: Context,
    tasks: Sequence[Task],
    reads: Mapping[int, int],
    holds: Mapping[int, int],
    air: Mapping[int, int],
    until: datetime | None,
) -> dict[int, Span]:
    """Return the readings of sensors, and of the air beside them; a day before where not said."""
    starts = {task.sensor.id: task.start for task in tasks}
    firsts = {key: reads.get(key, start - CONTEXT_US) for key, start in starts.items()}
    for key in [key for key in starts if key in air]:
        beside = air[key]
        hold_s = holds.get(key, HOLDS_S[-1])
        first = firsts[key] - hold_s * 1_000_000
        firsts[beside] = min(first, firsts.get(beside, first))
        starts.setdefault(beside, starts[key])
    # After `latest`: what is noted by now and was not then, its row will tell.
    here = intake.place(ctx)
    noted = 0 if here is None else here.noted
    return spans(ctx, starts, reads=firsts, until=until, upto=noted)


def _is_unsure(task: Task, span: Span) -> bool:
    """Tell whether readings came so much closer or further apart that one must look anew."""
    if span.is_empty or task.interval_s is None or task.is_late:
        return False
    times, begin = span.readings.times, span.begin
    if not begin:
        return True
    gap_s = (int(times[-1]) - int(times[begin - 1])) / (len(times) - begin) / 1e6
    return not task.interval_s / FITS <= gap_s <= task.interval_s * FITS


def _air_of(ctx: Context, tasks: Sequence[Task]) -> dict[int, int]:
    """Return for humidity sensors the temperature sensor of the same place, the first by code."""
    damp = {t.sensor.id: _place(t.sensor) for t in tasks if t.sensor.quantity == "humidity"}
    if not damp:
        return {}
    query = select(Sensor.id, Sensor.asset_id, Sensor.location_id).where(
        Sensor.quantity == "temperature"
    )
    rows = ctx.session.execute(query.order_by(Sensor.code.desc()))
    warm: dict[_Place, int] = {(asset, location): key for key, asset, location in rows}
    return {sensor_id: warm[place] for sensor_id, place in damp.items() if place in warm}


def _place(sensor: Judged) -> _Place:
    return (sensor.asset_id, sensor.location_id)
