"""The JSON API of plans, due dates, meters and the simulator."""

from __future__ import annotations

from typing import Any

from apm.assets.queries import asset_by_code
from apm.core.codes import normal_code
from apm.core.http import context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.maintenance import commands, lists, visits
from apm.maintenance.api_schema import (
    Coverage,
    MeterList,
    MetersTaken,
    OccurrenceList,
    OccurrenceOut,
    PlanList,
    PlanOut,
    SimulationOut,
    TriggerOut,
    occurrence_out,
    plan_out,
    trigger_out,
)
from apm.maintenance.metering import read_meters
from apm.maintenance.meters import meters_of
from apm.maintenance.schema import (
    ExcuseIn,
    MeterIn,
    OccurrenceArgs,
    PlanArgs,
    PlanIn,
    RhythmIn,
    ScopeIn,
    SimulationArgs,
    TriggerIn,
    WhyIn,
)
from apm.maintenance.scopes import coverage, plan_many, scope_named
from apm.maintenance.trigger_commands import add_trigger, remove_trigger
from apm.maintenance.wishes import Said, Wanted
from apm.maintenance.workload import simulated

api = Blueprint("maintenance_api", __name__, url_prefix="/api/v1", description="Maintenance")


@api.get("/plans")
@api.arguments(PlanArgs, location="query")
@api.response(200, PlanList)
@requires(Permission.PLAN_READ)
def plans(args: dict[str, Any]) -> dict[str, Any]:
    """List active plans, those due first first."""
    asset = normal_code(args["asset"]) if "asset" in args else None
    page = lists.plans_of_asset(context(), asset, after=args.get("after"), limit=args["limit"])
    return {"items": [plan_out(row) for row in page.items], "next": page.next}


@api.post("/plans")
@api.arguments(PlanIn)
@api.response(201, PlanOut)
@requires(Permission.PLAN_EDIT)
def add_plan(body: dict[str, Any]) -> dict[str, Any]:
    """Plan maintenance of an asset by a template; the first work order follows within the hour."""
    return _plan(commands.add_plan(context(), **body).id)


@api.get("/plans/<int:plan_id>")
@api.response(200, PlanOut)
@requires(Permission.PLAN_READ)
def one_plan(plan_id: int) -> dict[str, Any]:
    """Show a plan."""
    return _plan(plan_id)


@api.patch("/plans/<int:plan_id>")
@api.arguments(RhythmIn)
@api.response(200, PlanOut)
@requires(Permission.PLAN_EDIT)
def change_plan(body: dict[str, Any], plan_id: int) -> dict[str, Any]:
    """Give a plan another rhythm; what is open or settled stays.  Meters: see its triggers."""
    commands.change_plan(context(), plan_id=plan_id, rhythm=body["rhythm"])
    return _plan(plan_id)


@api.post("/plans/<int:plan_id>/visit")
@api.arguments(WhyIn)
@api.response(201, OccurrenceOut)
@requires(Permission.PLAN_EDIT)
def visit(body: dict[str, str], plan_id: int) -> dict[str, Any]:
    """Open the work of a plan before it is due."""
    return _occurrence(visits.visit_now(context(), plan_id=plan_id, note=body["note"]).id)


@api.post("/plans/<int:plan_id>/triggers")
@api.arguments(TriggerIn)
@api.response(201, TriggerOut)
@requires(Permission.PLAN_EDIT)
def new_trigger(wanted: Wanted, plan_id: int) -> dict[str, Any]:
    """Let a meter, a sensor or a prediction make a plan due, too."""
    made = add_trigger(context(), plan_id=plan_id, wanted=wanted)
    [found] = [t for t in lists.plan_row(context(), plan_id).plan.triggers if t.id == made.id]
    return trigger_out(found)


