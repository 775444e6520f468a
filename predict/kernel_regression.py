"""Smooth regression on many noisy features: a Gaussian kernel with features weighed by worth.

Boosted trees cut; a kernel bends.  Their errors differ, so their average is better than either
(T. Dietterich, "Ensemble methods in machine learning", 2000).  The kernel matrix is approximated
from a sample of rows, which makes the fit a ridge regression on as many columns.

Sources: Nystroem approximation: C. Williams, M. Seeger, "Using the Nystroem method to speed up
kernel machines", NIPS 2000; ridge in that space: C. Saunders et al., "Ridge regression learning
algorithm in dual variables", ICML 1998; worth of a feature: the correlation ratio, K. Pearson,
"On the general theory of skew correlation and non-linear regression" (1905).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from predict.errors import NotEnoughData
from predict.features import TINY, Array

if TYPE_CHECKING:
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import Ridge

FARTHEST = 3.0
"""Standard scores beyond this count as this; no row lies far from all others."""

CELLS = 20
"""Cells of a feature within which the target is averaged, to see what the feature is worth."""


@dataclass(frozen=True, slots=True)
class KernelConfig:
    """What to fit.

    landmarks: rows drawn to span the kernel; fewer where there are fewer rows.  reach: two rows
    at the features' usual distance have the kernel exp(-2 reach).  shrink: the ridge.  worth:
    power of the correlation ratio that weighs a feature; 0 = all alike.
    """

    landmarks: int = 500
    reach: float = 0.6
    shrink: float = 0.2
    worth: float = 1.0


@dataclass(frozen=True, slots=True)
class KernelRegression:
    """A fitted regression; make one with `fit_kernel_regression`.

    centre, spread: shape (k,), of each feature.  weight: shape (k,), 0..1, what each is worth.
    """

    centre: Array
    spread: Array
    weight: Array
    kernel: Nystroem
    ridge: Ridge

    def predict(self, rows: Array) -> Array:
        """Return the target at each row of features, shape (n, k) -> (n,); NaN = not known."""
        seen = _scaled(rows, self.centre, self.spread) * self.weight
        return np.asarray(self.ridge.predict(self.kernel.transform(seen)), dtype=np.float64)


def correlation_ratio(feature: Array, target: Array, cells: int = CELLS) -> float:
    """Return the share of the target's variance that the feature explains, in any shape, 0..1.

    The feature is cut into cells with equally many rows, the target averaged in each.

    >>> x = np.linspace(-1.0, 1.0, 1001)
    >>> round(correlation_ratio(x, x**2), 2), round(correlation_ratio(x, np.ones(1001)), 2)
    (0.99, 0.0)
    """
    edges = np.quantile(feature, np.linspace(0.0, 1.0, cells + 1)[1:-1])
    cell = np.searchsorted(edges, feature)
    count = np.bincount(cell, minlength=cells)
    off = target - target.mean()
    mean = np.bincount(cell, off, minlength=cells) / np.maximum(count, 1)
    total = float((off**2).sum())
    return float((count * mean**2).sum()) / total if total > TINY else 0.0


def fit_kernel_regression(
    rows: Array, target: Array, config: KernelConfig, seed: int
) -> KernelRegression:
    """Fit the regression.

    Args:
        rows: shape (n, k), features; NaN = not known, taken for the mean.
        target: shape (n,).
        config: what to fit.
        seed: draws the landmarks.

    Raises:
        NotEnoughData: no feature that moves.
    """
    from sklearn.kernel_approximation import Nystroem  # noqa: PLC0415  (seconds, which few starts need)
    from sklearn.linear_model import Ridge  # noqa: PLC0415

    known = np.isfinite(rows)
    n = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, rows, 0.0).sum(axis=0) / n
    spread = np.sqrt((np.where(known, rows - centre, 0.0) ** 2).sum(axis=0) / n)
    spread = np.where(spread > TINY, spread, np.inf)
    seen = _scaled(rows, centre, spread)
    weight = np.array([correlation_ratio(column, target) for column in seen.T])
    weight = weight**config.worth
    seen = seen * weight
    size = float(seen.var(axis=0).sum())
    if size <= TINY:
        raise NotEnoughData("no feature moves")
    kernel = Nystroem(
        gamma=config.reach / size, n_components=min(config.landmarks, len(rows)), random_state=seed
    )
    ridge = Ridge(config.shrink).fit(kernel.fit_transform(seen), target)
    return KernelRegression(centre, spread, weight, kernel, ridge)


def _scaled(rows: Array, centre: Array, spread: Array) -> Array:
    scores = np.where(np.isfinite(rows), (rows - centre) / spread, 0.0)
    return np.asarray(np.clip(scores, -FARTHEST, FARTHEST))
