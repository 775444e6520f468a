"""Why a forecast says what it says: what each sensor adds, and the past cases most like this one.

A sensor's part is its Shapley value: what it adds to the forecast, on average over the orders in
which sensors may be told one after the other, where what is not told yet stands at a baseline
(L. Shapley, "A value for n-person games", Annals of Mathematics Studies 28 (1953) 307-317; for
models S. Lundberg, S. Lee, NIPS 30 (2017) 4765-4774; one baseline: M. Sundararajan, A. Najmi,
ICML 2020).  Exact, by all subsets, so that the parts sum to forecast less baseline whatever the
sensors do only together.  Cases: nearest neighbours in standard scores (T. Cover, P. Hart, IEEE
Transactions on Information Theory 13 (1967) 21-27).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predict.errors import NotEnoughData

Array = NDArray[np.float64]
MOST_GROUPS = 10
"""Groups whose subsets (2 ** n) are all asked about."""


@dataclass(frozen=True, slots=True)
class Part:
    """A sensor (or other group of features) and by how much it moves the forecast."""

    name: str
    change: float


@dataclass(frozen=True, slots=True)
class Why:
    """Forecast now and at the baseline; parts, largest first, sum to the difference."""

    forecast: float
    baseline: float
    parts: tuple[Part, ...]


def blame(
    predict: Callable[[Array], Array],
    row: ArrayLike,
    baseline: ArrayLike,
    groups: Mapping[str, Sequence[int]],
) -> Why:
    """Return what each group of features adds to a forecast; see `blame_each`.

    Args:
        predict: rows (n, k) -> forecasts (n,).
        row: shape (k,), the features now.
        baseline: shape (k,), the unit's own when new; NaN = not known.
        groups: columns by name.

    >>> why = blame(lambda x: x[:, 0] * x[:, 1], [3.0, 2.0], [1.0, 1.0], {"a": [0], "b": [1]})
    >>> why.parts
    (Part(name='a', change=3.0), Part(name='b', change=2.0))
    """
    now = np.asarray(row, dtype=np.float64)
    if now.ndim != 1:
        raise ValueError("a row (k,) needed")
    return blame_each(predict, now[None], baseline, groups)[0]


def blame_each(
    predict: Callable[[Array], Array],
    rows: ArrayLike,
    baseline: ArrayLike,
    groups: Mapping[str, Sequence[int]],
) -> list[Why]:
    """Return, for each of many rows, what each group of features adds to its forecast.

    Args:
        predict: rows (m, k) -> forecasts (m,); called 2 ** len(groups) times.
        rows: shape (m, k), the features now.
        baseline: shape (k,), what they are put back to; NaN = not known.
        groups: columns by name; a column belongs to one group at most, one of none is left alone.

    Raises:
        ValueError: shapes differ, a column stands in two groups, or there are over `MOST_GROUPS`.
    """
    now, new = np.asarray(rows, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    columns = [c for group in groups.values() for c in group]
    if now.ndim != 2 or now.shape[1:] != new.shape or len(set(columns)) < len(columns):
        raise ValueError("rows (m, k), baseline (k,), and each column in one group needed")
    if len(groups) > MOST_GROUPS:
        raise ValueError(f"{MOST_GROUPS} groups at most")
    n = len(groups)
    said = np.empty((2**n, len(now)))
    for told in range(2**n):
        asked = now.copy()
        for k, group in enumerate(groups.values()):
            if not told >> k & 1:
                asked[:, list(group)] = new[list(group)]
        said[told] = predict(asked)
    changes = _shapley(said, n)
    found = []
    for m in range(len(now)):
        parts = [Part(name, float(changes[k, m])) for k, name in enumerate(groups)]
        parts.sort(key=lambda part: -abs(part.change))
        found.append(Why(float(said[-1, m]), float(said[0, m]), tuple(parts)))
    return found


def _shapley(said: Array, n: int) -> Array:
    """Return the Shapley values, shape (n, m), of games said[told, m]; bit k of told: player k."""
    subsets = np.arange(2**n)
    size = np.array([told.bit_count() for told in range(2**n)])
    weight = np.array([factorial(s) * factorial(max(n - s - 1, 0)) for s in range(n + 1)])
    weight = weight / factorial(n)
    changes = np.empty((n, said.shape[1]))
    for k in range(n):
        without = subsets[subsets >> k & 1 == 0]
        changes[k] = weight[size[without]] @ (said[without | 1 << k] - said[without])
    return changes


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
