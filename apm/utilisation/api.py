"""The JSON API of use and energy."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apm.assets.queries import asset_by_code
from apm.core.http import context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.utilisation.api_schema import AssetUseOut, EnergyOut
from apm.utilisation.energy import Line, Report, energy
from apm.utilisation.schema import DaysWanted
from apm.utilisation.span import span_of
from apm.utilisation.use import asset_use

api = Blueprint("utilisation_api", __name__, url_prefix="/api/v1", description="Use and energy")


@api.get("/assets/<code>/use")
@api.arguments(DaysWanted, location="query")
@api.response(200, AssetUseOut)
@requires(Permission.READING_READ)
def use_of_asset(wanted: dict[str, Any], code: str) -> dict[str, Any]:
    """Hours on, in standby and off, starts, counts and energy of an asset by day."""
    ctx = context()
    asset = asset_by_code(ctx, code)
    span = span_of(ctx, first=wanted.get("first"), last=wanted.get("last"))
    found = asset_use(ctx, asset, span)
    days = [{**asdict(day), "counted": {k.value: v for k, v in day.counted.items()}}
            for day in found.days]  # fmt: skip
    return {
        "asset": asset.code, "first": span.first, "last": span.last, "share_on": found.share_on,
        "items": days, "next": None,
    }  # fmt: skip


@api.get("/energy")
@api.arguments(DaysWanted, location="query")
@api.response(200, EnergyOut)
@requires(Permission.ANALYTICS_READ)
def energy_of_period(wanted: dict[str, Any]) -> dict[str, Any]:
    """Energy of a period by device, room or department; nothing is filled in."""
    ctx = context()
    span = span_of(ctx, first=wanted.get("first"), last=wanted.get("last"), by=wanted["by"])
    found = energy(ctx, span)
    return {
        "first": span.first, "last": span.last, "by": span.by,
        "items": [_line(found, line) for line in found.lines],
        "total": _line(found, found.total), "next": None,
    }  # fmt: skip


def _line(found: Report, line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "kwh": line.kwh,
        "kwh_standby": line.kwh_standby if line.n_standby else None,
        "cost": found.money(line.kwh),
        "co2_kg": found.co2_kg(line.kwh),
        "measured_devices": line.n,
        "devices": line.of,
        "measured_share": line.coverage(found.span),
    }
