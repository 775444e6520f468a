"""The pages of plans."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.assets.model import Asset
from apm.assets.queries import asset_by_code
from apm.core.errors import Conflict, Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.maintenance import commands, lists
from apm.maintenance.asset_panel import plans_panel
from apm.maintenance.model import PlanMode
from apm.maintenance.queries import today_of
from apm.maintenance.rhythm import usual_days
from apm.maintenance.schema import PlanForm
from apm.procedures.catalogue import templates

web = Blueprint("maintenance", __name__)
PANELS = (plans_panel,)
"""Registered with the asset page by being imported here."""


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
        today=today_of(ctx),
        templates=templates(),
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
        return _plan_form(asset, _refused(form, error.fields)), error.status
    except Conflict as error:
        return _plan_form(asset, _refused(form, {"template": [error]})), error.status
    flash(_("The plan is made. Work orders come by themselves."), "success")
    return redirect(f"/assets/{asset.code}", 303)


@web.post("/plans/<int:plan_id>/stop")
@requires(Permission.PLAN_EDIT)
def stop_plan(plan_id: int) -> ResponseReturnValue:
    """End a plan."""
    commands.stop_plan(context(), plan_id=plan_id)
    flash(_("The plan is stopped."), "success")
    return redirect(url_for("maintenance.plans"), 303)


def _refused(form: Form, errors: dict[str, list[object]]) -> Form:
    return Form(None, {k: [str(e) for e in v] for k, v in errors.items()}, form.typed)


def _plan_form(asset: Asset, form: Form | None) -> str:
    known = templates()
    wanted = request.values.get("template", asset.category)
    chosen = known.get(wanted.upper()) or known.get(asset.category) or next(iter(known.values()))
    return render_template(
        "maintenance/new_plan.html",
        form=form,
        asset=asset,
        templates=known,
        chosen=chosen,
        today=today_of(context()),
        usual_days=usual_days(chosen.interval_months),
        modes=list(PlanMode),
    )
