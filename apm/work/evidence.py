"""What a detector saw, made ready for a chart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apm.readings.reasons import title_of
from apm.work.model import WorkOrder
from apm.work.states import WorkType

FORECAST = "forecast"
"""The kind of evidence that a forecast gives."""

WITHOUT_CURVE = frozenset({"recall", FORECAST})
"""Evidence that its own feature shows."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: its curve, the expected band, and since when it is unusual."""

    sensor: str | None
    unit: str
    reason: str | None
    score: float | None
    since: datetime | None
    until: datetime | None
    points: list[tuple[datetime, float | None]]
    band: list[tuple[datetime, float, float]]


def findings_of(order: WorkOrder) -> list[Finding]:
    """Return the findings behind an order, the first one first; forecasts have their own words."""
    if not order.evidence:
        return []
    every = (order.evidence, *order.evidence.get("also", ()))
    return [_finding(plain) for plain in every if plain.get("kind") not in WITHOUT_CURVE]


def asks_as_found(order: WorkOrder) -> bool:
    """Tell whether a forecast led to this work: what it found says if the forecast was right."""
    if order.type is not WorkType.PREDICTIVE:
        return False
    known = order.evidence or {}
    return any(one.get("kind") == FORECAST for one in (known, *known.get("also", ())))


def _finding(plain: dict[str, Any]) -> Finding:
    series = plain.get("series") or plain
    times = [_instant(at) for at in series.get("at", ())]
    return Finding(
        sensor=plain.get("sensor"),
        unit=plain.get("unit") or "",
        reason=title_of(plain["reason"]) if plain.get("reason") else None,
        score=plain.get("peak_score", plain.get("score")),
        since=_maybe(plain.get("since")),
        until=_maybe(plain.get("ended")) or (times[-1] if times else None),
        points=list(zip(times, series.get("value", ()), strict=False)),
        band=list(_band(times, series)),
    )


def _band(
    times: list[datetime], series: dict[str, Any]
) -> Iterator[tuple[datetime, float, float]]:
    for at, low, high in zip(times, series.get("low", ()), series.get("high", ()), strict=False):
        if low is not None and high is not None:
            yield at, low, high


def _maybe(text: Any) -> datetime | None:
    return _instant(text) if text else None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
