"""How long readings are kept one by one: `seed/retention.yaml`, and the job that holds to it.

When their time is up the readings of a day go and its hours stay, for ever.  Regulated series
keep theirs for the legal time; a sensor whose class is not known keeps all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import or_, select, update

from apm.core.command import Context
from apm.core.i18n import choose
from apm.core.settings import ROOT
from apm.core.shipped import read_yaml
from apm.readings import intake
from apm.readings.blocks import DAY_US, unpack
from apm.readings.days import day_number, waiting
from apm.readings.merging import hours_for
from apm.readings.model import Block, Latest, Sensor

CATALOGUE = ROOT / "seed" / "retention.yaml"
AT_ONCE = 100
"""Blocks thinned in one transaction."""


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """For how many days readings are kept one by one (None: for ever), and who says so."""

    code: str
    en: str
    zh: str
    profiles: frozenset[str | None]
    days: int | None
    source: str
    to_verify: bool

    @property
    def name(self) -> str:
        """The name in the language spoken now."""
        return choose(self.en, self.zh)


@cache
def classes() -> tuple[RetentionClass, ...]:
    """Return every class, in the catalogue's order."""
    return tuple(
        RetentionClass(
            entry["code"],
            entry["en"],
            entry["zh"],
            frozenset(entry["profiles"]),
            entry["days"],
            entry["source"],
            entry["confidence"] != "read",
        )
        for entry in read_yaml(CATALOGUE)["classes"]
    )


def class_of(sensor: Sensor) -> RetentionClass | None:
    """Return the class of a sensor, None when its profile is in none: it keeps all."""
    return next((one for one in classes() if sensor.profile in one.profiles), None)


def thin(ctx: Context) -> int:
    """Leave the hours alone of days whose readings have served their time; return how many.

    Safe to repeat and to stop half-way.
    """
    done = 0
    for one in classes():
        while one.days is not None and (n := _thin_some(ctx, one, one.days)):
            done += n
    return done


def _thin_some(ctx: Context, one: RetentionClass, days: int) -> int:
    named = [profile for profile in one.profiles if profile is not None]
    is_in = Sensor.profile.in_(named)
    query = (
        select(Block.id, Block.sensor_id, Block.day, Block.version, Block.data)
        .join(Sensor, Sensor.id == Block.sensor_id)
        .where(
            or_(is_in, Sensor.profile.is_(None)) if None in one.profiles else is_in,
            Block.sealed,
            Block.data.is_not(None),
            Block.day < ctx.now().date() - timedelta(days=days),
        )
        .order_by(Block.sensor_id, Block.day)
        .limit(AT_ONCE)
    )
    sensor_ids = sorted({row.sensor_id for row in ctx.session.execute(query)})
    if not sensor_ids:
        return 0
    with ctx.writing("reading.thin"):
        # Locked, nobody takes in readings; sensors of which some wait are merged first.
        locked = select(Latest.id, Latest.sensor_id, Latest.newest_us)
        locked = locked.where(Latest.sensor_id.in_(sensor_ids)).order_by(Latest.sensor_id)
        latest = {row.sensor_id: row for row in ctx.session.execute(locked.with_for_update())}
        intake.lock(ctx)
        busy = {int(n) for n in waiting(ctx, sensor_ids).sensor_ids}
        rows = ctx.session.execute(query.where(Block.sensor_id.not_in(busy))).all()
        if rows:
            ctx.session.execute(update(Block), [_thinned(row) for row in rows])
            _note_ends(ctx, latest, rows)
    return len(rows)


def _thinned(row: Any) -> dict[str, Any]:
    hours = hours_for(unpack(row.data), always=True)
    return {"id": row.id, "version": row.version + 1, "hours": hours, "data": None}


def _note_ends(ctx: Context, latest: dict[int, Any], rows: Any) -> None:
    """See to it that what comes for a thinned day is not taken for new without a look."""
    ends: dict[int, int] = {}
    for row in rows:
        end = (day_number(row.day) + 1) * DAY_US - 1
        ends[row.sensor_id] = max(end, ends.get(row.sensor_id, end))
    later = [
        {"id": latest[sensor_id].id, "newest_us": end}
        for sensor_id, end in ends.items()
        if (latest[sensor_id].newest_us or 0) < end
    ]
    if later:
        ctx.session.execute(update(Latest), later)
        intake.move(ctx)
