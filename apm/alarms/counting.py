"""Counts the rules of some sensors over their readings, a UTC day after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from apm.alarms.catalogue import Spec
from apm.alarms.ruling import counted
from apm.alarms.stretches import CONTEXT, Span
from apm.readings.blocks import DAY_US
from apm.readings.days import day_number
from apm.readings.model import AlarmKind
from predict.alarming.engine import Batch, Watch, advance_all
from predict.alarming.rules import Episode, Outcome, State
from predict.alarming.signals import latest_at
from predict.climate import dew_points

States = dict[str, Any]
_CONTEXT_US = CONTEXT // timedelta(microseconds=1)


@dataclass(slots=True)
class Count:
    """One sensor on its way through its readings.

    states: by rule, what is remembered (see `plain`), rules that are quiet left out.
    checkpoints: the same at the beginning of a day, where it was anything.
    air: the temperature beside a humidity sensor, for the dew point.
    """

    sensor_id: int
    specs: Sequence[Spec]
    hold_s: int
    span: Span
    states: States
    air: Span | None = None
    episodes: dict[str, dict[int, Episode]] = field(default_factory=dict)
    checkpoints: dict[date, States] = field(default_factory=dict)

    def values(self, spec: Spec) -> Span | None:
        """Return what a rule is counted on; None where its other sensor is missing."""
        if spec.kind is not AlarmKind.DEW_POINT:
            return self.span
        if self.air is None:
            return None
        readings, air = self.span.readings, self.air.readings
        hold = self.hold_s * 1_000_000
        warmth = latest_at(readings.times, air.times, air.values, hold)
        margin = warmth - dew_points(warmth, readings.values)
        return Span(type(readings)(readings.times, margin, readings.quality), self.span.begin)


def count(work: Sequence[Count]) -> None:
    """Take every sensor through its readings; what comes out is in its `Count`."""
    views = [(one, span, specs) for one in work for span, specs in _views(one)]
    for day in sorted({day for one in work for day in one.span.days()}):
        _count_day(views, day)


def _count_day(views: Sequence[tuple[Count, Span, list[Spec]]], day: date) -> None:
    batches: list[Batch] = []
    watches: list[Watch] = []
    owners: list[tuple[Count, Spec]] = []
    for one, span, specs in views:
        batch = _batch(span, day)
        if batch is None:
            continue
        _remember(one, day)
        for spec in specs:
            state = one.states.get(spec.key)
            known = State(**state) if state else State()
            watches.append(Watch(len(batches), counted(spec, one.hold_s), known))
            owners.append((one, spec))
        batches.append(batch)
    for (one, spec), done in zip(owners, advance_all(batches, watches), strict=True):
        _take(one, spec.key, done)


def _take(one: Count, key: str, done: Outcome) -> None:
    if done.state.is_quiet:
        one.states.pop(key, None)
    else:
        one.states[key] = asdict(done.state)
    for episode in done.episodes:
        one.episodes.setdefault(key, {})[episode.began] = episode


def _views(one: Count) -> list[tuple[Span, list[Spec]]]:
    """Return the series a sensor's rules are counted on, each with its rules."""
    plain = [s for s in one.specs if s.is_counted and s.kind is not AlarmKind.DEW_POINT]
    found = [(one.span, plain)] if plain else []
    for spec in one.specs:
        if spec.is_counted and spec.kind is AlarmKind.DEW_POINT:
            span = one.values(spec)
            if span is not None:
                found.append((span, [spec]))
    return found


def _batch(span: Span, day: date) -> Batch | None:
    """Return the readings of a day with those before it that are needed; None: there are none."""
    times = span.readings.times
    midnight = day_number(day) * DAY_US
    begin = max(int(np.searchsorted(times, midnight)), span.begin)
    end = int(np.searchsorted(times, midnight + DAY_US))
    if begin >= end:
        return None
    first = int(np.searchsorted(times, int(times[begin]) - _CONTEXT_US))
    first = min(first, max(begin - 1, 0))  # the last one judged speaks on, however long ago
    return Batch(times[first:end], span.readings.values[first:end], begin - first)


def _remember(one: Count, day: date) -> None:
    """Keep what is known at the beginning of a day that is counted from its beginning."""
    starts_inside = one.span.begin and one.span.readings.times[one.span.begin - 1] >= (
        day_number(day) * DAY_US
    )
    if one.states and not starts_inside and day not in one.checkpoints:
        one.checkpoints[day] = dict(one.states)


def known_states(states: Mapping[str, Any], keys: frozenset[str]) -> States:
    """Return what is remembered of these rules."""
    return {key: state for key, state in states.items() if key in keys}
