"""The words for every state and kind, in one place, for pages and messages."""

from __future__ import annotations

from apm.core.i18n import _l

LABELS: dict[str, dict[str, object]] = {
    "lifecycle": {
        "planned": _l("Planned"),
        "ordered": _l("Ordered"),
        "received": _l("Received"),
        "acceptance": _l("Acceptance"),
        "in_service": _l("In service"),
        "standby": _l("Standby"),
        "on_loan": _l("On loan"),
        "under_repair": _l("Under repair"),
        "quarantined": _l("Quarantined"),
        "missing": _l("Missing"),
        "retired": _l("Retired"),
        "disposed": _l("Disposed"),
    },
    "availability": {"up": _l("Usable"), "partial": _l("Limited"), "down": _l("Do not use")},
    "condition": {
        "unknown": _l("Not judged"),
        "good": _l("Good"),
        "watch": _l("Watch"),
        "poor": _l("Poor"),
    },
    "risk": {"high": _l("High risk"), "medium": _l("Medium risk"), "low": _l("Low risk")},
    "work_order": {
        "planned": _l("Planned"),
        "assigned": _l("Assigned"),
        "in_progress": _l("In progress"),
        "waiting_parts": _l("Waiting for parts"),
        "waiting_vendor": _l("Waiting for vendor"),
        "waiting_access": _l("Waiting for access"),
        "done": _l("Done"),
        "closed": _l("Closed"),
        "cancelled": _l("Cancelled"),
    },
    "request": {
        "open": _l("Reported"),
        "assigned": _l("Accepted"),
        "in_progress": _l("In progress"),
        "waiting_parts": _l("Waiting for parts"),
        "waiting_vendor": _l("Waiting for vendor"),
        "waiting_access": _l("Waiting for access"),
        "resolved": _l("Repaired"),
        "verified": _l("Confirmed"),
        "closed": _l("Closed"),
        "cancelled": _l("Cancelled"),
        "duplicate": _l("Already reported"),
        "needs_info": _l("More information needed"),
        "rejected": _l("Rejected"),
    },
    "priority": {
        "urgent": _l("Urgent"),
        "high": _l("High"),
        "normal": _l("Normal"),
        "low": _l("Low"),
    },
    "work_type": {
        "corrective": _l("Repair"),
        "preventive": _l("Preventive maintenance"),
        "predictive": _l("Predicted"),
        "inspection": _l("Inspection"),
    },
    "verdict": {
        "pass": _l("Pass"),
        "fail": _l("Fail"),
        "na": _l("Not applicable"),
        "unjudged": _l("Judge yourself"),
    },
    "alarm": {
        "active": _l("Active"),
        "acknowledged": _l("Acknowledged"),
        "ended": _l("Ended"),
    },
    "alarm_kind": {"anomaly": _l("Anomaly")},
    "action": {
        "assign": _l("Assign"),
        "take": _l("Take"),
        "give_back": _l("Give back"),
        "start": _l("Start"),
        "wait_parts": _l("Wait for parts"),
        "wait_vendor": _l("Wait for vendor"),
        "wait_access": _l("Wait for access"),
        "resume": _l("Resume"),
        "complete": _l("Complete"),
        "return": _l("Return to work"),
        "close": _l("Sign and close"),
        "cancel": _l("Cancel"),
        "accept": _l("Accept"),
        "reject": _l("Reject"),
        "ask": _l("Ask for more information"),
        "mark_duplicate": _l("Already reported"),
        "verify": _l("Works again"),
        "reopen": _l("Still broken"),
    },
    "section": {
        "general": _l("General condition"),
        "safety": _l("Electrical safety"),
        "function": _l("Function"),
        "measurement": _l("Measurements"),
    },
    "signature": {"performed": _l("Work performed"), "approved": _l("Work approved")},
    "cost": {"parts": _l("Parts"), "labour": _l("Labour"), "vendor": _l("Vendor")},
    "stocktake": {
        "expected": _l("Found"),
        "missing": _l("Missing"),
        "unexpected": _l("Unexpected"),
        "unknown": _l("Unknown code"),
    },
    "role": {
        "reporter": _l("Reporter"),
        "technician": _l("Technician"),
        "engineer": _l("Engineer"),
        "manager": _l("Manager"),
        "admin": _l("Administrator"),
        "vendor": _l("Vendor"),
        "device": _l("Device"),
    },
    "cause": {
        "quality": _l("Quality"),
        "user": _l("User operation"),
        "environment": _l("Environment"),
        "wear": _l("Wear"),
        "service": _l("Service"),
        "accessory": _l("Accessory"),
        "network": _l("Network"),
        "none": _l("No fault found"),
        "undetermined": _l("Undetermined"),
    },
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
    },
    "occurrence_outcome": {
        "superseded": _l("Not started when the next one came due"),
        "cancelled": _l("Its work order was cancelled"),
        "held": _l("Excused: the equipment was not in use"),
        "retired": _l("Excused: the equipment was retired"),
        "stopped": _l("Excused: the plan was stopped"),
    },
    "occurrence": {
        "upcoming": _l("Upcoming"),
        "open": _l("Open"),
        "done": _l("Done"),
        "missed": _l("Missed"),
        "cancelled": _l("Cancelled"),
    },
}


def label(kind: str, value: object) -> str:
    """Return the word for a value, for example `label("work_order", "in_progress")`.

    An unknown kind or value is a bug, and raises.
    """
    return str(LABELS[kind][str(value)])
