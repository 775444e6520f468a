"""Causes of failures for the furnished hospital: a hot room, a device's log, a decision."""

from __future__ import annotations

from datetime import timedelta

from apm.assets.model import Asset
from apm.attribution.commands import confirm_cause
from apm.attribution.log import add_events
from apm.core.command import Context
from apm.readings.commands import add_sensor, ingest
from predict.cause_table import Cause


def heat_room(ctx: Context, code: str, room: str) -> None:
    """A sensor whose room was hot for four hours, up to an hour ago."""
    add_sensor(
        ctx, code=code, name="Room by the window", name_zh="靠窗房间温度", location=room,
        quantity="temperature", unit="°C", profile="imaging_room",
    )  # fmt: skip
    now = ctx.now()
    readings = []
    for minutes in range(90 * 60, 5, -10):
        at = now - timedelta(minutes=minutes)
        value = 31.4 if 60 < minutes <= 300 else 21.0 + (minutes % 70) / 100
        readings.append({"sensor": code, "at": at.isoformat(), "value": value})
    ingest(ctx, readings)


def keep_causes(
    ctx: Context, asset: Asset, orders: tuple[str, str], pages: dict[str, list[str]]
) -> None:
    """A log and two decisions on a closed repair; the evidence of one at work; where to look."""
    closed, _at_work = orders
    heat_room(ctx, "ICU-2-T", "ICU 2")
    lines = [
        {"asset": asset.code, "at": ctx.now() - timedelta(hours=n), "code": code,
         "severity": "error", "text": "气道压力传感器零点漂移 zero drift of the airway sensor"}
        for n, code in enumerate(("SENSOR-FAIL", "E-4711"), start=1)
    ]  # fmt: skip
    add_events(ctx, lines=lines, source="log-2026-呼吸机.csv")
    for cause in (Cause.QUALITY, Cause.WEAR):
        confirm_cause(ctx, no=closed, cause=cause, reason="涡轮轴承磨损，拆开可见")
    pages["attribution.show"] = [f"/work-orders/{no}/cause" for no in orders]
    pages["attribution.log.show"] = [f"/assets/{asset.code}/log"]
