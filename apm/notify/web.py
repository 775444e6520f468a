"""The pages of messages: one blueprint over those of its parts."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.http import context, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.notify import commands, queries
from apm.notify.calendar_pages import calendar_pages
from apm.notify.channel_pages import channel_pages
from apm.notify.messages import SORTS, say, whereabouts
from apm.notify.problems import problem_text
from apm.notify.rule_pages import rule_pages

web = Blueprint("notify", __name__)
for part in (channel_pages, rule_pages, calendar_pages):
    web.register_blueprint(part)


@web.app_context_processor
def _words() -> dict[str, object]:
    """Give templates the words that only messages know."""
    return {"problem_text": problem_text, "whereabouts": whereabouts, "say": say, "SORTS": SORTS}


@web.get("/inbox")
@requires(Permission.ACCOUNT_OWN)
def inbox() -> ResponseReturnValue:
    """One's messages."""
    ctx = context()
    page = queries.inbox_page(ctx, after=request.args.get("after"))
    waiting = queries.waiting_for_answer(ctx, page.items)
    return render_template("notify/inbox.html", page=page, waiting=waiting)


@web.post("/inbox/read")
@requires(Permission.ACCOUNT_OWN)
def read() -> ResponseReturnValue:
    """Mark all as read."""
    commands.read_all(context())
    return redirect(url_for("notify.inbox"), 303)


@web.get("/inbox/<int:notification_id>")
@requires(Permission.ACCOUNT_OWN)
def open_message(notification_id: int) -> ResponseReturnValue:
    """Go to what a message is about; it is read then, and an urgent one answered."""
    message = commands.open_message(context(), notification_id=notification_id)
    return redirect(message.url, 303)


@web.post("/inbox/<int:notification_id>/acknowledge")
@requires(Permission.ACCOUNT_OWN)
def acknowledge(notification_id: int) -> ResponseReturnValue:
    """See to it."""
    commands.acknowledge(context(), notification_id=notification_id)
    flash(_("You see to it. Nobody further is asked."), "success")
    return redirect(url_for("notify.inbox"), 303)