@api.delete("/plans/<int:plan_id>/triggers/<int:trigger_id>")
@api.response(204)
@requires(Permission.PLAN_EDIT)
def drop_trigger(plan_id: int, trigger_id: int) -> None:
    """Take a trigger away; work it has opened stays."""
    remove_trigger(context(), plan_id=plan_id, trigger_id=trigger_id)


@api.post("/plans/bulk")
@api.arguments(ScopeIn)
@api.response(200, Coverage)
@requires(Permission.PLAN_EDIT)
def add_plans(body: dict[str, Any]) -> dict[str, int]:
    """Plan every asset of a scope that has no such plan; with `preview` only count them."""
    ctx = context()
    scope = scope_named(ctx, body)
    before = coverage(ctx, scope, body["template"])
    made = 0
    if not body["preview"]:
        made = plan_many(
            ctx, scope=scope, template=body["template"], rhythm=body["rhythm"],
            triggers=body["triggers"],
        )  # fmt: skip
    return {"assets": before.assets, "having": before.having, "made": made}


@api.get("/plans/simulation")
@api.arguments(SimulationArgs, location="query")
@api.response(200, SimulationOut)
@requires(Permission.PLAN_READ)
def simulation(args: dict[str, Any]) -> dict[str, Any]:
    """Show the next twelve months: hours by department, and what can be done in time."""
    ctx = context()
    found = simulated(ctx, scope_named(ctx, args), capacity_hours=args["capacity_hours"])
    year = found.year
    months = [
        {
            "month": month,
            "hours": float(year.hours[k].sum()),
            "visits": int(year.visits[k]),
            "in_time": int(year.in_time[k]),
            "worked": float(year.worked[k]),
            "backlog": float(year.backlog[k]),
            "departments": {
                name: float(hours)
                for name, hours in zip(found.departments, year.hours[k], strict=True)
                if hours
            },
        }
        for k, month in enumerate(year.months)
    ]
    return {
        "plans": found.plans, "compliance": year.compliance, "cut": found.is_cut, "months": months
    }  # fmt: skip


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
    return {"items": [occurrence_out(row) for row in page.items], "next": page.next}


@api.post("/occurrences/<int:occurrence_id>/excuse")
@api.arguments(ExcuseIn)
@api.response(200, OccurrenceOut)
@requires(Permission.PLAN_EDIT)
def excuse(body: dict[str, Any], occurrence_id: int) -> dict[str, Any]:
    """Excuse an open due date: in use, not located or held, with a note that proves it."""
    visits.excuse(context(), occurrence_id=occurrence_id, **body)
    return _occurrence(occurrence_id)


@api.post("/occurrences/<int:occurrence_id>/credit")
@api.arguments(WhyIn)
@api.response(200, OccurrenceOut)
@requires(Permission.PLAN_EDIT)
def credit(body: dict[str, str], occurrence_id: int) -> dict[str, Any]:
    """Let a finished extra visit count for the next fixed due date; answers that date's record."""
    return _occurrence(visits.credit(context(), occurrence_id=occurrence_id, note=body["note"]).id)


@api.get("/assets/<code>/meters")
@api.response(200, MeterList)
@requires(Permission.PLAN_READ)
def meters(code: str) -> dict[str, Any]:
    """List the meters of an asset."""
    ctx = context()
    found = meters_of(ctx, asset_by_code(ctx, code).id)
    return {"items": [one.as_plain() for one in found]}


@api.post("/meters/readings")
@api.arguments(MeterIn(many=True))
@api.response(200, MetersTaken)
@requires(Permission.WORK_DO)
def meter_readings(rows: list[Said]) -> dict[str, Any]:
    """Take meter readings; good rows are kept even when others are rejected."""
    accepted, rejected = read_meters(context(), rows)
    return {"accepted": accepted, "rejected": rejected}


def _plan(plan_id: int) -> dict[str, Any]:
    return plan_out(lists.plan_row(context(), plan_id))


def _occurrence(occurrence_id: int) -> dict[str, Any]:
    return occurrence_out(lists.occurrence_row(context(), occurrence_id))
