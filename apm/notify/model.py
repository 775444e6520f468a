"""Messages, how they leave the program, and who is asked when nobody answers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.notify.topics import ChannelKind


class Notification(HospitalScoped, Row):
    """One message to one person, in words chosen when it is read (kind and parameters)."""

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("user_id", "event_id"),  # an event delivered twice is one message
        Index("ix_notification_unread", "user_id", "read_at"),
        Index("ix_notification_digest", "hospital_id", "digest_since"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    event_id: Mapped[int]
    kind: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    url: Mapped[str]
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    digest_since: Mapped[datetime | None]
    """Waits since then for the person's next digest; None when it does not, or went out."""
    escalation_id: Mapped[int | None] = mapped_column(ForeignKey("escalation.id"), index=True)
    """What goes on to the next people unless somebody answers."""


class Escalation(HospitalScoped, Row):
    """Something urgent, on its way from one group of people to the next until one answers."""

    __tablename__ = "escalation"
    __table_args__ = (
        UniqueConstraint("event_id"),
        Index("ix_escalation_due", "hospital_id", "next_at"),
        Index("ix_escalation_subject", "hospital_id", "subject"),
    )

    event_id: Mapped[int]
    """The event that began it."""
    subject: Mapped[str]
    """The number of the report or work order: whoever takes that has answered."""
    kind: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    url: Mapped[str]
    chain: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """`{"after": minutes, "who": group or list of person ids}` for each step."""
    step: Mapped[int] = mapped_column(default=0)
    """How many steps were taken."""
    began_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    """When the next step is due; None once it has ended."""
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None]


class EscalationPolicy(Audited, HospitalScoped, Row):
    """How long a hospital waits for an answer, and who is asked next."""

    __tablename__ = "escalation_policy"
    __table_args__ = (UniqueConstraint("hospital_id"),)

    chain: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class Preference(Audited, HospitalScoped, Row):
    """What one person wants to hear of, how and when."""

    __tablename__ = "notify_preference"
    __table_args__ = (UniqueConstraint("user_id", "hospital_id"),)
    not_in_trail = frozenset({"addresses"})

    user_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    topics: Mapped[dict[str, str]] = mapped_column(JSON)
    """Choice by topic; a topic that is not named keeps the role's default."""
    ways: Mapped[list[int] | None] = mapped_column(JSON)
    """Ids of the channels that reach this person; None: every e-mail channel."""
    addresses: Mapped[dict[str, str]] = mapped_column(JSON)
    """By channel id, who the person is there: a WeCom user id, a WeChat open id."""
    quiet_from: Mapped[str | None]
    """`22:00`, in the hospital's time zone; None: no quiet hours."""
    quiet_until: Mapped[str | None]
    urgent_breaks: Mapped[bool]
    """Urgent messages come in quiet hours too."""
    digest_hour: Mapped[int]


class Channel(Audited, HospitalScoped, Row):
    """One way out: a mail server, a group robot, an official account."""

    __tablename__ = "channel"
    not_in_trail = frozenset({"secret"})
    untracked = frozenset({"fails", "failing_since", "retry_at", "last_ok_at", "last_error"})

    name: Mapped[str]
    kind: Mapped[ChannelKind] = mapped_column(text_enum(ChannelKind))
    config: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What is no secret: host, port, sender, app id."""
    secret: Mapped[str]
    """The secret fields as JSON, sealed (`apm.core.sealing`)."""
    tail: Mapped[str]
    """The last characters of the secret, to tell two channels apart."""
    topics: Mapped[list[str]] = mapped_column(JSON)
    """What a group channel posts; unused where a channel reaches single people."""
    language: Mapped[str]
    """What a group reads: `en` or `zh`."""
    is_active: Mapped[bool] = mapped_column(default=True)
    fails: Mapped[int] = mapped_column(default=0)
    """Failed sends since the last good one."""
    failing_since: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    """While it fails, one message is tried at this time; the others wait."""
    last_ok_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


class DeliveryState(StrEnum):
    """What became of one message on one way."""

    PENDING = "pending"
    FAILED = "failed"
    """and will be tried again"""
    SENT = "sent"
    DEAD = "dead"
    """given up"""


OPEN_DELIVERY = (DeliveryState.PENDING, DeliveryState.FAILED)


class Delivery(HospitalScoped, Row):
    """One message on one way to one receiver: tried until it arrives or is given up."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_due", "hospital_id", "next_at"),
        Index("ix_delivery_target", "carrier", "target_id", "id"),
    )

    key: Mapped[str] = mapped_column(unique=True)
    """Event, receiver and way: the same event never makes two."""
    carrier: Mapped[str]
    """`channel` or `webhook`: who knows how to send it."""
    target_id: Mapped[int]
    user_id: Mapped[int | None]
    kind: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    url: Mapped[str]
    state: Mapped[DeliveryState] = mapped_column(
        text_enum(DeliveryState), default=DeliveryState.PENDING
    )
    attempts: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    """When to try (again); None once sent or given up."""
    done_at: Mapped[datetime | None]
    error: Mapped[str | None]
    """Why the last try failed, without any secret: a reason of `sending.Reason`, and a detail."""


class Told(HospitalScoped, Row):
    """Something that is said once and must not be said again, found by a job."""

    __tablename__ = "told"
    __table_args__ = (UniqueConstraint("hospital_id", "key"),)

    key: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)
