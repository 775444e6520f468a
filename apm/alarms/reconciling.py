"""Makes the alarms on record agree with the episodes counted: a row an episode, never deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import or_, select

from apm.alarms.catalogue import NEIGHBOURS, STALE, Spec
from apm.alarms.counting import Count
from apm.alarms.events import AlarmAnswered
from apm.alarms.muting import Silenced
from apm.alarms.opening import Seen, evidence_of, open_alarm
from apm.core.command import Context
from apm.core.many import among
from apm.readings.checking import instant
from apm.readings.model import Alarm, AlarmKind, EndedWhy, Sensor
from predict.alarming.rules import Episode

BEFORE_US = 2 * 3600 * 1_000_000
MOST_POINTS = 150
IS_COUNTED = Alarm.rule.not_in(["", STALE, NEIGHBOURS])
WORSE = 0.1
"""A peak is written anew when it is so much further from the limit: not with every reading."""


class Reconciler:
    """Works on some sensors at once: what is on record is read in a fixed number of statements."""

    def __init__(self, ctx: Context, sensors: Sequence[Sensor]) -> None:
        self.ctx = ctx
        self.sensors = sensors
        self.silenced = Silenced(ctx, sensors)
        self.unchanged: dict[int, frozenset[str]] = {}
        """By sensor, the rules that are as they were when it was counted before."""
        self._active: dict[int, list[Alarm]] = {}
        for alarm in self._read(Alarm.active):
            self._active.setdefault(alarm.sensor_id, []).append(alarm)

    def settle(self, sensor: Sensor, one: Count, *, is_late: bool) -> int:
        """Open, update and end the alarms of one sensor; return how many were opened."""
        known = self._known(sensor, one, is_late=is_late)
        opened, kept = 0, set()
        for spec in one.plan.specs:
            for episode in sorted(
                one.episodes.get(spec.key, {}).values(), key=lambda episode: episode.began
            ):
                seen = _seen(one, spec, episode)
                alarm = _same(known, spec, seen)
                if alarm is None:
                    muted = self.silenced.why(sensor, spec.kind.value, spec.key)
                    alarm = open_alarm(self.ctx, sensor, spec, seen, muted)
                    opened += 1
                else:
                    self._follow(alarm, sensor, spec, seen)
                kept.add(alarm.id)
        self._end_others(known, kept, sensor, one, is_late=is_late)
        return opened

    def _known(self, sensor: Sensor, one: Count, *, is_late: bool) -> list[Alarm]:
        """Return the alarms on record that the counting may be about."""
        found = list(self._active.get(sensor.id, []))
        if one.span.is_empty:
            return found
        start = instant(int(one.span.readings.times[one.span.begin]))
        if is_late or one.episodes:
            began = [at for episodes in one.episodes.values() for at in episodes]
            first = min([start, *(instant(at) for at in began)])
            recent = or_(Alarm.since >= first, Alarm.ended_at >= start)
            more = self._read((Alarm.sensor_id == sensor.id) & recent)
            found = list({alarm.id: alarm for alarm in (*found, *more)}.values())
        return found

    def _read(self, condition: Any) -> list[Alarm]:
        ids = [sensor.id for sensor in self.sensors]
        query = select(Alarm).where(among(Alarm.sensor_id, ids), IS_COUNTED, condition)
        fresh = query.order_by(Alarm.since, Alarm.id).execution_options(populate_existing=True)
        return list(self.ctx.session.scalars(fresh))

    def _follow(self, alarm: Alarm, sensor: Sensor, spec: Spec, seen: Seen) -> None:
        """Bring an alarm up to what is known now."""
        alarm.since, alarm.raised_at = seen.since, seen.raised_at
        if seen.peak is not None and _is_worse(alarm, seen, is_over=seen.ended_at is not None):
            alarm.peak = seen.peak
            alarm.evidence = evidence_of(sensor, spec, seen)
        if alarm.cleared_by is not None:
            return
        if seen.ended_at is None:
            alarm.active, alarm.ended_at, alarm.ended_why = True, None, None
            alarm.returned_at = None
        elif alarm.latches and not alarm.acknowledged:
            alarm.returned_at = seen.ended_at
        elif alarm.active or alarm.ended_at != seen.ended_at:
            self._end(alarm, seen.ended_at, EndedWhy.RETURNED)

    def _end_others(
        self, known: list[Alarm], kept: set[int], sensor: Sensor, one: Count, *, is_late: bool
    ) -> None:
        """End what the counting no longer bears out, and what a changed rule had raised."""
        same = self.unchanged.get(sensor.id, frozenset())
        for alarm in known:
            if alarm.id in kept or alarm.cleared_by is not None:
                continue
            if alarm.rule not in same:
                if alarm.active:
                    self._end(alarm, self.ctx.now(), EndedWhy.RULE_CHANGED)
            elif is_late and _is_doubtful(alarm, one):
                self._end(alarm, alarm.ended_at or self.ctx.now(), EndedWhy.CORRECTED)

    def _end(self, alarm: Alarm, at: datetime, why: EndedWhy) -> None:
        alarm.active, alarm.ended_at, alarm.ended_why = False, at, why
        self.ctx.emit(AlarmAnswered(alarm.id))


def _is_doubtful(alarm: Alarm, one: Count) -> bool:
    """Tell whether an alarm stands in the time that was counted anew."""
    if one.span.is_empty or alarm.ended_why in {EndedWhy.CORRECTED, EndedWhy.RULE_CHANGED}:
        return False
    over = alarm.returned_at or alarm.ended_at
    return over is None or over >= instant(int(one.span.readings.times[one.span.begin]))


def _same(known: list[Alarm], spec: Spec, seen: Seen) -> Alarm | None:
    """Return the alarm on record of the same rule at the same time."""
    for alarm in known:
        if alarm.rule != spec.key or alarm.kind != spec.kind:
            continue
        if alarm.since == seen.since:
            return alarm
        if alarm.ended_why in {EndedWhy.CORRECTED, EndedWhy.RULE_CHANGED}:
            continue
        over = alarm.returned_at or alarm.ended_at
        if (over is None or over >= seen.since) and (
            seen.ended_at is None or seen.ended_at >= alarm.since
        ):
            return alarm
    return None


def _is_worse(alarm: Alarm, seen: Seen, *, is_over: bool) -> bool:
    if alarm.peak == seen.peak and not is_over:
        return False
    if is_over or alarm.peak is None or alarm.limit is None or seen.peak is None:
        return alarm.peak != seen.peak or alarm.active
    reach, before = abs(seen.peak - alarm.limit), abs(alarm.peak - alarm.limit)
    return reach >= before * (1 + WORSE) or reach < before


def _seen(one: Count, spec: Spec, episode: Episode) -> Seen:
    """Return an episode as it is kept, with the readings around it."""
    margin = one.margin() if spec.kind is AlarmKind.DEW_POINT else None
    span = margin or one.span
    times = span.readings.times
    first = int(np.searchsorted(times, episode.began - BEFORE_US))
    ends = int(times[-1]) if episode.ended_at is None else episode.ended_at
    last = int(np.searchsorted(times, ends, side="right"))
    chosen = np.unique(np.linspace(first, max(last - 1, first), MOST_POINTS).astype(np.int64))
    chosen = chosen[~np.isnan(span.readings.values[chosen])]
    return Seen(
        since=instant(episode.began),
        raised_at=instant(episode.raised_at),
        ended_at=None if episode.ended_at is None else instant(episode.ended_at),
        peak=episode.peak,
        series={
            "at": [instant(int(t)).isoformat() for t in times[chosen]],
            "value": [round(float(v), 4) for v in span.readings.values[chosen]],
        },
    )
