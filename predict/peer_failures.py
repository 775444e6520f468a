"""How often others of the same make failed lately: a bad batch shows in its peers first.

Rates in windows before a moment, of each group and of all, from lives as they were known then: a
unit counts from when it was first seen, its failure from when it happened.  A group's rate is
drawn to that of all by one failure's worth, so that a small group claims little.

Source: the mean of a gamma posterior whose prior is the fleet's rate, D. Gaver,
I. O'Muircheartaigh, Technometrics 29 (1987) 1-15.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

PRIOR_FAILURES = 1.0
"""Failures that the fleet's rate weighs against a group's own."""


@dataclass(frozen=True, slots=True)
class PeerLives:
    """Lives by the calendar.  group: shape (n,), make of each; begin, end: seen from and until.

    failed: shape (n,), whether `end` is a failure; all times in one unit.

    Raises:
        ValueError: shapes differ, a time is not finite, or an end lies before its begin.
    """

    group: NDArray[np.int64]
    begin: Array
    end: Array
    failed: NDArray[np.bool_]

    def __post_init__(self) -> None:
        shapes = {self.group.shape, self.begin.shape, self.end.shape, self.failed.shape}
        if len(shapes) != 1 or self.group.ndim != 1:
            raise ValueError("group, begin, end and failed, all (n,), needed")
        if not (np.isfinite(self.begin) & np.isfinite(self.end)).all():
            raise ValueError("times must be finite")
        if (self.end < self.begin).any():
            raise ValueError("no end before its begin")


def peer_rates(
    peers: PeerLives, group: ArrayLike, at: ArrayLike, windows: Sequence[float]
) -> Array:
    """Return failures a unit and time, of the group and of all, in each window (t - w, t].

    Args:
        peers: the lives.
        group: shape (m,), whose moments; a group without lives gets the rate of all.
        at: shape (m,), moments by the calendar.
        windows: lengths.

    Returns:
        Shape (m, 2 * windows); NaN where nothing was watched in the window.

    >>> lives = PeerLives(np.array([0, 0, 1]), np.zeros(3), np.array([4.0, 9.0, 9.0]),
    ...                   np.array([True, False, False]))
    >>> peer_rates(lives, [0, 1, 0], [5.0, 5.0, 3.0], [5.0]).round(3).tolist()
    [[0.087, 0.071], [0.053, 0.071], [0.0, 0.0]]
    """
    who, moments = np.asarray(group, dtype=np.int64), np.asarray(at, dtype=np.float64)
    every = _Count(peers, np.ones(len(peers.group), dtype=np.bool_))
    found = np.full((len(moments), 2 * len(windows)), np.nan)
    for name in np.unique(who):
        own, rows = _Count(peers, peers.group == name), who == name
        for k, window in enumerate(windows):
            failures, watched = every.within(moments[rows], window)
            known = watched > 0.0
            fleet = np.divide(failures, watched, out=np.full(len(known), np.nan), where=known)
            failures, watched = own.within(moments[rows], window)
            # One failure's worth of the fleet: PRIOR_FAILURES / fleet units of watch.
            weight = PRIOR_FAILURES + watched * fleet
            found[rows, 2 * k] = fleet * (PRIOR_FAILURES + failures) / weight
            found[rows, 2 * k + 1] = fleet
    return found


class _Count:
    """Failures and watched time up to any moment."""

    def __init__(self, peers: PeerLives, chosen: NDArray[np.bool_]) -> None:
        self._failures = np.sort(peers.end[chosen & peers.failed])
        self._begins, self._ends = np.sort(peers.begin[chosen]), np.sort(peers.end[chosen])
        self._begun = np.append(0.0, np.cumsum(self._begins))
        self._ended = np.append(0.0, np.cumsum(self._ends))

    def within(self, at: Array, window: float) -> tuple[Array, Array]:
        since = at - window
        failures = np.searchsorted(self._failures, at, side="right")
        failures = failures - np.searchsorted(self._failures, since, side="right")
        return failures.astype(np.float64), self._watched(at) - self._watched(since)

    def _watched(self, at: Array) -> Array:
        begun = np.searchsorted(self._begins, at, side="right")
        ended = np.searchsorted(self._ends, at, side="right")
        seen = (begun - ended) * at - self._begun[begun] + self._ended[ended]
        return np.asarray(seen, dtype=np.float64)
