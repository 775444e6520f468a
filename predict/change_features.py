"""Features of values that stand until they change: error counters, states of health, meters.

A log of changes holds a row only where something changed.  Asked about a moment, it tells the
values then, how far each has come within windows and since the unit was first seen, how often it
rose, and how long ago; all from rows up to that moment alone.

Source: what foretells a disk's end is less a counter's height than its growth, E. Pinheiro,
W. Weber, L. Barroso, "Failure trends in a large disk drive population", USENIX FAST 2007, 17-28.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChangeLog:
    """Rows of many units, by unit and time.

    unit: shape (n,), numbers from 0, not falling.  at: shape (n,), increasing within a unit.
    value: shape (n, k), from `at` until the unit's next row; NaN = not told.

    Raises:
        ValueError: shapes differ, something is not finite, or the order is wrong.
    """

    unit: NDArray[np.int64]
    at: Array
    value: Array

    def __post_init__(self) -> None:
        n = len(self.unit)
        if self.at.shape != (n,) or self.value.ndim != 2 or len(self.value) != n or not n:
            raise ValueError("unit (n,), at (n,) and value (n, k) needed, n > 0")
        same = self.unit[1:] == self.unit[:-1]
        ordered = (self.unit[1:] >= self.unit[:-1]) & (~same | (self.at[1:] > self.at[:-1]))
        if not (np.isfinite(self.at).all() and ordered.all() and self.unit[0] >= 0):
            raise ValueError("rows by unit and time needed, times finite and increasing")


def change_features(
    log: ChangeLog, unit: ArrayLike, at: ArrayLike, windows: Sequence[float]
) -> Array:
    """Return what the log tells of units at moments.

    Args:
        log: the changes.
        unit: shape (m,), whose moments; a unit that the log does not know gets NaN.
        at: shape (m,), moments.
        windows: lengths; one that reaches back before the unit was first seen begins there.

    Returns:
        Shape (m, k + w * (2 k + 1) + 2 k + 1): values; for each window how far each came, how
        often it rose, and the number of rows; how far each came since first seen; the time since
        each last rose (NaN: never); the time since first seen.

    >>> at, value = np.array([0.0, 4.0, 9.0]), np.array([[1.0], [3.0], [4.0]])
    >>> log = ChangeLog(np.zeros(3, dtype=int), at, value)
    >>> change_features(log, [0, 0], [3.0, 9.5], [6.0])[:, :6].tolist()
    [[1.0, 0.0, 0.0, 0.0, 0.0, nan], [4.0, 3.0, 2.0, 2.0, 3.0, 0.5]]
    """
    who, moments = np.asarray(unit, dtype=np.int64), np.asarray(at, dtype=np.float64)
    first = np.searchsorted(log.unit, who, side="left")
    known = first < len(log.unit)
    first = np.where(known, first, 0)
    known &= (log.unit[first] == who) & (log.at[first] <= moments)
    seek = _Seek(log)
    row = np.where(known, seek.row(who, moments), first)
    value = log.value[row]
    columns = [value]
    for window in windows:
        before = np.maximum(seek.row(who, moments - window), first)
        rises = seek.rises[row] - seek.rises[before]
        columns += [value - log.value[before], rises, (row - before)[:, None]]
    columns.append(value - log.value[first])
    risen = seek.last_rise[row]
    own = risen >= first[:, None]
    columns.append(np.where(own, moments[:, None] - log.at[np.maximum(risen, 0)], np.nan))
    columns.append((moments - log.at[first])[:, None])
    return np.where(known[:, None], np.concatenate(columns, axis=1), np.nan)


def peak_features(log: ChangeLog, unit: ArrayLike, at: ArrayLike) -> Array:
    """Return what stays of a counter that fell again: its peak, and how long since it first rose.

    Args:
        log: the changes.
        unit: shape (m,), whose moments; a unit that the log does not know gets NaN.
        at: shape (m,), moments.

    Returns:
        Shape (m, 2 k + 1): the highest value so far; the time since it was first above zero (NaN:
        never); the time since anything changed.

    >>> at, value = np.array([0.0, 4.0, 9.0]), np.array([[0.0], [3.0], [1.0]])
    >>> log = ChangeLog(np.zeros(3, dtype=int), at, value)
    >>> peak_features(log, [0, 0], [3.0, 9.5]).tolist()
    [[0.0, nan, 3.0], [3.0, 5.5, 0.5]]
    """
    who, moments = np.asarray(unit, dtype=np.int64), np.asarray(at, dtype=np.float64)
    peak = np.empty_like(log.value)
    rose = np.where(log.value > 0.0, log.at[:, None], np.inf)
    first = np.flatnonzero(np.append([True], log.unit[1:] != log.unit[:-1]))
    for begin, end in itertools.pairwise([*first.tolist(), len(log.unit)]):
        np.fmax.accumulate(log.value[begin:end], axis=0, out=peak[begin:end])
        rose[begin:end] = np.minimum.accumulate(rose[begin:end], axis=0)
    row = np.maximum(_Seek(log).row(who, moments), 0)
    known = (log.unit[row] == who) & (log.at[row] <= moments)
    since = moments[:, None] - rose[row]
    columns = [
        peak[row],
        np.where(np.isfinite(since), since, np.nan),
        (moments - log.at[row])[:, None],
    ]
    return np.where(known[:, None], np.concatenate(columns, axis=1), np.nan)


class _Seek:
    """The log's rows by moment, and by row how often each value has risen, and where last."""

    def __init__(self, log: ChangeLog) -> None:
        self._start = float(log.at.min())
        self._span = float(log.at.max()) - self._start + 1.0
        self._key = log.unit * (2.0 * self._span) + (log.at - self._start)
        rose = np.zeros(log.value.shape, dtype=np.bool_)
        same = log.unit[1:] == log.unit[:-1]
        rose[1:] = (log.value[1:] > log.value[:-1]) & same[:, None]
        self.rises = np.cumsum(rose, axis=0).astype(np.float64)
        place = np.where(rose, np.arange(len(rose))[:, None], -1)
        self.last_rise = np.maximum.accumulate(place, axis=0)

    def row(self, unit: NDArray[np.int64], at: Array) -> NDArray[np.int64]:
        """Return the last row of all up to a unit's moment; it may be another unit's."""
        moment = np.clip(at - self._start, -0.5, self._span)
        found = np.searchsorted(self._key, unit * (2.0 * self._span) + moment, side="right")
        return np.asarray(found - 1, dtype=np.int64)
