"""Pages that plan for many: plans of a whole category, level base dates, the simulator."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.queries import hospital_day
from apm.assets.categories import all_categories
from apm.assets.queries import departments
from apm.core.errors import Conflict, Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, choose
from apm.core.permissions import Permission
from apm.core.typed import whole_number
from apm.maintenance.blueprint import web
from apm.maintenance.due import add_months
from apm.maintenance.forms import refused
from apm.maintenance.level_commands import level, levelled
from apm.maintenance.levelling import MONTHS
from apm.maintenance.model import PlanMode
from apm.maintenance.rhythm import usual_days
from apm.maintenance.schema import ScopeForm, TryForm
from apm.maintenance.scopes import coverage, plan_many
from apm.maintenance.workload import Change, Scope, simulated
from apm.procedures.shelf import templates_for

USUAL_HOURS = 160.0
MOST_HOURS = 1e6


@web.route("/plans/many", methods=["GET", "POST"])
@requires(Permission.PLAN_EDIT)
def many() -> ResponseReturnValue:
    """Plan maintenance of every asset of a category, a model or a department."""
    if request.method != "POST":
        return _many(None)
    ctx = context()
    form = load(ScopeForm(), request.form)
    if form.data is None:
        return _many(form), 422
    scope = Scope(form.data.get("department"), form.data.get("category"), form.data.get("model"))
    template = form.data["template"]
    if "apply" not in request.form:
        return _many(form, found=coverage(ctx, scope, template))
    try:
        made = plan_many(
            ctx, scope=scope, template=template, rhythm=form.data["rhythm"],
            triggers=form.data["triggers"],
        )  # fmt: skip
    except Invalid as error:
        return _many(refused(form, error.fields)), error.status
    flash(_("%(n)s plans are made.", n=made), "success")
    return redirect(url_for("maintenance.plans", state="upcoming"), 303)


@web.get("/plans/level")
@requires(Permission.PLAN_EDIT)
def proposal() -> ResponseReturnValue:
    """Propose base dates that give every month about the same work."""
    ctx = context()
    scope = _scope()
    first = hospital_day(ctx).replace(day=1)
    return render_template(
        "maintenance/level.html",
        found=levelled(ctx, scope),
        scope=scope,
        months=[add_months(first, k) for k in range(MONTHS)],
        **_choices(),
    )


@web.post("/plans/level")
@requires(Permission.PLAN_EDIT)
def take_over() -> ResponseReturnValue:
    """Take the proposed base dates over."""
    try:
        moved = level(context(), scope=_scope(), mark=request.form.get("mark", ""))
    except Conflict as error:
        flash(str(error), "error")
        return redirect(url_for("maintenance.proposal"), 303)
    flash(_("%(n)s plans have moved.", n=moved), "success")
    return redirect(url_for("maintenance.plans", state="upcoming"), 303)


@web.get("/plans/simulate")
@requires(Permission.PLAN_READ)
def simulate() -> ResponseReturnValue:
    """Show the next twelve months before anything is planned."""
    ctx = context()
    scope, hours = _scope(), _hours()
    form, change = None, None
    if request.args.get("template"):
        form = load(TryForm(), request.args)
        if form.data is not None:
            change = Change(form.data["template"].upper(), form.data["rhythm"])
    found = simulated(ctx, scope, capacity_hours=hours)
    tried = simulated(ctx, scope, capacity_hours=hours, change=change) if change else None
    return render_template(
        "maintenance/simulate.html",
        found=found,
        tried=tried,
        scope=scope,
        hours=hours,
        form=form,
        modes=list(PlanMode),
        today=hospital_day(ctx),
        **_choices(),
    )


def _hours() -> float:
    """Return the hours a month that were typed; the usual ones for what is no number."""
    try:
        hours = float(request.args.get("hours", USUAL_HOURS))
    except ValueError:
        return USUAL_HOURS
    return hours if 0 <= hours <= MOST_HOURS else USUAL_HOURS


def _scope() -> Scope:
    """Return the scope of the address; what makes no sense is left out."""
    said = request.values
    return Scope(
        whole_number(said.get("department")),
        said.get("category") or None,
        said.get("model") or None,
    )


def _many(form: Form | None, found: object = None) -> str:
    ctx = context()
    known = templates_for(ctx)
    wanted = request.values.get("template", request.values.get("category", ""))
    chosen = known.get(wanted.upper()) or next(iter(known.values()))
    return render_template(
        "maintenance/many.html",
        form=form,
        found=found,
        chosen=chosen,
        today=hospital_day(ctx),
        usual_days=usual_days(chosen.interval_months),
        modes=list(PlanMode),
        **_choices(),
    )


def _choices() -> dict[str, Any]:
    ctx = context()
    return {
        "departments": [(str(d.id), choose(d.name, d.name_zh)) for d in departments(ctx)],
        "categories": [(kind.code, choose(kind.en, kind.zh)) for kind in all_categories()],
        "templates": [(one.code, one.name) for one in templates_for(ctx).values()],
    }
