"""Reading one's messages."""

from __future__ import annotations

from sqlalchemy import func, select

from apm.core.command import Context
from apm.core.paging import Page, page_of
from apm.notify.model import Notification


def unread_count(ctx: Context) -> int:
    """Return how many messages the person has not read."""
    query = select(func.count(Notification.id)).where(
        Notification.user_id == ctx.actor.user_id, Notification.read_at.is_(None)
    )
    return ctx.session.scalar(query) or 0


def inbox_page(ctx: Context, *, after: str | None = None) -> Page[Notification]:
    """Return the person's messages, newest first."""
    query = select(Notification).where(Notification.user_id == ctx.actor.user_id)
    return page_of(ctx.session, query, by=[Notification.id], after=after, descending=True)
