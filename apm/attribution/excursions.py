"""When a sensor was outside its limits, and when the mains sagged: from readings alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from apm.core.command import Context
from apm.readings.blocks import Readings, joined
from apm.readings.checking import instant, microseconds
from apm.readings.series import readings_between

LONGEST_HOLD_US = 3600 * 1_000_000
"""A reading speaks for the time until the next, for an hour at most: a gap is not "normal"."""
LEAST_SEEN = 0.5
"""Share of the time that readings must speak for, before "no excursion" means anything."""
SAG, SWELL, OUTAGE = 0.9, 1.1, 0.1
"""Of the usual voltage: thresholds of dips, swells and interruptions, IEC 61000-4-30."""
Limits = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Beyond:
    """How long a sensor was outside its limits.

    minutes: in all.  worst: the value farthest outside.  spells: from and until, oldest first.
    seen: share of the time that readings speak for.
    """

    minutes: float
    worst: float | None
    spells: tuple[tuple[datetime, datetime], ...]
    seen: float


@dataclass(frozen=True, slots=True)
class Supply:
    """The worst that happened to the mains: `outage`, `sag` or `swell`; None: nothing."""

    worst: str | None
    at: datetime | None
    volts: float | None
    usual: float
    n: int


def beyond_limits(
    ctx: Context, sensor_id: int, limits: Limits, *, start: datetime, end: datetime
) -> Beyond:
    """Return what a sensor says about its limits from start to end, in one statement."""
    return beyond(_read(ctx, sensor_id, start, end), limits, start=start, end=end)


def beyond(found: Readings, limits: Limits, *, start: datetime, end: datetime) -> Beyond:
    """Return what readings of start..end say about limits."""
    if not len(found):
        return Beyond(0.0, None, (), 0.0)
    low, high = limits
    until = np.append(found.times[1:], microseconds(end))
    held = np.minimum(until - found.times, LONGEST_HOLD_US)
    over = np.maximum(found.values - high, low - found.values)
    outside = over > 0
    span = (end - start) / timedelta(microseconds=1)
    return Beyond(
        minutes=float(held[outside].sum()) / 60e6,
        worst=float(found.values[int(over.argmax())]) if outside.any() else None,
        spells=_spells(found.times, found.times + held, outside),
        seen=min(1.0, float(held.sum()) / span),
    )


def supply_events(
    ctx: Context, sensor_id: int, *, start: datetime, since: datetime, end: datetime
) -> Supply | None:
    """Return the worst of the mains voltage from `since` to `end`; None where nobody measured.

    What is usual is the median from `start` on.
    """
    found = _read(ctx, sensor_id, start, end)
    late = found.where(found.times >= microseconds(since))
    if not len(late):
        return None
    usual = float(np.median(found.values))
    if usual <= 0:
        return None
    share = late.values / usual
    worst = int(np.argmin(share)) if share.min() < SAG else int(np.argmax(share))
    kind = _kind(float(share[worst]))
    at = instant(int(late.times[worst])) if kind else None
    volts = float(late.values[worst]) if kind else None
    return Supply(kind, at, volts, usual, len(late))


def _kind(share: float) -> str | None:
    if share < OUTAGE:
        return "outage"
    if share < SAG:
        return "sag"
    return "swell" if share > SWELL else None


def _read(ctx: Context, sensor_id: int, start: datetime, end: datetime) -> Readings:
    return joined(list(readings_between(ctx, sensor_id, start=start, end=end)))


def _spells(
    begins: np.ndarray, ends: np.ndarray, outside: np.ndarray
) -> tuple[tuple[datetime, datetime], ...]:
    edges = np.flatnonzero(np.diff(np.r_[False, outside, False].astype(np.int8)))
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple((instant(int(begins[a])), instant(int(ends[b - 1]))) for a, b in pairs)
