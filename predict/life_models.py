"""Weibull and log-normal lives that depend on what a unit is, by maximum likelihood.

Accelerated failure time: log T = x beta + sigma W, W standard smallest-extreme-value (Weibull) or
normal (log-normal) variable.  A failure at t gives log f, a unit still running log S(t), one that
came under watch at age e takes - log S(e) besides.  The covariance is the inverse of the observed
information.

Source: J. Lawless, "Statistical Models and Methods for Lifetime Data" (2003), chapters 2.4 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtri

from predict.errors import NotEnoughData
from predict.survival import Lives

Array = NDArray[np.float64]
Family = Literal["weibull", "lognormal"]

FAILURES_PER_PARAMETER = 2
"""Failures needed for each parameter; below it the likelihood is flat."""

LOG_ROOT_2_PI = 0.5 * float(np.log(2.0 * np.pi))


@dataclass(frozen=True, slots=True)
class LifeModel:
    """A fitted life.

    beta: shape (k,), intercept first, of log age.  log_sigma: log of the spread; a Weibull's shape
    is exp(-log_sigma).  covariance: shape (k + 1, k + 1), of (beta, log_sigma).  n, failures: what
    it rests on.
    """

    family: Family
    beta: Array
    log_sigma: float
    covariance: Array
    n: int
    failures: int
    log_likelihood: float

    @property
    def aic(self) -> float:
        """Akaike's criterion (1974): the family with the smaller one fits better."""
        return 2.0 * (len(self.beta) + 1) - 2.0 * self.log_likelihood

    def survival(self, age: ArrayLike, x: ArrayLike | None = None) -> Array:
        """Return the share alive at `age` (n,), of units `x` (n, k - 1)."""
        t = np.asarray(age, dtype=np.float64)
        design = _design(x, len(t))
        return _survival(self.family, t, design @ self.beta, np.exp(self.log_sigma))


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a unit that has reached an age: median and the interval of its end.

    low, high: where the end lies with `confidence`, the uncertainty of the fit included.
    """

    median: float
    low: float
    high: float
    confidence: float
    failures: int


def fit_life(watched: Lives, x: ArrayLike | None = None, family: Family = "weibull") -> LifeModel:
    """Fit a life to watched units.

    Args:
        watched: lives.
        x: shape (n, k - 1), covariates without an intercept; None: units are alike.
        family: of the life.

    Raises:
        NotEnoughData: fewer than `FAILURES_PER_PARAMETER` failures for each parameter, or
            failures at one age only.
        ValueError: covariates are not finite, constant or differ in number.

    >>> from predict.survival import lives
    >>> fit = fit_life(lives([1000, 2000, 3000, 4000], [True, True, True, True]))
    >>> round(float(np.exp(-fit.log_sigma)), 2), round(float(np.exp(fit.beta[0])))
    (2.45, 2829)
    """
    from scipy.optimize import minimize  # noqa: PLC0415  (seconds, which few starts need)

    design = _design(x, len(watched.exit))
    parameters = design.shape[1] + 1
    if watched.failures < FAILURES_PER_PARAMETER * parameters or (
        len(np.unique(watched.exit[watched.failed])) < 2
    ):
        raise NotEnoughData(f"{FAILURES_PER_PARAMETER * parameters} failures needed")
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ValueError("covariates must be finite, not constant, and not repeat each other")
    start = np.append(np.linalg.lstsq(design, np.log(watched.exit), rcond=None)[0], 0.0)
    found = minimize(
        _loss,
        start,
        args=(watched, design, family),
        jac=True,
        method="BFGS",
        options={"gtol": 1e-6},
    )
    best = np.asarray(found.x, dtype=np.float64)
    information = _information(best, watched, design, family)
    if not np.isfinite(information).all() or np.linalg.eigvalsh(information)[0] <= 0.0:
        raise NotEnoughData("the failures do not determine a life")
    return LifeModel(
        family,
        best[:-1],
        float(best[-1]),
        np.asarray(np.linalg.inv(information), dtype=np.float64),
        len(watched.exit),
        watched.failures,
        -float(found.fun),
    )


def remaining(
    model: LifeModel,
    age: float,
    rng: np.random.Generator,
    *,
    x: ArrayLike | None = None,
    confidence: float = 0.9,
    draws: int = 2000,
) -> Left:
    """Return what is left of a unit that has reached `age`.

    The end is drawn from fits that the data allow (normal around the estimate), each end from the
    life given that `age` was reached: a prediction interval, wide after few failures.
    Source: G. Hahn, W. Meeker, "Statistical Intervals" (2017), chapter 14.
    """
    if not (np.isfinite(age) and age >= 0.0):
        raise ValueError("age must be finite and not negative")
    at = np.append(model.beta, model.log_sigma)
    fits = rng.multivariate_normal(at, model.covariance, draws)
    location = fits[:, :-1] @ _design(None if x is None else np.atleast_2d(x), 1)[0]
    sigma = np.exp(fits[:, -1])
    reached = _survival(model.family, np.full(draws, age), location, sigma)
    share = np.maximum(rng.random(draws) * reached, 1e-300)
    ends = np.exp(location + sigma * _quantile(model.family, share)) - age
    tail = (1.0 - confidence) / 2.0
    low, median, high = np.quantile(np.maximum(ends, 0.0), [tail, 0.5, 1.0 - tail])
    return Left(float(median), float(low), float(high), confidence, model.failures)


def _design(x: ArrayLike | None, n: int) -> Array:
    if x is None:
        return np.ones((n, 1))
    rows = np.asarray(x, dtype=np.float64)
    if rows.ndim != 2 or len(rows) != n or not np.isfinite(rows).all():
        raise ValueError(f"covariates ({n}, k) and finite needed")
    return np.column_stack([np.ones(n), rows])


def _quantile(family: Family, alive: Array) -> Array:
    """Return W at which the share `alive` is left."""
    if family == "weibull":
        return np.asarray(np.log(-np.log(np.minimum(alive, 1.0 - 1e-16))))
    return np.asarray(-ndtri(alive))


def _survival(family: Family, t: Array, location: Array, sigma: float | Array) -> Array:
    log = np.log(t, out=np.full_like(t, -np.inf), where=t > 0.0)
    return np.asarray(np.exp(_log_survival(family, (log - location) / sigma)[0]))


def _log_survival(family: Family, z: Array) -> tuple[Array, Array]:
    """Return log S and its slope in z; log S is 0 at minus infinity."""
    if family == "weibull":
        hazard = np.exp(np.minimum(z, 700.0))
        return -hazard, -hazard
    log = log_ndtr(-z)
    return log, -np.exp(-0.5 * np.where(np.isfinite(z), z, 1e9) ** 2 - LOG_ROOT_2_PI - log)


def _log_density(family: Family, z: Array) -> tuple[Array, Array]:
    if family == "weibull":
        hazard = np.exp(np.minimum(z, 700.0))
        return z - hazard, 1.0 - hazard
    return -0.5 * z * z - LOG_ROOT_2_PI, -z


def _loss(at: Array, watched: Lives, design: Array, family: Family) -> tuple[float, Array]:
    """Return minus log likelihood (of log age) and its slope in (beta, log sigma)."""
    sigma, location = np.exp(np.clip(at[-1], -30.0, 30.0)), design @ at[:-1]
    log_exit = np.log(watched.exit)
    z = (log_exit - location) / sigma
    value, slope = _log_survival(family, z)
    density, density_slope = _log_density(family, z)
    d = watched.failed
    value = np.where(d, density - np.log(sigma) - log_exit, value)
    slope = np.where(d, density_slope, slope)
    late = watched.entry > 0.0
    w = (np.log(np.where(late, watched.entry, 1.0)) - location) / sigma
    before, before_slope = _log_survival(family, w)
    value, before_slope = value - np.where(late, before, 0.0), np.where(late, before_slope, 0.0)
    by_location = (before_slope - slope) / sigma
    by_sigma = before_slope * w - slope * z - d
    gradient = np.append(design.T @ by_location, by_sigma.sum())
    return -float(value.sum()), -gradient


def _information(at: Array, watched: Lives, design: Array, family: Family) -> Array:
    """Return the second derivative of the loss, by central differences of its slope."""
    columns = []
    for k in range(len(at)):
        step = np.zeros(len(at))
        step[k] = 1e-5 * max(1.0, abs(at[k]))
        ahead = _loss(at + step, watched, design, family)[1]
        behind = _loss(at - step, watched, design, family)[1]
        columns.append((ahead - behind) / (2.0 * step[k]))
    rows = np.array(columns)
    return np.asarray(0.5 * (rows + rows.T))
