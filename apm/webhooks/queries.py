"""Reading webhooks."""

from __future__ import annotations

from sqlalchemy import select

from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.webhooks.model import Webhook

MOST = 50
"""Webhooks of one hospital."""


def webhook_page(ctx: Context, *, after: str | None = None, limit: int = 50) -> Page[Webhook]:
    """Return the hospital's webhooks, oldest first."""
    return page_of(ctx.session, select(Webhook), by=[Webhook.id], after=after, limit=limit)


def webhook_by_id(ctx: Context, webhook_id: int) -> Webhook:
    """Return a webhook, or raise `NotFound`."""
    found = ctx.session.scalar(select(Webhook).where(Webhook.id == webhook_id))
    if found is None:
        raise NotFound(_l("There is no such webhook. Choose one from the list."))
    return found


def webhooks(ctx: Context) -> list[Webhook]:
    """Return all of the hospital's webhooks."""
    return list(ctx.session.scalars(select(Webhook).order_by(Webhook.id).limit(MOST)))
