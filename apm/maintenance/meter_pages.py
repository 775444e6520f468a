"""Meters on the page of an asset, and many readings from a file."""

from __future__ import annotations

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from apm.assets.model import GONE, Asset
from apm.assets.panels import Panel, panel
from apm.assets.queries import asset_by_code
from apm.core.command import Context
from apm.core.errors import Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.maintenance.blueprint import web
from apm.maintenance.forms import refused
from apm.maintenance.meter_files import read_file
from apm.maintenance.metering import read_meter, read_meters
from apm.maintenance.meters import meters_of
from apm.maintenance.model import MeterKind
from apm.maintenance.reasons import number
from apm.maintenance.schema import MeterIn


@panel(order=45, permission=Permission.PLAN_READ)
def meters_panel(ctx: Context, asset: Asset) -> Panel | None:
    """The meters of the asset and how fast they run."""
    rows = meters_of(ctx, asset.id)
    may_read = ctx.actor.can(Permission.WORK_DO) and asset.lifecycle not in GONE
    if not rows and not may_read:
        return None
    return Panel(
        title=_("Meters"),
        icon="gear",
        template="maintenance/_asset_meters.html",
        data={"rows": rows, "asset": asset, "number": number},
        url=f"/meters/new?asset={asset.code}" if may_read else "",
        more=_("Note a reading") if may_read else "",
    )


@web.route("/meters/new", methods=["GET", "POST"])
@requires(Permission.WORK_DO)
def new_reading() -> ResponseReturnValue:
    """Note what a meter says."""
    ctx = context()
    asset = asset_by_code(ctx, request.values.get("asset", ""))
    if request.method != "POST":
        return _form(asset, None)
    form = load(MeterIn(), request.form)
    if form.data is None:
        return _form(asset, form), 422
    try:
        read_meter(ctx, said=form.data)  # type: ignore[arg-type]  # post_load gathers it
    except Invalid as error:
        return _form(asset, refused(form, error.fields)), error.status
    flash(_("The reading is noted."), "success")
    return redirect(f"/assets/{asset.code}", 303)


@web.route("/meters/import", methods=["GET", "POST"])
@requires(Permission.ASSET_IMPORT)
def import_readings() -> ResponseReturnValue:
    """Read many meter readings from a file."""
    if request.method != "POST":
        return render_template("maintenance/meter_import.html", result=None, problems=[])
    sent = request.files.get("file")
    rows, problems = read_file(context(), sent.read() if sent else b"")
    accepted, rejected = read_meters(context(), [row.said for row in rows])
    problems += [(rows[one.index].line, one.detail) for one in rejected]
    page = render_template(
        "maintenance/meter_import.html", result=accepted, problems=sorted(problems)[:200]
    )
    return page, 200 if accepted or not problems else 422


def _form(asset: Asset, form: Form | None) -> str:
    return render_template(
        "maintenance/new_reading.html",
        asset=asset,
        form=form,
        kinds=list(MeterKind),
        rows={row.kind: row for row in meters_of(context(), asset.id)},
        number_said=number,
    )
