"""What a detector's reason means, in words."""

from __future__ import annotations

from apm.core.i18n import _l

REASONS = {
    "spike": (_l("Sudden jump"), _l("Readings are far from what is usual at this time of day.")),
    "level": (_l("Level changed"), _l("For hours the readings have been off their usual level.")),
    "drift": (
        _l("Slow drift"),
        _l("For a day the readings have been moving off their usual level."),
    ),
    "range": (_l("New extreme"), _l("A value was reached that has not been seen in two months.")),
    "flat": (
        _l("Standing still"),
        _l("The value does not change any more. The sensor may be stuck."),
    ),
}


def title_of(reason: str) -> str:
    """Return a reason in two words."""
    return str(REASONS[reason][0]) if reason in REASONS else reason


def sentence_for(reason: str) -> str:
    """Return a reason as a sentence."""
    return str(REASONS[reason][1]) if reason in REASONS else reason
