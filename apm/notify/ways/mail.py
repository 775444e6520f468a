"""E-mail by SMTP, from the hospital's mail server to one person."""

from __future__ import annotations

import smtplib
import socket
import ssl
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate

from apm.notify.outside import TIMEOUT_S
from apm.notify.sending import Parcel, Reason, SendFailed, cleaned
from apm.notify.targets import resolve

PORTS = {"starttls": 587, "tls": 465, "none": 25}
SECURITIES = tuple(PORTS)


def send(parcel: Parcel) -> None:
    """Hand the message to the mail server; its Message-ID is the same for every try."""
    if not parcel.to:
        raise SendFailed(Reason.ADDRESS)
    message = _message(parcel)
    try:
        with _connected(parcel) as server:
            if user := parcel.config.get("user"):
                server.login(user, parcel.secret.get("password", ""))
            server.send_message(message)
    except smtplib.SMTPException as error:
        raise _refusal(error, parcel) from None
    except ssl.SSLError:
        raise SendFailed(Reason.TLS) from None
    except TimeoutError:
        raise SendFailed(Reason.TIMEOUT) from None
    except OSError:
        raise SendFailed(Reason.CONNECT) from None


def _refusal(error: smtplib.SMTPException, parcel: Parcel) -> SendFailed:
    """Return what a mail server's refusal means to us."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return SendFailed(Reason.LOGIN, str(error.smtp_code))
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        reason = Reason.RECEIVER if code >= 500 else Reason.ANSWER
        return SendFailed(reason, f"{code} {cleaned(_text(said), parcel.secret)}")
    if isinstance(error, smtplib.SMTPResponseException):
        said_text = cleaned(_text(error.smtp_error), parcel.secret)
        return SendFailed(Reason.ANSWER, f"{error.smtp_code} {said_text}")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return SendFailed(Reason.TLS)
    return SendFailed(Reason.CONNECT)


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said


def _message(parcel: Parcel) -> EmailMessage:
    words, message = parcel.words, EmailMessage()
    sender = parcel.config["sender"]
    message["Subject"] = words.title
    message["From"] = Address("apm", addr_spec=sender)
    message["To"] = Address(addr_spec=parcel.to)
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{parcel.delivery}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # no out-of-office answers (RFC 3834)
    parts = [words.body, words.link, f"-- \n{words.footer}" if words.footer else ""]
    message.set_content("\n\n".join(part for part in parts if part) + "\n")
    return message


def _connected(parcel: Parcel) -> smtplib.SMTP:
    """Connect to the judged address; the certificate must be the name's."""
    host, security = parcel.config["host"], parcel.config.get("security", "starttls")
    port = int(parcel.config.get("port") or PORTS[security])
    pinned = resolve(host, port, parcel.reach)
    trusted = ssl.create_default_context()
    server = _PinnedTls(trusted) if security == "tls" else _Pinned()
    server.pinned, server._host = pinned, host  # noqa: SLF001  (the name the certificate must have)
    try:
        server.connect(host, port)
        if security == "starttls":
            server.starttls(context=trusted)
    except BaseException:
        server.close()
        raise
    return server


class _Pinned(smtplib.SMTP):
    """Knows its server by name and connects to an address chosen before."""

    pinned: list[str]
    _host = ""

    def __init__(self) -> None:
        super().__init__(timeout=TIMEOUT_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        for address in self.pinned[:-1]:
            with suppress(OSError):
                return socket.create_connection((address, port), timeout)
        return socket.create_connection((self.pinned[-1], port), timeout)


class _PinnedTls(_Pinned):
    """The same with TLS from the first byte."""

    def __init__(self, trusted: ssl.SSLContext) -> None:
        super().__init__()
        self._trusted = trusted

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
        return self._trusted.wrap_socket(plain, server_hostname=host)
