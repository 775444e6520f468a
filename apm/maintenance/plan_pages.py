"""The page of one plan: what makes it due, what became of its due dates."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.queries import hospital_day
from apm.core.errors import Conflict, DomainError, Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.maintenance import commands, lists, visits
from apm.maintenance.blueprint import web
from apm.maintenance.forms import blamed, refused
from apm.maintenance.model import MeterKind, PlanMode, TriggerKind
from apm.maintenance.reasons import every, number, said
from apm.maintenance.schema import ExcuseIn, RhythmForm, TriggerIn, WhyIn
from apm.maintenance.sensors import sensors_near
from apm.maintenance.trigger_commands import add_trigger, remove_trigger
from apm.maintenance.wishes import Excuse
from apm.procedures.shelf import templates_for


@web.get("/plans/<int:plan_id>")
@requires(Permission.PLAN_READ)
def show(plan_id: int) -> ResponseReturnValue:
    """One plan."""
    return _page(plan_id)


@web.route("/plans/<int:plan_id>/change", methods=["GET", "POST"])
@requires(Permission.PLAN_EDIT)
def change(plan_id: int) -> ResponseReturnValue:
    """Give a plan another rhythm."""
    ctx = context()
    row = lists.plan_row(ctx, plan_id)
    form: Form | None = None
    status = 200
    if request.method == "POST":
        form = load(RhythmForm(), request.form)
        try:
            if form.data is not None:
                commands.change_plan(ctx, plan_id=plan_id, rhythm=form.data["rhythm"])
                flash(_("The plan is changed. What is open or settled stays as it is."), "success")
                return redirect(url_for("maintenance.show", plan_id=plan_id), 303)
            status = 422
        except Invalid as error:
            form, status = refused(form, error.fields), error.status
        except Conflict as error:
            form, status = blamed(form, error), error.status
    page = render_template(
        "maintenance/change.html",
        row=row,
        form=form,
        modes=list(PlanMode),
        known=templates_for(ctx).get(row.plan.template_code),
    )
    return page, status


@web.post("/plans/<int:plan_id>/visit")
@requires(Permission.PLAN_EDIT)
def visit(plan_id: int) -> ResponseReturnValue:
    """Open the work of a plan before it is due."""
    form = load(WhyIn(), request.form)
    note = form.data["note"] if form.data else ""
    try:
        visits.visit_now(context(), plan_id=plan_id, note=note)
    except (Invalid, Conflict) as error:
        return _page(plan_id, error), error.status
    flash(_("The work order is there."), "success")
    return redirect(url_for("maintenance.show", plan_id=plan_id), 303)


@web.post("/plans/<int:plan_id>/triggers")
@requires(Permission.PLAN_EDIT)
def trigger(plan_id: int) -> ResponseReturnValue:
    """Add a trigger."""
    form = load(TriggerIn(), request.form)
    if form.data is None:
        return _page(plan_id, form=form), 422
    try:
        add_trigger(context(), plan_id=plan_id, wanted=form.data)  # type: ignore[arg-type]  # post_load gathers it
    except Invalid as error:
        return _page(plan_id, form=refused(form, error.fields)), error.status
    except Conflict as error:
        return _page(plan_id, form=blamed(form, error)), error.status
    flash(_("The trigger is added."), "success")
    return redirect(url_for("maintenance.show", plan_id=plan_id), 303)


@web.post("/plans/<int:plan_id>/triggers/<int:trigger_id>/remove")
@requires(Permission.PLAN_EDIT)
def untrigger(plan_id: int, trigger_id: int) -> ResponseReturnValue:
    """Take a trigger away."""
    remove_trigger(context(), plan_id=plan_id, trigger_id=trigger_id)
    flash(_("The trigger is removed."), "success")
    return redirect(url_for("maintenance.show", plan_id=plan_id), 303)


@web.post("/occurrences/<int:occurrence_id>/excuse")
@requires(Permission.PLAN_EDIT)
def excuse(occurrence_id: int) -> ResponseReturnValue:
    """Excuse an open due date."""
    ctx = context()
    plan_id = lists.occurrence_row(ctx, occurrence_id).occurrence.plan_id
    form = load(ExcuseIn(), request.form)
    if form.data is None:
        return _page(plan_id, form=form), 422
    try:
        visits.excuse(ctx, occurrence_id=occurrence_id, **form.data)
    except (Invalid, Conflict) as error:
        return _page(plan_id, error), error.status
    flash(_("The due date is excused. It is counted apart."), "success")
    return redirect(url_for("maintenance.show", plan_id=plan_id), 303)


@web.post("/occurrences/<int:occurrence_id>/credit")
@requires(Permission.PLAN_EDIT)
def credit(occurrence_id: int) -> ResponseReturnValue:
    """Let an extra visit count for the next due date."""
    ctx = context()
    plan_id = lists.occurrence_row(ctx, occurrence_id).occurrence.plan_id
    form = load(WhyIn(), request.form)
    note = form.data["note"] if form.data else ""
    try:
        visits.credit(ctx, occurrence_id=occurrence_id, note=note)
    except (Invalid, Conflict) as error:
        return _page(plan_id, error), error.status
    flash(_("The visit counts for the next due date."), "success")
    return redirect(url_for("maintenance.show", plan_id=plan_id), 303)


def _page(plan_id: int, error: DomainError | None = None, form: Form | None = None) -> str:
    ctx = context()
    row = lists.plan_row(ctx, plan_id)
    wanted = lists.OccurrenceFilter(plan=plan_id)
    after = request.args.get("after")
    return render_template(
        "maintenance/plan.html",
        row=row,
        plan=row.plan,
        page=lists.occurrence_page(ctx, wanted, after=after, limit=25),
        known=templates_for(ctx).get(row.plan.template_code),
        today=hospital_day(ctx),
        error=error,
        form=form,
        kinds=list(TriggerKind),
        meters=list(MeterKind),
        excuses=list(Excuse),
        sensors=sensors_near(ctx, row.plan.asset),
        every=every,
        said=said,
        number=number,
    )
