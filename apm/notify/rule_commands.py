"""What a person says about their own messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from apm.core.command import Context, command
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.notify.model import Preference
from apm.notify.queries import channels, own_preference
from apm.notify.topics import PERSONAL, ChannelKind, Choice, Topic

ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_@.\-]{0,127}")
EVERYBODY = frozenset({"all", "@all"})
"""WeCom takes this for the whole organisation."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody chose; `ways` are ids of channels, `addresses` are by channel id."""

    topics: Mapping[Topic, Choice]
    ways: frozenset[int]
    addresses: Mapping[int, str]
    quiet_from: str | None
    quiet_until: str | None
    urgent_breaks: bool
    digest_hour: int


@command("notify.choose", Permission.ACCOUNT_OWN)
def choose_rules(ctx: Context, *, wishes: Wishes) -> Preference:
    """Remember what one wants to hear of, how and when."""
    if (wishes.quiet_from is None) != (wishes.quiet_until is None):
        message = _l("Give both ends of the quiet hours, or neither.")
        raise Invalid(message, fields={"quiet_from": [message]})
    personal = {one.id: one for one in channels(ctx) if one.kind in PERSONAL}
    chosen = own_preference(ctx)
    if chosen is None:
        chosen = Preference(user_id=ctx.actor.user_id)
        ctx.session.add(chosen)
    chosen.topics = {topic.value: choice.value for topic, choice in wishes.topics.items()}
    chosen.ways = sorted(wishes.ways & personal.keys())
    chosen.addresses = {
        str(one): _checked(one, address)
        for one, address in wishes.addresses.items()
        if address and one in personal and personal[one].kind is not ChannelKind.EMAIL
    }
    chosen.quiet_from, chosen.quiet_until = wishes.quiet_from, wishes.quiet_until
    chosen.urgent_breaks, chosen.digest_hour = wishes.urgent_breaks, wishes.digest_hour
    return chosen


def _checked(channel_id: int, address: str) -> str:
    if not ADDRESS.fullmatch(address) or address.lower() in EVERYBODY:
        message = _l("This is no user ID. Copy it from your profile there.")
        raise Invalid(message, fields={f"address_{channel_id}": [message]})
    return address
