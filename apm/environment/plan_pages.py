"""The pages of floor plans: all of them, one with its pins, and placing a pin."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from apm.core.errors import DomainError
from apm.core.http import Form, context, is_htmx, load, requires
from apm.core.i18n import _, language
from apm.core.permissions import Permission
from apm.core.pictures import MOST_BYTES
from apm.environment import plans
from apm.environment.polling import with_key
from apm.environment.schema import PinIn, PlanIn
from apm.environment.wall import key_of

READ, EDIT = Permission.READING_READ, Permission.ENVIRONMENT_EDIT
plan_pages = Blueprint("plans", __name__)


@plan_pages.get("/environment/plans")
@requires(READ)
def all_plans() -> ResponseReturnValue:
    """The plans, and a form for a new one."""
    return _list(None)


@plan_pages.post("/environment/plans")
@requires(EDIT)
def add() -> ResponseReturnValue:
    """Keep a new plan."""
    form = load(PlanIn(), request.form)
    sent = request.files.get("picture")
    data = sent.stream.read(MOST_BYTES + 1) if sent else b""
    if form.data is None:
        return _list(form), 422
    if not data:
        errors = {"picture": [_("Choose a picture of the floor.")]}
        return _list(Form(None, errors, request.form)), 422
    try:
        made = plans.add_plan(context(), data=data, **form.data)
    except DomainError as error:
        return _list(_refused(error)), error.status
    flash(_("The plan is kept. Place the pins now."), "success")
    return redirect(url_for("environment.plans.show", plan_id=made.id), 303)


@plan_pages.get("/environment/plans/<int:plan_id>")
@requires(READ)
def show(plan_id: int) -> ResponseReturnValue:
    """One plan with how its pins stand."""
    return _page(plan_id, None)


@plan_pages.get("/environment/plans/<int:plan_id>.jpg")
@requires(READ)
def picture(plan_id: int) -> ResponseReturnValue:
    """The picture of a plan; it never changes."""
    plan = plans.plan_jpeg(context(), plan_id)
    answer = Response(plan.jpeg, mimetype="image/jpeg")
    answer.headers["Cache-Control"] = "private, max-age=86400"
    return answer


@plan_pages.post("/environment/plans/<int:plan_id>/pins")
@requires(EDIT)
def pin(plan_id: int) -> ResponseReturnValue:
    """Place a pin, or move it."""
    form = load(PinIn(), request.form)
    said = form.data or {}
    if form.data is None or said.get("x") is None or said.get("y") is None:
        missing = {name: [_("Tap the plan, or type a number.")] for name in ("x", "y")
                   if said.get(name) is None and name not in form.errors}  # fmt: skip
        return _page(plan_id, Form(None, form.errors or missing, request.form), 422)
    plans.place_pin(context(), plan_id=plan_id, **said)
    flash(_("The pin is placed."), "success")
    return redirect(url_for("environment.plans.show", plan_id=plan_id), 303)


@plan_pages.post("/environment/plans/<int:plan_id>/pins/<int:pin_id>/remove")
@requires(EDIT)
def unpin(plan_id: int, pin_id: int) -> ResponseReturnValue:
    """Take a pin off."""
    plans.remove_pin(context(), plan_id=plan_id, pin_id=pin_id)
    flash(_("The pin is removed."), "success")
    return redirect(url_for("environment.plans.show", plan_id=plan_id), 303)


@plan_pages.post("/environment/plans/<int:plan_id>/remove")
@requires(EDIT)
def remove(plan_id: int) -> ResponseReturnValue:
    """Remove a plan."""
    plans.remove_plan(context(), plan_id=plan_id)
    flash(_("The plan is removed."), "success")
    return redirect(url_for("environment.plans.all_plans"), 303)


def _list(form: Form | None) -> str:
    return render_template(
        "environment/plans.html", plans=plans.all_plans(context()), form=form
    )  # fmt: skip


def _page(plan_id: int, form: Form | None, status: int = 200) -> ResponseReturnValue:
    ctx = context()
    plan = plans.plan_by_id(ctx, plan_id)
    pins = plans.pinned(ctx, plan)
    cards = [card for one in pins for card in one.cards]
    where = [(one.pin.id, one.pin.x, one.pin.y, one.standing) for one in pins]
    key = f"{key_of(cards, where)}-{language()}"
    if is_htmx() and key in request.headers.get("If-None-Match", ""):
        return with_key(Response(status=304), key)
    page = render_template(
        "environment/_pins.html" if is_htmx() else "environment/plan.html",
        plan=plan,
        pins=pins,
        key=key,
        now=ctx.now(),
        form=form,
        choices=plans.choices(ctx) if not is_htmx() else [],
    )
    return with_key(make_response(page, status), key)


def _refused(error: DomainError) -> Form:
    fields = {name: [str(text) for text in texts] for name, texts in error.fields.items()}
    return Form(None, fields or {"_schema": [str(error)]}, request.form)
