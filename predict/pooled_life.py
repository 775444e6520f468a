"""What is left of a unit whose failure rate is only roughly known: the pooled life, looked ahead.

A unit of age t fails by t + h with hazard rate * ((t + h) ** k - t ** k); the rate itself is known
as a gamma law (`pooling`), so the share that survives is a Lomax law, in closed form:

    S(h) = (1 + rate / known * ((t + h) ** k - t ** k)) ** -known.

Few failures make `known` small and the law wide.  The shape k common to all groups is found by
the likelihood of the failures with each group's rate integrated out: neither does one bad group
pretend that units wear in, nor many small groups that they wear out.

Sources: N. Johnson, S. Kotz, N. Balakrishnan, "Continuous Univariate Distributions" I (1994),
20.12 (a gamma mixture of exponentials); shared frailty: J. Klein, M. Moeschberger,
"Survival Analysis" (2003), chapter 13; delayed entry as exposure of a counting process: ibid. 3.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv, gammaln

from predict.errors import NotEnoughData
from predict.survival import Lives

Array = NDArray[np.float64]

LEAST_FAILURES = 5
"""Failures below which no common shape is found."""
SHAPES = (0.3, 5.0)
"""Least and most shape that is believed."""
SHAPE_DOUBT = 0.5
"""Spread, on the log scale, of a shape around 1 before any failure was seen."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What is known of units' failure rates, arrays of shape (n,) or numbers.

    rate: mean failures per age ** shape.  known: gamma shape, about the failures it rests on.
    """

    shape: float
    rate: Array | float
    known: Array | float

    def fails_within(self, age: ArrayLike, horizon: float) -> Array:
        """Return the probability that units of `age` (n,) fail within `horizon`.

        >>> sure = Rate(1.0, 0.01, 1e9)
        >>> round(float(sure.fails_within(500.0, 100.0)), 4)
        0.6321
        """
        grown = self.rate / self.known * self._exposure(age, horizon)
        return np.asarray(-np.expm1(-self.known * np.log1p(grown)), dtype=np.float64)

    def left(self, age: ArrayLike, share: float) -> Array:
        """Return the time within which a `share` of units of `age` (n,) has failed.

        >>> round(float(Rate(1.0, 0.01, 1e9).left(500.0, 0.5)), 1)
        69.3
        """
        t = np.asarray(age, dtype=np.float64)
        wanted = self.known / self.rate * np.expm1(-np.log1p(-share) / self.known)
        return np.asarray((t**self.shape + wanted) ** (1.0 / self.shape) - t, dtype=np.float64)

    def surviving(self, age: float, ahead: ArrayLike, confidence: float) -> Array:
        """Return low, median and high of the share still running `ahead` (m,), shape (m, 3)."""
        tail = (1.0 - confidence) / 2.0
        grown = np.array([float(self._exposure(age, h)) for h in np.atleast_1d(ahead)])
        rates = [
            gammaincinv(self.known, q) * self.rate / self.known for q in (1.0 - tail, 0.5, tail)
        ]
        return np.column_stack([np.exp(-float(rate) * grown) for rate in rates])

    def hazard_ratio(self, age: ArrayLike) -> Array:
        """Return the hazard at `age` over the mean hazard up to the characteristic life."""
        t = np.maximum(np.asarray(age, dtype=np.float64), 1.0)
        scale = np.asarray(self.rate) ** (-1.0 / self.shape)
        return np.asarray(self.shape * (t / scale) ** (self.shape - 1.0), dtype=np.float64)

    def _exposure(self, age: ArrayLike, horizon: float) -> Array:
        t = np.asarray(age, dtype=np.float64)
        return np.asarray((t + horizon) ** self.shape - t**self.shape, dtype=np.float64)


def common_shape(groups: Sequence[Lives]) -> float:
    """Return the Weibull shape common to groups whose rates differ.

    A shape far from 1 needs failures to be believed: its logarithm has a normal prior around 0
    with spread `SHAPE_DOUBT`.

    Raises:
        NotEnoughData: fewer than `LEAST_FAILURES` failures in all.

    >>> from predict.survival import lives
    >>> alike = lives([1000, 2000, 3000, 4000, 2500], [True] * 5)
    >>> 1.0 < common_shape([alike]) < 3.0
    True
    """
    from scipy.optimize import minimize  # noqa: PLC0415  (seconds, which few starts need)

    exits = np.concatenate([group.exit for group in groups] or [np.empty(0)])
    entry = np.concatenate([group.entry for group in groups] or [np.empty(0)])
    failed = np.concatenate([group.failed for group in groups] or [np.empty(0, np.bool_)])
    if failed.sum() < LEAST_FAILURES:
        raise NotEnoughData(f"{LEAST_FAILURES} failures needed")
    unit = float(exits.max())  # ages in (0, 1]: no power overflows
    leave, enter = exits / unit, entry / unit
    group = np.repeat(np.arange(len(groups)), [len(own.exit) for own in groups])
    deaths = np.bincount(group, failed, len(groups))
    log_ages = float(np.log(leave[failed]).sum())

    def loss(at: Array) -> float:
        log_shape, log_mean, log_a = np.clip(at, [-1.2, -25.0, -3.0], [1.61, 25.0, 6.0])
        shape, a = float(np.exp(log_shape)), float(np.exp(log_a))
        exposure = np.bincount(group, leave**shape - enter**shape, len(groups))
        b = a / float(np.exp(log_mean))
        own = (
            gammaln(a + deaths) - gammaln(a) + a * np.log(b) - (a + deaths) * np.log(b + exposure)
        )
        whole = float(own.sum()) + deaths.sum() * log_shape + (shape - 1.0) * log_ages
        # The spread of rates is kept from zero as `pooling` does; see there.
        return float(-whole + 0.5 * (log_shape / SHAPE_DOUBT) ** 2 + 0.5 * log_a)

    mean = float(deaths.sum() / np.bincount(group, leave - enter, len(groups)).sum())
    found = minimize(
        loss, np.array([0.0, np.log(mean), 0.5]), method="Nelder-Mead",
        options={"xatol": 1e-3, "fatol": 1e-3, "maxiter": 400},
    )  # fmt: skip
    return float(np.clip(np.exp(found.x[0]), *SHAPES))
