"""Hospitals, people and what they hold.

None of these is hospital-scoped: they are read to find out which hospital somebody belongs to.
Only `accounts.queries` reads them, and it names the hospital each time.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.permissions import Role


class Hospital(Audited, Row):
    """One hospital: the border that no query crosses."""

    __tablename__ = "hospital"

    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_zh: Mapped[str | None]
    phone: Mapped[str | None]
    """The equipment department's telephone, shown where somebody is stuck."""
    timezone: Mapped[str] = mapped_column(default="Asia/Shanghai")
    currency: Mapped[str] = mapped_column(default="CNY")
    is_demo: Mapped[bool] = mapped_column(default=False)
    silence_days: Mapped[int] = mapped_column(default=3, server_default="3")
    """After so many days without a word from its reporter a repair counts as confirmed."""


class User(Audited, Row):
    """A person who signs in."""

    __tablename__ = "person"
    not_in_trail = frozenset({"password_hash"})

    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_zh: Mapped[str | None]
    password_hash: Mapped[str]
    language: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(default=True)

    grants: Mapped[list[Grant]] = relationship(back_populates="user", lazy="raise")


class Grant(Audited, Row):
    """A person's role in one hospital."""

    __tablename__ = "role_grant"
    __table_args__ = (UniqueConstraint("user_id", "hospital_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"), index=True)
    role: Mapped[Role] = mapped_column(text_enum(Role))
    expires_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(back_populates="grants", lazy="raise")
    hospital: Mapped[Hospital] = relationship(lazy="raise")


class SignInSession(Audited, Row):
    """One browser somebody is signed in with; revoking it signs that browser out."""

    __tablename__ = "sign_in_session"
    not_in_trail = frozenset({"token_hash"})
    untracked = frozenset({"last_seen_at"})

    token_hash: Mapped[str] = mapped_column(unique=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("role_grant.id"), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    browser: Mapped[str]

    grant: Mapped[Grant] = relationship(lazy="raise")


class ApiToken(Audited, Row):
    """A program's key to one hospital.  The token itself is shown once and never stored."""

    __tablename__ = "api_token"
    not_in_trail = frozenset({"token_hash"})

    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    hospital_id: Mapped[int] = mapped_column(ForeignKey("hospital.id"), index=True)
    role: Mapped[Role] = mapped_column(text_enum(Role))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
