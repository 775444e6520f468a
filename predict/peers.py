"""What a sensor should read, said by the others in the room: a virtual sensor.

A room that warms moves all its sensors; a sensor that drifts moves alone.  A ridge regression on
the others, fitted on the past, tells the two apart: the residual of a drifting sensor leaves its
usual range, and stays there while the room goes up and down.

Ridge: A. E. Hoerl and R. W. Kennard, "Ridge Regression", Technometrics 12 (1970) 55-67.  It is
made robust by fitting twice: readings whose residual is more than four robust standard deviations
(1.4826 times the median absolute deviation) off are left out the second time.  A sensor that did
not read at a time is taken at its mean, which is what ridge assumes of what it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predict.errors import NotEnoughData

Floats = NDArray[np.float64]
LEAST = 60
"""Rows below which nothing is fitted."""
RIDGE = 1e-2
"""Penalty, as a share of a column's variance: small, so that close neighbours may speak."""
WILD = 4.0
MAD = 1.4826


@dataclass(frozen=True, slots=True)
class Virtual:
    """A fitted virtual sensor.

    weights, means: shape (k,), of the k others; level: the sensor's own mean; spread: the robust
    standard deviation of the residual on what it was fitted on; n: rows it was fitted on.
    """

    weights: Floats
    means: Floats
    level: float
    spread: float
    n: int

    def expected(self, others: Floats) -> Floats:
        """Return what the sensor should read, shape (n,), from the others, shape (n, k).

        NaN in `others` is a reading that is missing; NaN comes back where all are missing.
        """
        known = ~np.isnan(others)
        moved = np.where(known, others - self.means, 0.0)
        found = self.level + moved @ self.weights
        return np.where(known.any(axis=1), found, np.nan)

    def residual(self, own: Floats, others: Floats) -> Floats:
        """Return how far the sensor is from what the others say, shape (n,); NaN: unknown."""
        return np.asarray(own - self.expected(others), dtype=np.float64)


def fit(own: Floats, others: Floats) -> Virtual:
    """Fit a virtual sensor on the past.

    Args:
        own: what the sensor read, shape (n,); NaN where it did not.
        others: what the others read at the same times, shape (n, k).

    Raises:
        NotEnoughData: fewer than 60 rows have the sensor and one of the others.

    >>> rng = np.random.default_rng(1)
    >>> room = np.cumsum(rng.normal(0, 0.1, 300)) + 21
    >>> model = fit(room + 0.3, np.column_stack([room, room - 0.2]))
    >>> round(float(model.expected(np.array([[25.0, 24.8]]))[0]), 1)
    25.3
    """
    usable = ~np.isnan(own) & (~np.isnan(others)).any(axis=1)
    if int(usable.sum()) < LEAST:
        raise NotEnoughData(f"{LEAST} times at which the sensor and another one read are needed")
    own, others = own[usable], others[usable]
    model = _ridge(own, others)
    residual = model.residual(own, others)
    tame = np.abs(residual - np.median(residual)) <= WILD * max(model.spread, 1e-9)
    return _ridge(own[tame], others[tame]) if int(tame.sum()) >= LEAST else model


def _ridge(own: Floats, others: Floats) -> Virtual:
    known = ~np.isnan(others)
    means = np.nansum(others, axis=0) / np.maximum(known.sum(axis=0), 1)
    level = float(own.mean())
    x = np.where(known, others - means, 0.0)
    gram = x.T @ x
    penalty = RIDGE * np.diag(gram).mean() + 1e-9
    weights = np.linalg.solve(gram + penalty * np.eye(gram.shape[0]), x.T @ (own - level))
    residual = own - level - x @ weights
    spread = MAD * float(np.median(np.abs(residual - np.median(residual))))
    return Virtual(weights, means, level, spread, len(own))


@dataclass(frozen=True, slots=True)
class Comparison:
    """One sensor against its neighbours over a stretch of time.

    offset: median residual; limit: how far it may be; own_move: how far the sensor's own median
    left that of the past; n: readings compared.
    """

    offset: float
    limit: float
    own_move: float
    n: int

    @property
    def is_off(self) -> bool:
        """Whether the sensor disagrees with the others."""
        return abs(self.offset) > self.limit


def compare(
    model: Virtual, own: Floats, others: Floats, *, least_off: float, spreads: float = 4.0
) -> Comparison:
    """Compare a stretch with what the others say.

    Args:
        model: fitted on the time before.
        own: the sensor, shape (n,); NaN where it did not read.
        others: the others at the same times, shape (n, k).
        least_off: what is never worth an alarm, in the sensor's unit.
        spreads: limit as a multiple of the residual's usual spread.

    Raises:
        NotEnoughData: there is no time at which the sensor and another one read.
    """
    residual = model.residual(own, others)
    known = residual[~np.isnan(residual)]
    if not len(known):
        raise NotEnoughData("no time at which the sensor and another one read")
    return Comparison(
        offset=float(np.median(known)),
        limit=max(least_off, spreads * model.spread),
        own_move=float(np.nanmedian(own)) - model.level,
        n=len(known),
    )
