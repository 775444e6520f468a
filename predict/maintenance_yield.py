"""What preventive maintenance finds and what fails between: the shares, and how sure they are.

A share comes with Wilson's score interval (Journal of the American Statistical Association 22,
1927, 209-212) by statsmodels; a rate with the exact Poisson interval of Garwood ("Fiducial limits
for the Poisson distribution", Biometrika 28, 1936, 437-442) from the chi-square distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import chi2
from statsmodels.stats.proportion import proportion_confint

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval, and how many cases it rests on."""

    value: float
    low: float
    high: float
    n: int


def share(hits: int, n: int) -> Estimate | None:
    """Return the share of `hits` among `n`; None where there is no case.

    >>> found = share(2, 40)
    >>> round(found.low, 3), round(found.high, 3)
    (0.014, 0.165)
    """
    if n < 0 or not 0 <= hits <= n:
        raise ValueError("0 <= hits <= n needed")
    if n == 0:
        return None
    low, high = proportion_confint(hits, n, alpha=1 - CONFIDENCE, method="wilson")
    return Estimate(hits / n, max(0.0, float(low)), min(1.0, float(high)), n)


def rate(events: int, exposure: float) -> Estimate | None:
    """Return events per unit of `exposure`; None where nothing was watched.

    >>> found = rate(0, 10)
    >>> found.value, round(found.high, 4)
    (0.0, 0.3689)
    """
    if events < 0 or exposure < 0:
        raise ValueError("counts are not negative")
    if exposure == 0:
        return None
    tail = (1 - CONFIDENCE) / 2
    low = float(chi2.ppf(tail, 2 * events)) / 2 if events else 0.0
    high = float(chi2.ppf(1 - tail, 2 * events + 2)) / 2
    return Estimate(events / exposure, low / exposure, high / exposure, events)
