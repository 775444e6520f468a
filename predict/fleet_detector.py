"""Scores many sensors at once, one tick after the other, with a few numbers of state for each.

A tick is one reading of every sensor at the same moment.  The expectation is an exponentially
weighted mean and an hour-of-day profile, the residual is scaled by its own weighted mean size,
a spike is a residual, a shift two one-sided cumulative sums; each is divided by the largest the
sensor has lately shown by itself, so that 1 means the same everywhere.  For one sensor with a
history `anomaly.SeasonalDetector` says more; this one is for breadth.

Sources: S. Roberts, Technometrics 1 (1959) 239-250 (weighted means); E. Page, Biometrika 41 (1954)
100-115 (cumulative sums); P. Huber (1964) for the clipped residual.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class FleetConfig:
    """The one frozen configuration, in ticks.

    level, profile, spread: memories of the means (profile: in days).  slack: residual, in
    spreads, that a cumulative sum forgives a tick.  clip: spreads a residual may teach.  margin:
    alarm at this multiple of the largest own score; peak_memory: how long that one is
    remembered.  warm_up: ticks without a score.
    """

    level: float = 2000.0
    profile: float = 14.0
    spread: float = 2000.0
    slack: float = 1.0
    clip: float = 4.0
    margin: float = 2.0
    peak_memory: float = 20000.0
    warm_up: int = 300


class FleetDetector:
    """The state of `n` sensors, one array each; `update` takes a tick and returns n scores."""

    def __init__(self, sensors: int, config: FleetConfig | None = None) -> None:
        self._config = config or FleetConfig()
        self._ticks = np.zeros(sensors)
        self._level = np.zeros(sensors)
        self._profile = np.zeros((24, sensors))
        self._spread = np.zeros(sensors)
        self._sums = np.zeros((2, sensors))
        self._peaks = np.ones((2, sensors))
        self._climb = np.zeros(sensors)

    def update(self, hour: int, value: ArrayLike) -> Array:
        """Score a tick and learn from it.

        Args:
            hour: of the day, 0..23, at all sensors.
            value: shape (n,); NaN = no reading: that sensor's score is NaN and nothing changes.

        Returns:
            Shape (n,), 1 = alarm; NaN while a sensor warms up.

        Raises:
            ValueError: another number of sensors, an infinite value or an hour outside 0..23.
        """
        read = np.asarray(value, dtype=np.float64)
        if read.shape != self._level.shape or not 0 <= hour < 24 or np.isinf(read).any():
            raise ValueError(f"{len(self._level)} values and an hour 0..23 needed")
        known = ~np.isnan(read)
        every = bool(known.all())
        x = read if every else np.where(known, read, self._level + self._profile[hour])
        config = self._config
        first = known & (self._ticks == 0.0)
        if first.any():
            self._level[first] = x[first]
        residual = x - self._level - self._profile[hour]
        size = np.abs(residual)
        scale = np.maximum(self._spread, TINY * np.maximum(np.abs(self._level), 1.0))
        z = residual / scale
        raw, sums = self._raw(z, known)
        score = np.maximum(raw[0] / self._peaks[0], raw[1] / self._peaks[1]) / config.margin
        ready = known & (self._ticks >= config.warm_up)
        self._learn(hour, residual, np.minimum(size, config.clip * scale), known=known)
        # The first ticks teach no peak, their spread is not known yet.
        settled = known & (self._ticks >= config.warm_up / 3)
        self._sums = np.where(settled | ~known, sums, 0.0)
        self._remember(raw, self._ticks < config.warm_up, settled=settled)
        return np.where(ready, score, np.nan)

    def _raw(self, z: Array, known: NDArray[np.bool_]) -> tuple[Array, Array]:
        """Return size of the residual and of the larger sum, (2, n), and the new sums."""
        step = np.clip(z, -self._config.clip, self._config.clip)
        slack = self._config.slack
        sums = np.stack([self._sums[0] + step - slack, self._sums[1] - step - slack])
        np.maximum(sums, 0.0, out=sums)
        if not known.all():
            sums = np.where(known, sums, self._sums)
        return np.stack([np.abs(z), sums.max(axis=0)]), sums

    def _remember(
        self, raw: Array, early: NDArray[np.bool_], *, settled: NDArray[np.bool_]
    ) -> None:
        """Learn the largest own scores; an alarm teaches none, or it would soon be normal.

        A cumulative sum teaches when it is back at zero: while it climbs it is not yet judged.
        """
        config = self._config
        self._climb = np.maximum(self._climb, np.where(settled, raw[1], 0.0))
        over = settled & (raw[1] <= 0.0)
        shown = np.stack([np.where(settled, raw[0], 0.0), np.where(over, self._climb, 0.0)])
        shown[:, ~early & (shown >= config.margin * self._peaks).any(axis=0)] = 0.0
        self._peaks = np.maximum(self._peaks * (1.0 - 1.0 / config.peak_memory), shown)
        np.maximum(self._peaks, 1.0, out=self._peaks)
        self._climb[over] = 0.0

    def _learn(self, hour: int, residual: Array, size: Array, *, known: NDArray[np.bool_]) -> None:
        config = self._config
        self._ticks += known
        young = self._ticks < config.warm_up
        n = np.maximum(self._ticks, 1.0)
        weight = known / np.minimum(n, config.level)
        clipped = np.where(young, residual, np.sign(residual) * size)
        self._level += weight * clipped
        self._profile[hour] += np.where(young, 0.0, known * clipped / (config.profile * 50.0))
        grown = np.where(young, np.abs(residual), size)
        self._spread += known / np.minimum(n, config.spread) * (grown - self._spread)

    @property
    def bytes_per_sensor(self) -> int:
        """How much state a sensor costs."""
        arrays = (self._ticks, self._level, self._profile, self._spread, self._sums, self._peaks)
        return (self._climb.nbytes + sum(a.nbytes for a in arrays)) // max(len(self._level), 1)
