"""The JSON API of the figures."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apm.analytics.kpis import Analysis, Kpi, Line, analyse
from apm.analytics.queries import By, hospital_period
from apm.analytics.schema import AnalysisOut, KpiArgs
from apm.core.http import context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission

api = Blueprint("analytics_api", __name__, url_prefix="/api/v1", description="Analytics")


@api.get("/analytics/kpis")
@api.arguments(KpiArgs, location="query")
@api.response(200, AnalysisOut)
@requires(Permission.ANALYTICS_READ)
def kpis(args: dict[str, Any]) -> dict[str, Any]:
    """Cost, downtime, failures, time between failures and maintenance kept, with uncertainty."""
    ctx = context()
    period = hospital_period(ctx, first=args.get("first"), last=args.get("last"))
    return _shown(analyse(ctx, by=By(args["by"]), period=period))


def _shown(found: Analysis) -> dict[str, Any]:
    return {
        "first": found.period.first,
        "last": found.period.last,
        "by": found.by.value,
        "total": _group(found.total),
        "items": [_group(line) for line in found.lines],
        "next": None,
    }


def _group(line: Line) -> dict[str, Any]:
    shown = {kpi.name: _kpi(kpi) for kpi in line.kpis}
    shown["repair_cost"]["currency"] = line.repair_cost.unit
    key = None if line.key is None else str(line.key)
    return {"key": key, "name": line.name, **shown, "pm_pending": line.pm_pending,
            "metered": line.metered}  # fmt: skip


def _kpi(kpi: Kpi) -> dict[str, Any]:
    return {**asdict(kpi), "status": kpi.status.value, "formula": kpi.formula}
