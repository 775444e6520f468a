"""Ends the alarms of a sensor that is taken out of service: no reading will end them any more."""

from __future__ import annotations

from sqlalchemy import select

from apm.alarms.events import AlarmAnswered
from apm.core.command import Context
from apm.readings.changing import on_leaving
from apm.readings.model import Alarm, EndedWhy, Sensor


def clear_alarms(ctx: Context, sensor: Sensor, _successor: Sensor | None) -> None:
    """End them in the name of whoever takes the sensor out."""
    for alarm in ctx.session.scalars(
        select(Alarm).where(Alarm.sensor_id == sensor.id, Alarm.active)
    ):
        alarm.active, alarm.ended_at, alarm.ended_why = False, ctx.now(), EndedWhy.CLEARED
        alarm.cleared_by = ctx.actor.name
        ctx.emit(AlarmAnswered(alarm.id))


on_leaving(clear_alarms)
