"""The administrators' pages of webhooks."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.errors import Invalid
from apm.core.http import Form, context, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.notify.channel_commands import retry
from apm.notify.health import is_failing
from apm.notify.queries import delivery_page
from apm.webhooks import commands, queries
from apm.webhooks.kinds import KINDS
from apm.webhooks.model import Webhook

web = Blueprint("webhooks", __name__)
ADMIN = Permission.USER_ADMIN


@web.get("/admin/webhooks")
@requires(ADMIN)
def webhooks() -> ResponseReturnValue:
    """Webhooks and what went to them."""
    return _page(None)


def _page(form: Form | None, made: Webhook | None = None, secret: str = "") -> str:
    ctx = context()
    found = queries.webhooks(ctx)
    return render_template(
        "webhooks/webhooks.html",
        webhooks=found,
        names={one.id: one.name for one in found},
        is_failing=is_failing,
        event_words=[(name, f"{name}: {kind.words}") for name, kind in KINDS.items()],
        deliveries=delivery_page(
            ctx, carrier="webhook", after=request.args.get("after"), limit=30
        ),
        form=form,
        made=made,
        secret=secret,
    )


@web.post("/admin/webhooks")
@requires(ADMIN)
def add() -> ResponseReturnValue:
    """Add a webhook; the answer is the only page that shows its secret."""
    key = current_app.config["APM_SETTINGS"].secret_key
    url, events = request.form.get("url", "").strip(), request.form.getlist("events")
    try:
        made, secret = commands.add_webhook(context(), url=url[:1000], events=events, key=key)
    except Invalid as error:
        errors = {name: [str(e) for e in found] for name, found in error.fields.items()}
        return _page(Form(None, errors, request.form)), error.status
    return _page(None, made, secret)


@web.post("/admin/webhooks/<int:webhook_id>/test")
@requires(ADMIN)
def test(webhook_id: int) -> ResponseReturnValue:
    """Send a test."""
    commands.send_test(context(), webhook_id=webhook_id)
    flash(_("A test goes out within seconds. Reload to see what came of it."), "success")
    return redirect(url_for("webhooks.webhooks"), 303)


@web.post("/admin/webhooks/<int:webhook_id>/switch")
@requires(ADMIN)
def switch(webhook_id: int) -> ResponseReturnValue:
    """Switch a webhook on or off."""
    is_active = request.form.get("on") == "yes"
    commands.switch_webhook(context(), webhook_id=webhook_id, is_active=is_active)
    flash(_("The webhook is on.") if is_active else _("The webhook is off."), "success")
    return redirect(url_for("webhooks.webhooks"), 303)


@web.post("/admin/webhooks/<int:webhook_id>/remove")
@requires(ADMIN)
def remove(webhook_id: int) -> ResponseReturnValue:
    """Remove a webhook."""
    commands.remove_webhook(context(), webhook_id=webhook_id)
    flash(_("The webhook is removed."), "success")
    return redirect(url_for("webhooks.webhooks"), 303)


@web.post("/admin/webhooks/deliveries/<int:delivery_id>/retry")
@requires(ADMIN)
def redeliver(delivery_id: int) -> ResponseReturnValue:
    """Send a delivery again, under the same name."""
    retry(context(), delivery_id=delivery_id, carrier="webhook")
    flash(_("It is tried again within seconds."), "success")
    return redirect(url_for("webhooks.webhooks"), 303)
