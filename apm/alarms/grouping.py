"""One cause, one call: alarms of the same place, minutes apart, make a group."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from apm.core.command import Context
from apm.readings.model import Alarm, AlarmGroup, Sensor

WITHIN = timedelta(minutes=15)
"""So soon after the last one an alarm of the same place is of the same cause."""


def area_of(sensor: Sensor) -> str:
    """Return the place a sensor shares with its neighbours: room, else department, else asset."""
    asset = sensor.asset
    if sensor.location_id is not None:
        return f"location:{sensor.location_id}"
    if asset is not None and asset.location_id is not None:
        return f"location:{asset.location_id}"
    return f"asset:{sensor.asset_id}"


def join_group(ctx: Context, alarm: Alarm, sensor: Sensor) -> tuple[AlarmGroup, bool]:
    """Put an alarm into the group of its cause; return it, and whether the alarm is its first."""
    area = area_of(sensor)
    query = (
        select(AlarmGroup)
        .where(
            AlarmGroup.area == area,
            AlarmGroup.last_at >= alarm.since - WITHIN,
            AlarmGroup.began_at <= alarm.since + WITHIN,
        )
        .order_by(AlarmGroup.last_at.desc(), AlarmGroup.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    group = ctx.session.scalar(query)
    if group is not None:
        group.n += 1
        group.began_at = min(group.began_at, alarm.since)
        group.last_at = max(group.last_at, alarm.since)
        alarm.group_id = group.id
        return group, False
    group = AlarmGroup(area=area, began_at=alarm.since, last_at=alarm.since, n=1)
    ctx.session.add(group)
    ctx.session.flush()  # the alarm names its id
    alarm.group_id = group.id
    return group, True
