"""Messages in the program's own inbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.db import Row
from apm.core.hospital_scope import HospitalScoped


class Notification(HospitalScoped, Row):
    """One message to one person, in words chosen when it is read (kind and parameters)."""

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("user_id", "event_id"),  # an event delivered twice is one message
        Index("ix_notification_unread", "user_id", "read_at"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    event_id: Mapped[int]
    kind: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    url: Mapped[str]
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
