"""What the demo's sensors would measure: pure functions of time, so nothing needs remembering.

History and simulator call the same functions, whatever their cadence, and meet without a seam.
Time counts from the midnight before the demo was built, so every demo has the same weather.
A signal is a mean, a daily and a weekly rhythm, and a restless part made of sines whose periods
share no divisor: bounded, never repeating, and lively enough that an ordinary day has already
shown what an ordinary day can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
LOCAL_MIDNIGHT_S: Final = 16 * HOUR
"""Midnight of the demo hospital (UTC+8) as seconds of the UTC day."""
DRIFTS_FROM, DRIFTS_FOR = 3.0, 6.0
RESTLESS: Final = (0.41 * HOUR, 0.97 * HOUR, 2.63 * HOUR, 6.7 * HOUR, 17.9 * HOUR, 71.3 * HOUR)
"""Periods of the restless part, seconds."""
SHARES: Final = (0.26, 0.22, 0.18, 0.15, 0.11, 0.08)
"""How much of the restless part each period has; they sum to 1."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Signal:
    """How one sensor behaves while nothing is wrong.

    `daily`, `weekly`, `restless` and `grain` are amplitudes in the sensor's unit; `phase` (hours)
    moves the daily peak from noon; `digits` is the sensor's resolution; `key` sets this sensor's
    restless part apart from the others'.  `drift` is what the sensor itself goes off a day, from
    `DRIFTS_FROM` days before the origin for `DRIFTS_FOR` days.
    """

    mean: float
    daily: float
    restless: float
    key: int
    weekly: float = 0.0
    phase: float = 2.0
    grain: float = 0.02
    digits: int = 2
    drift: float = 0.0

    def values(self, at: Array, origin: float) -> Array:
        """Return what is measured at `at`, rounded.

        `at`, shape (n,), and `origin` (see `origin_of`) are seconds since the epoch.
        """
        at = at - origin
        day = np.cos(2 * np.pi * (at - DAY / 2 - self.phase * HOUR) / DAY)
        week = np.cos(2 * np.pi * at / WEEK)
        phases = np.random.default_rng(self.key).uniform(0, 2 * np.pi, len(RESTLESS))
        moods = [
            share * np.sin(2 * np.pi * at / period + phase)
            for share, period, phase in zip(SHARES, RESTLESS, phases, strict=True)
        ]
        calm = self.mean + self.daily * day + self.weekly * week
        noise = self.grain * _scatter(at, self.key)
        off = self.drift * np.clip(at / DAY + DRIFTS_FROM, 0.0, DRIFTS_FOR)
        measured = calm + self.restless * np.sum(moods, axis=0) + noise + off
        return np.asarray(np.round(measured, self.digits), dtype=np.float64)


def origin_of(built_at: datetime) -> float:
    """Return the demo hospital's last midnight before `built_at`, in seconds since the epoch."""
    second = built_at.timestamp()
    return second - (second - LOCAL_MIDNIGHT_S) % DAY


def _scatter(at: Array, key: int) -> Array:
    """Return a number in -1..1 that looks random but depends on the instant and the key alone."""
    mixed = np.sin(np.floor(at) * 12.9898 % (2 * np.pi) + key * 78.233) * 43758.5453
    return np.asarray(2 * (mixed - np.floor(mixed)) - 1, dtype=np.float64)


SIGNALS: Final[dict[str, Signal]] = {
    "BB-FRIDGE-1": Signal(4.0, 0.15, 0.7, 21),
    "BB-FRIDGE-2": Signal(3.8, 0.15, 0.7, 2),
    "BB-FRIDGE-3": Signal(4.1, 0.12, 0.6, 3),
    "BB-FRIDGE-4": Signal(4.0, 0.18, 0.7, 4),
    "PH-FRIDGE-1": Signal(4.9, 0.3, 0.9, 5),
    "PH-FRIDGE-2": Signal(5.1, 0.3, 0.8, 6),
    "LAB-FRIDGE-1": Signal(4.6, 0.3, 1.0, 7),
    "CT1-ROOM-T": Signal(21.4, 0.6, 0.8, 8, weekly=0.1),
    "CT1-ROOM-RH": Signal(46.0, 2.5, 4.0, 9, grain=0.2, digits=1),
    "CT2-ROOM-T": Signal(21.8, 0.6, 0.7, 10, weekly=0.1),
    "CT1-TUBE-OIL": Signal(38.0, 5.0, 5.0, 11, weekly=1.0, grain=0.2, digits=1),
    "MRI-ROOM-T": Signal(20.3, 0.3, 0.5, 12),
    "MRI-ROOM-T2": Signal(20.5, 0.33, 0.48, 12, grain=0.03),
    "MRI-ROOM-T3": Signal(20.6, 0.28, 0.52, 12, grain=0.03, drift=0.2),
    "MRI-ROOM-RH": Signal(50.0, 1.5, 3.0, 13, grain=0.2, digits=1),
    "CHILLER-1-OUT": Signal(8.2, 0.5, 0.6, 14, weekly=0.1),
    "CHILLER-2-OUT": Signal(8.0, 0.5, 0.6, 15, weekly=0.1),
    "OR1-ROOM-T": Signal(22.4, 0.4, 0.5, 22, weekly=0.1),
}
"""By sensor code.  The three of the MRI room feel the same air, and one of them drifts."""
