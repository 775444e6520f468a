"""The manager's page."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from apm.analytics.cause_pages import cause_pages
from apm.analytics.kpis import Line, analyse
from apm.analytics.period import PRESET_WORDS, Period
from apm.analytics.queries import By, hospital_period
from apm.core.errors import Invalid
from apm.core.http import context, requires
from apm.core.i18n import _l
from apm.core.permissions import Permission

web = Blueprint("analytics", __name__)
web.register_blueprint(cause_pages)
MOST_BARS = 12


@web.get("/analytics")
@requires(Permission.ANALYTICS_READ)
def analytics() -> ResponseReturnValue:
    """Cost, downtime, reliability and maintenance of a period, by department or category."""
    ctx = context()
    wanted = request.args.get("by")
    by = By(wanted) if wanted in set(By) else By.DEPARTMENT
    try:
        period, refusal = _period_wanted(), None
    except Invalid as error:
        period, refusal = hospital_period(ctx), error
    found = analyse(ctx, by=by, period=period)
    page = render_template(
        "analytics/analytics.html",
        found=found,
        by=by,
        refusal=refusal,
        presets=PRESET_WORDS,
        chosen=request.args.get("period", "12m" if "from" not in request.args else ""),
        dearest=_most(found.lines, "repair_cost"),
        longest_down=_most(found.lines, "downtime"),
    )
    return page, refusal.status if refusal else 200


def _period_wanted() -> Period:
    return hospital_period(
        context(),
        first=_day("from"),
        last=_day("to"),
        preset=request.args.get("period"),
    )


def _day(name: str) -> date | None:
    typed = request.args.get(name)
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError as error:
        message = _l("Give days like 2026-01-31.")
        raise Invalid(message, fields={name: [message]}) from error


def _most(lines: list[Line], kpi: str) -> list[Line]:
    """Return the lines with the largest values of a figure; those with nothing are left out."""
    some = [line for line in lines if getattr(line, kpi).value]
    return sorted(some, key=lambda line: -getattr(line, kpi).value)[:MOST_BARS]
