"""Writing and reading messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select, update

from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.notify.model import Notification


@command("notify.send", Permission.SYSTEM_RUN)
def send(
    ctx: Context,
    *,
    event_id: int,
    user_ids: Iterable[int],
    kind: str,
    params: dict[str, Any],
    url: str,
) -> int:
    """Put a message into the inboxes of these people; each gets one an event, however often."""
    query = select(Notification.user_id).where(Notification.event_id == event_id)
    have = set(ctx.session.scalars(query))
    new = [
        Notification(
            user_id=user_id, event_id=event_id, kind=kind, params=params, url=url, at=ctx.now()
        )
        for user_id in sorted(set(user_ids) - have)
    ]
    ctx.session.add_all(new)
    return len(new)


@command("notify.read_all", Permission.ACCOUNT_OWN)
def read_all(ctx: Context) -> None:
    """Mark all of one's messages as read."""
    unread = update(Notification).where(
        Notification.user_id == ctx.actor.user_id, Notification.read_at.is_(None)
    )
    ctx.session.execute(unread.values(read_at=ctx.now()))
