"""The last scored readings of a sensor: what the evidence of a finding is cut from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predict.anomaly import Scores

COLUMNS = ("at", "value", "expected", "low", "high", "score")
"""What a row holds; `at` in seconds since 1970, UTC."""
LOW, HIGH, SCORE = (COLUMNS.index(name) for name in ("low", "high", "score"))
Band = tuple[datetime, float, float]
"""An instant and the range that was expected then."""
MOST_ROWS = 300
FRESH_ROWS, OLD_ROWS = 150, 75
"""Each time there are too many, the newest stay as they are and the others are thinned."""
BEFORE_S = 2 * 3600.0
ROWS_BEFORE = 100
"""How much of the time before a finding is shown: two hours, or 100 readings if that is more."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Rows of shape (n, 6), by time; NaN where the detector could not say."""

    rows: NDArray[np.float64]

    @classmethod
    def of(cls, kept: list[list[float | None]]) -> Trace:
        """Return what `kept()` was stored as."""
        return cls(np.array(kept, dtype=np.float64).reshape(-1, len(COLUMNS)))

    def extended(self, scores: Scores) -> Trace:
        """Return the trace with a batch behind it."""
        batch = np.column_stack([getattr(scores, column) for column in COLUMNS])
        return Trace(np.concatenate([self.rows, batch]))

    def kept(self) -> list[list[float | None]]:
        """Return what is remembered until the next batch: at most 300 rows, sparser with age."""
        rows = self.rows
        if len(rows) > MOST_ROWS:
            old, fresh = rows[:-FRESH_ROWS], rows[-FRESH_ROWS:]
            rows = np.concatenate([thinned(old, OLD_ROWS), fresh])
        return _plain(rows)

    def band(self) -> list[Band]:
        """Return what was expected lately: the rows of which the detector could say it."""
        known = self.rows[~np.isnan(self.rows[:, LOW]) & ~np.isnan(self.rows[:, HIGH])]
        return [
            (datetime.fromtimestamp(at, UTC), low, high)
            for at, low, high in known[:, [0, LOW, HIGH]].tolist()
        ]

    def evidence(self, *, began: float, until: float) -> dict[str, list[Any]]:
        """Return the rows around a finding as columns of at most 300 plain values, UTC."""
        at = self.rows[:, 0]
        first = int(np.searchsorted(at, began))
        start = max(min(int(np.searchsorted(at, began - BEFORE_S)), first - ROWS_BEFORE), 0)
        stop = int(np.searchsorted(at, until, side="right"))
        rows = _plain(thinned(self.rows[start:stop], MOST_ROWS))
        columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
        found = dict(zip(COLUMNS, columns or [[] for _ in COLUMNS], strict=True))
        found["at"] = [datetime.fromtimestamp(t, UTC).isoformat() for t in found["at"]]
        return found


def thinned(rows: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return at most `most` rows: of each group of neighbours the one with the highest score."""
    if len(rows) <= most:
        return rows
    score = np.nan_to_num(rows[:, SCORE], nan=-1.0)
    groups = np.array_split(np.arange(len(rows)), most)
    return rows[[int(group[np.argmax(score[group])]) for group in groups]]


def _plain(rows: NDArray[np.float64]) -> list[list[float | None]]:
    plain = rows.astype(object)
    plain[np.isnan(rows)] = None
    found: list[list[float | None]] = plain.tolist()
    return found
