"""Stops a sensor that has moved from telling how the equipment it left is used."""

from __future__ import annotations

from apm.core.command import Context
from apm.readings.changing import on_leaving
from apm.readings.model import Sensor
from apm.utilisation.queries import feed_of_sensor


def stop_telling(ctx: Context, sensor: Sensor, successor: Sensor | None) -> None:
    """Keep what it has told; another sensor may tell from now on."""
    feed = feed_of_sensor(ctx, sensor.id) if successor is not None else None
    if feed is not None:
        feed.is_active = feed.gives_energy = False


on_leaving(stop_telling)
