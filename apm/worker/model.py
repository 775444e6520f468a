"""The lease that makes one of many workers the leader."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from apm.core.db import Row


class Lease(Row):
    """Who leads, and until when unless renewed."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(unique=True)
    holder: Mapped[str]
    until: Mapped[datetime]
