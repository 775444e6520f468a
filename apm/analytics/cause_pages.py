"""The page of confirmed causes: what they are, what can be done, how good the proposals were."""

from __future__ import annotations

import csv
import io
from datetime import date

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from apm.analytics.causes import (
    LEAST_OF_A_GROUP,
    Action,
    By,
    Case,
    actions,
    calibration,
    confirmed_cases,
    lines_by,
    total_of,
)
from apm.analytics.period import PRESET_WORDS, Period
from apm.analytics.queries import hospital_period
from apm.core.errors import Invalid
from apm.core.http import context, requires
from apm.core.i18n import _, _l
from apm.core.permissions import Permission
from apm.labels import label
from predict.cause_table import CAUSES, Cause

cause_pages = Blueprint("causes", __name__)
BY_WORDS = {
    By.MODEL: _l("By model"),
    By.DEPARTMENT: _l("By department"),
    By.CATEGORY: _l("By category"),
    By.MONTH: _l("By month"),
}
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula."""


@cause_pages.get("/analytics/causes")
@requires(Permission.ANALYTICS_READ)
def show() -> ResponseReturnValue:
    """What failures of a period came from."""
    ctx = context()
    try:
        period, refusal = _period(), None
    except Invalid as error:
        period, refusal = hospital_period(ctx), error
    by = _by()
    cases = confirmed_cases(ctx, period)
    page = render_template(
        "analytics/causes.html",
        period=period,
        by=by,
        by_words=[(one.value, words) for one, words in BY_WORDS.items()],
        presets=PRESET_WORDS,
        chosen=request.args.get("period", "12m" if "from" not in request.args else ""),
        refusal=refusal,
        lines=lines_by(cases, by),
        total=total_of(cases) if cases else None,
        causes=list(CAUSES),
        doing=_doing(cases),
        least=LEAST_OF_A_GROUP,
        calibration=calibration(cases),
    )
    return page, refusal.status if refusal else 200


def _doing(cases: list[Case]) -> list[tuple[str, str, Cause, list[Action]]]:
    """Return who can do something, what, and where."""
    return [
        (_("Purchasing"), _("Models that fail by themselves"), Cause.QUALITY,
         actions(cases, Cause.QUALITY, lambda c: c.model)),
        (_("Training"), _("Wards in which use led to failures"), Cause.USER,
         actions(cases, Cause.USER, lambda c: f"{c.department} · {c.category}")),
        (_("Facilities"), _("Rooms whose surroundings led to failures"), Cause.ENVIRONMENT,
         actions(cases, Cause.ENVIRONMENT, lambda c: c.room)),
        (_("Maintenance and replacement"), _("Models that wear out"), Cause.WEAR,
         actions(cases, Cause.WEAR, lambda c: c.model)),
        (_("Service quality"), _("Equipment on which earlier work led to failures"),
         Cause.SERVICE, actions(cases, Cause.SERVICE, lambda c: c.category)),
    ]  # fmt: skip


@cause_pages.get("/analytics/causes.csv")
@requires(Permission.ANALYTICS_READ)
def export() -> Response:
    """The confirmed cases of a period, one a line."""
    ctx = context()
    out = io.StringIO()
    out.write("\ufeff")  # so that a spreadsheet reads it as UTF-8
    writer = csv.writer(out)
    writer.writerow(
        [_("Work order"), _("Failed"), _("Cause"), _("Proposed"), _("Probability"),
         _("Equipment"), _("Model"), _("Category"), _("Department"), _("Place"),
         _("Confirmed by")]
    )  # fmt: skip
    for case in confirmed_cases(ctx, _period()):
        said = label("root_cause", case.said.value) if case.said else ""
        with_p = "" if case.said_with is None else f"{case.said_with:.3f}"
        cells = [case.no, case.failed_at.isoformat(), label("root_cause", case.cause.value),
                 said, with_p, case.asset, case.model, case.category, case.department,
                 case.room, case.by or ""]  # fmt: skip
        writer.writerow(_plain(cell) for cell in cells)
    headers = {"Content-Disposition": 'attachment; filename="causes.csv"'}
    return Response(out.getvalue(), mimetype="text/csv", headers=headers)


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def _by() -> By:
    wanted = request.args.get("by")
    return By(wanted) if wanted in set(By) else By.MODEL


def _period() -> Period:
    return hospital_period(
        context(), first=_day("from"), last=_day("to"), preset=request.args.get("period")
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
