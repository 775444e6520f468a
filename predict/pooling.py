"""Failure rates of models with few failures, borrowed from their category and from the fleet.

With one Weibull shape k the age t ** k runs down like an exponential life, so a group's failures
are Poisson with mean rate * exposure, exposure = sum of exit ** k - entry ** k.  Rates vary
between groups by a gamma law whose mean and spread are estimated from all groups (empirical
Bayes); a group's posterior is gamma again, so a group without a failure has a rate and a width.
A category is to the fleet what a model is to its category.

Sources: D. Gaver, I. O'Muircheartaigh, "Robust empirical Bayes analyses of event rates",
Technometrics 29 (1987) 1-15; B. Efron, "Large-Scale Inference" (2010), chapter 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, gammaln

from predict.errors import NotEnoughData
from predict.survival import Lives

Array = NDArray[np.float64]

SPREAD = (0.02, 1.5)
"""Least and most relative spread of rates between groups that the fit may find."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """A group's characteristic life (63 % have failed): median and interval of what is known.

    own: share of the answer that rests on the group's own failures, 0..1; the rest is borrowed.
    rate, known: mean and gamma shape of the rate of failures per age ** shape: the posterior.
    """

    group: str
    scale: float
    low: float
    high: float
    shape: float
    failures: int
    units: int
    own: float
    rate: float
    known: float


def pool(
    groups: Mapping[str, Mapping[str, Lives]], shape: float, confidence: float = 0.9
) -> dict[str, Pooled]:
    """Return each model's characteristic life, pooled model -> category -> fleet.

    Args:
        groups: lives by model by category; a model without any life may be an empty Lives.
        shape: Weibull shape common to all, as `fit_life` finds it on the whole fleet.
        confidence: of the interval.

    Raises:
        NotEnoughData: no failure in the whole fleet.
        ValueError: shape is not positive, or a model stands in two categories.
    """
    if not (np.isfinite(shape) and shape > 0.0):
        raise ValueError("shape > 0 needed")
    names = [name for models in groups.values() for name in models]
    if len(set(names)) < len(names):
        raise ValueError("a model stands in two categories")
    counts = {c: {m: _count(v, shape) for m, v in models.items()} for c, models in groups.items()}
    whole = [np.sum([*models.values(), (0.0, 0.0)], axis=0) for models in counts.values()]
    total = np.sum(whole, axis=0)
    if total[0] == 0.0:
        raise NotEnoughData("no failure in the whole fleet yet")
    centre = total[0] / total[1]
    between = spread_between(whole, [centre] * len(whole))
    found = [_posterior(own, centre, _gamma(between)) for own in whole]
    means = [mean for mean, _ in found]
    within = spread_between(
        [own for models in counts.values() for own in models.values()],
        [mean for mean, models in zip(means, counts.values(), strict=True) for _ in models],
    )
    return {
        model: _answer(
            model,
            groups[category][model],
            own,
            shape=shape,
            confidence=confidence,
            prior=_prior(mean, a, within),
        )
        for (mean, a), (category, models) in zip(found, counts.items(), strict=True)
        for model, own in models.items()
    }


def _count(watched: Lives, shape: float) -> tuple[float, float]:
    """Return failures and exposure."""
    exposure = float((watched.exit**shape - watched.entry**shape).sum())
    return float(watched.failures), exposure


def _gamma(spread: float) -> float:
    """Return the shape of a gamma law whose relative spread is about `spread` on the log scale."""
    return 1.0 / float(np.expm1(spread * spread))


def _prior(mean: float, known: float, within: float) -> tuple[float, float]:
    """Return mean and gamma shape for a model: the category's doubt adds to the models' spread."""
    return mean, 1.0 / (1.0 / _gamma(within) + 1.0 / known)


def _posterior(own: Array | tuple[float, float], mean: float, a: float) -> tuple[float, float]:
    """Return mean and gamma shape of a rate, after own failures and exposure."""
    return (a + own[0]) / (a / mean + own[1]), a + own[0]


def spread_between(counts: list[Array] | list[tuple[float, float]], means: list[float]) -> float:
    """Return the spread of rates that makes counts (failures, exposure) most likely.

    The counts are negative binomial around `means` * exposure.

    A few groups cannot say that all are alike: the likelihood is multiplied by the square of the
    spread, which keeps it from zero (Y. Chung et al., Psychometrika 78 (2013) 685-709).
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415  (seconds, which few starts need)

    d, exposure = np.asarray(counts, dtype=np.float64).T
    expected = np.asarray(means) * exposure

    def loss(log_spread: float) -> float:
        a = _gamma(float(np.exp(log_spread)))
        share = expected / (a + expected)
        terms = gammaln(a + d) - gammaln(a) + a * np.log1p(-share)
        return (
            -float((terms + np.where(d > 0, d * np.log(np.maximum(share, 1e-300)), 0.0)).sum())
            - 2.0 * log_spread
        )

    found = minimize_scalar(loss, bounds=tuple(np.log(SPREAD)), method="bounded")
    return float(np.exp(found.x))


def _answer(
    group: str,
    watched: Lives,
    own: tuple[float, float],
    *,
    shape: float,
    confidence: float,
    prior: tuple[float, float],
) -> Pooled:
    mean, a = _posterior(own, *prior)
    tail = (1.0 - confidence) / 2.0
    rates = [float(gammaincinv(a, q)) * mean / a for q in (1.0 - tail, 0.5, tail)]
    low, middle, high = (float(rate ** (-1.0 / shape)) for rate in rates)
    share = own[1] / (prior[1] / prior[0] + own[1])
    return Pooled(
        group, middle, low, high, shape, int(own[0]), len(watched.exit), float(share), mean, a
    )
