"""Whether equipment of one kind fails more often as it ages: the Weibull intensity of its fleet.

Equipment is repaired and goes on, so its failures are a process in its age t with the intensity

    u(t) = (shape / scale) * (t / scale) ** (shape - 1),

a Weibull hazard: shape above 1 wears, below 1 has childhood troubles.  Each device is watched from
one age to another (records begin when it is old already), which the likelihood takes into account:
n / shape + sum(log t) = n * sum(b**shape * log b - a**shape * log a) / sum(b**shape - a**shape).

Source: L. H. Crow, "Reliability analysis for complex, repairable systems", in Proschan and
Serfling (eds.), "Reliability and Biometry", SIAM 1974, 379-410; for devices watched over part of
their life S. E. Rigdon and A. P. Basu, "Statistical Methods for the Reliability of Repairable
Systems", Wiley 2000, section 5.4.  The interval of the shape is that of the likelihood ratio.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from predict.errors import NotEnoughData

LEAST_FAILURES = 8
SHAPES = (0.02, 20.0)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ageing:
    """shape, with its 90 % limits low and high; mean_rate: failures per unit of time, overall."""

    shape: float
    scale: float
    low: float
    high: float
    n: int
    mean_rate: float

    def rate(self, age: float) -> float:
        """Return the failures per unit of time at one age > 0."""
        return float(self.shape / self.scale * (age / self.scale) ** (self.shape - 1.0))

    def against_mean(self, age: float) -> float:
        """Return the rate at one age over the mean of all that was watched."""
        return self.rate(age) / self.mean_rate


def fit_ageing(
    failures: Sequence[float], began: Sequence[float], ended: Sequence[float]
) -> Ageing:
    """Fit the intensity by maximum likelihood.

    Args:
        failures: shape (n,), age of the device at each failure, > 0.
        began: shape (m,), the age from which each device was watched, >= 0, in the same unit.
        ended: shape (m,), the age until which it was, above `began`.

    Raises:
        NotEnoughData: fewer than `LEAST_FAILURES`.
        ValueError: ages out of range.

    >>> found = fit_ageing([1, 3, 4, 5, 5.5, 6, 6.5, 7, 7.5, 8], [0, 0], [8, 8])
    >>> round(found.shape, 2), found.low > 1
    (1.89, True)
    """
    t, a, b = (np.asarray(x, dtype=np.float64) for x in (failures, began, ended))
    if a.shape != b.shape or a.ndim != 1 or not ((a >= 0) & (b > a) & np.isfinite(b)).all():
        raise ValueError("0 <= began < ended needed, for as many devices")
    if len(t) < LEAST_FAILURES:
        raise NotEnoughData(f"{LEAST_FAILURES} failures needed")
    if not ((t > 0) & np.isfinite(t)).all():
        raise ValueError("ages at failure must be positive")
    unit = float(b.max())
    n, logs = len(t), float(np.log(t / unit).sum())

    def profile(shape: float) -> float:  # log likelihood with the best scale for this shape
        spans = _spans(a / unit, b / unit, shape)
        return n * float(np.log(shape / spans)) + (shape - 1.0) * logs

    shape = _peak(profile)
    drop = profile(shape) - float(gammaincinv(0.5, 0.9))  # half of chi-squared's 90 %, 1 degree
    low = _crossing(profile, drop, SHAPES[0], shape)
    high = _crossing(profile, drop, shape, SHAPES[1])
    scale = unit * float(_spans(a / unit, b / unit, shape) / n) ** (1.0 / shape)
    return Ageing(shape, scale, low, high, n, n / float((b - a).sum()))


def _spans(a: Floats, b: Floats, shape: float) -> float:
    return float((b**shape - a**shape).sum())


def _peak(profile: Callable[[float], float]) -> float:
    """Return where a function with one peak is highest, on a logarithmic scale."""
    from scipy.optimize import minimize_scalar  # noqa: PLC0415  (seconds, which few starts need)

    found = minimize_scalar(
        lambda x: -profile(float(np.exp(x))),
        bounds=tuple(np.log(SHAPES)),
        method="bounded",
        options={"xatol": 1e-8},
    )
    return float(np.exp(found.x))


def _crossing(profile: Callable[[float], float], level: float, low: float, high: float) -> float:
    """Return where the profile has fallen to a level; the end of the range if it never does."""
    from scipy.optimize import brentq  # noqa: PLC0415  (seconds, which few starts need)

    def above(shape: float) -> float:
        return float(profile(shape) - level)

    if above(low) * above(high) > 0:
        return low if low == SHAPES[0] else high
    return float(brentq(above, low, high))
