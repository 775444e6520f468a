"""Takes checked readings in: counts what is new, and puts the changes into the inbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from apm.core.command import Context
from apm.readings import intake
from apm.readings.batches import NOTHING, Batch, pack_batch, settle
from apm.readings.blocks import DAY_US
from apm.readings.checking import Checked, Rejection
from apm.readings.days import day_number, day_of, stored_on


@dataclass(frozen=True, slots=True)
class Counts:
    """How many readings were stored (corrections among them) and how many were known."""

    accepted: int = 0
    duplicate: int = 0


def receive(ctx: Context, checked: Checked) -> Counts:
    """Store readings given in order of arrival; inside a command.

    What is later than all a sensor has sent is new without a look; the rest is compared with what
    is stored of its days, so that the counts are true when they are answered.  Readings of days
    of which only the hours are left cannot be compared: they join `checked.rejected`.
    """
    arriving = Batch(checked.sensor_ids, checked.readings)
    if not len(arriving):
        return Counts()
    ids, owner = np.unique(arriving.sensor_ids, return_inverse=True)
    newest = intake.newest(ctx, intake.lock(ctx), ids.tolist())
    is_old = arriving.readings.times <= newest[owner]
    stored = NOTHING
    if is_old.any():
        old = arriving.where(is_old)
        found = stored_on(ctx, _days_of(old))
        stored = found.batch
        if found.thinned:
            is_gone = is_old & _is_on(arriving, {(s, day_number(d)) for s, d in found.thinned})
            places = checked.places[is_gone].tolist()
            checked.rejected.extend(Rejection(place, "summarised") for place in places)
            checked.rejected.sort(key=lambda rejection: rejection.index)
            arriving = arriving.where(~is_gone)
    settled = settle(stored, arriving)
    if len(settled.changes):
        _put(ctx, settled.changes)
    return Counts(settled.new + settled.corrected, settled.duplicate)


def _put(ctx: Context, changes: Batch) -> None:
    packed = pack_batch(changes)
    times = changes.readings.times
    row = {
        "received_at": ctx.now(),
        "n": len(changes),
        "first_us": int(times.min()),
        "last_us": int(times.max()),
        "newest": packed.newest,
        "sensors": packed.sensors,
        "data": packed.data,
    }
    intake.put(ctx, row)


def _days_of(batch: Batch) -> list[tuple[int, date]]:
    days = batch.readings.times // DAY_US
    keys = set(zip(batch.sensor_ids.tolist(), days.tolist(), strict=True))
    return [(sensor_id, day_of(day * DAY_US)) for sensor_id, day in sorted(keys)]


def _is_on(batch: Batch, keys: set[tuple[int, int]]) -> NDArray[np.bool_]:
    days = (batch.readings.times // DAY_US).tolist()
    pairs = zip(batch.sensor_ids.tolist(), days, strict=True)
    return np.fromiter((pair in keys for pair in pairs), dtype=np.bool_, count=len(batch))
