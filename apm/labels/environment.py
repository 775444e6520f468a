"""Rooms, storage and what is decided about goods."""

from __future__ import annotations

from apm.core.i18n import _l

WORDS: dict[str, dict[str, object]] = {
    "standing": {
        "alarm": _l("Alarm"),
        "pending": _l("Warning: outside the limit"),
        "recovering": _l("Recovering"),
        "silent": _l("Silent"),
        "no_data": _l("No readings yet"),
        "normal": _l("Normal"),
        "maintenance": _l("In maintenance, muted"),
    },
    "side": {"high": _l("Too high"), "low": _l("Too low")},
    "slot": {"morning": _l("Morning"), "afternoon": _l("Afternoon")},
    "decision": {
        "use": _l("Goods may be used"),
        "quarantine": _l("Goods are quarantined"),
        "discard": _l("Goods are discarded"),
        "none": _l("No goods were concerned"),
    },
}
