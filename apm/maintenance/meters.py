"""The meters of an asset: newest reading, pace, and what was read last."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from apm.core.command import Context
from apm.maintenance.model import Meter, MeterKind, MeterReading
from apm.maintenance.triggers import LEARN
from apm.maintenance.usage import Reading, pace, running
from apm.readings.model import Sensor


@dataclass(frozen=True, slots=True)
class MeterRow:
    """A meter and what it said last."""

    kind: MeterKind
    value: float | None
    at: datetime | None
    n: int
    per_day: float | None
    """None with fewer than three readings of the last year."""
    sensor: str | None = None
    """The code of the sensor the newest value was worked out from."""

    def as_plain(self) -> dict[str, Any]:
        """Return it as the API says it."""
        return {
            "meter": self.kind.value, "value": self.value, "at": self.at, "readings": self.n,
            "per_day": self.per_day, "sensor": self.sensor,
        }  # fmt: skip


def meters_of(ctx: Context, asset_id: int) -> list[MeterRow]:
    """Return the meters of an asset, in two statements."""
    query = select(Meter.id, Meter.kind).where(Meter.asset_id == asset_id).order_by(Meter.kind)
    kinds = {row.id: row.kind for row in ctx.session.execute(query)}
    rows = (
        select(
            MeterReading.meter_id,
            MeterReading.at,
            MeterReading.value,
            MeterReading.is_reset,
            Sensor.code,
        )
        .outerjoin(Sensor, Sensor.id == MeterReading.sensor_id)
        .where(MeterReading.meter_id.in_(kinds))
        .order_by(MeterReading.at)
    )
    seen: dict[int, list[Reading]] = defaultdict(list)
    newest: dict[int, str | None] = {}
    for meter_id, at, value, is_reset, code in ctx.session.execute(rows):
        seen[meter_id].append(Reading(at, value, is_reset))
        newest[meter_id] = code
    return [_row(kind, seen[id_], newest.get(id_)) for id_, kind in kinds.items()]


def _row(kind: MeterKind, seen: list[Reading], sensor: str | None) -> MeterRow:
    if not seen:
        return MeterRow(kind, None, None, 0, None)
    learned = [reading for reading in running(seen) if reading.at >= seen[-1].at - LEARN]
    found = pace(learned)
    return MeterRow(kind, seen[-1].value, seen[-1].at, len(seen), found.per_day if found else None,
                    sensor)  # fmt: skip
