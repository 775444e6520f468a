"""Why a device could not be read, in words, with what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from apm.core.i18n import _l

LONGEST_DETAIL = 120


class Reason(StrEnum):
    """What went wrong."""

    NAME = "name"
    TARGET = "target"
    CONNECT = "connect"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    TLS = "tls"
    NO_ENCRYPTION = "no_encryption"
    UNTRUSTED = "untrusted"
    CHANGED = "changed"
    REFUSED_US = "refused_us"
    LOGIN = "login"
    ANSWER = "answer"
    REDIRECT = "redirect"
    NOT_JSON = "not_json"
    PLACE = "place"
    SEALED = "sealed"
    SILENT = "silent"
    NO_POINTS = "no_points"
    SPOOL_FULL = "spool_full"
    TAKEN = "taken"
    OTHER = "other"


TEXTS: dict[Reason, Any] = {
    Reason.NAME: _l("The device's name is not known here. Check its spelling and the DNS."),
    Reason.TARGET: _l("This address is link-local, multicast or of a cloud. Give the device's."),
    Reason.CONNECT: _l("No connection. Check address, port, firewall and that the device is on."),
    Reason.TIMEOUT: _l("The device did not answer in time. It is tried again."),
    Reason.BROKEN: _l("The connection broke off. It is tried again."),
    Reason.TLS: _l("No secure connection: check the device's certificate and the security."),
    Reason.NO_ENCRYPTION: _l(
        "The device offers no encryption that is safe today. Switch on Basic256Sha256 or better "
        "in it, with messages signed and encrypted."
    ),
    Reason.UNTRUSTED: _l(
        "Nobody has accepted the device's certificate yet. Compare its fingerprint with what the "
        "device shows, then accept it."
    ),
    Reason.CHANGED: _l(
        "The device shows another certificate than the one that was accepted. If it was renewed, "
        "compare the fingerprint and accept it; if not, somebody may be in between."
    ),
    Reason.REFUSED_US: _l(
        "The device does not accept our certificate. Download it below and accept it there."
    ),
    Reason.LOGIN: _l("The device refused the login. Enter user and password or key again."),
    Reason.ANSWER: _l("The device answered with an error. Check the addresses of its points."),
    Reason.REDIRECT: _l("The device sent us elsewhere. Enter the final address."),
    Reason.NOT_JSON: _l("The device did not answer with JSON. Check the address."),
    Reason.PLACE: _l("At this place there is no number. Check the point's address."),
    Reason.SEALED: _l("The secret cannot be read: APM_SECRET_KEY has changed. Enter it again."),
    Reason.SILENT: _l("Connected, but nothing arrived within the test. Check the topics."),
    Reason.NO_POINTS: _l("No point is set up yet. Add one below."),
    Reason.SPOOL_FULL: _l(
        "Database and spool take no more. Free disk space and start the database; "
        "readings are being lost."
    ),
    Reason.TAKEN: _l("Another program uses our name at the broker. Two databases, one broker?"),
    Reason.OTHER: _l("It failed for a reason we do not know. The collector's log names it."),
}


class LineFailed(Exception):
    """A device could not be read: the reason, and what the device or the system said."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason, self.detail = reason, detail

    @property
    def stored(self) -> str:
        """The form that is kept: `reason` or `reason:detail`."""
        detail = "".join(c for c in self.detail if c.isprintable())[:LONGEST_DETAIL]
        return f"{self.reason}:{detail}" if detail else str(self.reason)


def fingerprint_shown(*stored: str | None) -> str | None:
    """Return the fingerprint in the first failure for a certificate that a person may accept.

    >>> fingerprint_shown(None, "timeout:3 s", "untrusted:AB:CD")
    'AB:CD'
    """
    for one in stored:
        name, _colon, detail = (one or "").partition(":")
        if name in {Reason.UNTRUSTED, Reason.CHANGED}:
            return detail
    return None


def problem_text(stored: str | None) -> str:
    """Return the words for what is stored of a failure; nothing for none.

    >>> problem_text("timeout:3 s")[-6:]
    ' [3 s]'
    """
    if not stored:
        return ""
    name, _colon, detail = stored.partition(":")
    reason = Reason(name) if name in set(Reason) else Reason.OTHER
    text = str(TEXTS[reason])
    return f"{text} [{detail}]" if detail else text
