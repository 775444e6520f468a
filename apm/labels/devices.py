"""Connections to devices."""

from __future__ import annotations

from apm.core.i18n import _l

WORDS: dict[str, dict[str, object]] = {
    "device_protocol": {
        "mqtt": "MQTT",
        "modbus": "Modbus TCP",
        "opcua": "OPC UA",
        "http": _l("HTTP pull"),
    },
    "device_link": {
        "off": _l("Off"),
        "no_collector": _l("No collector"),
        "waiting": _l("Waiting"),
        "connecting": _l("Connecting"),
        "failing": _l("Fails"),
        "quiet": _l("Silent"),
        "connected": _l("Connected"),
    },
    "reading_quality": {
        "good": _l("Good"),
        "uncertain": _l("Uncertain"),
        "bad": _l("Bad"),
    },
    "device_security": {"none": _l("None"), "tls": "TLS", "encrypted": _l("Signed and encrypted")},
    "device_version": {"5": "MQTT 5", "3.1.1": "MQTT 3.1.1"},
    "device_table": {
        "holding": _l("Holding register"),
        "input": _l("Input register"),
        "coil": _l("Coil"),
        "discrete": _l("Discrete input"),
    },
}
