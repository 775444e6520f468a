"""Standardises sensors within the regime a unit is run in, so that load does not look like wear.

Source: regime-wise standardisation, T. Wang et al., "A similarity-based prognostics approach for
remaining useful life estimation of engineered systems", PHM 2008; regimes by k-means (S. Lloyd,
"Least squares quantization in PCM", IEEE Transactions on Information Theory 28, 1982, 129-137).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predict.errors import NotEnoughData
from predict.features import TINY, Array, History

MOST_REGIMES = 8
UNEXPLAINED = 0.01
"""Share of the conditions' variance that regimes may leave; otherwise they are no regimes."""

STEADY = 1e-3
"""A condition that moves by less than this share of its size is held, and makes no regime."""

LEAST_ROWS = 10
"""Rows below which a mean and a spread say nothing."""

MOST_ROWS = 5000
"""Rows that suffice to find the regimes."""


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Centres of the regimes and, by regime, mean and spread of each sensor.

    scale: shape (c,), of the conditions.  centres: (r, c), scaled.  mean, spread: (r, s).
    kept: shape (s,), False for a sensor that never moved within any regime.
    """

    scale: Array
    centres: Array
    mean: Array
    spread: Array
    kept: NDArray[np.bool_]

    def regime(self, conditions: Array) -> NDArray[np.int64]:
        """Return the index of the nearest regime of each row, shape (n,)."""
        if len(self.centres) == 1:
            return np.zeros(len(conditions), dtype=np.int64)
        away = (conditions / self.scale)[:, None, :] - self.centres[None, :, :]
        return np.asarray((away * away).sum(axis=2).argmin(axis=1), dtype=np.int64)

    def standardise(self, history: History) -> Array:
        """Return the kept sensors as standard scores of their regime, shape (n, kept)."""
        if history.sensors.shape[1] != len(self.kept):
            raise ValueError(f"unit {history.unit}: {len(self.kept)} sensors needed")
        at = self.regime(history.conditions)
        scores: Array = (history.sensors - self.mean[at]) / self.spread[at]
        return scores[:, self.kept]


def fit_normaliser(histories: Sequence[History]) -> Normaliser:
    """Learn regimes and scales from units of the training set.

    The number of regimes is the least that leaves at most `UNEXPLAINED` of the variance of the
    conditions; where `MOST_REGIMES` do not suffice, the conditions vary freely: one regime.

    Raises:
        NotEnoughData: fewer than `LEAST_ROWS` rows, or no sensor that moves.
    """
    if sum(len(h.at) for h in histories) < LEAST_ROWS:
        raise NotEnoughData(f"{LEAST_ROWS} readings needed")
    conditions = np.concatenate([h.conditions for h in histories])
    sensors = np.concatenate([h.sensors for h in histories])
    held = STEADY * np.abs(conditions.mean(axis=0))
    scale = np.maximum(np.maximum(conditions.std(axis=0), held), TINY)
    centres = _centres(conditions / scale)
    blank = Normaliser(scale, centres, np.empty(0), np.empty(0), np.empty(0, dtype=np.bool_))
    regime = blank.regime(conditions)
    mean, spread = _moments(sensors, regime, len(centres))
    still = ~(spread > 1e-9 * np.maximum(np.abs(mean), 1.0))  # NaN counts as still
    kept = np.asarray(~still.all(axis=0), dtype=np.bool_)
    if not kept.any():
        raise NotEnoughData("no sensor moves")
    return Normaliser(scale, centres, mean, np.where(still, np.inf, spread), kept)


def _centres(scaled: Array) -> Array:
    total = float(((scaled - scaled.mean(axis=0)) ** 2).sum())
    if scaled.shape[1] == 0 or total == 0.0:
        return np.zeros((1, scaled.shape[1]))
    thin = scaled[:: max(1, len(scaled) // MOST_ROWS)]
    thin_total = float(((thin - thin.mean(axis=0)) ** 2).sum())
    distinct = len(np.unique(thin.round(9), axis=0))
    from sklearn.cluster import KMeans  # noqa: PLC0415  (seconds, which few starts need)

    for k in range(2, min(MOST_REGIMES, distinct) + 1):
        found = KMeans(k, n_init=4, random_state=0).fit(thin)
        if found.inertia_ <= UNEXPLAINED * thin_total:
            return np.asarray(found.cluster_centers_, dtype=np.float64)
    return np.asarray(scaled.mean(axis=0)[None, :], dtype=np.float64)


def _moments(sensors: Array, regime: NDArray[np.int64], regimes: int) -> tuple[Array, Array]:
    """Return mean and spread of the known values by regime; NaN where there are none."""
    mean = np.full((regimes, sensors.shape[1]), np.nan)
    spread = mean.copy()
    for r in range(regimes):
        known = np.isfinite(sensors[regime == r])
        n = known.sum(axis=0)
        rows = np.where(known, sensors[regime == r], 0.0)
        average = rows.sum(axis=0) / np.maximum(n, 1)
        squares = (np.where(known, rows - average, 0.0) ** 2).sum(axis=0)
        mean[r] = np.where(n > 0, average, np.nan)
        spread[r] = np.where(n > 1, np.sqrt(squares / np.maximum(n, 1)), np.nan)
    return mean, spread
