"""What the readings of one local day say: seconds in each state, starts, counts, energy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from apm.utilisation.model import COUNTS, Feed, FeedWay
from apm.utilisation.units import scale_of
from predict.counters import Break, CounterRule, CounterState, count
from predict.operation import (
    OFF,
    ON,
    STANDBY,
    Levels,
    Rule,
    energy_until,
    segments,
    starts,
)

Floats = NDArray[np.float64]
AROUND_S = 2 * 3600.0
"""How much of the days before and after is read along, so that a state at midnight is whole."""
COLUMNS = 5
"""Of an hour: on, standby, off (s), Wh, counted."""


@dataclass(frozen=True, slots=True)
class Window:
    """A local day, in seconds since 1970: where it begins and each hour in it."""

    day: date
    edges: Floats
    """shape (k + 1,): the beginnings of its hours and its end; k is 23 to 25."""
    slots: tuple[int, ...]
    """The hour on the clock of each of the k hours."""

    @property
    def start(self) -> float:
        """The first second."""
        return float(self.edges[0])

    @property
    def end(self) -> float:
        """The first second after."""
        return float(self.edges[-1])


def window_of(day: date, zone: str) -> Window:
    """Return the hours of a local day, also of one with 23 or 25.

    >>> window_of(date(2026, 3, 29), "Europe/Berlin").slots[:4]
    (0, 1, 3, 4)
    """
    place = ZoneInfo(zone)
    begin = datetime.combine(day, time(), place).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), place).astimezone(UTC)
    edges = list(np.arange(begin.timestamp(), end.timestamp(), 3600.0))
    slots = [datetime.fromtimestamp(at, place).hour for at in edges]
    return Window(day, np.array([*edges, end.timestamp()]), tuple(slots))


@dataclass(frozen=True, slots=True)
class DayFound:
    """The columns of a `UseDay`, and the breaks of a counter in it."""

    columns: dict[str, Any]
    breaks: tuple[Break, ...] = ()


def levels_of(feed: Feed) -> Levels | None:
    """Return the levels of a feed in W or A: those a person set, else those found."""
    scale = scale_of(feed.way, feed.sensor.unit) or 1.0
    if feed.off_below is not None and feed.on_above is not None:
        return Levels(feed.off_below * scale, feed.on_above * scale, 1.1)
    found = feed.levels
    if not found:
        return None
    return Levels(found["off_below"], found["on_above"], found["margin"], tuple(found["groups"]),
                  found["apart"], found["n"])  # fmt: skip


def counter_rule(feed: Feed) -> CounterRule:
    """Return what is known of a feed's counter, in the sensor's own unit."""
    most = feed.most_per_hour
    if most is None and feed.meter is not None and feed.meter.value == "hours":
        most = 1.0 / (scale_of(feed.way, feed.sensor.unit, feed.meter) or 1.0)
    return CounterRule(bits=feed.bits, most_per_s=None if most is None else most / 3600.0)


def watts_per_unit(feed: Feed) -> float | None:
    """Return by what a power or current (W, A) is multiplied to be W; None if nobody knows."""
    if feed.way is FeedWay.POWER:
        return 1.0
    if feed.way is FeedWay.CURRENT and feed.volts is not None:
        root = 3**0.5 if feed.phases == 3 else 1.0
        return feed.volts * root * (feed.power_factor or 1.0)
    return None


def work_out(
    feed: Feed, window: Window, at: Floats, values: Floats, carry: CounterState
) -> DayFound:
    """Return what a day held; times in seconds, values in the sensor's unit, `AROUND_S` around."""
    if feed.way in COUNTS:
        return _counted(feed, window, at, values, carry)
    return _states(feed, window, at, values)


