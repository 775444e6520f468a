"""What administrators do with channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from apm.core.command import Context, command
from apm.core.errors import Conflict, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.notify.health import note_health
from apm.notify.model import Channel, Delivery, DeliveryState, EscalationPolicy
from apm.notify.queries import MOST_CHANNELS, channel_by_id, own_policy
from apm.notify.sending import SendFailed
from apm.notify.topics import ChannelKind


@dataclass(frozen=True, slots=True)
class Details:
    """What a channel is, its secret sealed; `secret` None keeps the one it has."""

    name: str
    config: dict[str, Any]
    topics: Sequence[str]
    language: str
    secret: str | None = None
    tail: str = ""


@command("channel.add", Permission.USER_ADMIN)
def add_channel(ctx: Context, *, kind: ChannelKind, details: Details) -> Channel:
    """Add a way out of the program."""
    if len(ctx.session.scalars(select(Channel.id)).all()) >= MOST_CHANNELS:
        raise Conflict(_l("There are too many channels. Remove one first."))
    channel = Channel(kind=kind, secret="", tail="", is_active=True, fails=0)
    _apply(channel, details)
    ctx.session.add(channel)
    ctx.session.flush()
    return channel


@command("channel.edit", Permission.USER_ADMIN)
def edit_channel(ctx: Context, *, channel_id: int, details: Details) -> Channel:
    """Change a channel; it counts as well again until the next failure."""
    channel = channel_by_id(ctx, channel_id)
    _apply(channel, details)
    channel.fails, channel.failing_since, channel.retry_at = 0, None, None
    return channel


def _apply(channel: Channel, details: Details) -> None:
    channel.name, channel.config = details.name, details.config
    channel.topics, channel.language = list(details.topics), details.language
    if details.secret is not None:
        channel.secret, channel.tail = details.secret, details.tail


@command("channel.switch", Permission.USER_ADMIN)
def switch_channel(ctx: Context, *, channel_id: int, is_active: bool) -> None:
    """Switch a channel on or off."""
    channel_by_id(ctx, channel_id).is_active = is_active


@command("channel.remove", Permission.USER_ADMIN)
def remove_channel(ctx: Context, *, channel_id: int) -> None:
    """Remove a channel and its secret; what still waits for it is given up."""
    ctx.session.delete(channel_by_id(ctx, channel_id))


@command("channel.test", Permission.USER_ADMIN)
def prepare_test(ctx: Context, *, channel_id: int) -> tuple[Channel, Delivery]:
    """Return a channel and an unsaved test message for it."""
    channel = channel_by_id(ctx, channel_id)
    message = Delivery(
        key=f"test:{channel.id}:{ctx.request_id}:{ctx.now().isoformat()}",
        carrier="channel",
        target_id=channel.id,
        kind="test",
        params={},
        url="/inbox",
    )
    return channel, message


@command("channel.tested", Permission.USER_ADMIN)
def note_test(ctx: Context, *, channel_id: int, error: SendFailed | None) -> None:
    """Remember how a test went: a success makes a failing channel well at once."""
    note_health(channel_by_id(ctx, channel_id), [error], ctx.now())


@command("delivery.retry", Permission.USER_ADMIN)
def retry(ctx: Context, *, delivery_id: int, carrier: str) -> Delivery:
    """Try again what was given up or waits: as the same delivery, so that a repeat is seen."""
    query = select(Delivery).where(Delivery.id == delivery_id, Delivery.carrier == carrier)
    found = ctx.session.scalar(query.with_for_update())
    if found is None:
        raise NotFound(_l("That message is no longer kept."))
    found.state, found.attempts, found.done_at = DeliveryState.PENDING, 0, None
    found.made_at = found.next_at = ctx.now()
    return found


@command("escalation.policy", Permission.USER_ADMIN)
def set_chain(ctx: Context, *, chain: list[dict[str, Any]]) -> None:
    """Say who is asked next when nobody answers, and after how many minutes."""
    policy = own_policy(ctx)
    if policy is None:
        policy = EscalationPolicy(chain=chain)
        ctx.session.add(policy)
    policy.chain = chain
