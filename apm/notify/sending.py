"""What is sent, and why sending may fail: said without any secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

LONGEST_DETAIL = 120


class Reason(StrEnum):
    """Why a message did not go out."""

    NAME = "name"
    TARGET = "target"
    CONNECT = "connect"
    BROKEN = "broken"
    TIMEOUT = "timeout"
    TLS = "tls"
    LOGIN = "login"
    RECEIVER = "receiver"
    """the server does not know the receiver"""
    ADDRESS = "address"
    """the person has said no address for this channel"""
    ANSWER = "answer"
    REDIRECT = "redirect"
    SEALED = "sealed"
    OFF = "off"
    STALE = "stale"
    """it waited too long to be of use"""
    OTHER = "other"


BLAMELESS = frozenset({Reason.RECEIVER, Reason.ADDRESS, Reason.OFF, Reason.STALE})
"""The channel itself is well."""


class SendFailed(Exception):
    """A message did not go out; `permanent` when another try cannot help."""

    def __init__(self, reason: Reason, detail: str = "", *, permanent: bool = False) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.detail = "".join(c if c.isprintable() else " " for c in detail)[:LONGEST_DETAIL]
        self.permanent = permanent or reason in BLAMELESS

    @property
    def stored(self) -> str:
        """What is kept of it."""
        return f"{self.reason.value}:{self.detail}" if self.detail else self.reason.value


@dataclass(frozen=True, slots=True)
class Words:
    """A message in somebody's language."""

    title: str
    body: str
    link: str
    footer: str = ""

    @property
    def text(self) -> str:
        """All of it, for ways that know no title."""
        return "\n".join(part for part in (self.title, self.body, self.link) if part)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message with all that is needed to send it, and no tie to the database."""

    delivery: str
    """The same for every try, so that a receiver may recognise a repeat."""
    words: Words
    to: str = ""
    config: dict[str, str] = field(default_factory=dict)
    secret: dict[str, str] = field(default_factory=dict, repr=False)
    reach: str = "private"


def cleaned(text: str, secrets: dict[str, str]) -> str:
    """Return what another server said, without our secrets in it."""
    for secret in secrets.values():
        if secret:
            text = text.replace(secret, "•••")
    return text