def _states(feed: Feed, window: Window, at: Floats, values: Floats) -> DayFound:
    scaled = np.maximum(values * (scale_of(feed.way, feed.sensor.unit) or 1.0), 0.0)
    gap_s = feed.gap_minutes * 60.0
    hours = np.zeros((24, COLUMNS))
    known = _known_until(at, window.edges, gap_s)
    columns: dict[str, Any] = {"known_s": float(known[-1] - known[0]), "dropped": 0}
    levels = levels_of(feed)
    spans = []
    if levels is not None:
        spans = segments(at, scaled, Rule(levels, feed.least_minutes * 60.0, gap_s))
        for state in (ON, STANDBY, OFF):
            for slot, seconds in zip(window.slots, _seconds(spans, state, window), strict=True):
                hours[slot, ON - state] += seconds
        begun = [t for t in starts(spans) if window.start <= t < window.end]
        columns |= {"starts": len(begun)}
        columns |= dict(
            zip(("on_s", "standby_s", "off_s"), hours.sum(0)[:3].tolist(), strict=True)
        )
    factor = watts_per_unit(feed)
    if factor is not None:
        until = energy_until(at, scaled * factor, window.edges, gap_s)
        for slot, wh in zip(window.slots, np.diff(until).tolist(), strict=True):
            hours[slot, 3] += wh
        columns["wh"] = float(until[-1] - until[0])
        if levels is not None:
            columns["wh_standby"] = _standby_wh(spans, window, at, scaled * factor, gap_s)
    return DayFound({**_NOTHING, **columns, "hours": np.round(hours, 3).tolist()})


def _counted(
    feed: Feed, window: Window, at: Floats, values: Floats, carry: CounterState
) -> DayFound:
    inside = (at >= window.start) & (at < window.end)
    if carry.at is not None:
        inside &= at > max([carry.at, *(t for t, _ in carry.waiting)])
    found = count(carry, at[inside], values[inside], counter_rule(feed))
    scale = scale_of(feed.way, feed.sensor.unit, feed.meter) or 1.0
    hours = np.zeros((24, COLUMNS))
    slots = np.clip(np.searchsorted(window.edges, found.at, side="right") - 1, 0, None)
    names = np.array(window.slots)
    column = 3 if feed.way is FeedWay.ENERGY else 4
    amount = found.added * scale * (1000.0 if column == 3 else 1.0)
    np.add.at(hours[:, column], names[np.minimum(slots, len(names) - 1)], amount)
    known = _known_until(at, window.edges, feed.gap_minutes * 60.0)
    state = found.state
    columns = {
        "known_s": float(known[-1] - known[0]),
        "counted": found.total * scale,
        "dropped": sum(1 for one in found.breaks if one.kind == "glitch"),
        "wh": found.total * scale * 1000.0 if feed.way is FeedWay.ENERGY else None,
        "carry": [state.at, state.value, [list(pair) for pair in state.waiting]],
    }
    breaks = tuple(one for one in found.breaks if one.kind != "glitch")
    return DayFound({**_NOTHING, **columns, "hours": np.round(hours, 6).tolist()}, breaks)


_NOTHING: dict[str, Any] = {
    "on_s": None, "standby_s": None, "off_s": None, "starts": None, "counted": None, "wh": None,
    "wh_standby": None, "carry": None,
}  # fmt: skip


def state_of(carry: list[Any] | None) -> CounterState:
    """Return the state that a day's `carry` stores."""
    if carry is None:
        return CounterState()
    at, value, waiting = carry
    return CounterState(at, value, tuple((t, v) for t, v in waiting))


def _seconds(spans: list[tuple[float, float, int]], state: int, window: Window) -> Floats:
    """Return the seconds in a state in each hour of the window, shape (k,)."""
    chosen = np.array([s[:2] for s in spans if s[2] == state]).reshape(-1, 2)
    if not len(chosen):
        return np.zeros(len(window.slots))
    lows = np.maximum(chosen[:, :1], window.edges[:-1])
    highs = np.minimum(chosen[:, 1:], window.edges[1:])
    return np.asarray(np.maximum(highs - lows, 0.0).sum(0))


def _known_until(at: Floats, moments: Floats, gap_s: float) -> Floats:
    """Return how many seconds up to each moment lie between readings close to each other."""
    return np.asarray(energy_until(at, np.ones(len(at)), moments, gap_s) * 3600.0)


def _standby_wh(
    spans: list[tuple[float, float, int]], window: Window, at: Floats, watts: Floats, gap_s: float
) -> float:
    edges = [
        (max(begin, window.start), min(end, window.end))
        for begin, end, state in spans
        if state == STANDBY and begin < window.end and end > window.start
    ]
    if not edges:
        return 0.0
    until = energy_until(at, watts, np.array(edges).ravel(), gap_s)
    return float((until[1::2] - until[::2]).sum())
