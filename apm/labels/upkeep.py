"""Plans, due dates, alarms."""

from __future__ import annotations

from apm.core.i18n import _l

WORDS: dict[str, dict[str, object]] = {
    "alarm": {
        "active": _l("Active"),
        "acknowledged": _l("Acknowledged"),
        "ended": _l("Ended"),
        "normal": _l("Normal"),
        "no_data": _l("No readings yet"),
        "silent": _l("Silent"),
    },
    "alarm_kind": {"anomaly": _l("Anomaly")},
    "interval_change": {
        "longer": _l("Longer"),
        "shorter": _l("Shorter"),
        "keep": _l("Keep"),
        "too_few": _l("Too few records"),
    },
    "schedule": {"oem": _l("Maker's schedule"), "aem": _l("Own schedule (AEM)")},
    "plan_mode": {"fixed": _l("Fixed dates"), "floating": _l("From last completion")},
    "plan_stand": {
        "overdue": _l("Overdue"),
        "due": _l("Due"),
        "upcoming": _l("Upcoming"),
        "held": _l("Held"),
    },
    "occurrence_why": {
        "calendar": _l("Due by the calendar"),
        "completion": _l("Due since the last completion"),
        "before_use": _l("Due before use again"),
        "meter": _l("Due by a meter"),
        "condition": _l("Due by a sensor"),
        "prediction": _l("Due by a prediction"),
        "by_hand": _l("Asked for by hand"),
    },
    "occurrence_outcome": {
        "superseded": _l("Not started when the next one came due"),
        "cancelled": _l("Its work order was cancelled"),
        "held": _l("Excused: the equipment was not in use"),
        "in_use": _l("Excused: the equipment was in use"),
        "not_located": _l("Excused: the equipment was not found"),
        "retired": _l("The equipment was retired"),
        "stopped": _l("The plan was stopped"),
        "merged": _l("Counted with another due date"),
        "credited": _l("Credited from an earlier visit"),
    },
    "excuse": {
        "in_use": _l("In use"),
        "not_located": _l("Not located"),
        "held": _l("Held out of use"),
    },
    "trigger": {
        "meter": _l("Meter"),
        "condition": _l("Sensor beyond a limit"),
        "prediction": _l("Predicted failure"),
    },
    "phase": {
        "waiting": _l("Waiting for readings"),
        "not_enough": _l("Not enough readings"),
        "no_data": _l("Silent"),
        "normal": _l("Normal"),
        "pending": _l("Beyond the limit"),
        "met": _l("Due"),
    },
    "meter": {
        "hours": _l("Operating hours"),
        "uses": _l("Uses"),
        "exposures": _l("Exposures"),
        "cycles": _l("Cycles"),
    },
    "feed_way": {
        "power": _l("Power: use and energy"),
        "current": _l("Current: use, and energy at a stated voltage"),
        "counter": _l("A count"),
        "energy": _l("Energy in kWh"),
    },
    "break_kind": {
        "rollover": _l("Rolled over"),
        "reset": _l("Set back"),
        "jump": _l("Jumped up"),
    },
    "break_state": {
        "open": _l("Waits for a decision"),
        "counted": _l("Counted through"),
        "confirmed": _l("Confirmed"),
    },
    "occurrence": {
        "upcoming": _l("Upcoming"),
        "open": _l("Open"),
        "done": _l("Done"),
        "missed": _l("Missed"),
        "excused": _l("Excused"),
        "cancelled": _l("Cancelled"),
    },
}
