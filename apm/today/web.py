"""My work today."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue

from apm.core.http import context, requires
from apm.core.permissions import Permission
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
    return render_template("today/today.html", today=my_today(ctx), most=MOST)
