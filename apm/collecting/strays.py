"""Why something that arrived was no reading, in words."""

from __future__ import annotations

from apm.core.i18n import _l
from apm.readings.checking import REASONS

OTHERS = {
    "no_point": _l("No point reads this. Add one if it is of use."),
    "not_json": _l("The message is not JSON."),
    "not_a_reading": _l('A reading is an object such as {"v": 21.5}.'),
    "not_sparkplug": _l("The message is no Sparkplug B payload."),
    "too_many_readings": _l("More than 10,000 readings in one message. Send fewer."),
}


def stray_text(reason: str) -> str:
    """Return the words for a reason that a feed noted."""
    return str(OTHERS.get(reason) or REASONS.get(reason) or reason)
