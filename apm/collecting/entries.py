"""What each protocol asks for, of a connection and of a point, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apm.collecting.addresses import is_host, is_url
from apm.collecting.model import Protocol
from apm.collecting.registers import BITS, ORDERS, TABLES, TYPES, width
from apm.core.i18n import _l
from apm.core.storable import is_storable

LONGEST = 500
ENCRYPTED = "encrypted"
HEADER = re.compile(r"[A-Za-z0-9\-]{1,64}")
NODE = re.compile(r"(ns=\d{1,5};)?[isgb]=\S.*")
FORBIDDEN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection"})


class Unfit(Exception):
    """A value does not fit; carries what to do, to be shown beside the field."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of the form of a connection or a point."""

    name: str
    label: Any
    read: Callable[[str], Any]
    """Returns the value that is kept, or raises `Unfit`."""
    is_secret: bool = False
    required: bool = True
    hint: Any = ""
    options: tuple[str, ...] = ()
    default: Any = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """What was read: settings and secrets, or what does not fit by field."""

    config: dict[str, Any]
    secret: dict[str, str]
    errors: dict[str, list[object]]


def _host(text: str) -> str:
    if not is_host(text):
        raise Unfit(_l("Give a name such as gateway.hospital.cn or an address such as 10.0.0.7."))
    return text


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
            raise Unfit(
                _l("Give a whole number from %(low)s to %(high)s.") % {"low": low, "high": high}
            )
        return int(text)

    return read


