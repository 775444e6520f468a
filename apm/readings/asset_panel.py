"""The sensors of an asset, on the asset's page."""

from __future__ import annotations

from datetime import timedelta

from apm.assets.model import Asset
from apm.assets.panels import Panel, panel
from apm.core.command import Context
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.readings.profiles import limits_of
from apm.readings.queries import active_alarms, sensors_of_asset, sparklines
from apm.readings.silent import silent_among


@panel(order=30, permission=Permission.READING_READ)
def sensors_panel(ctx: Context, asset: Asset) -> Panel | None:
    """Return the asset's sensors with the last day of each, None if it has no sensor."""
    sensors = sensors_of_asset(ctx, asset.id)
    if not sensors:
        return None
    ids = [sensor.id for sensor in sensors]
    alarms = active_alarms(ctx, ids)
    data = {
        "sensors": sensors,
        "alarms": alarms,
        "silent": silent_among(ctx, sensors, ctx.now()),
        "now": ctx.now(),
        "week_ago": ctx.now() - timedelta(days=7),
        "sparks": sparklines(ctx, ids, until=ctx.now()),
        "limits": {sensor.id: limits_of(sensor) for sensor in sensors},
    }
    tone = "bad" if alarms else ""
    return Panel(_l("Sensors"), "thermometer", "readings/_asset_sensors.html", data, tone=tone)
