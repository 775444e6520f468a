"""How long units live when many still run: curves, and lives fitted with what is censored.

A unit is watched from age `entry` (0, or its age when the records begin: left truncation) to age
`exit`, where it failed or still ran (right censoring).  A planned replacement is censoring.

Sources: product-limit curve: E. Kaplan, P. Meier, JASA 53 (1958) 457-481; its variance: M.
Greenwood (1926); the log-log interval: J. Kalbfleisch, R. Prentice, "The Statistical Analysis of
Failure Time Data" (1980), 1.4; competing risks: O. Aalen, S. Johansen, Scandinavian Journal of
Statistics 5 (1978) 141-150; delayed entry: J. Klein, M. Moeschberger, "Survival Analysis"
(2003), chapters 3-4.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predict.errors import NotEnoughData

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lives:
    """Watched lives, one row each, all of shape (n,).

    exit: age at failure or when last seen, > entry.  failed: whether it failed there.
    entry: age when it came under watch, >= 0.

    Raises:
        ValueError: shapes differ, an age is not finite, or a unit leaves before it enters.
    """

    exit: Array
    failed: NDArray[np.bool_]
    entry: Array

    def __post_init__(self) -> None:
        if self.exit.ndim != 1 or not self.exit.shape == self.failed.shape == self.entry.shape:
            raise ValueError("exit, failed and entry must be alike and flat")
        if not (np.isfinite(self.exit).all() and np.isfinite(self.entry).all()):
            raise ValueError("ages must be finite")
        if (self.entry < 0).any() or (self.exit <= self.entry).any():
            raise ValueError("0 <= entry < exit needed")

    @property
    def failures(self) -> int:
        """How many failed."""
        return int(self.failed.sum())


def lives(exit_age: ArrayLike, failed: ArrayLike, entry: ArrayLike | None = None) -> Lives:
    """Return watched lives; without `entry` all are watched from new."""
    out = np.asarray(exit_age, dtype=np.float64)
    start = np.zeros_like(out) if entry is None else np.asarray(entry, dtype=np.float64)
    return Lives(out, np.asarray(failed, dtype=np.bool_), start)


@dataclass(frozen=True, slots=True)
class Curve:
    """A share by age, constant between `age`s; shapes (k,).

    value: share at and after each age.  low, high: pointwise interval.  at_risk: units watched
    just before each age.  Before the first age the share is `start`.
    """

    age: Array
    value: Array
    low: Array
    high: Array
    at_risk: NDArray[np.int64]
    start: float

    def at(self, age: float) -> float:
        """Return the share at `age`."""
        place = int(np.searchsorted(self.age, age, side="right"))
        return self.start if place == 0 else float(self.value[place - 1])


def survival_curve(watched: Lives, confidence: float = 0.95) -> Curve:
    """Return the share still alive by age (Kaplan-Meier), with Greenwood's log-log interval.

    Raises:
        NotEnoughData: no failure.

    >>> curve = survival_curve(lives([1.0, 2.0, 3.0, 4.0], [True, False, True, False]))
    >>> curve.value.tolist()
    [0.75, 0.375]
    """
    age, deaths, at_risk = _table(watched)
    value = np.asarray(np.cumprod(1.0 - deaths / at_risk), dtype=np.float64)
    dying = np.where(at_risk > deaths, at_risk * (at_risk - deaths), np.nan)
    variance = np.cumsum(np.where(deaths > 0, deaths / dying, 0.0))
    z = NormalDist().inv_cdf((1.0 + confidence) / 2.0)
    inside = (value > 0.0) & (value < 1.0)
    log = np.log(value, out=np.full_like(value, np.nan), where=inside)
    reach = z * np.sqrt(variance) / np.abs(log)
    low = np.where(inside, value ** np.exp(reach), np.where(value >= 1.0, 1.0, 0.0))
    high = np.where(inside, value ** np.exp(-reach), value)
    return Curve(age, value, low, high, at_risk, 1.0)


def restricted_mean(curve: Curve, horizon: float) -> float:
    """Return the mean life up to `horizon`: the area under a survival curve.

    Source: J. Irwin, "The standard error of an estimate of expectation of life", Journal of
    Hygiene 47 (1949) 188-189.

    >>> restricted_mean(survival_curve(lives([1.0, 3.0], [True, True])), 4.0)
    2.0
    """
    inside = curve.age[curve.age < horizon]
    edges = np.concatenate([[0.0], inside, [horizon]])
    heights = np.concatenate([[curve.start], curve.value[: len(inside)]])
    return float((np.diff(edges) * heights).sum())


def incidence(watched: Lives, cause: ArrayLike, confidence: float = 0.95) -> dict[str, Curve]:
    """Return, by cause, the share that has failed of it by age (Aalen-Johansen).

    The shares of all causes and of those alive sum to one; one minus a Kaplan-Meier curve of one
    cause would count units that something else has already ended.

    Args:
        watched: lives.
        cause: shape (n,), text; read only where `failed`.
        confidence: of the pointwise interval: log-log transform, variance by the delta method
            (E. Marubini, M. Valsecchi, "Analysing Survival Data" (1995), 10.2).

    Raises:
        NotEnoughData: no failure.
        ValueError: causes and lives differ in number.

    >>> both = lives([1.0, 2.0, 3.0, 4.0], [True, True, True, False])
    >>> shares = incidence(both, ["pump", "valve", "pump", ""])
    >>> round(shares["pump"].at(4.0), 3), round(shares["valve"].at(4.0), 3)
    (0.5, 0.25)
    """
    named = np.asarray(cause, dtype=np.str_)
    if named.shape != watched.exit.shape:
        raise ValueError("one cause a unit needed")
    age, deaths, at_risk = _table(watched)
    alive = np.concatenate([[1.0], np.cumprod(1.0 - deaths / at_risk)[:-1]])
    z = NormalDist().inv_cdf((1.0 + confidence) / 2.0)
    curves = {}
    for name in np.unique(named[watched.failed]):
        exits = watched.exit[watched.failed & (named == name)]
        own = (exits[:, None] == age[None, :]).sum(axis=0)
        value = np.cumsum(alive * own / at_risk)
        spread = np.sqrt(
            _incidence_variance(value, alive, own=own, deaths=deaths, at_risk=at_risk)
        )
        inside = (value > 0.0) & (value < 1.0)
        safe = np.where(inside, value, 0.5)
        reach = z * spread / (safe * np.abs(np.log(safe)))
        low = np.where(inside, safe ** np.exp(reach), value)
        high = np.where(inside, safe ** np.exp(-reach), value)
        curves[str(name)] = Curve(age, value, low, high, at_risk, 0.0)
    return curves


def _incidence_variance(
    value: Array,
    alive: Array,
    *,
    own: NDArray[np.int64],
    deaths: NDArray[np.int64],
    at_risk: NDArray[np.int64],
) -> Array:
    """Return the variance of an incidence at each age, shape (k,), in one pass of sums."""
    n = at_risk.astype(np.float64)
    left = np.where(n > deaths, n * (n - deaths), np.inf)  # the last: nothing follows it
    step, mine = deaths / left, alive * own / n**2
    first, cross = np.cumsum(step), np.cumsum(value * step + mine)
    rest = np.cumsum(value**2 * step + 2.0 * value * mine + alive**2 * (n - own) * own / n**3)
    return np.maximum(value**2 * first - 2.0 * value * cross + rest, 0.0)


def _table(watched: Lives) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
    """Return ages of failure, failures there and units watched just before."""
    if not watched.failures:
        raise NotEnoughData("no failure yet")
    age, deaths = np.unique(watched.exit[watched.failed], return_counts=True)
    entered = np.searchsorted(np.sort(watched.entry), age, side="left")
    left = np.searchsorted(np.sort(watched.exit), age, side="left")
    return age, deaths, entered - left
