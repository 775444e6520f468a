"""What a failure is put down to, and what is looked at to find out."""

from __future__ import annotations

from apm.core.i18n import _l

WORDS: dict[str, dict[str, object]] = {
    "root_cause": {
        "quality": _l("Product quality"),
        "user": _l("Use and operation"),
        "environment": _l("Environment"),
        "wear": _l("Wear and ageing"),
        "service": _l("Earlier service work"),
        "undetermined": _l("Undetermined"),
    },
    "evidence_kind": {
        "room_temperature": _l("Room temperature"),
        "room_humidity": _l("Room humidity"),
        "power": _l("Mains supply"),
        "room_alarm": _l("Alarms in the room"),
        "room_peers": _l("Others in the room"),
        "symptom": _l("What was reported"),
        "device_log": _l("The device's own log"),
        "no_fault_found": _l("No fault found"),
        "parts": _l("Parts replaced"),
        "shift": _l("Time of day"),
        "maintenance": _l("Planned maintenance"),
        "last_result": _l("Last measured values"),
        "own_alarm": _l("Alarms of the device"),
        "age": _l("Age"),
        "hazard": _l("Failures by age"),
        "commissioning": _l("Time in service"),
        "peers": _l("Same model"),
        "lot": _l("Same lot"),
        "recall": _l("Recalls"),
        "recent_work": _l("Recent work"),
    },
    "code_class": {
        "user": _l("Use"),
        "technical": _l("Technical"),
        "power": _l("Power supply"),
        "unknown": _l("Not in the list"),
    },
    "severity": {
        "info": _l("Information"),
        "warning": _l("Warning"),
        "error": _l("Error"),
    },
}
