"""Which alarms call nobody now: shelved, out of service, or what they watch is not in use."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select

from apm.alarms.model import Shelf
from apm.assets.lifecycle import USED
from apm.core.command import Context
from apm.core.many import among
from apm.readings.model import Muted, Sensor
from apm.work.model import WorkOrder
from apm.work.states import WorkState


class Silenced:
    """Asked for some sensors at once, in two statements."""

    def __init__(self, ctx: Context, sensors: Sequence[Sensor]) -> None:
        ids = [sensor.id for sensor in sensors]
        query = select(Shelf).where(
            among(Shelf.sensor_id, ids),
            Shelf.ended_at.is_(None),
            or_(Shelf.until.is_(None), Shelf.until > ctx.now()),
        )
        self._shelves = {
            (shelf.sensor_id, shelf.kind, shelf.rule): shelf.how
            for shelf in ctx.session.scalars(query.order_by(Shelf.id))
        }
        assets = {s.asset_id for s in sensors if s.asset_id is not None}
        working = select(WorkOrder.asset_id).where(
            WorkOrder.asset_id.in_(assets), WorkOrder.state == WorkState.IN_PROGRESS
        )
        self._in_work = set(ctx.session.scalars(working)) if assets else set()

    def why(self, sensor: Sensor, kind: str, rule: str) -> Muted | None:
        """Return why an alarm of this sensor calls nobody; None: it calls."""
        if found := self._shelves.get((sensor.id, kind, rule)):
            return found
        if sensor.retired_at is not None:
            return Muted.SUPPRESSED
        asset = sensor.asset
        if asset is not None and (asset.lifecycle not in USED or asset.id in self._in_work):
            return Muted.SUPPRESSED
        return None
