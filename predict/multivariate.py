"""Finds when several sensors of one device stop going together, and says which of them.

Two views of the same normal stretch.  `Mahalanobis`: the distance of windowed means from the
normal mean in units of the normal covariance, shrunk so that few rows suffice.  `Pca`: T2, how far
within the usual directions, and Q, how far off them, each with its limit.  Both split their
score into a part for each sensor.

Sources: P. Mahalanobis (1936); shrinkage: O. Ledoit, M. Wolf, Journal of Multivariate Analysis
88 (2004) 365-411; T2: H. Hotelling (1947); Q and its limit: J. Jackson, G. Mudholkar,
Technometrics 21 (1979) 341-349; T2's limit for new rows: N. Tracy, J. Young, R. Mason, Journal
of Quality Technology 24 (1992) 88-95; contributions: C. Alcala, S. Qin, Automatica 45 (2009)
1593-1600.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri

from predict.errors import NotEnoughData

Array = NDArray[np.float64]

ROWS_PER_SENSOR = 10
"""Normal rows needed for each sensor; a covariance of fewer is mostly noise."""

STILL = 1e-9
"""A sensor whose spread is below this share of its size does not move and is not judged."""


@dataclass(frozen=True, slots=True)
class Explained:
    """Scores of n rows, 1 = limit, and what each sensor adds: shape (n, s), parts sum to score."""

    score: Array
    parts: Array

    def blamed(self, row: int) -> int:
        """Return the index of the sensor that adds most at a row."""
        return int(self.parts[row].argmax())


def trailing_means(values: ArrayLike, window: int) -> Array:
    """Return the mean of each row and up to window - 1 earlier ones; missing values left out.

    >>> trailing_means([[1.0], [3.0], [5.0]], 2).ravel().tolist()
    [1.0, 2.0, 4.0]
    """
    rows = np.asarray(values, dtype=np.float64)
    known = np.isfinite(rows)
    sums = np.cumsum(np.vstack([np.zeros(rows.shape[1]), np.where(known, rows, 0.0)]), axis=0)
    counts = np.cumsum(np.vstack([np.zeros(rows.shape[1]), known]), axis=0)
    end = np.arange(1, len(rows) + 1)
    start = np.maximum(end - window, 0)
    n = counts[end] - counts[start]
    top = sums[end] - sums[start]
    mean = np.divide(top, n, out=np.full_like(top, np.nan), where=n > 0)
    return np.asarray(mean, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and spread of each sensor while normal; `moves`: False for one that stood still."""

    mean: Array
    spread: Array
    moves: NDArray[np.bool_]

    def standard(self, rows: Array) -> Array:
        """Return standard scores, 0 where a sensor stood still or a value is missing."""
        if rows.ndim != 2 or rows.shape[1] != len(self.mean):
            raise ValueError(f"{len(self.mean)} sensors needed")
        scores = np.where(self.moves, (rows - self.mean) / self.spread, 0.0)
        return np.asarray(np.nan_to_num(scores, nan=0.0))


def _scale(rows: Array) -> Scale:
    if rows.ndim != 2 or len(rows) < ROWS_PER_SENSOR * rows.shape[1]:
        raise NotEnoughData(f"{ROWS_PER_SENSOR} normal rows a sensor needed")
    known = np.isfinite(rows)
    n = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, rows, 0.0).sum(axis=0) / n
    spread = np.sqrt(np.where(known, (rows - mean) ** 2, 0.0).sum(axis=0) / n)
    moves = (spread > STILL * np.maximum(np.abs(mean), 1.0)) & (known.sum(axis=0) >= n.max() / 2)
    if not moves.any():
        raise NotEnoughData("no sensor moves")
    return Scale(mean, np.where(moves, spread, 1.0), moves)


@dataclass(frozen=True, slots=True)
class Mahalanobis:
    """Distance of means over `window` rows from normal; 1 = `limit`, see `fit_mahalanobis`."""

    scale: Scale
    centre: Array
    precision: Array
    window: int
    limit: float

    def score(self, values: ArrayLike) -> Explained:
        """Return the score of each row, from it and earlier rows alone, shape (n, s) -> (n,)."""
        off = trailing_means(
            self.scale.standard(np.asarray(values, dtype=np.float64)), self.window
        )
        off = off - self.centre
        parts = off * (off @ self.precision)
        square = np.maximum(parts.sum(axis=1), 0.0)
        score = np.sqrt(square) / self.limit
        share = np.divide(
            parts, square[:, None], out=np.zeros_like(parts), where=square[:, None] > 0
        )
        return Explained(score, share * score[:, None])


