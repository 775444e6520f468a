"""The pages of use: one asset, all departments, and what people decide about it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.assets.queries import asset_by_code
from apm.core.errors import Invalid, NotFound
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, _l
from apm.core.permissions import Permission
from apm.maintenance.model import MeterKind
from apm.readings.queries import sensor_by_code
from apm.utilisation import commands, panels, queries
from apm.utilisation.energy import assumption
from apm.utilisation.energy_pages import pages as energy_pages
from apm.utilisation.model import FeedWay, MeterBreak
from apm.utilisation.schema import DecisionIn, FeedIn
from apm.utilisation.span import Span, span_of, span_wanted
from apm.utilisation.use import asset_use, department_use

web = Blueprint("utilisation", __name__)
web.register_blueprint(energy_pages)
web.add_app_template_filter(assumption)
PANELS = (panels.use_panel,)
"""Registered with the asset page by being imported here."""


def _span() -> tuple[Span, Invalid | None]:
    """Return the days asked for; where they make no sense the usual ones, and why."""
    try:
        return span_wanted(context(), request.args), None
    except Invalid as error:
        return span_of(context(), first=None, last=None), error


@web.get("/assets/<code>/use")
@requires(Permission.READING_READ)
def asset(code: str) -> ResponseReturnValue:
    """How one asset was used: states by day, by hour and weekday, energy, counters."""
    ctx = context()
    found = asset_by_code(ctx, code)
    span, refusal = _span()
    use = asset_use(ctx, found, span)
    page = render_template(
        "utilisation/asset.html",
        asset=found,
        use=use,
        refusal=refusal,
        breaks=queries.breaks_of(ctx, [feed.id for feed in use.feeds]),
        terms=queries.terms_of(ctx),
    )
    return page, refusal.status if refusal else 200


@web.get("/use")
@requires(Permission.ANALYTICS_READ)
def departments() -> ResponseReturnValue:
    """How much equipment is used, department beside department."""
    span, refusal = _span()
    page = render_template(
        "utilisation/departments.html",
        groups=department_use(context(), span),
        span=span,
        refusal=refusal,
    )
    return page, refusal.status if refusal else 200


@web.route("/sensors/<code>/use", methods=["GET", "POST"])
@requires(Permission.SENSOR_EDIT)
def feed(code: str) -> ResponseReturnValue:
    """Say what a sensor tells of the use of its asset."""
    ctx = context()
    sensor = sensor_by_code(ctx, code)
    if request.method != "POST":
        return _feed_form(code, None)
    form = load(FeedIn(), request.form)
    if form.data is None:
        return _feed_form(code, form), 422
    try:
        commands.set_feed(ctx, sensor=code, wish=commands.Wish(**form.data))
    except Invalid as error:
        return _feed_form(code, _refused(form, error)), error.status
    flash(_("Use is worked out from this sensor now. The first days appear within minutes."),
          "success")  # fmt: skip
    if sensor.asset is None:
        raise NotFound(_l("This sensor stands on no equipment. Choose one that does."))
    return redirect(url_for("utilisation.asset", code=sensor.asset.code), 303)


@web.post("/sensors/<code>/use/stop")
@requires(Permission.SENSOR_EDIT)
def stop(code: str) -> ResponseReturnValue:
    """Let a sensor tell nothing more about use."""
    commands.stop_feed(context(), sensor=code)
    flash(_("This sensor tells nothing about use any more. What it told stays."), "success")
    return redirect(url_for("utilisation.feed", code=code), 303)


@web.route("/meter-breaks/<int:break_id>", methods=["GET", "POST"])
@requires(Permission.SENSOR_EDIT)
def meter_break(break_id: int) -> ResponseReturnValue:
    """Confirm that a counter was set back or replaced."""
    ctx = context()
    found = queries.break_for_writing(ctx, break_id)
    if request.method != "POST":
        return _break_form(found, None)
    form = load(DecisionIn(), request.form)
    if form.data is None:
        return _break_form(found, form), 422
    decided = commands.decide_break(ctx, break_id=break_id, **form.data)
    flash(_("Confirmed. The meter counts on from here."), "success")
    return redirect(url_for("utilisation.asset", code=decided.feed.asset.code), 303)


def _feed_form(code: str, form: Form | None) -> str:
    ctx = context()
    sensor = sensor_by_code(ctx, code)
    return render_template(
        "utilisation/feed.html",
        sensor=sensor,
        feed=queries.feed_of_sensor(ctx, sensor.id),
        form=form,
        ways=list(FeedWay),
        kinds=list(MeterKind),
    )


def _break_form(found: MeterBreak, form: Form | None) -> str:
    return render_template("utilisation/break.html", found=found, form=form)


def _refused(form: Form, error: Invalid) -> Form:
    errors = {name: [str(text) for text in texts] for name, texts in error.fields.items()}
    return Form(None, errors, form.typed)
