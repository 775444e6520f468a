"""Passwords: argon2id with the library's defaults (64 MiB, about a third of a second)."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from apm.core.errors import Invalid
from apm.core.i18n import _l

SHORTEST = 8
_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return what is stored of a password; refuse one that is too short."""
    if len(password) < SHORTEST:
        message = _l("A password needs at least %(n)s characters.", n=SHORTEST)
        raise Invalid(message, fields={"password": [message]})
    return _hasher.hash(password)


def is_right(password: str, stored: str | None) -> bool:
    """Tell whether `password` is the stored one; as slow for an unknown person as for a known."""
    try:
        _hasher.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None
