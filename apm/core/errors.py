"""Errors a user can cause.  Anything else that escapes is a bug and becomes a 500."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class DomainError(Exception):
    """A refusal: a stable code for machines, a translatable message for people.

    `message` says what happened and what to do next; `params` fill its `%(name)s` places.
    """

    code = "refused"
    status = 400

    def __init__(self, message: object, *, code: str | None = None, **params: object) -> None:
        super().__init__(message)
        self.message = message
        self.params = params
        self.code = code or type(self).code
        self.fields: dict[str, Any] = {}

    def __str__(self) -> str:
        """Return the message in the language of whoever reads it."""
        text = str(self.message)
        return text % self.params if self.params else text


class NotFound(DomainError):
    """No such thing, or it belongs to another hospital: the two look the same."""

    code, status = "not_found", 404


class NotAllowed(DomainError):
    """The actor lacks the permission."""

    code, status = "not_allowed", 403


class NotSignedIn(DomainError):
    """Nobody is signed in, or the token is unknown."""

    code, status = "not_signed_in", 401


class Conflict(DomainError):
    """The request was sensible once, but the thing has moved on."""

    code, status = "conflict", 409


class Stale(DomainError):
    """`If-Match` names a version that is no longer there."""

    code, status = "stale", 412


class TooLarge(DomainError):
    """The upload exceeds what we accept."""

    code, status = "too_large", 413


class TooMany(DomainError):
    """Too many attempts in a short time."""

    code, status = "too_many", 429


class Invalid(DomainError):
    """The values do not fit; `fields` says which and why."""

    code, status = "invalid", 422

    def __init__(
        self,
        message: object,
        *,
        fields: Mapping[str, Sequence[object]] | None = None,
        code: str | None = None,
        **params: object,
    ) -> None:
        super().__init__(message, code=code, **params)
        self.fields = {name: list(errors) for name, errors in (fields or {}).items()}