def _one_of(*options: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in options:
            raise Unfit(_l("Choose one of the list."))
        return text

    return read


def _text(text: str) -> str:
    return text


def _http(text: str) -> str:
    if not is_url(text, frozenset({"http", "https"})):
        raise Unfit(_l("Give an address such as http://10.0.0.7/api/values, without a password."))
    return text


def _opcua(text: str) -> str:
    if not is_url(text, frozenset({"opc.tcp"})):
        raise Unfit(_l("Give an address such as opc.tcp://10.0.0.7:4840/, without a password."))
    return text


def fingerprint_typed(text: str) -> str:
    """Return a certificate's SHA-256 as it is kept, `AB:CD:…`, or raise `Unfit`."""
    digits = re.sub(r"[\s:]", "", text).upper()
    if not re.fullmatch(r"[0-9A-F]{64}", digits):
        raise Unfit(_l("A fingerprint (SHA-256) has 64 digits and letters A to F."))
    return ":".join(re.findall("..", digits))


def _header(text: str) -> str:
    if not HEADER.fullmatch(text) or text.lower() in FORBIDDEN_HEADERS:
        raise Unfit(_l("Give the header's name, such as Authorization or X-Api-Key."))
    return text


def _header_value(text: str) -> str:
    if not text.isascii():
        raise Unfit(_l("A header holds letters, digits and signs of English alone."))
    return text


def _topic(text: str) -> str:
    if "+" in text or "#" in text or len(text.encode()) > LONGEST:
        raise Unfit(_l("Give one whole topic, without + and #."))
    return text


def _groups(text: str) -> list[str]:
    groups = [part.strip() for part in re.split(r"[,，]", text) if part.strip()]
    if any(mark in text for mark in "+#/") or len(groups) > 20:
        raise Unfit(_l("Give the ids of the groups, separated by commas."))
    return groups


def _pointer(text: str) -> str:
    if text and not text.startswith("/"):
        raise Unfit(_l("A place begins with a slash, such as /temperature or /data/0/value."))
    return text


def _node(text: str) -> str:
    if not NODE.fullmatch(text):
        raise Unfit(_l("Give a node id such as ns=2;s=Chiller.Supply or ns=3;i=1001."))
    return text


_PORT = _whole(1, 65535)
_USER = Entry("user", _l("User"), _text, required=False)
_PASSWORD = Entry("password", _l("Password"), _text, is_secret=True, required=False)
CONNECTION: dict[Protocol, tuple[Entry, ...]] = {
    Protocol.MQTT: (
        Entry("host", _l("Broker"), _host, hint=_l("Name or address of the broker's machine.")),
        Entry(
            "security", _l("Security"), _one_of("none", "tls"),
            options=("none", "tls"), default="none",
        ),
        Entry("port", _l("Port"), _PORT, required=False, hint=_l("1883, or 8883 with TLS.")),
        Entry("version", _l("MQTT version"), _one_of("5", "3.1.1"), options=("5", "3.1.1"),
              default="5"),
        _USER, _PASSWORD,
        Entry(
            "groups", _l("Sparkplug B groups"), _groups, required=False,
            hint=_l("Ids of the groups to listen to. Leave it empty if there is none."),
        ),
    ),
    Protocol.MODBUS: (
        Entry("host", _l("Device or gateway"), _host, hint=_l("Name or IP address.")),
        Entry("port", _l("Port"), _PORT, required=False, hint=_l("502 unless said otherwise.")),
        Entry(
            "unit_id", _l("Unit number"), _whole(0, 255), required=False, default="1",
            hint=_l("The station's number behind a gateway, else 1."),
        ),
    ),
    Protocol.OPCUA: (
        Entry("url", _l("Address"), _opcua, hint=_l("For example opc.tcp://10.0.0.7:4840/")),
        Entry(
            "security", _l("Security"), _one_of("none", ENCRYPTED),
            options=("none", ENCRYPTED), default="none", required=False,
            hint=_l("With encryption the device and we accept each other's certificate, once."),
        ),
        Entry(
            "fingerprint", _l("Fingerprint of the device's certificate"), fingerprint_typed,
            required=False,
            hint=_l("SHA-256, with encryption only. Leave it empty: the test shows it."),
        ),
        _USER, _PASSWORD,
    ),
    Protocol.HTTP: (
        Entry("url", _l("Address"), _http, hint=_l("What answers with JSON when it is opened.")),
        Entry(
            "header", _l("Header"), _header, required=False,
            hint=_l("If a key is asked for: the header it stands in, such as Authorization."),
        ),
        Entry(
            "key", _l("Value of the header"), _header_value, is_secret=True, required=False,
            hint=_l("For example Bearer …, as the device's manual says."),
        ),
    ),
}  # fmt: skip
_JSON_PLACES = (
    Entry(
        "pointer", _l("Place of the value"), _pointer, required=False,
        hint=_l("In the JSON, such as /temperature. Empty: all of it is the value."),
    ),
    Entry(
        "time_pointer", _l("Place of the time"), _pointer, required=False,
        hint=_l("ISO 8601 with offset, or Unix time. Empty: the time it arrives."),
    ),
)  # fmt: skip
POINT: dict[Protocol, tuple[Entry, ...]] = {
    Protocol.MQTT: (
        Entry(
            "topic", _l("Topic"), _topic,
            hint=_l("For example plant/fridge1; with Sparkplug spBv1.0/GROUP/NODE/DEVICE."),
        ),
        Entry(
            "metric", _l("Sparkplug metric"), _text, required=False,
            hint=_l("Its name, as the node introduces it. With Sparkplug only."),
        ),
        *_JSON_PLACES,
    ),
    Protocol.MODBUS: (
        Entry("table", _l("Table"), _one_of(*TABLES), options=TABLES, default="holding"),
        Entry(
            "address", _l("Address"), _whole(0, 65535),
            hint=_l("Counted from 0: a manual's 40001 is holding register 0."),
        ),
        Entry("type", _l("Type"), _one_of(*TYPES), options=TYPES, default="u16", required=False),
        Entry(
            "order", _l("Byte order"), _one_of(*ORDERS), options=ORDERS, default="ABCD",
            required=False, hint=_l("ABCD is the standard; CDAB sends the low word first."),
        ),
        Entry(
            "bit", _l("Bit"), _whole(0, 15), required=False,
            hint=_l("For the type bit: which of the register's 16, 0 is the lowest."),
        ),
    ),
    Protocol.OPCUA: (
        Entry("node", _l("Node id"), _node, hint=_l("For example ns=2;s=Chiller.Supply")),
    ),
    Protocol.HTTP: _JSON_PLACES,
}  # fmt: skip


def read(
    entries: tuple[Entry, ...], typed: Mapping[str, Any], *, keeps_secret: bool = False
) -> Filled:
    """Read what was typed; with `keeps_secret`, secrets left empty are not asked for again."""
    filled = Filled({}, {}, {})
    for entry in entries:
        value = _plain(typed.get(entry.name))
        if not value:
            if entry.required and not (entry.is_secret and keeps_secret):
                filled.errors[entry.name] = [_l("Fill this in.")]
            continue
        try:
            if len(value) > LONGEST or not is_storable(value) or not value.isprintable():
                raise Unfit(_l("This value does not fit."))
            kept = entry.read(value)
        except Unfit as unfit:
            filled.errors[entry.name] = [unfit.args[0]]
            continue
        if entry.is_secret:
            filled.secret[entry.name] = kept
        else:
            filled.config[entry.name] = kept
    return filled


def read_point(protocol: Protocol, typed: Mapping[str, Any]) -> Filled:
    """Read a point; what fits by itself must also fit together."""
    filled = read(POINT[protocol], typed)
    if filled.errors:
        return filled
    config = filled.config
    if protocol is Protocol.MODBUS:
        if config["table"] not in BITS and config["address"] + width(config) > 65536:
            filled.errors["address"] = [_l("A value of this type does not fit behind 65535.")]
    elif protocol is Protocol.MQTT and config["topic"].startswith("spBv1.0/"):
        if len(config["topic"].split("/")) not in {3, 4}:
            filled.errors["topic"] = [_l("Give spBv1.0/GROUP/NODE or spBv1.0/GROUP/NODE/DEVICE.")]
        elif not config.get("metric"):
            filled.errors["metric"] = [_l("Fill this in.")]
    return filled


def _plain(value: object) -> str:
    """Return a value of a form or of JSON as it would be typed."""
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    if isinstance(value, int) and abs(value) >= 10**LONGEST:  # more digits than str() writes
        return "x" * (LONGEST + 1)
    return str(value).strip()


def said(config: Mapping[str, Any]) -> str:
    """Return a connection's address or a point's place in one line, for lists."""
    if "url" in config:
        return str(config["url"])
    if "host" in config:
        port = f":{config['port']}" if "port" in config else ""
        return f"{config['host']}{port}"
    parts = [str(value) for name, value in config.items() if name != "time_pointer"]
    return " ".join(parts) or "/"
