"""What each kind of channel asks for, and how it is read from a form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apm.core.i18n import _l
from apm.core.storable import is_storable
from apm.notify.addresses import robot_secret, service_of
from apm.notify.outside import is_address
from apm.notify.topics import ChannelKind
from apm.notify.ways.mail import SECURITIES

LONGEST = 500
TOKEN = re.compile(r"[A-Za-z0-9_\-]+")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.\-:]*[A-Za-z0-9])?")
MAIL = re.compile(r"[^@\s<>\",;]+@[A-Za-z0-9.\-]+")


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 65536


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a channel's form."""

    name: str
    label: Any
    is_secret: bool = False
    required: bool = True
    hint: Any = ""
    fits: Callable[[str], object] = bool
    """Falsy: the value does not fit."""
    options: tuple[str, ...] = ()


_BASE = Entry(
    "base_url",
    _l("Server, for a private installation"),
    required=False,
    hint=_l("For example https://im.hospital.example"),
    fits=is_address,
)


def _robot(*more: Entry) -> tuple[Entry, ...]:
    address = Entry(
        "address",
        _l("Address of the robot"),
        is_secret=True,
        hint=_l("As the group's settings show it, or an apprise address."),
    )
    return (address, *more, _BASE)


_SIGN = Entry(
    "sign",
    _l("Signing secret"),
    is_secret=True,
    required=False,
    hint=_l("If the robot checks signatures."),
)
ENTRIES: dict[ChannelKind, tuple[Entry, ...]] = {
    ChannelKind.EMAIL: (
        Entry("host", _l("Mail server"), fits=HOST.fullmatch),
        Entry("security", _l("Security"), options=SECURITIES, fits=SECURITIES.__contains__),
        Entry(
            "port",
            _l("Port"),
            required=False,
            hint=_l("465, 587 or 25 by the kind of security."),
            fits=_is_port,
        ),
        Entry("sender", _l("Sender's address"), fits=MAIL.fullmatch),
        Entry("user", _l("User"), required=False),
        Entry("password", _l("Password"), is_secret=True, required=False),
    ),
    ChannelKind.WECOM_ROBOT: _robot(),
    ChannelKind.WECOM_APP: (
        Entry("corp_id", _l("Corporation ID"), fits=TOKEN.fullmatch),
        Entry("agent_id", _l("Agent ID"), fits=str.isdecimal),
        Entry("corp_secret", _l("Secret"), is_secret=True, fits=TOKEN.fullmatch),
    ),
    ChannelKind.DINGTALK: _robot(_SIGN),
    ChannelKind.FEISHU: _robot(_SIGN),
    ChannelKind.WECHAT: (
        Entry("app_id", _l("App ID"), fits=TOKEN.fullmatch),
        Entry("app_secret", _l("App secret"), is_secret=True, fits=TOKEN.fullmatch),
        Entry("template_id", _l("Template ID"), fits=TOKEN.fullmatch),
        Entry(
            "field",
            _l("Field of the template"),
            required=False,
            hint=_l("The name before .DATA, for example thing1."),
            fits=TOKEN.fullmatch,
        ),
        _BASE,
    ),
    ChannelKind.WEBHOOK: (Entry("url", _l("Address"), is_secret=True, fits=is_address),),
    ChannelKind.APPRISE: (
        Entry(
            "address",
            _l("Apprise address"),
            is_secret=True,
            hint=_l("Slack, Telegram, Lark, ServerChan, PushPlus, WxPusher or PushMe."),
            fits=service_of,
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that was read: settings and secret, or what does not fit by field."""

    config: dict[str, Any]
    secret: dict[str, str]
    errors: dict[str, list[object]]


def read(kind: ChannelKind, typed: Mapping[str, str], *, keeps_secret: bool = False) -> Filled:
    """Read what was typed for a channel of this kind.

    With `keeps_secret` (a channel that has one), secrets left empty are not asked for again.
    """
    filled = Filled({}, {}, {})
    for entry in ENTRIES[kind]:
        value = typed.get(entry.name, "").strip()
        if not value:
            if entry.required and not (entry.is_secret and keeps_secret):
                filled.errors[entry.name] = [_l("Fill this in.")]
            continue
        if (
            len(value) > LONGEST
            or not is_storable(value)
            or not value.isprintable()
            or not entry.fits(value)
        ):
            filled.errors[entry.name] = [_l("This value does not fit.")]
        elif entry.is_secret:
            filled.secret[entry.name] = value
        else:
            filled.config[entry.name] = value
    if "address" in filled.secret and kind is not ChannelKind.APPRISE:
        _read_robot(kind, filled)
    return filled


def _read_robot(kind: ChannelKind, filled: Filled) -> None:
    found = robot_secret(kind, filled.secret.pop("address"))
    if found is None:
        filled.errors["address"] = [_l("This is no address of such a robot. Copy it again.")]
        return
    sign = filled.secret.pop("sign", None)
    filled.secret.update(found)
    if sign:
        filled.secret["sign"] = sign
