"""Secrets at rest: encrypted with a key derived from the installation's secret.

Fernet (AES-128-CBC with HMAC-SHA256) under a key from HKDF-SHA256 over `APM_SECRET_KEY`.  It
guards a stolen database or backup, not a machine whose environment can be read.
"""

from __future__ import annotations

import base64
import json

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SHOWN = 4
"""Characters of a secret's end that may be shown."""


class Unreadable(Exception):
    """The secret was sealed under another key: it must be entered again."""


def _box(key: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"apm secrets at rest").derive(
        key.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))


def seal(key: str, secret: dict[str, str]) -> str:
    """Return `secret` encrypted under `APM_SECRET_KEY`."""
    return _box(key).encrypt(json.dumps(secret).encode()).decode()


def unseal(key: str, sealed: str) -> dict[str, str]:
    """Return what was sealed, or raise `Unreadable`."""
    try:
        plain: dict[str, str] = json.loads(_box(key).decrypt(sealed.encode()))
    except InvalidToken:
        raise Unreadable from None
    return plain


def tail_of(secret: str) -> str:
    """Return as much of a secret's end as tells two apart; nothing of a short one.

    >>> tail_of("693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"), tail_of("hunter2")
    ('5aaa', '')
    """
    return secret[-SHOWN:] if len(secret) >= 4 * SHOWN else ""
