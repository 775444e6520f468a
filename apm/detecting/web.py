"""The page of thresholds that were raised against false alarms, and of rules that call in vain."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.alarms.fatigue import over_budget
from apm.alarms.schema import ReasonIn
from apm.core.errors import Invalid
from apm.core.http import context, load, requires
from apm.core.i18n import _
from apm.core.paging import page_of
from apm.core.permissions import Permission
from apm.detecting.fatigue import take_back
from apm.detecting.model import ThresholdChange

web = Blueprint("detecting", __name__)


@web.get("/alarms/thresholds")
@requires(Permission.ALARM_READ)
def thresholds() -> ResponseReturnValue:
    """What was raised, by which figures; and which rules a person should look at."""
    ctx = context()
    page = page_of(
        ctx.session,
        select(ThresholdChange).options(joinedload(ThresholdChange.sensor)),
        by=[ThresholdChange.id],
        after=request.args.get("after"),
        descending=True,
    )
    return render_template("detecting/thresholds.html", page=page, rules=over_budget(ctx))


@web.post("/alarms/thresholds/<int:change_id>/take-back")
@requires(Permission.ALARM_HANDLE)
def undo(change_id: int) -> ResponseReturnValue:
    """Take one back."""
    form = load(ReasonIn(), request.form)
    if form.data is None:
        raise Invalid(_("Say why the threshold is taken back."), fields=form.errors)
    take_back(context(), change_id=change_id, **form.data)
    flash(_("The detector judges again as it did before."), "success")
    return redirect(url_for("detecting.thresholds"), 303)
