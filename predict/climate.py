"""What heat does to goods and damp to walls: mean kinetic temperature and dew point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from predict.errors import NotEnoughData

Floats = NDArray[np.float64]
ACTIVATION_KJ_PER_MOL = 83.144
"""The activation energy that USP <1079.2> assumes where a product's own is not known."""
GAS_CONSTANT = 8.3144
"""J/(mol K), rounded as in the same chapter, so that the ratio of the two is 10,000 K."""
ZERO_C = 273.15
MAGNUS_B, MAGNUS_C = 17.62, 243.12
"""Over water, -45 to 60 degrees Celsius: WMO-No. 8, Guide to Instruments and Methods of
Observation, part I, annex 4.B; C is in degrees Celsius."""


def mean_kinetic_temperature(
    celsius: Floats,
    durations: Floats | None = None,
    *,
    activation_kj_per_mol: float = ACTIVATION_KJ_PER_MOL,
) -> float:
    """Return the one temperature, in Celsius, that would have aged goods as much as all of them.

    T_K = (dH/R) / -ln(sum(t_i exp(-dH/(R T_i))) / sum(t_i)), T in kelvin.  Source: J. D. Haynes,
    "Worldwide virtual temperatures for product stability testing", Journal of Pharmaceutical
    Sciences 60 (1971) 927-929; USP <1079.2>.  It says nothing about freezing, and excuses no
    excursion beyond what the maker of the goods allows.

    Args:
        celsius: shape (n,), at least one, above absolute zero.
        durations: shape (n,), how long each held, any unit; None: equally long.
        activation_kj_per_mol: dH, positive.

    Raises:
        NotEnoughData: no temperature, or no time at all.
        ValueError: below absolute zero, a negative duration or activation energy.

    >>> round(mean_kinetic_temperature(np.array([5.0, 5.0, 25.0])), 2)
    16.93
    """
    if len(celsius) == 0:
        raise NotEnoughData("no temperature")
    weights = np.ones(len(celsius)) if durations is None else durations
    if (celsius <= -ZERO_C).any() or (weights < 0).any() or activation_kj_per_mol <= 0:
        raise ValueError("a temperature, duration or activation energy that cannot be")
    if not weights.sum() > 0:
        raise NotEnoughData("no time between the readings")
    ratio = activation_kj_per_mol * 1000.0 / GAS_CONSTANT
    rates = -ratio / (celsius + ZERO_C)
    most = rates.max()  # e to the power of about -35: summed relative to the largest
    mean = most + np.log(np.sum(weights * np.exp(rates - most)) / weights.sum())
    return float(ratio / -mean - ZERO_C)


def shares_of_time(times: Floats, max_gap: float | Floats) -> Floats:
    """Return for how long each reading stands, seconds, shape (n,): half way to its neighbours.

    `times` are seconds, increasing, shape (n,).  A distance above `max_gap` (one for all steps, or
    one a step, shape (n - 1,)) is a gap, of which nothing is known: it counts for neither side.

    >>> shares_of_time(np.array([0.0, 10.0, 20.0, 500.0]), 60.0).tolist()
    [5.0, 10.0, 5.0, 0.0]
    """
    steps = np.diff(times)
    half = np.where(steps > max_gap, 0.0, steps) / 2
    return np.asarray(np.r_[half, 0.0] + np.r_[0.0, half], dtype=np.float64)


def dew_point(celsius: float, humidity: float) -> float:
    """Return the temperature, in Celsius, at which water condenses from the air.

    Magnus formula over water: g = ln(RH/100) + B T/(C + T); Td = C g/(B - g).

    Args:
        celsius: of the air, -45 to 60.
        humidity: relative, percent, above 0 to 100.

    Raises:
        ValueError: outside these ranges.

    >>> round(dew_point(20.0, 50.0), 1)
    9.3
    """
    if not -45.0 <= celsius <= 60.0 or not 0.0 < humidity <= 100.0:
        raise ValueError("-45 to 60 degrees Celsius and a humidity above 0 to 100 % needed")
    return float(dew_points(np.array([celsius]), np.array([humidity]))[0])


def dew_points(celsius: Floats, humidity: Floats) -> Floats:
    """Return the dew point of each pair, in Celsius; NaN where a humidity cannot be.

    Shapes (n,).  The formula of `dew_point`; above 60 or below -45 degrees it is less exact.

    >>> dew_points(np.array([25.0, 25.0]), np.array([50.0, 0.0])).round(1).tolist()
    [13.9, nan]
    """
    share = np.where((humidity > 0.0) & (humidity <= 100.0), humidity, np.nan) / 100.0
    g = np.log(share) + MAGNUS_B * celsius / (MAGNUS_C + celsius)
    return np.asarray(MAGNUS_C * g / (MAGNUS_B - g), dtype=np.float64)
