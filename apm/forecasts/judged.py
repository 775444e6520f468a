"""Frozen forecasts as arrays, with what came of each: what scorecards are counted from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apm.forecasts.model import Outcome
from predict.forecast_score import not_overlapping

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
DAY_S = 86400.0
CAME = frozenset({Outcome.HIT, Outcome.MISS, Outcome.AVERTED})
STAYED_AWAY = frozenset({Outcome.FALSE_ALARM, Outcome.QUIET})


@dataclass(frozen=True, slots=True)
class Judged:
    """Forecasts of one version whose horizon is over; all of shape (n,), times in days since 1970.

    unit: asset and sensor in one number.  end: when it was clear, at most the horizon's end.
    at_work: the model was at work then: another may not warn, whatever it foretells.
    came: a failure came, or planned work found what would have led to one.  told: it is known
    whether one came; what is unresolved is censored.  event: the failure or finding, the same for
    every forecast it concerns, -1 for none.
    """

    unit: NDArray[np.int64]
    asset: NDArray[np.int64]
    at: Array
    end: Array
    horizon: Array
    said: Array
    base: Array
    warned: Flags
    at_work: Flags
    came: Flags
    told: Flags
    averted: Flags
    event: NDArray[np.int64]

    def where(self, keep: Flags) -> Judged:
        """Return some of them."""
        return Judged(*(getattr(self, name)[keep] for name in self.__slots__))

    @property
    def apart(self) -> Judged:
        """Those that do not overlap on one unit, the earliest first."""
        return self.where(not_overlapping(self.unit, self.at, self.end))

    @property
    def n(self) -> int:
        """How many."""
        return len(self.unit)


def judged_of(rows: Sequence[Any], now: datetime) -> Judged:
    """Return the forecasts among `rows` whose horizon is over.

    Only these are counted: of those still running the failures are known before the rest, and a
    score of them would be too good or too bad.

    Args:
        rows: with asset_id, sensor_id, at, until, horizon_days, probability, base_probability,
            warned, was_shadow, outcome, outcome_at and outcome_why.
        now: the present.
    """
    over = [row for row in rows if row.until <= now and row.outcome is not Outcome.OPEN]
    units: dict[tuple[int, int | None], int] = {}
    events: dict[tuple[int, str], int] = {}
    unit = [units.setdefault((row.asset_id, row.sensor_id), len(units)) for row in over]
    event = [
        events.setdefault((row.asset_id, _of(row)), len(events)) if row.outcome in CAME else -1
        for row in over
    ]
    return Judged(
        np.array(unit, np.int64),
        np.array([row.asset_id for row in over], np.int64),
        _days(row.at for row in over),
        _days(min(row.outcome_at or row.until, row.until) for row in over),
        np.array([row.horizon_days for row in over], np.float64),
        np.array([row.probability for row in over], np.float64),
        np.array([row.base_probability for row in over], np.float64),
        np.array([row.warned for row in over], np.bool_),
        np.array([not row.was_shadow for row in over], np.bool_),
        np.array([row.outcome in CAME for row in over], np.bool_),
        np.array([row.outcome in CAME | STAYED_AWAY for row in over], np.bool_),
        np.array([row.outcome is Outcome.AVERTED for row in over], np.bool_),
        np.array(event, np.int64),
    )


def _of(row: Any) -> str:
    why = row.outcome_why or {}
    return str(why.get("order") or row.outcome_at)


def _days(instants: Any) -> Array:
    return np.array([at.timestamp() / DAY_S for at in instants], np.float64)
