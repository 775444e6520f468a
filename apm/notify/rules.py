"""What holds for one person: what they chose, else what their role has by default."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time

from apm.core.permissions import ROLES, Role
from apm.notify.model import Channel, Preference
from apm.notify.timing import clock, end_of_quiet
from apm.notify.topics import CONCERNS, PERSONAL, ChannelKind, Choice, Topic, default_choice

MORNING = 8


@dataclass(frozen=True, slots=True)
class Rules:
    """How one person is told."""

    role: Role | None
    choices: dict[Topic, Choice]
    ways: frozenset[int] | None = None
    """Ids of channels; None: every e-mail channel."""
    addresses: dict[str, str] = field(default_factory=dict)
    quiet: tuple[time, time] | None = None
    urgent_breaks: bool = True
    digest_hour: int = MORNING

    def choice(self, topic: Topic) -> Choice:
        """Return how soon this person hears of a topic."""
        return self.choices.get(topic) or default_choice(self.role, topic)

    def uses(self, channel: Channel) -> bool:
        """Tell whether messages to this person go through a channel."""
        if channel.kind not in PERSONAL or not channel.is_active:
            return False
        if channel.kind is not ChannelKind.EMAIL and not self.addresses.get(str(channel.id)):
            return False
        if self.ways is None:
            return channel.kind is ChannelKind.EMAIL
        return channel.id in self.ways

    def not_before(self, now: datetime, zone: str, *, is_urgent: bool) -> datetime:
        """Return when a message made now may reach this person."""
        if is_urgent and self.urgent_breaks:
            return now
        return end_of_quiet(now, self.quiet, zone) or now


def rules_of(role: Role | None, chosen: Preference | None) -> Rules:
    """Return the rules of a person of this role who chose this, or nothing."""
    if chosen is None:
        return Rules(role, {})
    quiet = None
    if chosen.quiet_from and chosen.quiet_until:
        quiet = clock(chosen.quiet_from), clock(chosen.quiet_until)
    known = set(Topic)
    return Rules(
        role=role,
        choices={Topic(t): Choice(c) for t, c in chosen.topics.items() if t in known},
        ways=None if chosen.ways is None else frozenset(chosen.ways),
        addresses=chosen.addresses,
        quiet=quiet,
        urgent_breaks=chosen.urgent_breaks,
        digest_hour=chosen.digest_hour,
    )


def topics_for(role: Role | None) -> list[Topic]:
    """Return the topics that can concern somebody of this role."""
    held = ROLES[role] if role else frozenset()
    return [topic for topic in Topic if CONCERNS[topic] & held]
