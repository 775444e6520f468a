"""The inbox."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.http import context, requires
from apm.core.permissions import Permission
from apm.notify import commands, queries

web = Blueprint("notify", __name__)


@web.get("/inbox")
@requires(Permission.ACCOUNT_OWN)
def inbox() -> ResponseReturnValue:
    """One's messages."""
    page = queries.inbox_page(context(), after=request.args.get("after"))
    return render_template("notify/inbox.html", page=page)


@web.post("/inbox/read")
@requires(Permission.ACCOUNT_OWN)
def read() -> ResponseReturnValue:
    """Mark all as read."""
    commands.read_all(context())
    return redirect(url_for("notify.inbox"), 303)
