"""The JSON API of webhooks."""

from __future__ import annotations

from typing import Any

from flask import current_app

from apm.core.http import context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.webhooks import commands, queries
from apm.webhooks.model import Webhook
from apm.webhooks.schema import NewWebhook, WebhookArgs, WebhookIn, WebhookList

api = Blueprint("webhooks_api", __name__, url_prefix="/api/v1", description="Webhooks")


@api.get("/webhooks")
@api.arguments(WebhookArgs, location="query")
@api.response(200, WebhookList)
@requires(Permission.USER_ADMIN)
def webhooks(args: dict[str, Any]) -> dict[str, Any]:
    """List the hospital's webhooks."""
    page = queries.webhook_page(context(), after=args.get("after"), limit=args["limit"])
    return {"items": [_plain(one) for one in page.items], "next": page.next}


@api.post("/webhooks")
@api.arguments(WebhookIn)
@api.response(201, NewWebhook)
@requires(Permission.USER_ADMIN)
def add_webhook(body: dict[str, Any]) -> dict[str, Any]:
    """Tell an address of events; the secret that signs them is answered only here."""
    key = current_app.config["APM_SETTINGS"].secret_key
    made, secret = commands.add_webhook(context(), **body, key=key)
    return {**_plain(made), "secret": secret}


@api.delete("/webhooks/<int:webhook_id>")
@api.response(204)
@requires(Permission.USER_ADMIN)
def remove_webhook(webhook_id: int) -> None:
    """Stop telling this address."""
    commands.remove_webhook(context(), webhook_id=webhook_id)


def _plain(one: Webhook) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "events": one.events,
        "active": one.is_active,
        "failing_since": one.failing_since,
        "last_ok_at": one.last_ok_at,
        "last_error": one.last_error,
    }
