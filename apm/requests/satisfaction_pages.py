"""How content reporters are, on a page; and when silence counts as content."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.queries import own_hospital
from apm.core.errors import Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, _l
from apm.core.permissions import Permission
from apm.requests.confirming import set_silence
from apm.requests.satisfaction import FEWEST, FORMULA, By, days_wanted, satisfaction
from apm.requests.schema import SilenceForm

satisfaction_pages = Blueprint("satisfaction", __name__)


@satisfaction_pages.get("/analytics/satisfaction")
@requires(Permission.ANALYTICS_READ)
def show() -> ResponseReturnValue:
    """Ratings of a period, in groups that are large enough."""
    return _page(None)


@satisfaction_pages.post("/analytics/satisfaction/silence")
@requires(Permission.USER_ADMIN)
def silence() -> ResponseReturnValue:
    """After how many days silence confirms a repair."""
    form = load(SilenceForm(), request.form)
    if form.data is None:
        return _page(form)
    set_silence(context(), days=form.data["silence_days"])
    flash(_("Saved."), "success")
    return redirect(url_for("requests.satisfaction.show"), 303)


def _page(form: Form | None) -> ResponseReturnValue:
    ctx = context()
    wanted = request.args.get("by")
    by = By(wanted) if wanted in set(By) else By.TEAM
    try:
        days, refusal = days_wanted(ctx, _month("from"), _end_of(_month("to"))), None
    except Invalid as error:
        days, refusal = days_wanted(ctx, None, None), error
    hospital = own_hospital(ctx)
    page = render_template(
        "requests/satisfaction.html",
        found=satisfaction(ctx, by=by, days=days),
        by=by,
        ways=list(By),
        fewest=FEWEST,
        formula=FORMULA,
        refusal=refusal,
        silence_days=hospital.silence_days if hospital else None,
        form=form,
    )
    return page, 422 if form or refusal else 200


def _month(name: str) -> date | None:
    """Return the first day of the month that was typed; None for nothing."""
    typed = request.args.get(name)
    if not typed:
        return None
    try:
        return date.fromisoformat(f"{typed}-01")
    except ValueError as error:
        message = _l("Give months like 2026-01.")
        raise Invalid(message, fields={name: [message]}) from error


def _end_of(month: date | None) -> date | None:
    return month and month.replace(day=monthrange(month.year, month.month)[1])
