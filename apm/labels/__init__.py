"""The words for every state and kind, in one place, for pages and messages."""

from __future__ import annotations

from apm.labels import (
    causes,
    devices,
    environment,
    equipment,
    forecasts,
    news,
    scores,
    stores,
    upkeep,
    work,
)

LABELS: dict[str, dict[str, object]] = {
    kind: words
    for part in (
        environment,
        equipment,
        work,
        causes,
        upkeep,
        stores,
        news,
        devices,
        forecasts,
        scores,
    )
    for kind, words in part.WORDS.items()
}


def label(kind: str, value: object) -> str:
    """Return the word for a value, for example `label("work_order", "in_progress")`.

    An unknown kind or value is a bug, and raises.
    """
    return str(LABELS[kind][str(value)])
