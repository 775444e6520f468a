"""Features of a unit's life so far: windowed means, slopes and spreads, and the way from new.

Every feature at time t is a function of what was read up to t; a test truncates histories and
compares.  Windows are in time, not in readings, so that irregular histories mean the same.
All sums over windows are differences of cumulative sums: a row costs the same whatever the window.

Values are standardised before (`regimes`), so that differences of sums keep their digits.

Slope: ordinary least squares on time, per window and sensor.  Own baseline: T. Wang et al., "A
similarity-based prognostics approach", PHM 2008, who compare a unit with its own first cycles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TINY = 1e-12
"""A variance below this is rounding, not measurement."""


@dataclass(frozen=True, slots=True)
class History:
    """One unit's readings from new (or first seen) to now.

    unit: its name.  at: shape (n,), age in any unit of use (cycles, hours), strictly increasing.
    conditions: shape (n, c), how it was run; c may be 0.  sensors: shape (n, s); NaN = missing.

    Raises:
        ValueError: the shapes differ, ages repeat, go back or are not finite.
    """

    unit: str
    at: Array
    conditions: Array
    sensors: Array

    def __post_init__(self) -> None:
        n = len(self.at)
        flat = self.at.ndim == 1 and self.conditions.ndim == 2 and self.sensors.ndim == 2
        if not flat or len(self.conditions) != n or len(self.sensors) != n:
            raise ValueError(
                f"unit {self.unit}: at (n,), conditions (n, c), sensors (n, s) needed"
            )
        if not np.isfinite(self.at).all() or (np.diff(self.at) <= 0.0).any():
            raise ValueError(f"unit {self.unit}: ages must be finite and increase")

    def until(self, age: float) -> History:
        """Return what was known at `age`.

        >>> unit = History("a", np.arange(5.0), np.empty((5, 0)), np.ones((5, 1)))
        >>> len(unit.until(2.0).at)
        3
        """
        n = int(np.searchsorted(self.at, age, side="right"))
        return History(self.unit, self.at[:n], self.conditions[:n], self.sensors[:n])


@dataclass(frozen=True, slots=True)
class Windows:
    """Lengths of the windows, in the unit of `History.at`.

    means, slopes, spreads: one feature a sensor and window.  baseline: how long from the first
    reading a unit counts as new; `deviation`: the window whose mean is compared with it.
    life_mean: whether the mean since the first reading is a feature.
    """

    means: tuple[float, ...] = (10.0, 30.0, 60.0)
    slopes: tuple[float, ...] = (40.0, 80.0, 160.0)
    spreads: tuple[float, ...] = ()
    baseline: float = 40.0
    deviation: float = 20.0
    life_mean: bool = False

    def names(self, sensors: Sequence[str]) -> list[str]:
        """Return the names of the columns that `causal_features` makes.

        >>> Windows(means=(10.0,), slopes=(30.0,), spreads=()).names(["T50"])
        ['age', 'mean 10 of T50', 'slope 30 of T50', 'deviation of T50']
        """
        kinds = [f"mean {w:g}" for w in self.means]
        kinds += [f"slope {w:g}" for w in self.slopes]
        kinds += [f"spread {w:g}" for w in self.spreads]
        kinds += ["deviation", *(["life mean"] if self.life_mean else [])]
        return ["age", *(f"{kind} of {sensor}" for kind in kinds for sensor in sensors)]


class _Sums:
    """Cumulative sums of one unit's sensors, with the missing left out of every count."""

    def __init__(self, at: Array, values: Array) -> None:
        known = np.isfinite(values)
        y = np.where(known, values, 0.0)
        x = np.where(known, (at - at[0])[:, None], 0.0)
        self._at = at
        self._parts = [
            _cumulative(part) for part in (known.astype(float), x, y, x * x, x * y, y * y)
        ]

    def window(self, length: float) -> list[Array]:
        """Return n, Sx, Sy, Sxx, Sxy, Syy of (t - length, t] for each row, shapes (n, s)."""
        rows = np.arange(1, len(self._at) + 1)
        first = np.searchsorted(self._at, self._at - length, side="right")
        return [part[rows] - part[first] for part in self._parts]

    def begin(self, length: float) -> list[Array]:
        """Return the sums of the unit's first `length`, as far as they are past at each row."""
        rows = np.arange(1, len(self._at) + 1)
        last = int(np.searchsorted(self._at, self._at[0] + length, side="left"))
        return [part[np.minimum(rows, last)] for part in self._parts]


def _cumulative(part: Array) -> Array:
    return np.concatenate([np.zeros((1, part.shape[1])), np.cumsum(part, axis=0)])


def _ratio(top: Array, bottom: Array) -> Array:
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > TINY)


def _mean(sums: list[Array]) -> Array:
    return _ratio(sums[2], sums[0])


def _slope(sums: list[Array]) -> Array:
    n, sx, sy, sxx, sxy, _ = sums
    return _ratio(n * sxy - sx * sy, n * sxx - sx * sx)


def _spread(sums: list[Array]) -> Array:
    n, _, sy, _, _, syy = sums
    mean = _ratio(sy, n)
    return np.sqrt(np.maximum(_ratio(syy, n) - mean * mean, 0.0))


def causal_features(at: Array, values: Array, windows: Windows) -> Array:
    """Return the features of every row of one unit, from that row and earlier ones alone.

    Args:
        at: shape (n,), ages, increasing.
        values: shape (n, s), standardised sensors; NaN = missing.
        windows: the lengths.

    Returns:
        Shape (n, 1 + s * m), columns as in `windows.names`; NaN where a window holds too little.

    >>> at = np.arange(4.0)
    >>> windows = Windows((2.0,), (3.0,), (), 1.0, 1.0, life_mean=True)
    >>> rows = causal_features(at, 2.0 * at[:, None], windows)
    >>> rows[-1].tolist()  # age, mean of the last two, slope, deviation from new, life mean
    [3.0, 5.0, 2.0, 6.0, 3.0]
    """
    if not len(at):
        return np.empty((0, len(windows.names([""] * values.shape[1]))))
    sums = _Sums(at, values)
    new = _mean(sums.begin(windows.baseline))
    columns = [at[:, None]]
    columns += [_mean(sums.window(w)) for w in windows.means]
    columns += [_slope(sums.window(w)) for w in windows.slopes]
    columns += [_spread(sums.window(w)) for w in windows.spreads]
    columns.append(_mean(sums.window(windows.deviation)) - new)
    if windows.life_mean:
        columns.append(_mean(sums.window(np.inf)))
    return np.concatenate(columns, axis=1)
