"""Reading messages, what people chose, and the channels."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select

from apm.accounts.model import Grant
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.core.permissions import Role
from apm.notify.model import (
    Channel,
    Delivery,
    DeliveryState,
    Escalation,
    EscalationPolicy,
    Notification,
    Preference,
)
from apm.notify.rules import Rules, rules_of

MOST_CHANNELS = 100


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


def own_notification(ctx: Context, notification_id: int) -> Notification:
    """Return one of the person's messages, or raise `NotFound`."""
    query = select(Notification).where(
        Notification.id == notification_id, Notification.user_id == ctx.actor.user_id
    )
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such message. Look at your messages."))
    return found


def waiting_for_answer(ctx: Context, messages: Iterable[Notification]) -> set[int]:
    """Return the ids of those of these messages whose escalation nobody has answered."""
    by_escalation = {m.escalation_id: m.id for m in messages if m.escalation_id}
    query = select(Escalation.id).where(
        Escalation.id.in_(by_escalation), Escalation.answered_at.is_(None)
    )
    if not by_escalation:
        return set()
    return {by_escalation[found] for found in ctx.session.scalars(query)}


def rules_for(ctx: Context, user_ids: Iterable[int]) -> dict[int, Rules]:
    """Return the rules of these people of the hospital whose role is valid, by person."""
    wanted = set(user_ids)
    grants = select(Grant.user_id, Grant.role, Grant.expires_at).where(
        Grant.hospital_id == ctx.actor.hospital_id, Grant.user_id.in_(wanted)
    )
    roles: dict[int, Role] = {
        row.user_id: row.role
        for row in ctx.session.execute(grants)
        if row.expires_at is None or row.expires_at > ctx.now()
    }
    chosen = select(Preference).where(Preference.user_id.in_(wanted))
    by_person = {row.user_id: row for row in ctx.session.scalars(chosen)}
    return {one: rules_of(role, by_person.get(one)) for one, role in roles.items()}


def own_preference(ctx: Context) -> Preference | None:
    """Return what the person chose, None for nothing yet."""
    query = select(Preference).where(Preference.user_id == ctx.actor.user_id)
    return ctx.session.scalar(query)


def channels(ctx: Context) -> list[Channel]:
    """Return the hospital's channels, by name."""
    query = select(Channel).order_by(Channel.name, Channel.id).limit(MOST_CHANNELS)
    return list(ctx.session.scalars(query))


def channel_by_id(ctx: Context, channel_id: int) -> Channel:
    """Return a channel, or raise `NotFound`."""
    found = ctx.session.scalar(select(Channel).where(Channel.id == channel_id))
    if found is None:
        raise NotFound(_l("There is no such channel. Choose one from the list."))
    return found


def delivery_page(
    ctx: Context,
    *,
    carrier: str,
    state: DeliveryState | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[Delivery]:
    """Return what went out or should have, newest first."""
    query = select(Delivery).where(Delivery.carrier == carrier)
    if state is not None:
        query = query.where(Delivery.state == state)
    return page_of(ctx.session, query, by=[Delivery.id], after=after, limit=limit, descending=True)


def due_escalations(ctx: Context, now: datetime) -> list[int]:
    """Return the ids of what waits for an answer too long."""
    query = select(Escalation.id).where(Escalation.next_at <= now).order_by(Escalation.next_at)
    return list(ctx.session.scalars(query.limit(100)))


def own_policy(ctx: Context) -> EscalationPolicy | None:
    """Return the hospital's own chain, None while it keeps the default."""
    return ctx.session.scalar(select(EscalationPolicy))
