"""The pages of plans: the list, and a new plan."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.queries import hospital_day
from apm.assets.model import Asset
from apm.assets.queries import asset_by_code
from apm.core.errors import Conflict, Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.maintenance import (
    calendar_pages,
    commands,
    lists,
    meter_pages,
    plan_pages,
    planning_pages,
    sections,
)
from apm.maintenance.asset_panel import plans_panel
from apm.maintenance.blueprint import web
from apm.maintenance.forms import refused
from apm.maintenance.model import MeterKind, PlanMode
from apm.maintenance.reasons import every
from apm.maintenance.rhythm import usual_days
from apm.maintenance.schema import PlanForm
from apm.procedures.shelf import templates_for

__all__ = ["web"]
PARTS = (plans_panel, calendar_pages, meter_pages, plan_pages, planning_pages, sections)
"""Registered with their pages by being imported here."""


@web.get("/plans")
@requires(Permission.PLAN_READ)
def plans() -> ResponseReturnValue:
    """The plans that stand so; without a wish the most pressing that there are."""
    ctx = context()
    counts = lists.stand_counts(ctx)
    wanted = request.args.get("state")
    pressing = next((stand for stand in lists.Stand if counts[stand]), lists.Stand.OVERDUE)
    stand = lists.Stand(wanted) if wanted in set(lists.Stand) else pressing
    return render_template(
        "maintenance/plans.html",
        page=lists.plan_page(ctx, stand=stand, after=request.args.get("after")),
        counts=counts,
        stand=stand,
        stands=list(lists.Stand),
        today=hospital_day(ctx),
        templates=templates_for(ctx),
        every=every,
    )


@web.route("/plans/new", methods=["GET", "POST"])
@requires(Permission.PLAN_EDIT)
def new_plan() -> ResponseReturnValue:
    """Plan maintenance of one asset."""
    ctx = context()
    asset = asset_by_code(ctx, request.values.get("asset", ""))
    if request.method != "POST":
        return _plan_form(asset, None)
    form = load(PlanForm(), request.form)
    if form.data is None:
        return _plan_form(asset, form), 422
    try:
        commands.add_plan(ctx, **form.data)
    except Invalid as error:
        return _plan_form(asset, refused(form, error.fields)), error.status
    except Conflict as error:
        return _plan_form(asset, refused(form, {"template": [error]})), error.status
    flash(_("The plan is made. Work orders come by themselves."), "success")
    return redirect(f"/assets/{asset.code}", 303)


@web.post("/plans/<int:plan_id>/stop")
@requires(Permission.PLAN_EDIT)
def stop_plan(plan_id: int) -> ResponseReturnValue:
    """End a plan."""
    commands.stop_plan(context(), plan_id=plan_id)
    flash(_("The plan is stopped."), "success")
    return redirect(url_for("maintenance.plans"), 303)


def _plan_form(asset: Asset, form: Form | None) -> str:
    ctx = context()
    known = templates_for(ctx)
    wanted = request.values.get("template", asset.category)
    chosen = known.get(wanted.upper()) or known.get(asset.category) or next(iter(known.values()))
    return render_template(
        "maintenance/new_plan.html",
        form=form,
        asset=asset,
        templates=known,
        chosen=chosen,
        today=hospital_day(ctx),
        usual_days=usual_days(chosen.interval_months),
        modes=list(PlanMode),
        meters=list(MeterKind),
    )
