"""Where events go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.audit import Audited
from apm.core.db import Row
from apm.core.hospital_scope import HospitalScoped


class Webhook(Audited, HospitalScoped, Row):
    """One address that is told of events.  Address and secret are sealed: both may be keys."""

    __tablename__ = "webhook"
    not_in_trail = frozenset({"address", "secret"})
    untracked = frozenset({"fails", "failing_since", "retry_at", "last_ok_at", "last_error"})

    name: Mapped[str]
    """Host and path of the address, without what may be a key in its query."""
    address: Mapped[str]
    secret: Mapped[str]
    events: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    is_active: Mapped[bool] = mapped_column(default=True)
    disabled_at: Mapped[datetime | None]
    """When it was switched off because it had failed for days."""
    fails: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    last_ok_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
