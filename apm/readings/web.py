"""The pages of sensors: the list, and the form that adds one."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.assets.queries import locations
from apm.core.errors import DomainError, Invalid, NotFound
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.core.sources import said_source
from apm.readings import changing, commands, queries
from apm.readings.asset_panel import sensors_panel
from apm.readings.profiles import limits_of, profiles
from apm.readings.schema import QUANTITIES, SensorChange, SensorIn, SensorMove
from apm.readings.silent import silent_among

web = Blueprint("readings", __name__)
web.add_app_template_filter(said_source)
PANELS = (sensors_panel,)
"""Registered with the asset page by being imported here."""


@web.get("/sensors")
@requires(Permission.READING_READ)
def sensors() -> ResponseReturnValue:
    """All sensors with what they read last and their last day."""
    ctx = context()
    page = queries.sensors_page(ctx, after=request.args.get("after"))
    ids = [sensor.id for sensor in page.items]
    return render_template(
        "readings/sensors.html",
        page=page,
        silent=silent_among(ctx, page.items, ctx.now()),
        alarms=queries.active_alarms(ctx, ids),
        sparks=queries.sparklines(ctx, ids, until=ctx.now()),
        limits={sensor.id: limits_of(sensor) for sensor in page.items},
    )


@web.route("/sensors/new", methods=["GET", "POST"])
@requires(Permission.SENSOR_EDIT)
def new_sensor() -> ResponseReturnValue:
    """Add a sensor."""
    if request.method != "POST":
        return _form(None)
    form = load(SensorIn(), request.form)
    if form.data is None:
        return _form(form), 422
    try:
        sensor = commands.add_sensor(context(), **form.data)
    except (Invalid, NotFound) as error:
        return _form(Form(None, _errors(error), form.typed)), 422
    flash(_("The sensor is added. It can send readings now."), "success")
    return redirect(url_for("forecasts.sensor", code=sensor.code), 303)


@web.route("/sensors/<code>/edit", methods=["GET", "POST"])
@requires(Permission.SENSOR_EDIT)
def edit_sensor(code: str) -> ResponseReturnValue:
    """Change what a sensor is called, where it is and which limits hold."""
    ctx = context()
    if request.method != "POST":
        return _change_form(code, None)
    form = load(SensorChange(), request.form)
    if form.data is None:
        return _change_form(code, form), 422
    if request.form.get("asset") == "":  # left empty it would count as not given: it is on none
        form.data["asset"] = None
    try:
        changing.change_sensor(ctx, code=code, **form.data)
    except (Invalid, NotFound) as error:
        return _change_form(code, Form(None, _errors(error), form.typed)), 422
    flash(_("The sensor is changed. The rules of its place hold from now on."), "success")
    return redirect(url_for("forecasts.sensor", code=code), 303)


@web.route("/sensors/<code>/move", methods=["GET", "POST"])
@requires(Permission.SENSOR_EDIT)
def move_sensor(code: str) -> ResponseReturnValue:
    """Say what a sensor measures from now on."""
    if request.method != "POST":
        return _change_form(code, None, "readings/move_sensor.html")
    form = load(SensorMove(), request.form)
    errors = form.errors
    if form.data is not None:
        try:
            changing.move_sensor(context(), code=code, **form.data)
        except (Invalid, NotFound) as error:
            errors = _errors(error)
        else:
            flash(_("The sensor is moved. It begins anew here."), "success")
            return redirect(url_for("forecasts.sensor", code=code), 303)
    return _change_form(code, Form(None, errors, form.typed), "readings/move_sensor.html"), 422


@web.post("/sensors/<code>/retire")
@requires(Permission.SENSOR_EDIT)
def retire_sensor(code: str) -> ResponseReturnValue:
    """Take a sensor out of service."""
    changing.retire_sensor(context(), code=code)
    flash(_("The sensor is out of service. Nobody waits for its readings any more."), "success")
    return redirect(url_for("forecasts.sensor", code=code), 303)


@web.post("/sensors/<code>/return")
@requires(Permission.SENSOR_EDIT)
def return_sensor(code: str) -> ResponseReturnValue:
    """Put a sensor back into service."""
    changing.return_sensor(context(), code=code)
    flash(_("The sensor is back in service."), "success")
    return redirect(url_for("forecasts.sensor", code=code), 303)


def _change_form(code: str, form: Form | None, template: str = "readings/edit_sensor.html") -> str:
    ctx = context()
    return render_template(
        template,
        form=form,
        sensor=queries.sensor_by_code(ctx, code),
        places=locations(ctx),
        quantities=[(code, str(word)) for code, word in QUANTITIES.items()],
        profiles=[(profile.code, profile.name) for profile in profiles().values()],
    )


def _errors(error: DomainError) -> dict[str, list[str]]:
    """Return a refusal by field; what is not found is the asset."""
    fields = error.fields if isinstance(error, Invalid) else {"asset": [error]}
    return {name: [str(text) for text in texts] for name, texts in fields.items()}


def _form(form: Form | None) -> str:
    return render_template(
        "readings/new_sensor.html",
        form=form,
        asset=request.args.get("asset", ""),
        places=locations(context()),
        quantities=[(code, str(word)) for code, word in QUANTITIES.items()],
        profiles=[(profile.code, profile.name) for profile in profiles().values()],
    )
