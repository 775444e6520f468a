"""What meters say: typed beside the device, sent by a program, or read from a file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from apm.assets.queries import asset_by_code
from apm.core.command import Context, command
from apm.core.errors import DomainError, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.maintenance.model import Meter, MeterKind, MeterReading, PlanTrigger
from apm.maintenance.triggers import readings_of, refresh_meter
from apm.maintenance.wishes import Said

LARGEST = 1e12
AHEAD = timedelta(minutes=10)
"""How far a clock may be ahead of ours."""


def meter_of(ctx: Context, asset_id: int, kind: MeterKind) -> Meter:
    """Return the meter of an asset, made now if it has none; called inside a command."""
    query = select(Meter).where(Meter.asset_id == asset_id, Meter.kind == kind)
    found = ctx.session.scalar(query)
    if found is None:
        found = Meter(asset_id=asset_id, kind=kind)
        ctx.session.add(found)
        ctx.session.flush()
    return found


@command("meter.read", Permission.WORK_DO)
def read_meter(ctx: Context, *, said: Said) -> MeterReading:
    """Note what a meter says; the plans that count by it are looked at anew.

    The same reading again changes nothing; another value at the same moment corrects it.

    Raises:
        NotFound: no such asset.
        Invalid: no number, in the future, or smaller than an earlier one (larger than a later
            one) although the meter was not reset.
    """
    if not math.isfinite(said.value) or not 0 <= said.value <= LARGEST:
        raise _wrong("value", _l("Give a number, 0 or more."))
    at = said.at or ctx.now()
    if at > ctx.now() + AHEAD:
        raise _wrong("at", _l("This time has not come yet."))
    meter = meter_of(ctx, asset_by_code(ctx, said.asset).id, said.meter)
    query = select(MeterReading).where(MeterReading.meter_id == meter.id)
    known = ctx.session.scalar(query.where(MeterReading.at == at))
    counts_anew = _refuse_backwards(ctx, meter, said, at)
    reading = known or MeterReading(meter_id=meter.id, at=at)
    reading.value, reading.is_reset = said.value, said.is_reset or counts_anew
    reading.read_by, reading.sensor_id = ctx.actor.name, None
    ctx.session.add(reading)
    ctx.session.flush()
    refresh_plans(ctx, meter)
    return reading


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not taken: its place from 0, a code for machines, a sentence for people."""

    index: int
    code: str
    detail: str


def read_meters(ctx: Context, rows: list[Said]) -> tuple[int, list[Refused]]:
    """Note many readings, oldest first; good ones are kept even when others are refused."""
    refused = []
    order = sorted(range(len(rows)), key=lambda k: (rows[k].at or ctx.now(), k))
    for k in order:
        try:
            read_meter(ctx, said=rows[k])
        except DomainError as error:
            refused.append(Refused(k, error.code, str(error)))
    return len(rows) - len(refused), sorted(refused, key=lambda one: one.index)


def _refuse_backwards(ctx: Context, meter: Meter, said: Said, at: datetime) -> bool:
    """Refuse what cannot be; tell whether it replaces what a sensor had counted until then.

    What somebody reads off the device is the truth: a sensor's count goes on from there.
    """
    near = select(MeterReading).where(MeterReading.meter_id == meter.id)
    before = ctx.session.scalar(
        near.where(MeterReading.at < at).order_by(MeterReading.at.desc()).limit(1)
    )
    after = ctx.session.scalar(near.where(MeterReading.at > at).order_by(MeterReading.at).limit(1))
    is_counted = before is not None and before.sensor_id is not None
    if before and not is_counted and said.value < before.value and not said.is_reset:
        raise _wrong(
            "value",
            _l(
                "The meter stood at %(value)s before. If it was replaced or set back, say so.",
                value=f"{before.value:g}",
            ),
        )
    if after and after.sensor_id is None and said.value > after.value and not after.is_reset:
        raise _wrong(
            "value", _l("A later reading says %(value)s. Check it.", value=f"{after.value:g}")
        )
    return is_counted


def refresh_plans(ctx: Context, meter: Meter) -> None:
    """Look anew at the plans that count by a meter; called inside a command."""
    query = (
        select(PlanTrigger)
        .where(PlanTrigger.meter_id == meter.id)
        .options(selectinload(PlanTrigger.meter))
    )
    seen = readings_of(ctx, meter.id)
    for trigger in ctx.session.scalars(query):
        refresh_meter(ctx, trigger, seen)


def _wrong(field: str, message: object) -> Invalid:
    return Invalid(message, fields={field: [message]})
