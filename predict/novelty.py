"""Whether a value lies outside everything a sensor has ever shown, from its second day on.

The score is how far the value lies beyond the range so far, in shares of that range: a record by
a hair is nothing, one by a tenth of the range is an alarm.  Four numbers of state; it says
something long before a detector that must first learn a rhythm (`anomaly`), and the larger of both
scores is better than either.

Source: records as novelties, M. Pimentel et al., "A review of novelty detection", Signal
Processing 99 (2014) 215-249, section 5 (bounds of the known).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

HIGHEST_SCORE = 100.0
TINY = 1e-9


@dataclass(slots=True)
class RangeNovelty:
    """The range of one sensor so far.

    share: of the range beyond it that scores 1.  warm_up_s, warm_up_readings: both pass before a
    score.
    """

    share: float = 0.1
    warm_up_s: float = 2 * 86400.0
    warm_up_readings: int = 100
    low: float = inf
    high: float = -inf
    first_at: float = inf
    readings: int = 0

    def update(self, at: ArrayLike, value: ArrayLike) -> Array:
        """Score readings in order of time, then learn from them.

        Args:
            at: shape (n,), seconds, not falling.
            value: shape (n,), finite.

        Returns:
            Shape (n,), 1 = alarm, 0 = inside the range, `HIGHEST_SCORE` at most; NaN in warm-up.

        Raises:
            ValueError: shapes differ or something is not finite.

        >>> sensor = RangeNovelty(warm_up_s=2.0, warm_up_readings=2)
        >>> sensor.update([0, 1, 2, 3], [5.0, 15.0, 14.0, 17.0]).tolist()
        [nan, nan, 0.0, 2.0]
        """
        times, values = np.asarray(at, dtype=np.float64), np.asarray(value, dtype=np.float64)
        if times.ndim != 1 or times.shape != values.shape:
            raise ValueError("at (n,) and value (n,) needed")
        if not (np.isfinite(times).all() and np.isfinite(values).all()):
            raise ValueError("times and values must be finite")
        if not len(times):
            return np.empty(0)
        high = np.maximum.accumulate(np.append(self.high, values))
        low = np.minimum.accumulate(np.append(self.low, values))
        count = self.readings + np.arange(len(times))
        self.first_at = min(self.first_at, float(times[0]))
        ready = (count >= self.warm_up_readings) & (times - self.first_at >= self.warm_up_s)
        ready &= count > 0
        score = np.full(len(times), np.nan)
        now, top, bottom = values[ready], high[:-1][ready], low[:-1][ready]
        beyond = np.maximum(np.maximum(now - top, bottom - now), 0.0)
        score[ready] = beyond / (self.share * np.maximum(top - bottom, TINY))
        self.high, self.low = float(high[-1]), float(low[-1])
        self.readings += len(times)
        return np.asarray(np.minimum(score, HIGHEST_SCORE), dtype=np.float64)
