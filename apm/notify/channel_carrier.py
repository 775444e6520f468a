"""Channels as a carrier: the words in the receiver's language, the secret unsealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import select

from apm.accounts.model import User
from apm.accounts.queries import colleagues
from apm.core.command import Context
from apm.core.i18n import speaking
from apm.core.sealing import Unreadable, unseal
from apm.core.settings import Settings
from apm.notify.carriers import Send, carrier
from apm.notify.events import ChannelFails
from apm.notify.health import is_failing, note_health
from apm.notify.messages import outgoing
from apm.notify.model import Channel, Delivery
from apm.notify.queries import rules_for
from apm.notify.rules import Rules
from apm.notify.sending import Parcel, Reason, SendFailed
from apm.notify.topics import ChannelKind
from apm.notify.ways.table import SEND


def delivery_name(one: Delivery) -> str:
    """Return what a receiver may recognise a repeat by; it says nothing of our numbers."""
    return str(uuid5(NAMESPACE_URL, f"apm:delivery:{one.key}"))


class Channels:
    """Carries what people are told."""

    def standing(self, ctx: Context, target_ids: Sequence[int]) -> dict[int, datetime | None]:
        """Return, of those of these channels that fail, when each may be tried again."""
        found = self._channels(ctx, target_ids)
        return {number: one.retry_at for number, one in found.items() if is_failing(one)}

    def pack(
        self, ctx: Context, settings: Settings, deliveries: Sequence[Delivery]
    ) -> dict[int, Send | SendFailed]:
        """Return what sends each delivery, or why it cannot be sent."""
        channels = self._channels(ctx, {one.target_id for one in deliveries})
        people = {user.id: user for user in colleagues(ctx)}
        rules = rules_for(ctx, {one.user_id for one in deliveries if one.user_id is not None})
        packed: dict[int, Send | SendFailed] = {}
        for one in deliveries:
            channel = channels.get(one.target_id)
            user = people.get(one.user_id or 0)
            try:
                to = _address(channel, user, rules.get(one.user_id or 0)) if one.user_id else ""
                parcel = parcel_of(channel, one, settings, to=to, language=_language(user))
            except SendFailed as error:
                packed[one.id] = error
            except (KeyError, TypeError, ValueError) as error:  # made by another version of us
                packed[one.id] = SendFailed(Reason.OTHER, type(error).__name__)
            else:
                assert channel is not None  # noqa: S101  (parcel_of refuses None)
                packed[one.id] = partial(SEND[channel.kind], parcel)
        return packed

    def note(self, ctx: Context, target_id: int, errors: Sequence[SendFailed | None]) -> None:
        """Remember how a channel fared; administrators hear when it begins to fail."""
        channel = self._channels(ctx, [target_id]).get(target_id)
        if channel is not None and note_health(channel, errors, ctx.now()):
            ctx.emit(ChannelFails(channel.id, channel.name))

    def _channels(self, ctx: Context, ids: Sequence[int] | set[int]) -> dict[int, Channel]:
        found = ctx.session.scalars(select(Channel).where(Channel.id.in_(ids)))
        return {channel.id: channel for channel in found}


def _language(user: User | None) -> str | None:
    return user.language if user else None


def _address(channel: Channel | None, user: User | None, rules: Rules | None) -> str:
    """Return where a channel finds a person; a colleague who has left is told nothing."""
    if channel is None or user is None or rules is None:
        raise SendFailed(Reason.ADDRESS)
    if channel.kind is ChannelKind.EMAIL:
        return user.email
    found = rules.addresses.get(str(channel.id))
    if not found:
        raise SendFailed(Reason.ADDRESS)
    return found


def parcel_of(
    channel: Channel | None,
    one: Delivery,
    settings: Settings,
    *,
    to: str = "",
    language: str | None = None,
) -> Parcel:
    """Return a delivery ready to go, or raise `SendFailed`."""
    if channel is None or not channel.is_active:
        raise SendFailed(Reason.OFF)
    try:
        secret = unseal(settings.secret_key, channel.secret)
    except Unreadable:
        raise SendFailed(Reason.SEALED) from None
    own = settings.language if one.user_id else channel.language
    with speaking(language or own):
        link = settings.base_url + one.url
        words = outgoing(one.kind, one.params, link, is_personal=one.user_id is not None)
    return Parcel(
        delivery=delivery_name(one),
        words=words,
        to=to,
        config={name: str(value) for name, value in channel.config.items()},
        secret=secret,
        reach=settings.allow_private_targets,
    )


carrier("channel", Channels())
