"""What administrators do with webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from apm.core.codes import new_token
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.core.sealing import seal
from apm.notify.model import Delivery
from apm.notify.outside import is_address
from apm.webhooks.kinds import KINDS, TEST
from apm.webhooks.model import Webhook
from apm.webhooks.queries import MOST, webhook_by_id, webhooks


def add_webhook(ctx: Context, *, url: str, events: Sequence[str], key: str) -> tuple[Webhook, str]:
    """Tell this address of these events; returns the webhook and its secret, shown once.

    Args:
        ctx: an administrator's.
        url: http or https, without a user and password in it.
        events: names of `kinds.KINDS`.
        key: the installation's secret, under which address and secret are sealed.

    Raises:
        Invalid: no such address, or no such event.
        Conflict: the hospital has as many as it may.
    """
    if not is_address(url):
        message = _l("Give an address such as https://system.hospital.example/apm.")
        raise Invalid(message, fields={"url": [message]})
    if not events or set(events) - KINDS.keys():
        message = _l("Choose at least one of the events listed.")
        raise Invalid(message, fields={"events": [message]})
    secret = "whsec_" + new_token()
    parts = urlsplit(url)
    made = _add(
        ctx,
        name=f"{parts.scheme}://{parts.netloc}{parts.path}"[:200],
        sealed=(seal(key, {"url": url}), seal(key, {"secret": secret})),
        events=events,
    )
    return made, secret


@command("webhook.add", Permission.USER_ADMIN)
def _add(ctx: Context, *, name: str, sealed: tuple[str, str], events: Sequence[str]) -> Webhook:
    """Store a checked webhook."""
    if len(webhooks(ctx)) >= MOST:
        raise Conflict(_l("There are too many webhooks. Remove one first."))
    made = Webhook(
        name=name,
        address=sealed[0],
        secret=sealed[1],
        events=sorted(set(events)),
        created_at=ctx.now(),
        is_active=True,
        fails=0,
    )
    ctx.session.add(made)
    ctx.session.flush()
    return made


@command("webhook.remove", Permission.USER_ADMIN)
def remove_webhook(ctx: Context, *, webhook_id: int) -> None:
    """Stop telling this address; what still waits for it is given up."""
    ctx.session.delete(webhook_by_id(ctx, webhook_id))


@command("webhook.switch", Permission.USER_ADMIN)
def switch_webhook(ctx: Context, *, webhook_id: int, is_active: bool) -> None:
    """Switch a webhook off, or on again: then it counts as well."""
    found = webhook_by_id(ctx, webhook_id)
    found.is_active = is_active
    if is_active:
        found.disabled_at = None
        found.fails, found.failing_since, found.retry_at = 0, None, None


@command("webhook.test", Permission.USER_ADMIN)
def send_test(ctx: Context, *, webhook_id: int) -> Delivery:
    """Send an event that means nothing."""
    found = webhook_by_id(ctx, webhook_id)
    key = f"hook-test:{found.id}:{ctx.now().isoformat()}"
    made = Delivery(
        key=key,
        carrier="webhook",
        target_id=found.id,
        kind=TEST,
        params={"at": ctx.now().isoformat(), "data": {}},
        url="",
        made_at=ctx.now(),
        next_at=ctx.now(),
    )
    ctx.session.add(made)
    ctx.session.flush()
    return made
