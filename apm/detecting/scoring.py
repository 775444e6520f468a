"""Runs each sensor's detector over the readings it has not seen yet."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from apm.core.command import Context
from apm.detecting.commands import Outcome, note_failure, store_outcome
from apm.detecting.queries import Due, detector_state, sensors_due, unread
from apm.detecting.trace import Trace
from apm.readings.checking import instant
from apm.readings.noting import note_inbox
from predict.anomaly import SeasonalDetector

log = logging.getLogger(__name__)
MOST_A_SENSOR = 10_000
MOST_A_RUN = 30_000
"""Readings scored before others get their turn: about four seconds of one core."""


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
    done = Scored()
    for due in sensors_due(ctx):
        if done.readings >= MOST_A_RUN:
            break
        _score_sensor(ctx, due, until, done)
    return done


def score_all(ctx: Context, *, until: datetime | None = None) -> Scored:
    """Score until nothing is left that can be scored now."""
    total = Scored()
    while True:
        turn = score_new(ctx, until=until)
        total.sensors = max(total.sensors, turn.sensors)
        total.readings += turn.readings
        total.opened += turn.opened
        total.failed += turn.failed
        if not turn.readings:
            return total


def _score_sensor(ctx: Context, due: Due, until: datetime | None, done: Scored) -> None:
    try:
        outcome, n = _outcome(ctx, due, until)
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        # What a detector says to readings or a memory it cannot work with.  The others go on.
        log.warning("detector of sensor %s stopped: %s", due.sensor_id, error)
        note_failure(ctx, sensor_id=due.sensor_id, error=f"{type(error).__name__}: {error}")
        done.failed += 1
        return
    if n or outcome.read_revision is not None:
        done.opened += store_outcome(ctx, outcome=outcome)
        done.sensors += 1
        done.readings += n


def _outcome(ctx: Context, due: Due, until: datetime | None) -> tuple[Outcome, int]:
    row = detector_state(ctx, due.sensor_id)
    since = row.read_until if row else None
    state = row.state if row else {}
    detector = SeasonalDetector.from_state(state) if state else SeasonalDetector()
    trace = Trace.of(row.recent if row else [])
    readings, is_all = unread(ctx, due.sensor_id, since=since, until=until, most=MOST_A_SENSOR)
    scores = detector.update(readings.times / 1e6, readings.values)
    judged = readings.times[~np.isnan(scores.score)]
    outcome = Outcome(
        sensor_id=due.sensor_id,
        started_from=since,
        read_until=instant(int(readings.times[-1])) if len(readings) else since,
        read_revision=due.revision if is_all else None,
        state=detector.state(),
        first_judged=instant(int(judged[0])) if len(judged) else None,
        trace=trace.extended(scores),
        episodes=scores.episodes,
    )
    return outcome, len(readings)
