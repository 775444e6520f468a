"""A stretch of a sensor's readings with its excursions, as pages and records need it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from apm.core.command import Context
from apm.environment.alarm_state import Limits, limits_for
from apm.environment.wall import Seen
from apm.readings.series import readings_between
from predict.climate import mean_kinetic_temperature, shares_of_time
from predict.errors import NotEnoughData
from predict.excursions import (
    Excursion,
    Rule,
    excursions,
    gap_limits,
    gaps,
    week_grid,
)

Floats = NDArray[np.float64]
JOIN_S = 1800.0
"""A return inside the limits of less than half an hour does not end an excursion."""
SHORTEST_GAP_S, LONGEST_GAP_S = 120.0, 6 * 3600.0
CURVE_POINTS = 400
BUCKET_S = 900
"""A quarter of an hour: every time zone is off by a multiple of it."""
MKT_HOURS = 24.0
"""The least window of a mean kinetic temperature of cold stores."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Readings of one sensor; `times` are seconds since 1970, shape (n,), like `values`."""

    seen: Seen
    start: datetime
    end: datetime
    times: Floats
    values: Floats
    limits: Limits | None
    max_gap: Floats
    """Seconds, shape (n - 1,): a longer distance of two readings is a gap."""
    found: list[Excursion]

    def gaps(self) -> list[tuple[datetime, datetime]]:
        """Return where nothing is known."""
        ends = self.start.timestamp(), self.end.timestamp()
        limits = self.max_gap if len(self.max_gap) else LONGEST_GAP_S
        return [(at(a), at(b)) for a, b in gaps(self.times, *ends, limits)]

    @property
    def longest_step(self) -> float:
        """From which distance on two readings had a gap between them anywhere, seconds."""
        return float(self.max_gap.max()) if len(self.max_gap) else LONGEST_GAP_S

    def points(self, most: int = CURVE_POINTS) -> list[tuple[datetime, float | None]]:
        """Return a curve of about `most` points; None within a gap.

        Of each slice both extremes are kept, so that no peak is lost.
        """
        chosen = _chosen(self.values, most)
        found: list[tuple[datetime, float | None]] = []
        before = None
        holes = np.r_[0, np.cumsum(np.diff(self.times) > self.max_gap)][chosen]
        for second, value, n in zip(
            self.times[chosen].tolist(), self.values[chosen].tolist(), holes.tolist(), strict=True
        ):
            if before and n > before[1] and second - before[0] > self._slice(most):
                found.append((at(before[0] + 1), None))
            found.append((at(second), value))
            before = second, n
        return found

    def _slice(self, most: int) -> float:
        return 3 * (self.end - self.start).total_seconds() / max(most, 1)

    def between(self, start: float, end: float) -> Stretch:
        """Return what was read from start to end, both included, without its excursions."""
        first = int(np.searchsorted(self.times, start))
        last = int(np.searchsorted(self.times, end, side="right"))
        return Stretch(
            self.seen, at(start), at(end), self.times[first:last], self.values[first:last],
            self.limits, self.max_gap[first : max(last - 1, first)], [],
        )  # fmt: skip

    def mkt(self, start: float, end: float) -> float | None:
        """Return the mean kinetic temperature of a window; None without enough readings."""
        part = self.between(start, end)
        try:
            return mean_kinetic_temperature(part.values, shares_of_time(part.times, part.max_gap))
        except NotEnoughData:
            return None


def stretch_of(ctx: Context, seen: Seen, start: datetime, end: datetime) -> Stretch:
    """Read a sensor from `start` to before `end` and find its excursions."""
    parts = list(readings_between(ctx, seen.sensor_id, start=start, end=end))
    times = np.concatenate([np.empty(0, np.int64), *(part.times for part in parts)]) / 1e6
    values = np.concatenate([np.empty(0), *(part.values for part in parts)])
    limits = limits_for(seen.profile, seen.quantity)
    max_gap = gap_limits(times, SHORTEST_GAP_S, LONGEST_GAP_S)
    rule = Rule(limits.low, limits.high, max_gap, JOIN_S) if limits else None
    found = excursions(times, values, rule) if rule else []
    return Stretch(seen, start, end, times, values, limits, max_gap, found)


def at(second: float) -> datetime:
    """Return seconds since 1970 as an instant."""
    return datetime.fromtimestamp(second, UTC)


def local_buckets(times: Floats, zone: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return local weekday (0 is Monday) and hour of each instant, each of shape (n,)."""
    buckets, where = np.unique((times // BUCKET_S).astype(np.int64), return_inverse=True)
    local = [at(float(b) * BUCKET_S).astimezone(ZoneInfo(zone)) for b in buckets.tolist()]
    days = np.array([one.weekday() for one in local], dtype=np.int64)
    hours = np.array([one.hour for one in local], dtype=np.int64)
    return days[where], hours[where]


def heat_map(stretch: Stretch, zone: str) -> Floats | None:
    """Return the means by local weekday and hour, (7, 24), NaN where nothing was read."""
    if not len(stretch.times):
        return None
    days, hours = local_buckets(stretch.times, zone)
    return week_grid(days, hours, stretch.values)


def mkt_window(one: Excursion) -> tuple[float, float]:
    """Return the window of an excursion's mean kinetic temperature: it and the hours before."""
    return min(one.start, one.end - timedelta(hours=MKT_HOURS).total_seconds()), one.end


def _chosen(values: Floats, most: int) -> NDArray[np.intp]:
    n = len(values)
    if n <= most:
        return np.arange(n)
    edges = np.linspace(0, n, most // 2 + 1).astype(np.intp)
    kept: set[int] = {0, n - 1}
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[begin:end]
        kept |= {begin + int(np.argmin(part)), begin + int(np.argmax(part))}
    return np.array(sorted(kept), dtype=np.intp)
