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
    "high": (_l("Too high"), _l("The value is above its upper limit.")),
    "high_warn": (
        _l("Nearly too high"),
        _l("The value is above the warning limit inside the permitted range."),
    ),
    "high_total": (
        _l("Too warm in all"),
        _l("All times above the limit together have reached what is permitted."),
    ),
    "hot": (_l("Far too hot"), _l("The value has reached an extreme that spoils goods soon.")),
    "low": (_l("Too low"), _l("The value is below its lower limit.")),
    "low_warn": (
        _l("Nearly too low"),
        _l("The value is below the warning limit inside the permitted range."),
    ),
    "freeze": (_l("Freezing"), _l("The value has reached the freezing limit.")),
    "rate": (_l("Changing fast"), _l("The value changes faster than is permitted in an hour.")),
    "dew": (
        _l("Near the dew point"),
        _l("The air is nearly as cold as its dew point: water may condense."),
    ),
    "outside": (
        _l("Impossible value"),
        _l("No such place can have this value. The sensor is broken or wrongly connected."),
    ),
    "jump": (_l("Jump"), _l("The value jumped between two readings.")),
    "stale": (_l("No readings"), _l("The sensor is silent. Nobody watches this place now.")),
    "neighbours": (
        _l("Differs from its neighbours"),
        _l("The other sensors of the room disagree with this one. The sensor may drift."),
    ),
}


def title_of(reason: str) -> str:
    """Return a reason in two words."""
    return str(REASONS[reason][0]) if reason in REASONS else reason


def sentence_for(reason: str) -> str:
    """Return a reason as a sentence."""
    return str(REASONS[reason][1]) if reason in REASONS else reason
