"""Pages of dispatch: the queue of a team, and what is promised for each priority."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

import apm.dispatch.panels  # noqa: F401  (registers a section of pages)
from apm.accounts.queries import hospital_day
from apm.core.errors import Invalid, NotFound
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, _l
from apm.core.permissions import Permission
from apm.core.typed import whole_number
from apm.dispatch import compliance, queue
from apm.teams.queries import Staff, calendar_of
from apm.teams.routing import Candidate
from apm.teams.wording import reasons_for
from apm.work.clock_model import Runs, Unit
from apm.work.clock_view import ClockView, clock_of
from apm.work.model import WorkOrder
from apm.work.service_levels import Promise, Target, promises, set_promise
from apm.work.states import Priority

web = Blueprint("dispatch", __name__)
EVERY = "all"


@web.app_template_global("clock_of")
def _clock(order: WorkOrder) -> ClockView | None:
    """Give templates, macros too, the clock of an order as it stands now."""
    return clock_of(order, context().now())


@web.get("/queue")
@requires(Permission.WORK_READ)
def show() -> ResponseReturnValue:
    """What nobody has taken, who is there, and who should take what."""
    ctx = context()
    wanted = request.args.get("team", "")
    chosen = None if wanted == EVERY else whole_number(wanted)
    found = queue.queue_of(ctx, chosen)
    if wanted == "" and (own := _own_team(found.staff, ctx.actor.user_id)):
        found, chosen = queue.queue_of(ctx, own), own
    months = compliance.compliance(ctx, hospital_day(ctx), found.staff.calendar.zone)
    this = [m for m in months if (m.team_id or queue.UNROUTED) == chosen or chosen is None]
    return render_template(
        "dispatch/queue.html",
        queue=found,
        chosen=chosen,
        counts=queue.waiting_counts(ctx),
        kept=compliance.total(this),
        unrouted=queue.UNROUTED,
        day=hospital_day(ctx),
        why=_why(found.staff),
        me=ctx.actor.user_id,
    )


def _own_team(staff: Staff, user_id: int | None) -> int | None:
    """Return the team of whoever looks, when they work in exactly one."""
    own = [team.id for team in staff.teams if user_id in staff.members.get(team.id, ())]
    return own[0] if len(own) == 1 else None


def _why(staff: Staff) -> Any:
    def words(one: Candidate) -> str:
        return " · ".join(reasons_for(one, staff.calendar.zone))

    return words


class PromiseForm(Schema):
    """What is promised for one priority."""

    runs = fields.Enum(Runs, by_value=True, required=True)
    respond = fields.Integer(required=True, validate=validate.Range(1, 100_000))
    respond_unit = fields.Enum(Unit, by_value=True, required=True)
    resolve = fields.Integer(required=True, validate=validate.Range(1, 100_000))
    resolve_unit = fields.Enum(Unit, by_value=True, required=True)


@web.get("/admin/service-levels")
@requires(Permission.TEAM_EDIT)
def service_levels() -> ResponseReturnValue:
    """What is promised for each priority."""
    return _levels(None, request.args.get("change"))


@web.post("/admin/service-levels/<priority>")
@requires(Permission.TEAM_EDIT)
def set_level(priority: str) -> ResponseReturnValue:
    """Promise something else."""
    if priority not in set(Priority):
        raise NotFound(_l("There is no such priority."))
    form = load(PromiseForm(), request.form)
    if form.data is None:
        return _levels(form, priority)
    said = form.data
    promise = Promise(
        Priority(priority),
        said["runs"],
        Target(said["respond"], said["respond_unit"]),
        Target(said["resolve"], said["resolve_unit"]),
    )
    try:
        set_promise(context(), promise=promise)
    except Invalid as error:
        errors = {name: [str(text) for text in texts] for name, texts in error.fields.items()}
        return _levels(Form(None, errors, form.typed), priority)
    flash(_("Saved."), "success")
    return redirect(url_for("dispatch.service_levels"), 303)


def _levels(form: Form | None, part: str | None) -> ResponseReturnValue:
    ctx = context()
    page = render_template(
        "dispatch/service_levels.html",
        promises=promises(ctx),
        calendar=calendar_of(ctx),
        runs=list(Runs),
        units=list(Unit),
        form=form,
        part=part,
    )
    return page, 422 if form else 200
