"""Storing what detectors found: memory, alarms and planned work, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.alarms.events import AlarmAnswered
from apm.alarms.grouping import join_group
from apm.alarms.muting import Silenced
from apm.alarms.opening import announce
from apm.assets.model import Risk
from apm.core.command import Context, command
from apm.core.many import among
from apm.core.permissions import Permission
from apm.detecting.model import DetectorState, ThresholdChange
from apm.detecting.queries import detector_state, detector_states
from apm.detecting.trace import Trace
from apm.readings.model import Alarm, AlarmKind, EndedWhy, Latest, Sensor
from apm.work.states import Priority
from predict.anomaly import STATE_VERSION
from predict.episodes import Episode

DETECTOR = f"seasonal {STATE_VERSION}"
WORSE = 1.25
"""An alarm is written anew when its score has grown by this; each reading would fill the trail."""
LONGEST_PAUSE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a detector made of one batch of one sensor.

    started_from: how far it had read before; if that is no longer so, somebody else was faster.
    read_revision: the revision of the readings that are all read now; None if some are left.
    """

    sensor_id: int
    started_from: datetime | None
    read_until: datetime | None
    read_revision: int | None
    state: dict[str, Any]
    first_judged: datetime | None
    trace: Trace
    episodes: list[Episode]


@command("detector.store", Permission.SYSTEM_RUN)
def store_outcomes(ctx: Context, *, outcomes: Sequence[Outcome]) -> int:
    """Keep the memory of some detectors, open and update alarms; return how many were opened."""
    ids = [outcome.sensor_id for outcome in outcomes]
    query = select(Latest).where(among(Latest.sensor_id, ids)).order_by(Latest.sensor_id)
    rows = query.with_for_update().execution_options(populate_existing=True)
    latest = {row.sensor_id: row for row in ctx.session.scalars(rows)}
    states = detector_states(ctx, ids, bare=True)
    return sum(
        _store(ctx, outcome, latest[outcome.sensor_id], states.get(outcome.sensor_id))
        for outcome in outcomes
    )


def _store(ctx: Context, outcome: Outcome, latest: Latest, row: DetectorState | None) -> int:
    if (row.read_until if row else None) != outcome.started_from:
        return 0
    if row is None:
        row = DetectorState(sensor_id=outcome.sensor_id, factor=1.0)
        ctx.session.add(row)
    row.state, row.recent = outcome.state, outcome.trace.kept()
    row.read_until = outcome.read_until
    row.watching_since = row.watching_since or outcome.first_judged
    row.error, row.failures, row.retry_at = None, 0, None
    if outcome.read_revision is not None:
        latest.scored_revision = outcome.read_revision
    return sum(_follow(ctx, row, outcome, episode) for episode in outcome.episodes)


@command("detector.fail", Permission.SYSTEM_RUN)
def note_failure(ctx: Context, *, sensor_id: int, error: str) -> None:
    """Remember that a detector could not go on; it is tried again, each time after longer."""
    locked(ctx, sensor_id)
    row = detector_state(ctx, sensor_id)
    if row is None:
        row = DetectorState(sensor_id=sensor_id, state={}, recent=[], failures=0)
        ctx.session.add(row)
    row.failures += 1
    row.error = error[:500]
    row.retry_at = ctx.now() + min(timedelta(minutes=2 ** min(row.failures, 12)), LONGEST_PAUSE)


def locked(ctx: Context, sensor_id: int) -> Latest:
    """Return what a sensor read last; whoever changes its detector waits here for the others."""
    query = select(Latest).where(Latest.sensor_id == sensor_id).with_for_update()
    return ctx.session.scalars(query.execution_options(populate_existing=True)).one()


