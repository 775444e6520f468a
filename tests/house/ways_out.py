"""Ways out of the program that lead nowhere: a channel, a webhook, what was given up on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from apm.accounts.queries import system_actor
from apm.core.command import Context
from apm.core.sealing import seal
from apm.core.settings import Settings
from apm.notify.channel_commands import Details, add_channel
from apm.notify.delivering import send_due
from apm.notify.model import Delivery, Notification
from apm.notify.topics import ChannelKind
from apm.webhooks.commands import add_webhook
from apm.worker.delivery import deliver

SETTINGS = Settings("sqlite://", "only for tests", "http://localhost", Path())
NOWHERE = "http://127.0.0.1:9/"
"""This machine, which may not be reached: refused before anything is sent."""


def open_ways(as_: Any, name: str) -> dict[str, Any]:
    """A channel and a webhook of North, by what addresses call them."""
    amy = as_("amy")
    sealed = seal(SETTINGS.secret_key, {"url": NOWHERE})
    details = Details(name[:80], {}, ["report", "urgent"], "en", sealed, "")
    channel = add_channel(amy, kind=ChannelKind.WEBHOOK, details=details)
    hook, _secret = add_webhook(
        amy, url=NOWHERE + name[:80], events=["request.reported"], key=SETTINGS.secret_key
    )
    return {"channels": channel.id, "webhooks": hook.id}


def try_ways(as_: Any) -> dict[str, Any]:
    """Deliver what happened so far; return a delivery that was given up, and a message."""
    ctx = as_("system")
    deliver(Context(ctx.session, system_actor(None)))
    send_due(Context(ctx.session, system_actor(ctx.actor.hospital_id)), SETTINGS)
    amy = as_("amy")
    mine = select(Notification.id).where(Notification.user_id == amy.actor.user_id)
    return {
        "deliveries": amy.session.scalars(select(Delivery.id)).first(),
        "inbox": amy.session.scalars(mine).first(),
    }
