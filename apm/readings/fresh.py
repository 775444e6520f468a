"""What sensors read last, with what is not noted yet laid over their rows.

The number up to which the rows follow the inbox is read before the rows: a sensor noted in between
is seen twice, which does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm.attributes import set_committed_value

from apm.core.command import Context
from apm.readings.checking import instant
from apm.readings.intake import NEVER, Place
from apm.readings.model import Latest
from apm.readings.noting import ahead_of, newest_of, unnoted


@dataclass(frozen=True, slots=True)
class News:
    """What a row of `Latest` will say once it is noted."""

    at: datetime | None
    value: float | None
    received_at: datetime
    first: datetime
    """The earliest of the readings that are not noted."""
    last_us: int


def news(ctx: Context, here: Place | None, known: Mapping[int, Any]) -> dict[int, News]:
    """Return what is not noted yet of some sensors.

    Args:
        ctx: whose.
        here: how far the rows were noted before they were read (`intake.place`).
        known: by sensor, something with the `sensor_id`, `at` and `value` of its row.
    """
    rows = unnoted(ctx, here, known) if here is not None else []
    if not rows:
        return {}
    ahead = ahead_of(rows)
    times = ahead.batch.readings.times
    found = {}
    for k, sensor_id in enumerate(ahead.sensor_ids.tolist()):
        if sensor_id in known:
            at, value = newest_of(ctx, ahead, k, known[sensor_id])
            first, last = int(times[ahead.first[k]]), int(times[ahead.last[k]])
            found[sensor_id] = News(
                None if at is None else instant(at), value, ahead.received[k], instant(first), last
            )
    return found


def newest_values(
    ctx: Context, here: Place | None, known: Mapping[int, Any]
) -> dict[int, tuple[datetime | None, float | None]]:
    """Return time and value of some sensors with what is not noted yet; only where there is any.

    Args:
        ctx: whose.
        here: how far the rows were noted before they were read (`intake.place`).
        known: as for `news`.
    """
    rows = unnoted(ctx, here, known) if here is not None else []
    if not rows:
        return {}
    ahead = ahead_of(rows)
    readings = ahead.batch.readings
    columns = zip(
        ahead.sensor_ids.tolist(),
        ahead.best.tolist(),
        readings.times[ahead.best].tolist(),
        readings.values[ahead.best].tolist(),
        strict=True,
    )
    moments: dict[int, datetime] = {}  # many sensors of one batch share their instants
    found: dict[int, tuple[datetime | None, float | None]] = {}
    for k, (sensor_id, best, time, value) in enumerate(columns):
        was = known.get(sensor_id)
        if was is None:
            continue
        at = moments.get(time) or moments.setdefault(time, instant(time))
        if best >= 0 and (was.at is None or at >= was.at):
            found[sensor_id] = (at, value)
            continue
        newest_us, newest = newest_of(ctx, ahead, k, was)
        found[sensor_id] = (None if newest_us is None else instant(newest_us), newest)
    return found


def lay_over(ctx: Context, here: Place | None, rows: Iterable[Latest]) -> None:
    """Let loaded rows say what they will say once all is noted; that is no change of theirs."""
    known = {row.sensor_id: row for row in rows}
    for sensor_id, new in news(ctx, here, known).items():
        row = known[sensor_id]
        touched = new.first if row.touched_from is None else min(new.first, row.touched_from)
        values = {
            "at": new.at,
            "value": new.value,
            "received_at": new.received_at,
            "revision": row.revision + 1,
            "touched_from": touched,
            "newest_us": max(new.last_us, NEVER if row.newest_us is None else row.newest_us),
        }
        for name, value in values.items():
            set_committed_value(row, name, value)
