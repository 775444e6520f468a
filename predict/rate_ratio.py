"""Whether one group fails more often than another, with the interval that few failures allow.

Given the failures of both groups together, those of the first are binomial with share
p = r t1 / (r t1 + t2) for a ratio r of the rates: the exact limits of p become those of r.

Source: J. Przyborowski and H. Wilenski, "Homogeneity of results in testing samples from Poisson
series", Biometrika 31 (1940) 313-323; limits of p: C. J. Clopper and E. S. Pearson, Biometrika 26
(1934) 404-413.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

from scipy.special import betaincinv, gammainc

from predict.errors import NotEnoughData


@dataclass(frozen=True, slots=True)
class RateRatio:
    """Rate of the first group over that of the second.

    value: None without a failure in the second group.  low, high: limits, high inf then.
    """

    value: float | None
    low: float
    high: float


def rate_ratio(
    first: int, first_time: float, second: int, second_time: float, confidence: float = 0.9
) -> RateRatio:
    """Return how many times more often the first group fails.

    Args:
        first: failures of the first group.
        first_time: how long it was watched, > 0.
        second: failures of the second.
        second_time: how long that was watched, > 0, in the same unit.
        confidence: of the interval, each side wrong with (1 - confidence) / 2 at most.

    Raises:
        NotEnoughData: no failure in either group.
        ValueError: negative failures, or times that are not positive and finite.

    >>> found = rate_ratio(8, 100.0, 4, 200.0)
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (4.0, 1.28, 14.28)
    """
    times = first_time > 0.0 and second_time > 0.0 and isfinite(first_time + second_time)
    if min(first, second) < 0 or not times or not 0.0 < confidence < 1.0:
        raise ValueError("failures >= 0, positive times and 0 < confidence < 1 needed")
    total, tail = first + second, (1.0 - confidence) / 2.0
    if total == 0:
        raise NotEnoughData("no failure in either group")
    scale = second_time / first_time
    low = float(betaincinv(first, second + 1, tail)) if first else 0.0
    high = float(betaincinv(first + 1, second, 1.0 - tail)) if second else 1.0
    value = first / second * scale if second else None
    upper = high / (1.0 - high) * scale if second else inf
    return RateRatio(value, low / (1.0 - low) * scale, upper)


def at_least(n: int, mean: float) -> float:
    """Return the chance of `n` or more events where `mean` are expected (Poisson).

    >>> round(at_least(3, 1.0), 4)
    0.0803
    """
    if n < 0 or not mean > 0.0:
        raise ValueError("n >= 0 and mean > 0 needed")
    return float(gammainc(n, mean)) if n else 1.0
