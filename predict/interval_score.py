"""How often remaining life fell within the interval that was said, when many units still run.

Each life is put on the scale of its own forecast: where in the interval it ended, or how far it
got.  On that scale the share below any point is a product-limit estimate, which uses what is
censored for as far as it was watched; the share within the interval is the difference at its
two ends.  Source: the censored probability-integral transform of R. D'Agostino and M. Stephens,
"Goodness-of-Fit Techniques" (1986), 4.9 and 6.5; the curve is `predict.survival`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predict.errors import NotEnoughData
from predict.survival import lives, survival_curve

Array = NDArray[np.float64]
LEAST_FAILURES = 10
DRAWS = 200
TOLERATED = (1.5, 0.3)
"""How many times the share said to lie outside may, and must, lie outside: 85 to 97 % for 90 %."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share of lives within low..high, with a 90 % interval; `said`: what was promised.

    n: forecasts.  failures: of them those whose life ended.
    """

    value: float
    low: float
    high: float
    said: float
    n: int
    failures: int

    @property
    def bounds(self) -> tuple[float, float]:
        """Between which shares the interval is as good as its word.

        >>> low, high = Coverage(0.9, 0.8, 1.0, 0.9, 50, 50).bounds
        >>> round(low, 3), round(high, 3)
        (0.85, 0.97)
        """
        most, least = TOLERATED
        return 1.0 - most * (1.0 - self.said), 1.0 - least * (1.0 - self.said)

    @property
    def is_kept(self) -> bool:
        """Whether the share seen is within `bounds`."""
        low, high = self.bounds
        return low <= self.value <= high


@dataclass(frozen=True, slots=True)
class Said:
    """Intervals that were said and how long each unit ran; all of shape (n,).

    low, high: the interval in days from the forecast, 0 <= low < high.  time: days to the failure,
    or watched without one.  failed: whether it failed then.  unit: whose life it is.

    Raises:
        ValueError: shapes differ, or an interval is not one.
    """

    low: Array
    high: Array
    time: Array
    failed: NDArray[np.bool_]
    unit: NDArray[np.int64]

    def __post_init__(self) -> None:
        rows = (self.high, self.time, self.failed, self.unit)
        if self.low.ndim != 1 or any(row.shape != self.low.shape for row in rows):
            raise ValueError("low, high, time, failed and unit must be alike and flat")
        if (self.low < 0.0).any() or (self.high <= self.low).any() or (self.time < 0.0).any():
            raise ValueError("0 <= low < high and time >= 0 needed")


def coverage(known: Said, said: float, rng: np.random.Generator) -> Coverage:
    """Return how often the failure fell into its interval.

    Args:
        known: the intervals and what came of them.
        said: the share promised to lie within, 0..1.
        rng: draws units again for the interval.

    Raises:
        NotEnoughData: fewer than `LEAST_FAILURES` failures, or none watched to its interval's end.
        ValueError: `said` is not a share.
    """
    if not 0.0 < said < 1.0:
        raise ValueError("0 < said < 1 needed")
    dead = known.failed
    failures = int(dead.sum())
    if failures < LEAST_FAILURES:
        raise NotEnoughData(f"{LEAST_FAILURES} failures needed")
    place = on_own_scale(known.low, known.high, known.time)
    value = _within(place, dead)
    if value is None:
        raise NotEnoughData("no unit was watched to the end of its interval")
    names, group = np.unique(known.unit, return_inverse=True)
    members = [np.flatnonzero(group == i) for i in range(len(names))]
    drawn = []
    for _ in range(DRAWS):
        chosen = rng.integers(0, len(names), len(names))
        rows = np.concatenate([members[i] for i in chosen])
        if dead[rows].any() and (again := _within(place[rows], dead[rows])) is not None:
            drawn.append(again)
    limits = np.quantile(drawn, [0.05, 0.95])
    return Coverage(value, float(limits[0]), float(limits[1]), said, len(dead), failures)


def on_own_scale(low: Array, high: Array, time: Array) -> Array:
    """Return where on its interval each time lies: below 1 before it, 1 to 2 within, 2 to 3 after.

    >>> on_own_scale(np.array([10.0] * 3), np.array([30.0] * 3), np.array([5.0, 20.0, 30.0]))
    array([0.5, 1.5, 2. ])
    """
    inside = 1.0 + (time - low) / (high - low)
    with np.errstate(divide="ignore", invalid="ignore"):
        before = time / low
    after = 3.0 - np.exp(-np.maximum(time - high, 0.0) / (high - low))
    return np.where(time < low, before, np.where(time <= high, inside, after))


def _within(place: Array, failed: NDArray[np.bool_]) -> float | None:
    """Return the share from 1 to 2 of the scale, None where nothing reached its end."""
    curve = survival_curve(lives(place + 1.0, failed))  # + 1: ages are above 0
    left = curve.at(3.0)
    if left > 0.0 and not (place >= 2.0).any():
        return None
    return curve.at(np.nextafter(2.0, 0.0)) - left
