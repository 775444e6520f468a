"""What it would take to see a kind of evidence that could not be looked at."""

from __future__ import annotations

from apm.core.i18n import _l

NEEDS: dict[str, object] = {
    "room_temperature": _l("Put a temperature sensor with a profile of limits into the room."),
    "room_humidity": _l("Put a humidity sensor with a profile of limits into the room."),
    "power": _l("Connect a sensor of the mains voltage."),
    "room_alarm": _l("Sensors of the room need a week of readings before they can raise alarms."),
    "room_peers": _l("Fewer than two other devices stand in this room."),
    "symptom": _l("There is no fault report: the repair was opened by other means."),
    "device_log": _l("Send the device's own log, or add it as a file on the page of the device."),
    "no_fault_found": _l("The records do not go back far enough."),
    "parts": _l("Known when the repair is done."),
    "shift": _l("Needs at least 6 reports on such equipment of this ward within a year."),
    "maintenance": _l("Make a maintenance plan for this equipment."),
    "last_result": _l("No values were measured in planned maintenance yet."),
    "own_alarm": _l("The device has no sensor with a week of readings."),
    "age": _l("Enter when the equipment was bought or put in service."),
    "hazard": _l("Needs at least 8 failures of this model, or of its category, with dates."),
    "commissioning": _l("Enter when the equipment was put in service."),
    "peers": _l("Needs two others of this model, two other models, and 5 failures in a year."),
    "lot": _l("Enter the lot of this equipment and of its like."),
    "recall": _l("Enter recalls and safety notices as they come: a year long there were none."),
    "recent_work": _l("The records do not go back far enough."),
}
