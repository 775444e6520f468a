"""My work today."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from apm.accounts.queries import hospital_day
from apm.core.http import context, requires
from apm.core.permissions import Permission
from apm.forecasts.fleet_pages import words
from apm.today.packing import next_workday, packing_for
from apm.today.queries import MOST, my_today

web = Blueprint("today", __name__)


@web.get("/")
@requires(Permission.ACCOUNT_OWN)
def today() -> ResponseReturnValue:
    """What concerns me today; who does no work goes to the reports."""
    ctx = context()
    if not ctx.actor.can(Permission.WORK_READ):
        can_read = ctx.actor.can(Permission.REQUEST_READ)
        return redirect("/requests" if can_read else "/account", 303)
    return render_template("today/today.html", today=my_today(ctx), most=MOST, **words(ctx))


@web.get("/packing")
@requires(Permission.WORK_DO)
def packing() -> ResponseReturnValue:
    """What to take along for my work of today, or of the next working day."""
    ctx = context()
    is_next, today_ = request.args.get("day") != "today", hospital_day(ctx)
    found = packing_for(ctx, next_workday(ctx) if is_next else today_)
    return render_template("today/packing.html", packing=found, is_next=is_next, today=today_)
