"""When to replace a wearing part before it fails.

A part is replaced when it fails or when it reaches age T, whichever comes first.  One planned
replacement costs `planned`, one failure costs `failure` (repair, downtime, risk).  Over many
replacements the cost per hour is

    C(T) = (planned * R(T) + failure * (1 - R(T))) / integral of R from 0 to T

and for a Weibull life with shape > 1 it has one minimum, where

    h(T) * integral of R from 0 to T - (1 - R(T)) = planned / (failure - planned).

Source: R. Barlow and L. Hunter, "Optimum preventive maintenance policies", Operations
Research 8 (1960) 90-100, policy I.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, gamma, inf, isfinite

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammainc

from predict.errors import NotEnoughData

MIN_FAILURES = 2
"""Distinct failure times below which the likelihood has no maximum to trust."""


@dataclass(frozen=True, slots=True)
class Weibull:
    """A life: the share exp(-(t / scale) ** shape) survives t hours; shape and scale > 0."""

    shape: float
    scale: float

    def reliability(self, t: float) -> float:
        """Return the probability to survive `t` hours."""
        return exp(-((t / self.scale) ** self.shape))

    def hazard(self, t: float) -> float:
        """Return the failures per hour among parts that have survived `t` hours."""
        return self.shape / self.scale * float((t / self.scale) ** (self.shape - 1.0))

    def mean_life_up_to(self, t: float) -> float:
        """Return the mean hours in service of a part taken out at `t` at the latest."""
        power = 1.0 / self.shape
        mean = self.scale * gamma(1.0 + power)
        return mean if t == inf else mean * float(gammainc(power, (t / self.scale) ** self.shape))


@dataclass(frozen=True, slots=True)
class Policy:
    """Replace at `age` hours (inf: when it fails); costs are per hour in the long run."""

    age: float
    cost: float
    cost_run_to_failure: float

    @property
    def pays(self) -> bool:
        """Whether replacing early is cheaper than waiting for the failure."""
        return self.age < inf


def fit_weibull(hours: ArrayLike, failed: ArrayLike) -> Weibull:
    """Fit a life by maximum likelihood; parts still running are right-censored.

    Args:
        hours: shape (n,), hours in service of each part, > 0.
        failed: shape (n,), True where the part failed, False where it still runs.

    Raises:
        NotEnoughData: fewer than `MIN_FAILURES` distinct times of failure.
        ValueError: the shapes differ, or hours are not positive and finite.

    Source: A. C. Cohen, "Maximum likelihood estimation in the Weibull distribution based on
    complete and on censored samples", Technometrics 7 (1965) 579-588: one equation in the shape.

    >>> fit_weibull([1000, 2000, 3000, 4000], [True, True, True, False])
    Weibull(shape=1.83..., scale=3161.9...)
    """
    from scipy.optimize import brentq  # noqa: PLC0415  (seconds, which few starts need)

    t, d = np.asarray(hours, dtype=np.float64), np.asarray(failed, dtype=np.bool_)
    if t.ndim != 1 or t.shape != d.shape:
        raise ValueError(f"hours {t.shape} and failed {d.shape} must be alike and flat")
    if not (np.isfinite(t) & (t > 0)).all():
        raise ValueError("hours must be positive and finite")
    if len(np.unique(t[d])) < MIN_FAILURES:
        raise NotEnoughData(f"{MIN_FAILURES} distinct times of failure needed")
    unit = float(t.max())  # all times in (0, 1], so that no power overflows
    log_t = np.log(t / unit)

    def slope(shape: float) -> float:
        power = np.exp(shape * log_t)
        return float(power @ log_t / power.sum() - 1.0 / shape - log_t[d].mean())

    high = 1.0
    while slope(high) < 0.0:
        high *= 2.0
    shape = float(brentq(slope, 1e-3, high))
    scale = unit * float(np.exp(shape * log_t).sum() / d.sum()) ** (1.0 / shape)
    return Weibull(shape, scale)


def best_age(life: Weibull, *, planned: float, failure: float) -> Policy:
    """Return the cheapest age at which to replace a part with this `life`.

    Args:
        life: of the part, in hours.
        planned: cost of one planned replacement, > 0.
        failure: cost of one failure, >= 0, in the same money.

    Returns:
        A policy with age inf where replacing early never pays: the part does not wear
        (shape <= 1) or a failure costs no more than the replacement.

    Raises:
        ValueError: a cost is out of its range.

    >>> best_age(Weibull(shape=3.0, scale=1000.0), planned=1.0, failure=10.0)
    Policy(age=382.4..., cost=0.00394..., cost_run_to_failure=0.0111...)
    """
    from scipy.optimize import brentq  # noqa: PLC0415  (seconds, which few starts need)

    if not (planned > 0.0 and failure >= 0.0 and isfinite(planned + failure)):
        raise ValueError("planned > 0 and failure >= 0, both finite")
    waiting = failure / life.mean_life_up_to(inf)
    if life.shape <= 1.0 or failure <= planned:
        return Policy(inf, waiting, waiting)
    target = planned / (failure - planned)

    def excess(t: float) -> float:  # of dC/dT, up to a positive factor; grows with t
        return life.hazard(t) * life.mean_life_up_to(t) - (1.0 - life.reliability(t)) - target

    far = life.scale
    while excess(far) < 0.0:
        far *= 2.0
        if life.reliability(far) == 0.0:
            return Policy(inf, waiting, waiting)  # so late that no part lives to see it
    age = float(brentq(excess, 0.0, far, rtol=1e-12))
    survive = life.reliability(age)
    cost = (planned * survive + failure * (1.0 - survive)) / life.mean_life_up_to(age)
    return Policy(age, cost, waiting)
