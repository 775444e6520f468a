"""The pages of metrology: the register of verification, and what leads on from it."""

from __future__ import annotations

import csv
import io
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from apm.accounts.queries import hospital_day
from apm.assets.categories import all_categories
from apm.assets.exporting import guarded
from apm.core.http import context, requires
from apm.core.i18n import _, choose
from apm.core.permissions import Permission
from apm.core.typed import whole_number
from apm.labels import label
from apm.metrology import drifting, panels, queries
from apm.metrology.asset_pages import asset_pages
from apm.metrology.instrument_pages import instrument_pages
from apm.metrology.lights import Light
from apm.metrology.order_pages import order_pages
from apm.metrology.result_pages import result_pages

READ = Permission.METROLOGY_READ
web = Blueprint("metrology", __name__)
web.register_blueprint(asset_pages)
web.register_blueprint(instrument_pages)
web.register_blueprint(order_pages)
web.register_blueprint(result_pages)
PANELS = (panels.metrology_panel, panels.instruments_section)
"""Registered with the pages of assets and work orders by being imported here."""
MARK = "\ufeff"
"""Without it spreadsheet programs take UTF-8 for something else."""


@web.get("/metrology")
@requires(READ)
def register() -> ResponseReturnValue:
    """The equipment under mandatory verification; without a wish the most pressing."""
    ctx = context()
    rest = _filter()
    counts = queries.light_counts(ctx, rest)
    pressing = next((light for light in Light if counts[light]), Light.OK)
    light = _light() or pressing
    wanted = queries.RegisterFilter(light, rest.category, rest.department, rest.q)
    kept = {k: v for k, v in request.args.items() if k in {"category", "department", "q"} and v}
    return render_template(
        "metrology/register.html",
        page=queries.register_page(ctx, wanted, after=request.args.get("after")),
        counts=counts,
        light=light,
        lights=list(Light),
        wanted=wanted,
        kept=kept,
        query=urlencode(kept),
        categories=all_categories(),
        departments=queries.departments_with_subjects(ctx),
        today=hospital_day(ctx),
    )


@web.get("/metrology/export.csv")
@requires(READ)
def export() -> Response:
    """The register as a spreadsheet, filtered as the page is; without a light all of it."""
    ctx = context()
    rest = _filter()
    wanted = queries.RegisterFilter(_light(), rest.category, rest.department, rest.q)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(
        [_("Asset number"), _("Name"), _("Category"), _("Serial number"), _("Department"),
         _("State"), _("Result"), _("Valid until"), _("Use blocked since")]
    )  # fmt: skip
    for entry in queries.register_rows(ctx, wanted):
        writer.writerow(_cells(entry))
    answer = Response(MARK + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="verification.csv"'
    return answer


def _cells(entry: queries.Entry) -> list[str]:
    asset, duty = entry.asset, entry.duty
    owner = asset.department
    return [
        guarded(asset.number),
        guarded(choose(asset.name, asset.name_zh)),
        asset.category,
        guarded(asset.serial or ""),
        guarded(choose(owner.name, owner.name_zh)) if owner else "",
        label("light", entry.light.value),
        label("certificate", duty.result.value) if duty and duty.result else "",
        duty.valid_until.isoformat() if duty and duty.valid_until else "",
        duty.blocked_since.isoformat(timespec="seconds") if duty and duty.blocked_since else "",
    ]


@web.get("/metrology/drift")
@requires(READ)
def drift() -> ResponseReturnValue:
    """The measured values that move to their limit, what fails first first."""
    ctx = context()
    page = drifting.drift_page(ctx, after=request.args.get("after"))
    return render_template("metrology/drift.html", page=page, today=hospital_day(ctx))


def _light() -> Light | None:
    wanted = request.args.get("light")
    return Light(wanted) if wanted in set(Light) else None


def _filter() -> queries.RegisterFilter:
    return queries.RegisterFilter(
        category=request.args.get("category") or None,
        department=whole_number(request.args.get("department")),
        q=request.args.get("q", "").strip()[:120],
    )
