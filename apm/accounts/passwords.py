"""Passwords: argon2id with the library's defaults (64 MiB, about a third of a second)."""

from functools import cache
from secrets import token_urlsafe

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from apm.core.errors import Invalid
from apm.core.i18n import _l

SHORTEST = 8
_hasher = PasswordHasher()


@cache
def _nobodys() -> str:
    """Return a hash no password fits, for people who do not exist."""
    return _hasher.hash(token_urlsafe(32))


def hash_password(password: str) -> str:
    """Return what is stored of a password; refuse one that is too short."""
    if len(password) < SHORTEST:
        message = _l("A password needs at least %(n)s characters.", n=SHORTEST)
        raise Invalid(message, fields={"password": [message]})
    return _hasher.hash(password)


def is_right(password: str, stored: str | None) -> bool:
    """Tell whether `password` is the stored one; as slow for an unknown person as for a known."""
    try:
        _hasher.verify(stored or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