def _follow(ctx: Context, row: DetectorState, outcome: Outcome, episode: Episode) -> bool:
    """Open or update the one alarm of an episode; tell whether it was opened."""
    since = _instant(episode.began)
    query = select(Alarm).where(
        Alarm.sensor_id == outcome.sensor_id,
        Alarm.kind == AlarmKind.ANOMALY,
        Alarm.since == since,
    )
    alarm = ctx.session.scalar(query.execution_options(populate_existing=True))
    if alarm is None:
        if episode.peak_score < row.factor:
            _hold(ctx, row, episode)
            return False
        _open(ctx, outcome, episode, row.factor)
        return True
    if episode.ended is not None:
        if alarm.active:
            alarm.ended_why = EndedWhy.RETURNED
            ctx.emit(AlarmAnswered(alarm.id))
        alarm.active = False
        alarm.ended_at = alarm.ended_at or _instant(episode.ended)
    before = alarm.score or 0.0
    if episode.peak_score >= WORSE * before or episode.ended is not None:
        sensor = _sensor(ctx, outcome.sensor_id)
        alarm.score = max(before, episode.peak_score)
        alarm.evidence = _evidence(sensor, episode, outcome, alarm.evidence["threshold"])
    return False


def _open(ctx: Context, outcome: Outcome, episode: Episode, factor: float) -> None:
    sensor = _sensor(ctx, outcome.sensor_id)
    muted = Silenced(ctx, [sensor]).why(sensor, AlarmKind.ANOMALY.value, "")
    alarm = Alarm(
        sensor=sensor,
        kind=AlarmKind.ANOMALY,
        priority=_priority(sensor, episode),
        since=_instant(episode.began),
        raised_at=_instant(episode.raised_at),
        noticed_at=ctx.now(),
        ended_at=None if episode.ended is None else _instant(episode.ended),
        ended_why=None if episode.ended is None else EndedWhy.RETURNED,
        active=episode.ended is None,
        muted=muted,
        score=episode.peak_score,
        reason=episode.reason,
        evidence=_evidence(sensor, episode, outcome, factor),
    )
    ctx.session.add(alarm)
    ctx.session.flush()  # the work order names its id
    if muted is None:
        announce(ctx, alarm, sensor, opens_work=True)
    else:
        join_group(ctx, alarm, sensor)


def _sensor(ctx: Context, sensor_id: int) -> Sensor:
    query = select(Sensor).where(Sensor.id == sensor_id)
    places = joinedload(Sensor.asset), joinedload(Sensor.location)
    return ctx.session.scalars(query.options(*places)).one()


def _priority(sensor: Sensor, episode: Episode) -> Priority:
    """Return high for high-risk equipment and for readings twice beyond the limit."""
    risky = sensor.asset is not None and sensor.asset.risk is Risk.HIGH
    return Priority.HIGH if risky or episode.peak_score >= 2.0 else Priority.NORMAL


def _hold(ctx: Context, row: DetectorState, episode: Episode) -> None:
    """Count a finding that stayed below a threshold raised against false alarms."""
    if episode.ended is None:
        return
    query = select(ThresholdChange).where(
        ThresholdChange.sensor_id == row.sensor_id, ThresholdChange.ended_at.is_(None)
    )
    for change in ctx.session.scalars(query):
        change.held += 1


def _evidence(
    sensor: Sensor, episode: Episode, outcome: Outcome, threshold: float
) -> dict[str, Any]:
    until = episode.ended or float(outcome.trace.rows[-1, 0])
    return {
        "kind": AlarmKind.ANOMALY.value,
        "sensor": sensor.code,
        "name": sensor.name,
        "name_zh": sensor.name_zh,
        "quantity": sensor.quantity,
        "unit": sensor.unit,
        "since": _instant(episode.began).isoformat(),
        "raised_at": _instant(episode.raised_at).isoformat(),
        "ended": None if episode.ended is None else _instant(episode.ended).isoformat(),
        "score": round(episode.peak_score, 3),
        "peak_at": _instant(episode.peak_at).isoformat(),
        "threshold": threshold,
        "reason": episode.reason,
        "detector": DETECTOR,
        "series": outcome.trace.evidence(began=episode.began, until=until),
    }


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
