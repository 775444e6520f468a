"""Which sensors a plan of an asset may watch."""

from __future__ import annotations

from sqlalchemy import or_, select

from apm.assets.model import Asset
from apm.core.command import Context
from apm.readings.model import Sensor

MOST = 100


def sensors_near(ctx: Context, asset: Asset) -> list[Sensor]:
    """Return the sensors in service on an asset and in its room, by code."""
    near = [Sensor.asset_id == asset.id]
    if asset.location_id is not None:
        near.append(Sensor.location_id == asset.location_id)
    query = (
        select(Sensor)
        .where(or_(*near), Sensor.retired_at.is_(None))
        .order_by(Sensor.code)
        .limit(MOST)
    )
    return list(ctx.session.scalars(query))
