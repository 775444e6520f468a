"""What connections do when a sensor moves: what sends by its code goes on."""

from __future__ import annotations

from sqlalchemy import select

from apm.collecting.model import Point
from apm.core.command import Context
from apm.readings.changing import on_leaving
from apm.readings.model import Sensor


def follow_code(ctx: Context, sensor: Sensor, successor: Sensor | None) -> None:
    """Let the points of a sensor feed the one that has its code now."""
    if successor is None:
        return
    for point in ctx.session.scalars(select(Point).where(Point.sensor_id == sensor.id)):
        point.sensor_id = successor.id


on_leaving(follow_code)
