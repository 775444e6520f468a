"""The pages of energy: the report, its file, and what a kWh costs."""

from __future__ import annotations

import csv
import io

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.assets.exporting import guarded
from apm.core.errors import Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.utilisation.commands import MINOR_PER_MWH, Terms, set_terms
from apm.utilisation.energy import Line, Report, energy
from apm.utilisation.factors import factors
from apm.utilisation.model import EnergyTerms
from apm.utilisation.queries import terms_of
from apm.utilisation.schema import TermsIn
from apm.utilisation.span import span_of, span_wanted

pages = Blueprint("energy", __name__)
MARK = "\ufeff"
MOST_BARS = 12
HEADER = (
    "name", "kwh", "kwh_standby", "cost_minor", "standby_cost_minor", "co2_kg", "measured_devices",
    "devices", "measured_share",
)  # fmt: skip


@pages.get("/energy")
@requires(Permission.ANALYTICS_READ)
def report() -> ResponseReturnValue:
    """Energy of a period by device, room or department."""
    ctx = context()
    try:
        span, refusal = span_wanted(ctx, request.args), None
    except Invalid as error:
        span, refusal = span_of(ctx, first=None, last=None), error
    found = energy(ctx, span)
    page = render_template(
        "utilisation/energy.html",
        found=found,
        refusal=refusal,
        largest=[line for line in found.lines if line.kwh > 0][:MOST_BARS],
    )
    return page, refusal.status if refusal else 200


@pages.get("/energy.csv")
@requires(Permission.ANALYTICS_READ)
def as_file() -> ResponseReturnValue:
    """The same as a file."""
    ctx = context()
    found = energy(ctx, span_wanted(ctx, request.args))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows(_row(found, line) for line in [*found.lines, found.total])
    answer = Response(MARK + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="energy.csv"'
    return answer


def _row(found: Report, line: Line) -> list[object]:
    share = line.coverage(found.span)
    co2 = found.co2_kg(line.kwh)
    return [
        guarded(line.name),
        round(line.kwh, 3),
        round(line.kwh_standby, 3) if line.n_standby else "",
        _or_nothing(found.money(line.kwh)),
        _or_nothing(found.money(line.kwh_standby)) if line.n_standby else "",
        "" if co2 is None else round(co2, 3),
        line.n,
        line.of,
        "" if share is None else round(share, 4),
    ]


def _or_nothing(amount: int | None) -> int | str:
    return "" if amount is None else amount


@pages.route("/energy/terms", methods=["GET", "POST"])
@requires(Permission.ENERGY_EDIT)
def terms() -> ResponseReturnValue:
    """Say what a kWh costs and how much CO2 it stands for."""
    if request.method != "POST":
        return _form(None)
    form = load(TermsIn(), request.form)
    if form.data is None:
        return _form(form), 422
    set_terms(context(), terms=Terms(**form.data))
    flash(_("Price and CO2 factor are kept."), "success")
    return redirect(url_for("utilisation.energy.report"), 303)


def _form(form: Form | None) -> str:
    kept = terms_of(context())
    return render_template(
        "utilisation/terms.html", form=form, kept=kept, price=_price(kept), factors=factors()
    )


def _price(kept: EnergyTerms | None) -> str:
    if kept is None or kept.price_per_mwh is None:
        return ""
    return f"{kept.price_per_mwh / MINOR_PER_MWH:.5f}".rstrip("0").rstrip(".")
