"""Writing and reading messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select, update

from apm.accounts.queries import zone_of
from apm.core.command import Context, command
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.notify.escalating import answer
from apm.notify.messages import SORTS, News
from apm.notify.model import Channel, Delivery, Notification
from apm.notify.queries import channels, own_notification, rules_for
from apm.notify.rules import Rules
from apm.notify.topics import PERSONAL, Choice


@command("notify.send", Permission.SYSTEM_RUN)
def send(
    ctx: Context,
    *,
    event_id: int,
    user_ids: Iterable[int],
    news: News,
    escalation_id: int | None = None,
) -> int:
    """Tell these people, each as they chose; return how many were told.

    Each person gets one message an event, however often this is called, and one delivery for each
    channel that reaches them; a group channel that posts the topic gets one an event.
    """
    sort = SORTS[news.kind]
    query = select(Notification.user_id).where(Notification.event_id == event_id)
    have = set(ctx.session.scalars(query))
    rules = rules_for(ctx, set(user_ids) - have)
    ways = channels(ctx)
    told = {
        user_id: Notification(
            user_id=user_id,
            event_id=event_id,
            kind=news.kind,
            params=news.params,
            url=news.url,
            at=ctx.now(),
            digest_since=ctx.now() if one.choice(sort.topic) is Choice.DIGEST else None,
            escalation_id=escalation_id,
        )
        for user_id, one in sorted(rules.items())
        if one.choice(sort.topic) is not Choice.OFF
    }
    ctx.session.add_all(told.values())
    ctx.session.flush()  # a delivery leads to its message, which now has a number
    _send_out(ctx, told, rules, ways)
    _post_to_groups(ctx, ways, event_id, news)
    return len(told)


def _send_out(
    ctx: Context,
    told: Mapping[int, Notification],
    rules: Mapping[int, Rules],
    ways: list[Channel],
) -> None:
    zone = zone_of(ctx) if told else ""
    for user_id, message in told.items():
        one, sort = rules[user_id], SORTS[message.kind]
        if one.choice(sort.topic) is not Choice.NOW:
            continue
        for channel in filter(one.uses, ways):
            ctx.session.add(
                Delivery(
                    key=f"event:{message.event_id}:{user_id}:{channel.id}",
                    carrier="channel",
                    target_id=channel.id,
                    user_id=user_id,
                    kind=message.kind,
                    params=message.params,
                    url=f"/inbox/{message.id}",
                    made_at=ctx.now(),
                    next_at=one.not_before(ctx.now(), zone, is_urgent=sort.is_urgent),
                )
            )


def _post_to_groups(ctx: Context, ways: list[Channel], event_id: int, news: News) -> None:
    topic = SORTS[news.kind].topic
    groups = {
        f"event:{event_id}:group:{channel.id}": channel
        for channel in ways
        if channel.is_active and channel.kind not in PERSONAL and topic in channel.topics
    }
    query = select(Delivery.key).where(Delivery.key.in_(groups))
    have = set(ctx.session.scalars(query)) if groups else set()
    for key in groups.keys() - have:
        ctx.session.add(
            Delivery(
                key=key,
                carrier="channel",
                target_id=groups[key].id,
                kind=news.kind,
                params=news.params,
                url=news.url,
                made_at=ctx.now(),
                next_at=ctx.now(),
            )
        )


@command("notify.read_all", Permission.ACCOUNT_OWN)
def read_all(ctx: Context) -> None:
    """Mark all of one's messages as read; what is urgent still waits for an answer."""
    unread = update(Notification).where(
        Notification.user_id == ctx.actor.user_id, Notification.read_at.is_(None)
    )
    ctx.session.execute(unread.values(read_at=ctx.now()))


@command("notify.open", Permission.ACCOUNT_OWN)
def open_message(ctx: Context, *, notification_id: int) -> Notification:
    """Read a message; whoever opens an urgent one has answered it."""
    found = own_notification(ctx, notification_id)
    found.read_at = found.read_at or ctx.now()
    if found.escalation_id is not None:
        answer(ctx, found.escalation_id)
    return found


@command("notify.acknowledge", Permission.ACCOUNT_OWN)
def acknowledge(ctx: Context, *, notification_id: int) -> None:
    """Say that one sees to it: nobody further is asked."""
    found = own_notification(ctx, notification_id)
    if found.escalation_id is None:
        raise NotFound(_l("This message asks for no answer."))
    found.read_at = found.read_at or ctx.now()
    answer(ctx, found.escalation_id)
