"""The JSON API of plans and occurrences."""

from __future__ import annotations

from typing import Any

from apm.core.codes import normal_code
from apm.core.http import context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.maintenance import commands, lists
from apm.maintenance.schema import (
    OccurrenceArgs,
    OccurrenceList,
    PlanArgs,
    PlanIn,
    PlanList,
    PlanOut,
)

api = Blueprint("maintenance_api", __name__, url_prefix="/api/v1", description="Maintenance")


@api.get("/plans")
@api.arguments(PlanArgs, location="query")
@api.response(200, PlanList)
@requires(Permission.PLAN_READ)
def plans(args: dict[str, Any]) -> dict[str, Any]:
    """List active plans, those due first first."""
    asset = normal_code(args["asset"]) if "asset" in args else None
    page = lists.plans_of_asset(context(), asset, after=args.get("after"), limit=args["limit"])
    return {"items": [_plan(row) for row in page.items], "next": page.next}


@api.post("/plans")
@api.arguments(PlanIn)
@api.response(201, PlanOut)
@requires(Permission.PLAN_EDIT)
def add_plan(body: dict[str, Any]) -> dict[str, Any]:
    """Plan maintenance of an asset by a template; the first work order follows within the hour."""
    ctx = context()
    return _plan(lists.row_of(ctx, commands.add_plan(ctx, **body)))


@api.get("/occurrences")
@api.arguments(OccurrenceArgs, location="query")
@api.response(200, OccurrenceList)
@requires(Permission.PLAN_READ)
def occurrences(args: dict[str, Any]) -> dict[str, Any]:
    """List due dates that got a work order or were missed, the latest first."""
    wanted = lists.OccurrenceFilter(
        asset=normal_code(args["asset"]) if "asset" in args else None,
        plan=args.get("plan"),
        state=args.get("state"),
        first=args.get("first"),
        last=args.get("last"),
    )
    page = lists.occurrence_page(context(), wanted, after=args.get("after"), limit=args["limit"])
    return {"items": [_occurrence(row) for row in page.items], "next": page.next}


def _plan(row: lists.PlanRow) -> dict[str, Any]:
    plan, now = row.plan, row.open
    return {
        "id": plan.id,
        "asset": plan.asset.code,
        "template": plan.template_code,
        "mode": plan.mode.value,
        "interval": {"months": plan.interval_months},
        "anchor": plan.anchor,
        "window": {"early_days": plan.early_days, "grace_days": plan.grace_days},
        "next_due": plan.next_due,
        "active": plan.is_active,
        "held": plan.held_why,
        "open": now
        and {
            "seq": now.seq,
            "due": now.due,
            "opens": now.opens,
            "late_after": now.late_after,
            "work_order": row.work_order_no,
        },
    }


def _occurrence(row: lists.OccurrenceRow) -> dict[str, Any]:
    here = row.occurrence
    return {
        "plan": here.plan_id,
        "asset": here.plan.asset.code,
        "template": here.plan.template_code,
        "seq": here.seq,
        "due": here.due,
        "opens": here.opens,
        "late_after": here.late_after,
        "state": here.state.value,
        "why": here.why,
        "outcome": here.outcome,
        "work_order": row.work_order_no,
        "done_on": here.done_on,
    }