def fit_mahalanobis(normal: ArrayLike, *, window: int = 20, factor: float = 3.0) -> Mahalanobis:
    """Learn what is normal.

    Args:
        normal: shape (n, s), rows in order of time without a fault; NaN = missing.
        window: rows a mean is taken over; the first window - 1 means are not learnt from.
        factor: limit over the largest distance seen while normal.

    Raises:
        NotEnoughData: fewer than `ROWS_PER_SENSOR` rows a sensor, or no sensor moves.
    """
    rows = np.asarray(normal, dtype=np.float64)
    scale = _scale(rows)
    means = trailing_means(scale.standard(rows), window)[window - 1 :]
    if len(means) < ROWS_PER_SENSOR * rows.shape[1]:
        raise NotEnoughData(
            f"{ROWS_PER_SENSOR} normal rows a sensor needed after the first window"
        )
    from sklearn.covariance import ledoit_wolf  # noqa: PLC0415  (seconds, which few starts need)

    covariance, _ = ledoit_wolf(means)
    shifted = means - means.mean(axis=0)
    precision = np.linalg.pinv(covariance, hermitian=True)
    worst = float(np.sqrt(np.einsum("ij,jk,ik->i", shifted, precision, shifted)).max())
    return Mahalanobis(scale, means.mean(axis=0), precision, window, factor * worst)


@dataclass(frozen=True, slots=True)
class Pca:
    """The usual directions of a device.

    loadings: shape (s, k).  variance: shape (k,), of each.  t2_limit, q_limit: passed by a share
    1 - confidence of normal rows, if these are normal and independent.
    """

    scale: Scale
    loadings: Array
    variance: Array
    t2_limit: float
    q_limit: float

    def t2(self, values: ArrayLike) -> Explained:
        """Return T2 over its limit: unusual, yet in the usual proportions."""
        rows = self.scale.standard(np.asarray(values, dtype=np.float64))
        scores = rows @ self.loadings
        parts = rows * (scores / self.variance @ self.loadings.T)
        return Explained(parts.sum(axis=1) / self.t2_limit, parts / self.t2_limit)

    def q(self, values: ArrayLike) -> Explained:
        """Return Q over its limit: the sensors no longer go together."""
        rows = self.scale.standard(np.asarray(values, dtype=np.float64))
        parts = (rows - rows @ self.loadings @ self.loadings.T) ** 2
        return Explained(parts.sum(axis=1) / self.q_limit, parts / self.q_limit)


def fit_pca(normal: ArrayLike, *, kept: float = 0.9, confidence: float = 0.99) -> Pca:
    """Learn the directions that hold `kept` of the variance; at least one direction stays out.

    Raises:
        NotEnoughData: as `fit_mahalanobis`, or fewer than two sensors that move.
    """
    rows = np.asarray(normal, dtype=np.float64)
    scale = _scale(rows)
    if scale.moves.sum() < 2:
        raise NotEnoughData("two sensors that move needed")
    standard = scale.standard(rows)
    variance, directions = np.linalg.eigh(np.cov(standard.T))
    variance, directions = variance[::-1], directions[:, ::-1]
    moving = int(scale.moves.sum())
    share = np.cumsum(variance[:moving]) / variance[:moving].sum()
    k = min(int(np.searchsorted(share, kept)) + 1, moving - 1)
    n = len(rows)
    f = _f_quantile(confidence, k, n - k)
    t2_limit = k * (n + 1.0) * (n - 1.0) / (n * (n - k)) * f
    return Pca(
        scale, directions[:, :k], variance[:k], t2_limit, _q_limit(variance[k:moving], confidence)
    )


def _f_quantile(share: float, a: float, b: float) -> float:
    """Return the quantile of Fisher's F, by its relation to the beta law."""
    x = float(betaincinv(a / 2.0, b / 2.0, share))
    return b * x / (a * (1.0 - x))


def _q_limit(rest: Array, confidence: float) -> float:
    """Return Jackson and Mudholkar's limit of Q from the variances left out."""
    rest = np.maximum(rest, 1e-12)
    first, second, third = (float((rest**p).sum()) for p in (1, 2, 3))
    h = 1.0 - 2.0 * first * third / (3.0 * second**2)
    z = float(ndtri(confidence))
    inner = z * np.sqrt(2.0 * second * h * h) / first + 1.0 + second * h * (h - 1.0) / first**2
    return float(first * inner ** (1.0 / h))


def combined(members: Sequence[Mahalanobis], values: ArrayLike) -> Explained:
    """Return the largest score of several windows at each row, with that one's parts."""
    said = [member.score(values) for member in members]
    scores = np.array([s.score for s in said])
    best = scores.argmax(axis=0)
    rows = np.arange(scores.shape[1])
    return Explained(scores[best, rows], np.array([s.parts for s in said])[best, rows])


def released(said: Explained, share: float) -> Explained:
    """Return scores that fall below the limit once the worst of an episode is over.

    A device rarely returns to where it was before a fault, so the limit alone would stay passed.
    Each score is divided by `share` of the highest since the limit was last kept, at least by 1:
    below `share` of its peak an episode is over, and a score above that raises it again.  Each
    row is judged from it and earlier rows alone.

    >>> score = np.array([0.5, 2.0, 8.0, 3.0, 5.0, 0.9, 1.5])
    >>> released(Explained(score, score[:, None]), 0.5).score.round(2).tolist()
    [0.5, 2.0, 2.0, 0.75, 1.25, 0.9, 1.5]
    """
    if not 0.0 <= share < 1.0:
        raise ValueError("a share of the peak from 0 to below 1 needed")
    by = np.ones(len(said.score))
    peak = 0.0
    for row, score in enumerate(said.score.tolist()):
        peak = max(peak, score) if score >= 1.0 else 0.0
        by[row] = max(1.0, share * peak)
    return Explained(said.score / by, said.parts / by[:, None])
