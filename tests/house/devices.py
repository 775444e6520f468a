"""A device that nobody can reach, with a point and something it said."""

from __future__ import annotations

from apm.collecting.commands import Details, PointDetails, add_connection, add_point
from apm.collecting.model import Protocol
from apm.core.command import Context


def plug_in(ctx: Context, name: str) -> int:
    """Return a connection of this name to the sensor S-1."""
    details = Details(name[:80], {"host": "127.0.0.1", "port": 9, "unit_id": 1}, 10.0, 30.0)
    made = add_connection(ctx, protocol=Protocol.MODBUS, details=details)
    place = {"table": "holding", "address": 0, "type": "u16", "order": "ABCD"}
    add_point(
        ctx, connection_id=made.id, details=PointDetails("S-1", place, unit=name[:20], scale=2)
    )
    return made.id
