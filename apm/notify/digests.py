"""The daily digest: what a person wanted in one piece, at their hour in the hospital's zone."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from apm.accounts.queries import zone_of
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.notify.model import Channel, Delivery, Notification, Told
from apm.notify.queries import channels, rules_for
from apm.notify.rules import Rules
from apm.notify.timing import digest_day

LONGEST = 20
"""Messages named one by one; the rest is a number, and stands in the inbox."""


@command("notify.digest", Permission.SYSTEM_RUN)
def make_digests(ctx: Context) -> int:
    """Make the digests whose hour has come; return how many people get one."""
    query = select(Notification).where(Notification.digest_since.is_not(None))
    waiting: dict[int, list[Notification]] = {}
    for message in ctx.session.scalars(query.order_by(Notification.id)):
        waiting.setdefault(message.user_id, []).append(message)
    if not waiting:
        return 0
    zone, ways = zone_of(ctx), channels(ctx)
    made = 0
    for user_id, rules in rules_for(ctx, waiting).items():
        day = digest_day(ctx.now(), rules.digest_hour, zone)
        if day is not None and _first_time(ctx, f"digest:{user_id}:{day}"):
            _make(ctx, user_id, waiting[user_id], rules, ways, day)
            made += 1
    return made


def _first_time(ctx: Context, key: str) -> bool:
    if ctx.session.scalar(select(Told.id).where(Told.key == key)):
        return False
    ctx.session.add(Told(key=key, at=ctx.now()))
    return True


def _make(
    ctx: Context,
    user_id: int,
    messages: list[Notification],
    rules: Rules,
    ways: list[Channel],
    day: date,
) -> None:
    unread = [message for message in messages if message.read_at is None]
    for message in messages:
        message.digest_since = None
    if not unread:
        return
    items = [{"kind": one.kind, "params": one.params} for one in unread[:LONGEST]]
    for channel in filter(rules.uses, ways):
        ctx.session.add(
            Delivery(
                key=f"digest:{day}:{user_id}:{channel.id}",
                carrier="channel",
                target_id=channel.id,
                user_id=user_id,
                kind="digest",
                params={"items": items, "n": len(unread)},
                url="/inbox",
                made_at=ctx.now(),
                next_at=ctx.now(),
            )
        )
