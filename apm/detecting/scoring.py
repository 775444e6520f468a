"""Runs each sensor's detector over the readings it has not seen yet."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy.exc import IntegrityError

from apm.core.command import Context
from apm.core.errors import DomainError
from apm.detecting.commands import Outcome, note_failure, store_outcomes
from apm.detecting.model import DetectorState
from apm.detecting.queries import Due, detector_states, sensors_due, unread_of
from apm.detecting.trace import Trace
from apm.readings.blocks import Readings
from apm.readings.checking import instant
from apm.readings.merging import backlog, merge_inbox
from apm.readings.noting import note_inbox
from predict.anomaly import SeasonalDetector

log = logging.getLogger(__name__)
MOST_A_SENSOR, MOST_OF_MANY = 10_000, 500
"""Readings of a sensor scored at once: where few have any, and where many have."""
AT_ONCE = 50
"""Sensors of one transaction: others wait some hundredths of a second for it."""
MOST_A_RUN, MOST_IN_A_FLOOD = 200_000, 50_000
"""Readings scored before others get their turn: about three seconds of one core, or one.

Alarms and the merge need theirs, too: under a flood detectors fall behind first.
"""
FLOOD = 100_000
"""So many readings that wait to be merged are one."""
A_SENSOR = 100
"""Readings that take as long as bringing a detector from its row and back."""
FAILURES = (DomainError, IntegrityError, ValueError, TypeError, LookupError, ArithmeticError)
"""What is said to readings, a memory or an alarm that one cannot work with.  The others go on."""
_LAST: WeakKeyDictionary[Any, dict[int | None, int]] = WeakKeyDictionary()
"""By database, of each hospital the sensor scored last: the next turn goes on behind it."""


@dataclass(slots=True)
class Scored:
    """What one run did."""

    sensors: int = 0
    readings: int = 0
    opened: int = 0
    failed: int = 0


def score_new(ctx: Context, *, until: datetime | None = None) -> Scored:
    """Score new readings of the hospital (those up to `until`), as many as one turn allows.

    Safe to repeat and to stop at any point: a sensor's memory and its findings are stored
    together, and what is not stored is read again.
    """
    note_inbox(ctx)
    done, spent = Scored(), 0
    turns = _LAST.setdefault(ctx.session.get_bind(), {})
    last = turns.get(ctx.actor.hospital_id, 0)
    # Where there is more to do than a turn allows, all come round: none is always the last.
    due = sorted(sensors_due(ctx), key=lambda one: (one.sensor_id <= last, one.sensor_id))
    for begin in range(0, len(due), AT_ONCE):
        if spent >= MOST_A_RUN or (spent >= MOST_IN_A_FLOOD and backlog(ctx)[1] >= FLOOD):
            break
        some = due[begin : begin + AT_ONCE]
        before = done.readings
        turns[ctx.actor.hospital_id] = some[-1].sensor_id  # even if these stop the run
        most = max(MOST_OF_MANY, min(MOST_A_SENSOR, MOST_IN_A_FLOOD // len(some)))
        _score_some(ctx, some, until, most, done)
        spent += done.readings - before + A_SENSOR * len(some)
    return done


def score_all(ctx: Context, *, until: datetime | None = None) -> Scored:
    """Score until nothing is left that can be scored now."""
    merge_inbox(ctx)  # of what waits a turn looks at the oldest only
    total = Scored()
    while True:
        turn = score_new(ctx, until=until)
        total.sensors = max(total.sensors, turn.sensors)
        total.readings += turn.readings
        total.opened += turn.opened
        total.failed += turn.failed
        if not turn.sensors:
            return total


def _score_some(
    ctx: Context, some: Sequence[Due], until: datetime | None, most: int, done: Scored
) -> None:
    """Score some sensors and store what came of it together."""
    states = detector_states(ctx, [due.sensor_id for due in some])
    since = {
        due.sensor_id: states[due.sensor_id].read_until if due.sensor_id in states else None
        for due in some
    }
    found = unread_of(ctx, some, since, until=until, most=most)
    outcomes: list[Outcome] = []
    for due in some:
        readings, is_all = found[due.sensor_id]
        try:
            row = states.get(due.sensor_id)
            outcome = _outcome(due, row, since[due.sensor_id], readings, is_all=is_all)
        except FAILURES as error:
            _stop(ctx, due.sensor_id, error, done)
            continue
        if len(readings) or outcome.read_revision is not None:
            outcomes.append(outcome)
            done.sensors += 1
            done.readings += len(readings)
    if outcomes:
        _store(ctx, outcomes, done)


def _store(ctx: Context, outcomes: Sequence[Outcome], done: Scored) -> None:
    """Store outcomes together; where that fails, one by one, and the others go on."""
    try:
        done.opened += store_outcomes(ctx, outcomes=outcomes)
    except FAILURES as error:
        if len(outcomes) == 1:
            _stop(ctx, outcomes[0].sensor_id, error, done)
            return
        ctx.session.expunge_all()
        for one in outcomes:
            _store(ctx, [one], done)


def _stop(ctx: Context, sensor_id: int, error: Exception, done: Scored) -> None:
    log.warning("detector of sensor %s stopped: %s", sensor_id, error)
    ctx.session.expunge_all()  # what was not stored must not come back with the note
    note_failure(ctx, sensor_id=sensor_id, error=f"{type(error).__name__}: {error}")
    done.failed += 1


def _outcome(
    due: Due,
    row: DetectorState | None,
    since: datetime | None,
    readings: Readings,
    *,
    is_all: bool,
) -> Outcome:
    state = row.state if row else {}
    detector = SeasonalDetector.from_state(state) if state else SeasonalDetector()
    trace = Trace.of(row.recent if row else [])
    scores = detector.update(readings.times / 1e6, readings.values)
    judged = readings.times[~np.isnan(scores.score)]
    return Outcome(
        sensor_id=due.sensor_id,
        started_from=since,
        read_until=instant(int(readings.times[-1])) if len(readings) else since,
        read_revision=due.revision if is_all else None,
        state=detector.state(),
        first_judged=instant(int(judged[0])) if len(judged) else None,
        trace=trace.extended(scores),
        episodes=scores.episodes,
    )
