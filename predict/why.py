"""Why a forecast says what it says: what each sensor adds, and the past cases most like this one.

A sensor's part is how much the forecast changes when that sensor's features are put back to what
they were when the unit was new (ablation against an own baseline; M. Sundararajan, A. Najmi, "The
many Shapley values for model explanation", ICML 2020, baseline of one coalition).  Parts need not
sum to the whole: `rest` is what the sensors change only together.  Cases: nearest neighbours in
standard scores (T. Cover, P. Hart, IEEE Transactions on Information Theory 13 (1967) 21-27).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predict.errors import NotEnoughData

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """A sensor (or other group of features) and by how much it moves the forecast."""

    name: str
    change: float


@dataclass(frozen=True, slots=True)
class Why:
    """Forecast now and at the baseline; parts, largest first; rest = what they share."""

    forecast: float
    baseline: float
    parts: tuple[Part, ...]
    rest: float


def blame(
    predict: Callable[[Array], Array],
    row: ArrayLike,
    baseline: ArrayLike,
    groups: Mapping[str, Sequence[int]],
) -> Why:
    """Return what each group of features adds to a forecast.

    Args:
        predict: rows (n, k) -> forecasts (n,).
        row: shape (k,), the features now.
        baseline: shape (k,), the unit's own when new; NaN = not known.
        groups: columns by name; a column belongs to one group at most.

    Raises:
        ValueError: shapes differ, or a column stands in two groups.

    >>> why = blame(lambda x: 3 * x[:, 0] - x[:, 1], [2.0, 1.0], [0.0, 0.0], {"a": [0], "b": [1]})
    >>> why.parts
    (Part(name='a', change=6.0), Part(name='b', change=-1.0))
    """
    now, new = np.asarray(row, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    columns = [c for group in groups.values() for c in group]
    if now.ndim != 1 or now.shape != new.shape or len(set(columns)) < len(columns):
        raise ValueError("row and baseline (k,), and each column in one group needed")
    rows = np.tile(now, (len(groups) + 2, 1))
    for k, group in enumerate(groups.values()):
        rows[k, list(group)] = new[list(group)]
    rows[-1, columns] = new[columns]
    said = predict(rows)
    forecast, start = float(said[-2]), float(said[-1])
    parts = [Part(n, forecast - float(s)) for n, s in zip(groups, said, strict=False)]
    parts.sort(key=lambda part: -abs(part.change))
    rest = forecast - start - sum(part.change for part in parts)
    return Why(forecast, start, tuple(parts), rest)


def sensor_groups(names: Sequence[str]) -> dict[str, list[int]]:
    """Return columns by sensor, from names as `Windows.names` gives them.

    >>> sensor_groups(["age", "mean 5 of T50", "slope 40 of T50"])
    {'age': [0], 'T50': [1, 2]}
    """
    groups: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        groups.setdefault(name.split(" of ", 1)[-1], []).append(column)
    return groups


@dataclass(frozen=True, slots=True)
class Case:
    """A moment of a unit that looked like this one: how far away, how it went on, which row."""

    unit: str
    distance: float
    outcome: float
    row: int


def nearest_cases(
    row: ArrayLike, past: ArrayLike, units: Sequence[str], outcome: ArrayLike, *, n: int = 5
) -> list[Case]:
    """Return the nearest past moments, one a unit, nearest first.

    Distance is the root mean square of differences in spreads of the past, over the features
    known on both sides.

    Args:
        row: shape (k,), features now.
        past: shape (m, k), features of ended units.
        units: m names.
        outcome: shape (m,), as the life that was left.
        n: cases wanted.

    Raises:
        NotEnoughData: no past moment shares a known feature.
        ValueError: shapes differ.
    """
    now, rows = np.asarray(row, dtype=np.float64), np.asarray(past, dtype=np.float64)
    left = np.asarray(outcome, dtype=np.float64)
    if rows.ndim != 2 or now.shape != rows.shape[1:] or not len(rows) == len(units) == len(left):
        raise ValueError("row (k,), past (m, k), m units and m outcomes needed")
    if not len(rows):
        raise NotEnoughData("no unit has ended yet")
    known = np.isfinite(rows)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, rows, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(known, (rows - mean) ** 2, 0.0).sum(axis=0) / count)
    shared = known & np.isfinite(now) & (spread > 0.0)
    off = np.where(shared, (rows - now) / np.where(spread > 0.0, spread, 1.0), 0.0)
    used = shared.sum(axis=1)
    if not used.any():
        raise NotEnoughData("no past moment shares a known feature")
    away = np.where(used > 0, np.sqrt((off**2).sum(axis=1) / np.maximum(used, 1)), np.inf)
    found: dict[str, Case] = {}
    for k in np.argsort(away, kind="stable"):
        if len(found) == n or not np.isfinite(away[k]):
            break
        found.setdefault(units[k], Case(units[k], float(away[k]), float(left[k]), int(k)))
    return list(found.values())
