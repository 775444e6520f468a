"""One number for how worn a unit looks at a reading, learnt from units run to their end.

Each reading's standardised sensors are weighed into an estimate of what is left, by ridge
regression within each regime: a sensor that says much under one load and nothing under another
weighs accordingly.  The estimate of one reading is rough; its windowed means and slopes
(`features`) are not.

Sources: A. Hoerl, R. Kennard, "Ridge regression", Technometrics 12 (1970) 55-67; a linear health
index from sensors: T. Wang et al., "A similarity-based prognostics approach for remaining useful
life estimation of engineered systems", PHM 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predict.features import TINY, Array

FARTHEST = 4.0
"""Standard scores beyond this count as this: one wild value says no more than a large one."""


@dataclass(frozen=True, slots=True)
class HealthIndex:
    """Weights by regime and index.

    weights: shape (r, s, k).  offset: shape (r, k).  r regimes, s sensors, k indices, each with
    mean 0 and spread 1 over the readings it was learnt from.
    """

    weights: Array
    offset: Array

    def of(self, scores: Array, regime: NDArray[np.int64]) -> Array:
        """Return the indices of each reading, higher = more left, shape (n, k).

        Args:
            scores: shape (n, s), standard scores; a missing value counts as the regime's mean.
            regime: shape (n,), the regime of each.
        """
        index = self.offset[regime].copy()
        held = _held(scores)
        for r in np.unique(regime).tolist():
            index[regime == r] += held[regime == r] @ self.weights[r]
        return index


def fit_health_index(
    scores: Array, regime: NDArray[np.int64], left: Array, caps: Sequence[float], shrink: float
) -> HealthIndex:
    """Learn one index for each cap: what is left, as far as it is below the cap.

    A low cap makes an index that tells the last stretch apart, a high one the whole decline.

    Args:
        scores: shape (n, s), standard scores of the readings of all units.
        regime: shape (n,), 0..r - 1.
        left: shape (n,), what was left at each.
        caps: k caps, in the unit of `left`.
        shrink: the ridge, as many readings as it outweighs.

    >>> rng = np.random.default_rng(0)
    >>> left = rng.uniform(0, 100, 500)
    >>> scores = np.column_stack([(left - 50) / 30, rng.normal(size=500)])
    >>> fit = fit_health_index(scores, np.zeros(500, dtype=np.int64), left, [100.0], 1.0)
    >>> fit.weights[0, :, 0].round(1).tolist()  # the second sensor is noise
    [1.0, 0.0]
    """
    target = np.minimum(left[:, None], np.asarray(caps, dtype=np.float64))
    held = _held(scores)
    regimes = int(regime.max(initial=0)) + 1
    weights = np.zeros((regimes, scores.shape[1], len(caps)))
    offset = np.tile(target.mean(axis=0), (regimes, 1))
    for r in np.unique(regime).tolist():
        x, y = held[regime == r], target[regime == r]
        x0, y0 = x.mean(axis=0), y.mean(axis=0)
        square = (x - x0).T @ (x - x0) + shrink * np.eye(x.shape[1])
        weights[r] = np.linalg.solve(square, (x - x0).T @ (y - y0))
        offset[r] = y0 - x0 @ weights[r]
    raw = HealthIndex(weights, offset).of(scores, regime)
    mean, spread = raw.mean(axis=0), np.maximum(raw.std(axis=0), TINY)
    return HealthIndex(weights / spread, (offset - mean) / spread)


def _held(scores: Array) -> Array:
    return np.asarray(np.clip(np.nan_to_num(scores, nan=0.0), -FARTHEST, FARTHEST))
