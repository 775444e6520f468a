"""Mean time between failures, with the interval that its few failures allow.

Failures are counted over a fixed time of operation and taken for a Poisson process, so twice
the operating time over the mean time is chi-squared with 2 n + 2 (lower limit) or 2 n (upper
limit) degrees of freedom.

Source: B. Epstein and M. Sobel, "Life testing", Journal of the American Statistical
Association 48 (1953) 486-502; for time-terminated tests B. Epstein, "Estimation from life test
data", Technometrics 2 (1960) 447-454; the same limits for a Poisson mean: F. Garwood,
Biometrika 28 (1936) 437-442.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from scipy.special import gammaincinv

from predict.errors import NotEnoughData


@dataclass(frozen=True, slots=True)
class Mtbf:
    """Mean operating hours between failures.

    value: hours / n, None without a failure.  low, high: limits in hours, high None without a
    failure, when nothing bounds the mean from above.  n: failures.  hours: operating hours.
    """

    value: float | None
    low: float
    high: float | None
    n: int
    hours: float


def mtbf(operating_hours: float, failures: int, confidence: float = 0.9) -> Mtbf:
    """Return the mean time between failures of a device or of a group of like devices.

    Args:
        operating_hours: all hours in service, summed over the devices.
        failures: failures in those hours.
        confidence: of the interval low..high, each side wrong with (1 - confidence) / 2.
            Without a failure `low` keeps that side's error: 2 hours / chi2(0.95; 2) at 0.9.

    Raises:
        NotEnoughData: no hours.
        ValueError: hours not finite, failures negative or confidence outside 0..1.

    >>> mtbf(10_000.0, 0)
    Mtbf(value=None, low=3338.08..., high=None, n=0, hours=10000.0)
    >>> mtbf(10_000.0, 4)
    Mtbf(value=2500.0, low=1092.4..., high=7318.9..., n=4, hours=10000.0)
    """
    if failures < 0 or not 0.0 < confidence < 1.0 or not isfinite(operating_hours):
        raise ValueError("failures >= 0, 0 < confidence < 1 and finite hours needed")
    if operating_hours <= 0.0:
        raise NotEnoughData("no hours in service")
    tail = (1.0 - confidence) / 2.0
    low = operating_hours / float(gammaincinv(failures + 1, 1.0 - tail))
    if failures == 0:
        return Mtbf(None, low, None, 0, operating_hours)
    high = operating_hours / float(gammaincinv(failures, tail))
    return Mtbf(operating_hours / failures, low, high, failures, operating_hours)
