"""Public codes: what a label or a link says, and which hospital it leads to.

The table is read before anybody is known, so it holds nothing but the way: a code, what kind of
thing it names, whose it is.  Codes are random Crockford base-32: no I, L, O, U to misread.
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.db import ApmSession, Row

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 8  # 40 bits: at a million labels, a guess hits one in a million
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


class PublicCode(Row):
    """The way from a code to a hospital's row.  Not scoped: it decides the scope."""

    __tablename__ = "public_code"

    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    """`asset`, `location`, or `request` (then `code` is the digest of a secret token)."""
    hospital_id: Mapped[int] = mapped_column(index=True)
    target: Mapped[str]
    """What the feature looks its row up by: an asset's code, a request's number."""


def new_code() -> str:
    """Return a random public code."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def normal_code(typed: str) -> str:
    """Return what was scanned or typed, in the one form codes are stored in."""
    return typed.strip().upper().translate(_MISREAD)


def new_token() -> str:
    """Return a secret for a link or a cookie: 256 bits, never stored as it is."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """Return what is stored of a secret token: SHA-256, enough for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_code(session: ApmSession, kind: str, code: str) -> PublicCode | None:
    """Return where `code` leads, whoever asks."""
    query = select(PublicCode).where(PublicCode.code == code, PublicCode.kind == kind)
    return session.scalar(query)
