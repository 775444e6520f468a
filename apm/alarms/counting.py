"""Counts the rules of some sensors over their readings, a UTC day after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from apm.alarms.ruling import Plan
from apm.alarms.stretches import CONTEXT_US, Span
from apm.readings.blocks import DAY_US
from apm.readings.days import day_of
from predict.alarming.engine import QUIET, Batch, Watch, advance_all
from predict.alarming.rules import Episode, Outcome, Rule, State
from predict.alarming.signals import latest_at
from predict.climate import dew_points

States = dict[str, Any]
_REMEMBERED = State.__slots__
_Views = list[tuple["Count", Span, tuple[tuple[str, Rule], ...]]]


@dataclass(slots=True)
class Count:
    """One sensor on its way through its readings.

    states: by rule, what is remembered (see `plain`), rules that are quiet left out.
    checkpoints: the same at the beginning of a day, where it was anything.
    air: the temperature beside a humidity sensor, for the dew point.
    """

    sensor_id: int
    plan: Plan
    hold_s: int
    span: Span
    states: States
    interval_s: float | None
    air: Span | None = None
    episodes: dict[str, dict[int, Episode]] = field(default_factory=dict)
    checkpoints: dict[date, States] = field(default_factory=dict)

    def margin(self) -> Span | None:
        """Return the dew-point margin at each reading; None where the other sensor is missing."""
        if self.air is None:
            return None
        readings, air = self.span.readings, self.air.readings
        hold = self.hold_s * 1_000_000
        warmth = latest_at(readings.times, air.times, air.values, hold)
        margin = warmth - dew_points(warmth, readings.values)
        return Span(type(readings)(readings.times, margin, readings.quality), self.span.begin)


def count(work: Sequence[Count]) -> None:
    """Take every sensor through its readings; what comes out is in its `Count`."""
    by_day: dict[int, _Views] = {}
    for one in work:
        days = one.span.day_numbers()
        for view in _views(one) if days else ():
            for day in days:
                by_day.setdefault(day, []).append(view)
    for day in sorted(by_day):
        _count_day(by_day[day], day)


def _count_day(views: _Views, day: int) -> None:
    batches: list[Batch] = []
    watches: list[Watch] = []
    owners: list[tuple[Count, str]] = []
    for one, span, rules in views:
        _remember(one, day)
        number = len(batches)
        batches.append(_batch(span, day))
        states = one.states
        for key, rule in rules:
            state = states.get(key)
            watches.append(Watch(number, rule, State(**state) if state else QUIET))
            owners.append((one, key))
    for (one, key), done in zip(owners, advance_all(batches, watches), strict=True):
        if done.state is QUIET and not done.episodes:
            one.states.pop(key, None)
        else:
            _take(one, key, done)


def _take(one: Count, key: str, done: Outcome) -> None:
    if done.state.is_quiet:
        one.states.pop(key, None)
    else:
        one.states[key] = {name: getattr(done.state, name) for name in _REMEMBERED}
    for episode in done.episodes:
        one.episodes.setdefault(key, {})[episode.began] = episode


def _views(one: Count) -> _Views:
    """Return the series a sensor's rules are counted on, each with its rules."""
    found: _Views = [(one, one.span, one.plan.plain)] if one.plan.plain else []
    if one.plan.dew and (margin := one.margin()) is not None:
        found.append((one, margin, one.plan.dew))
    return found


def _batch(span: Span, day: int) -> Batch:
    """Return the readings of a day with those before it that are needed."""
    times, values, midnight = span.readings.times, span.readings.values, day * DAY_US
    begin, end = span.begin, len(times)
    if times[begin] >= midnight and times[-1] < midnight + DAY_US:  # the usual: no other day
        return Batch(times, values, begin)
    begin = max(int(times.searchsorted(midnight)), begin)
    end = int(times.searchsorted(midnight + DAY_US))
    first = int(times.searchsorted(int(times[begin]) - CONTEXT_US))
    first = min(first, max(begin - 1, 0))  # the last one judged speaks on, however long ago
    return Batch(times[first:end], values[first:end], begin - first)


def _remember(one: Count, day: int) -> None:
    """Keep what is known at the beginning of a day that is counted from its beginning."""
    if not one.states:
        return
    times, begin = one.span.readings.times, one.span.begin
    starts_inside = begin and times[begin - 1] >= day * DAY_US
    if not starts_inside and (on := day_of(day * DAY_US)) not in one.checkpoints:
        one.checkpoints[on] = dict(one.states)


def known_states(states: Mapping[str, Any], keys: frozenset[str]) -> States:
    """Return what is remembered of these rules."""
    return {key: state for key, state in states.items() if key in keys}
