"""Reading what detectors have to do, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import func, or_, select
from sqlalchemy.orm import defer

from apm.alarms.model import Evaluated
from apm.alarms.stretches import spans
from apm.core.command import Context
from apm.core.many import among
from apm.detecting.model import DetectorState
from apm.readings.blocks import EMPTY, Readings, joined
from apm.readings.checking import microseconds
from apm.readings.days import readings_of, waiting
from apm.readings.model import Inbox, Latest
from apm.readings.noting import MOST_READINGS, MOST_ROWS
from apm.utilisation.model import Feed

LITTLE_US = 86_400_000_000
"""Of a day no more is to be read than fits in memory for many sensors at once."""
SLOWEST_S = 4 * 3600
"""A sensor whose readings are further apart has no rhythm of the day to learn."""


@dataclass(frozen=True, slots=True)
class Due:
    """A sensor that has readings its detector has not seen."""

    sensor_id: int
    revision: int
    newest_us: int
    """Of its readings; those it has not seen end here."""


def sensors_due(ctx: Context) -> list[Due]:
    """Return the sensors with new readings, leaving out those that failed and must wait.

    Left out are also those that tell the use of a device: what people switch on and off, and a
    count that only grows, is no fault.  And left out are those that speak too seldom to have a
    rhythm of the day (`SLOWEST_S`): where they are heading is a forecast's matter.
    """
    query = (
        select(Latest.sensor_id, Latest.revision, func.coalesce(Latest.newest_us, 0))
        .outerjoin(DetectorState, DetectorState.sensor_id == Latest.sensor_id)
        .outerjoin(Evaluated, Evaluated.sensor_id == Latest.sensor_id)
        .where(
            Latest.revision > Latest.scored_revision,
            or_(Evaluated.interval_s.is_(None), Evaluated.interval_s <= SLOWEST_S),
            Latest.sensor_id.not_in(select(Feed.sensor_id).where(Feed.is_active)),
            or_(DetectorState.retry_at.is_(None), DetectorState.retry_at <= ctx.now()),
        )
        .order_by(Latest.sensor_id)
    )
    return [Due(*row) for row in ctx.session.execute(query)]


def is_too_slow(ctx: Context, sensor_id: int) -> bool:
    """Tell whether a sensor speaks too seldom for a detector."""
    query = select(Evaluated.interval_s).where(Evaluated.sensor_id == sensor_id)
    return (ctx.session.scalar(query) or 0.0) > SLOWEST_S


def detector_state(ctx: Context, sensor_id: int) -> DetectorState | None:
    """Return what the detector of a sensor remembers, as it stands in the database now."""
    query = select(DetectorState).where(DetectorState.sensor_id == sensor_id)
    return ctx.session.scalar(query.execution_options(populate_existing=True))


def detector_states(
    ctx: Context, ids: Sequence[int], *, bare: bool = False
) -> dict[int, DetectorState]:
    """Return the same of several sensors, by sensor; bare, without what is long to read."""
    query = select(DetectorState).where(among(DetectorState.sensor_id, ids))
    if bare:
        query = query.options(defer(DetectorState.state), defer(DetectorState.recent))
    rows = ctx.session.scalars(query.execution_options(populate_existing=True))
    return {row.sensor_id: row for row in rows}


def unread_of(
    ctx: Context,
    some: Sequence[Due],
    since: Mapping[int, datetime | None],
    *,
    until: datetime | None,
    most: int,
) -> dict[int, tuple[Readings, bool]]:
    """Return by sensor its usable readings after `since` up to `until`, and whether that is all.

    At most `most` of each, the oldest first.  Those that are nearly up to date are read together.
    """
    starts = {}
    for due in some:
        seen = since[due.sensor_id]
        if seen is not None and due.newest_us - microseconds(seen) <= LITTLE_US:
            starts[due.sensor_id] = microseconds(seen) + 1
    loaded = spans(ctx, starts, reads=starts, until=until)
    found = {
        key: (span.readings.where(slice(most)), len(span.readings) <= most and until is None)
        for key, span in loaded.items()
    }
    far = [due.sensor_id for due in some if due.sensor_id not in found]
    return found | _unread_of_far(ctx, far, since, until=until, most=most)


def _unread_of_far(
    ctx: Context,
    ids: Sequence[int],
    since: Mapping[int, datetime | None],
    *,
    until: datetime | None,
    most: int,
) -> dict[int, tuple[Readings, bool]]:
    """Return the same of sensors that are more than a day behind, a day of one at a time.

    Of what waits to be merged only the oldest is looked at, once for all of them.
    """
    if not ids:
        return {}
    upto, is_whole = _oldest_rows(ctx)
    unmerged = waiting(ctx, ids, upto=upto)
    end = None if until is None else microseconds(until) + 1
    found = {}
    for sensor_id in ids:
        own = unmerged.where(unmerged.sensor_ids == sensor_id)
        seen = since[sensor_id]
        start = None if seen is None else microseconds(seen) + 1
        parts: list[Readings] = []
        n = 0
        for part in readings_of(ctx, sensor_id, own, start, end):
            parts.append(part)
            n += len(part)
            if n > most:
                break
        readings = joined(parts) if parts else EMPTY
        is_all = len(readings) <= most and until is None and is_whole
        found[sensor_id] = readings.where(slice(most)), is_all
    return found


def _oldest_rows(ctx: Context) -> tuple[int | None, bool]:
    """Return the last of the oldest rows of the inbox, None without any; whether they are all."""
    query = select(Inbox.id, Inbox.n).order_by(Inbox.id).limit(MOST_ROWS + 1)
    rows = list(ctx.session.execute(query))
    fits = np.cumsum([row.n for row in rows]) <= MOST_READINGS
    n = min(MOST_ROWS, max(1, int(np.count_nonzero(fits))))
    return (rows[:n][-1].id if rows else None), len(rows) <= n
