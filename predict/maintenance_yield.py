"""What preventive maintenance finds and what fails between: the shares, and how sure they are.

A share comes with Wilson's score interval (Journal of the American Statistical Association 22,
1927, 209-212) by statsmodels; a rate with the exact Poisson interval of Garwood ("Fiducial limits
for the Poisson distribution", Biometrika 28, 1936, 437-442) from the chi-square distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import gammaincinv

from predict.proportion import wilson

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
    return Estimate(hits / n, *wilson(hits, n, CONFIDENCE), n)


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
    low = float(gammaincinv(events, tail)) if events else 0.0
    high = float(gammaincinv(events + 1, 1 - tail))
    return Estimate(events / exposure, low / exposure, high / exposure, events)
