"""An alarm's evidence as a chart and a table read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apm.readings.model import Alarm

Band = tuple[datetime, float, float]
"""An instant and the range that was expected then."""
MOST_ROWS = 60
"""Rows of the table: those nearest to the highest score."""


@dataclass(frozen=True, slots=True)
class Row:
    """One reading and what the detector made of it; None where it could not say."""

    at: datetime
    value: float
    expected: float | None
    low: float | None
    high: float | None
    score: float | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a detector saw around one finding."""

    rows: tuple[Row, ...]

    @property
    def points(self) -> list[tuple[datetime, float]]:
        """The readings, for a chart."""
        return [(row.at, row.value) for row in self.rows]

    @property
    def band(self) -> list[Band]:
        """What was expected, for a chart."""
        known = [row for row in self.rows if row.low is not None and row.high is not None]
        return [(row.at, row.low or 0.0, row.high or 0.0) for row in known]

    @property
    def until(self) -> datetime | None:
        """The last reading shown."""
        return self.rows[-1].at if self.rows else None

    def around_peak(self) -> tuple[Row, ...]:
        """Return the rows nearest to the highest score."""
        scores = [row.score or 0.0 for row in self.rows]
        peak = scores.index(max(scores)) if scores else 0
        first = max(0, min(peak - MOST_ROWS // 2, len(self.rows) - MOST_ROWS))
        return self.rows[first : first + MOST_ROWS]


def read_evidence(alarm: Alarm) -> Evidence:
    """Return the evidence of an alarm."""
    columns = alarm.evidence["series"]
    at = [datetime.fromisoformat(text) for text in columns["at"]]
    nothing = [None] * len(at)  # a rule expects nothing and gives no score
    names = ("expected", "low", "high", "score")
    others = (columns.get(name, nothing) for name in names)
    return Evidence(tuple(Row(*row) for row in zip(at, columns["value"], *others, strict=True)))
