"""What is done most often, to be said with one tap instead of being typed."""

from __future__ import annotations

from apm.core.i18n import _l

USUAL = (
    _l("Part replaced, tested"),
    _l("Cleaned and tested"),
    _l("Adjusted, within limits"),
    _l("Restarted, works again"),
    _l("Cable or plug repaired"),
    _l("User shown how to use it"),
    _l("No fault found"),
)


def usual_remedies() -> list[str]:
    """Return the phrases in the language spoken."""
    return [str(phrase) for phrase in USUAL]
