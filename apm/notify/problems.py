"""Why a message did not get out, in words, with what to do."""

from __future__ import annotations

from typing import Any

from apm.core.i18n import _l
from apm.notify.sending import Reason

TEXTS: dict[Reason, Any] = {
    Reason.NAME: _l("The server's name is not known here. Check its spelling and the DNS."),
    Reason.TARGET: _l(
        "This address may not be reached. See APM_ALLOW_PRIVATE_TARGETS in the settings."
    ),
    Reason.CONNECT: _l("No connection to the server. Check address, port and firewall."),
    Reason.BROKEN: _l("The connection broke off. It is tried again."),
    Reason.TIMEOUT: _l("The server did not answer within 10 seconds. It is tried again."),
    Reason.TLS: _l(
        "No secure connection: check the server's certificate and the kind of security."
    ),
    Reason.LOGIN: _l("The server refused the login. Enter user and password or secret again."),
    Reason.RECEIVER: _l("The server does not know the receiver. Correct the person's address."),
    Reason.ADDRESS: _l("No address of the person is known for this channel."),
    Reason.ANSWER: _l("The server refused the message. Check the key or token of the channel."),
    Reason.REDIRECT: _l("The server sent us elsewhere. Enter the final address."),
    Reason.SEALED: _l("The secret cannot be read: APM_SECRET_KEY has changed. Enter it again."),
    Reason.OFF: _l("The channel was switched off or removed."),
    Reason.STALE: _l("It waited for three days and was given up."),
    Reason.OTHER: _l("Sending failed for a reason we do not know. The log names it."),
}


def problem_text(stored: str | None) -> str:
    """Return the words for what is stored of a failed try; nothing for none.

    >>> problem_text("answer:errcode 93000")[-16:]
    ' [errcode 93000]'
    """
    if not stored:
        return ""
    name, _colon, detail = stored.partition(":")
    reason = Reason(name) if name in set(Reason) else Reason.OTHER
    text = str(TEXTS[reason])
    return f"{text} [{detail}]" if detail else text
