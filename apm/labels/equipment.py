"""What equipment is, and what stands behind its use."""

from __future__ import annotations

from apm.core.i18n import _l

WORDS: dict[str, dict[str, object]] = {
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
    "issuer": {
        "nmpa": _l("NMPA"),
        "fda": _l("FDA"),
        "maker": _l("The maker"),
        "other": _l("Somebody else"),
    },
    "recall_class": {
        "class_1": _l("Recall, class I"),
        "class_2": _l("Recall, class II"),
        "class_3": _l("Recall, class III"),
        "notice": _l("Safety notice"),
    },
    "recall_case": {
        "to_check": _l("To check"),
        "not_affected": _l("Not affected"),
        "corrected": _l("Put right"),
        "removed": _l("Removed from use"),
    },
    "asset_action": {
        "order": _l("Order"),
        "receive": _l("Receive"),
        "begin_acceptance": _l("Begin acceptance"),
        "put_in_service": _l("Put in service"),
        "stand_by": _l("Put on standby"),
        "lend": _l("Lend"),
        "quarantine": _l("Quarantine"),
        "report_missing": _l("Report missing"),
        "release": _l("Release"),
        "find": _l("Found again"),
        "retire": _l("Retire"),
        "dispose": _l("Dispose of"),
    },
    "availability": {"up": _l("Usable"), "partial": _l("Limited"), "down": _l("Do not use")},
    "condition": {
        "unknown": _l("Not judged"),
        "good": _l("Good"),
        "watch": _l("Watch"),
        "poor": _l("Poor"),
    },
    "risk": {"high": _l("High risk"), "medium": _l("Medium risk"), "low": _l("Low risk")},
    "light": {
        "failed": _l("Failed"),
        "overdue": _l("Overdue"),
        "soon": _l("Due within 60 days"),
        "none": _l("No certificate"),
        "ok": _l("Valid"),
    },
    "certificate": {
        "pass": _l("Qualified"),
        "limited": _l("Limited use"),
        "fail": _l("Not qualified"),
    },
    "leakage_method": {
        "direct": _l("Direct method"),
        "differential": _l("Differential method"),
        "alternative": _l("Alternative method"),
    },
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
}
