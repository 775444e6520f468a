"""The calendar: a month, a list, the week of everybody; moving work, and filling the week."""

from __future__ import annotations

from datetime import date, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate

from apm.accounts.queries import hospital_day, zone_of
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, _l
from apm.core.permissions import Permission
from apm.core.typed import own_path, whole_number
from apm.maintenance import calendar, filling
from apm.maintenance.blueprint import web
from apm.maintenance.coming import plans_coming_on
from apm.maintenance.due import add_months
from apm.maintenance.forms import blamed, refused
from apm.maintenance.schema import EARLIEST, LATEST
from apm.maintenance.workdays import workdays_in
from apm.procedures.shelf import template_for, templates_for
from apm.work.assigning import candidates_for, is_fit, staff_with_load
from apm.work.model import WorkOrder
from apm.work.queries import work_order
from apm.work.scheduling import MOVABLE, reschedule

VIEWS = ("month", "week", "list")


class MoveForm(Schema):
    """To which day, and to whom."""

    day = fields.Date(
        required=True,
        validate=validate.Range(EARLIEST, LATEST, error=_l("Give a day between 1990 and 2200.")),
    )
    assignee = fields.String(load_default="")
    version = fields.Integer(load_default=None)


@web.get("/calendar")
@requires(Permission.WORK_READ)
def show_calendar() -> ResponseReturnValue:
    """Show the work of a month, as a calendar or a list, or of a week by person."""
    ctx = context()
    view = request.args.get("view", "month")
    view = view if view in VIEWS else "month"
    day, today = _asked_day(), hospital_day(ctx)
    first = calendar.monday_of(day) if view == "week" else day.replace(day=1)
    is_mine = request.args.get("who") == "me" and view != "week"
    person_id = ctx.actor.user_id if is_mine else None
    weeks = timedelta(days=calendar.WEEK)
    return render_template(
        "maintenance/calendar.html",
        view=view,
        views=VIEWS,
        first=first,
        last=first + weeks - timedelta(days=1),
        before=first - weeks if view == "week" else add_months(first, -1),
        after=first + weeks if view == "week" else add_months(first, 1),
        today=today,
        is_mine=is_mine,
        days=calendar.month_of(ctx, first, person_id=person_id) if view != "week" else [],
        rows=calendar.week_of(ctx, first) if view == "week" else [],
        late=calendar.count_late(ctx),
        shelf=templates_for(ctx),
        knows_holidays=workdays_in(zone_of(ctx)).knows(first.year),
    )


def _asked_day() -> date:
    """Return the day of the address; today for none, and for what no calendar has."""
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return hospital_day(context())
    return min(max(day, EARLIEST.replace(month=2)), LATEST - timedelta(days=62))


@web.get("/calendar/planned/<day>/<template>")
@requires(Permission.WORK_READ)
def show_planned(day: str, template: str) -> ResponseReturnValue:
    """List the equipment whose work by a template is planned for a day, and not yet ordered."""
    ctx = context()
    try:
        chosen = date.fromisoformat(day)
    except ValueError:
        raise NotFound(_l("There is no such day. Go back to the calendar.")) from None
    if not EARLIEST <= chosen <= LATEST:
        raise NotFound(_l("There is no such day. Go back to the calendar."))
    known = template_for(ctx, template)
    return render_template(
        "maintenance/planned.html",
        day=chosen,
        known=known,
        page=plans_coming_on(ctx, chosen, known.code, after=request.args.get("after")),
    )


@web.route("/calendar/<no>/move", methods=["GET", "POST"])
@requires(Permission.WORK_ASSIGN)
def move(no: str) -> ResponseReturnValue:
    """Move work that nobody has begun to another day or person."""
    ctx = context()
    order = work_order(ctx, no)
    if request.method != "POST":
        return _move_form(order, None)
    form = load(MoveForm(), request.form)
    if form.data is None:
        return _move_form(order, form), 422
    said = form.data
    try:
        reschedule(
            ctx, no=no, day=said["day"], assignee_id=whole_number(said["assignee"]),
            version=said["version"],
        )  # fmt: skip
    except Invalid as error:
        return _move_form(order, refused(form, error.fields)), error.status
    except Conflict as error:
        return _move_form(work_order(ctx, no), blamed(form, error)), error.status
    moved = work_order(ctx, no)
    if moved.late_after and said["day"] > moved.late_after:
        flash(_("Moved. This is after its last day: it will count as late."), "warning")
    else:
        flash(_("Moved."), "success")
    back = own_path(request.form.get("back"), url_for("maintenance.show_calendar"))
    return redirect(back, 303)


def _move_form(order: WorkOrder, form: Form | None) -> str:
    ctx = context()
    staff = staff_with_load(ctx)
    fit = [one for one in candidates_for(staff, order) if is_fit(staff, order, one)]
    return render_template(
        "maintenance/move.html",
        order=order,
        form=form,
        people=fit,
        is_movable=order.state in MOVABLE,
        today=hospital_day(ctx),
        back=own_path(request.values.get("back"), url_for("maintenance.show_calendar")),
    )


@web.get("/calendar/fill")
@requires(Permission.WORK_ASSIGN)
def fill() -> ResponseReturnValue:
    """Propose days and people for the work that nobody has."""
    moves = filling.proposed(context())
    return render_template(
        "maintenance/fill.html",
        moves=[one for one in moves if one.limit is None],
        left=[one for one in moves if one.limit is not None],
    )


@web.post("/calendar/fill")
@requires(Permission.WORK_ASSIGN)
def take_over_fill() -> ResponseReturnValue:
    """Plan the proposals that were ticked."""
    try:
        chosen = [_chosen(text) for text in request.form.getlist("take")]
        n = filling.take_over(context(), chosen=chosen)
    except (Conflict, Invalid) as error:
        flash(str(error), "error")
        return redirect(url_for("maintenance.fill"), 303)
    flash(_("%(n)s work orders are planned.", n=n), "success")
    return redirect(url_for("maintenance.show_calendar", view="week"), 303)


def _chosen(text: str) -> filling.Chosen:
    """Return what a ticked box says: number, version, day, person."""
    no, version, day, person = [*text.split("|"), "", "", "", ""][:4]
    try:
        return filling.Chosen(no, int(version), date.fromisoformat(day), int(person))
    except ValueError:
        raise Invalid(_l("This proposal makes no sense. Look at the proposals anew.")) from None
