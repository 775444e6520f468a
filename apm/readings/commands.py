"""What is done with sensors and their readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

from sqlalchemy import select

from apm.assets.queries import asset_by_code
from apm.core.command import Context, command
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.readings.changing import place_named
from apm.readings.checking import Checked, Rejection, check, codes_in
from apm.readings.intake import codes_known
from apm.readings.model import Latest, Sensor
from apm.readings.receiving import receive
from apm.readings.schema import SensorDetails


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of a batch.  `accepted` were stored, corrections among them."""

    accepted: int
    duplicate: int
    rejected: list[Rejection]


@command("sensor.add", Permission.SENSOR_EDIT)
def add_sensor(
    ctx: Context,
    *,
    code: str,
    name: str,
    quantity: str,
    unit: str,
    **details: Unpack[SensorDetails],
) -> Sensor:
    """Add a sensor on an asset, in a place, or both; a new place is made.

    Raises:
        Invalid: the code is taken.
        NotFound: no such asset in this hospital.
    """
    if ctx.session.scalar(select(Sensor.id).where(Sensor.code == code)) is not None:
        message = _l("Another sensor has this code. Give a different one.")
        raise Invalid(message, fields={"code": [message]}, code="code_taken")
    asset_code, place = details.get("asset"), details.get("location")
    sensor = Sensor(
        code=code,
        name=name,
        name_zh=details.get("name_zh"),
        quantity=quantity,
        unit=unit,
        profile=details.get("profile"),
        asset=asset_by_code(ctx, asset_code) if asset_code else None,
        location=place_named(ctx, place) if place else None,
        latest=Latest(revision=0, scored_revision=0),
    )
    ctx.session.add(sensor)
    ctx.session.flush()
    return sensor


def ingest(ctx: Context, readings: Sequence[object]) -> IngestReport:
    """Store readings; those that cannot be stored are named, and do not stop the others.

    They are durable, and seen by every query, when this returns: in the inbox, which the worker
    merges into day blocks (`readings.merging`).

    Args:
        ctx: who sends.
        readings: mappings with `sensor` (its code), `at` (ISO 8601 text with offset, or an aware
            datetime), `value` (a number) and, if need be, `quality` (good, uncertain, bad).
    """
    # Looked at before the transaction begins: other senders wait no longer than they must.
    ctx.actor.require(Permission.READING_SEND)
    known = codes_known(ctx, codes_in(readings))
    return take_in(ctx, checked=check(readings, sensors=known, now=ctx.now()))


@command("reading.ingest", Permission.READING_SEND)
def take_in(ctx: Context, *, checked: Checked) -> IngestReport:
    """Store readings that were checked."""
    counts = receive(ctx, checked)
    return IngestReport(counts.accepted, counts.duplicate, checked.rejected)
