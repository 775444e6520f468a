"""Storing what detectors found: memory, alarms and planned work, all or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.alarms.events import AlarmAnswered, AlarmRaised
from apm.assets.model import Risk
from apm.core.command import Context, command
from apm.core.i18n import _, speaking
from apm.core.permissions import Permission
from apm.detecting.model import DetectorState
from apm.detecting.queries import detector_state
from apm.detecting.trace import Trace
from apm.readings.model import Alarm, AlarmKind, EndedWhy, Latest, Sensor
from apm.work.commands import open_work
from apm.work.states import Priority, WorkType
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
def store_outcome(ctx: Context, *, outcome: Outcome) -> int:
    """Keep the detector's memory, open and update alarms; return how many were opened."""
    latest = _locked(ctx, outcome.sensor_id)
    row = detector_state(ctx, outcome.sensor_id)
    if (row.read_until if row else None) != outcome.started_from:
        return 0
    if row is None:
        row = DetectorState(sensor_id=outcome.sensor_id)
        ctx.session.add(row)
    row.state, row.recent = outcome.state, outcome.trace.kept()
    row.read_until = outcome.read_until
    row.watching_since = row.watching_since or outcome.first_judged
    row.error, row.failures, row.retry_at = None, 0, None
    if outcome.read_revision is not None:
        latest.scored_revision = outcome.read_revision
    return sum(_follow(ctx, outcome, episode) for episode in outcome.episodes)


@command("detector.fail", Permission.SYSTEM_RUN)
def note_failure(ctx: Context, *, sensor_id: int, error: str) -> None:
    """Remember that a detector could not go on; it is tried again, each time after longer."""
    _locked(ctx, sensor_id)
    row = detector_state(ctx, sensor_id)
    if row is None:
        row = DetectorState(sensor_id=sensor_id, state={}, recent=[], failures=0)
        ctx.session.add(row)
    row.failures += 1
    row.error = error[:500]
    row.retry_at = ctx.now() + min(timedelta(minutes=2 ** min(row.failures, 12)), LONGEST_PAUSE)


def _locked(ctx: Context, sensor_id: int) -> Latest:
    query = select(Latest).where(Latest.sensor_id == sensor_id).with_for_update()
    return ctx.session.scalars(query.execution_options(populate_existing=True)).one()


def _follow(ctx: Context, outcome: Outcome, episode: Episode) -> bool:
    """Open or update the one alarm of an episode; tell whether it was opened."""
    since = _instant(episode.began)
    query = select(Alarm).where(
        Alarm.sensor_id == outcome.sensor_id,
        Alarm.kind == AlarmKind.ANOMALY,
        Alarm.since == since,
    )
    alarm = ctx.session.scalar(query.execution_options(populate_existing=True))
    if alarm is None:
        _open(ctx, outcome, episode)
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
        alarm.evidence = _evidence(sensor, episode, outcome)
    return False


def _open(ctx: Context, outcome: Outcome, episode: Episode) -> None:
    sensor = _sensor(ctx, outcome.sensor_id)
    priority = _priority(sensor, episode)
    evidence = _evidence(sensor, episode, outcome)
    alarm = Alarm(
        sensor=sensor,
        kind=AlarmKind.ANOMALY,
        priority=priority,
        since=_instant(episode.began),
        raised_at=_instant(episode.raised_at),
        noticed_at=ctx.now(),
        announced_at=ctx.now(),
        ended_at=None if episode.ended is None else _instant(episode.ended),
        ended_why=None if episode.ended is None else EndedWhy.RETURNED,
        active=episode.ended is None,
        score=episode.peak_score,
        reason=episode.reason,
        evidence=evidence,
    )
    ctx.session.add(alarm)
    ctx.session.flush()  # the work order names its id
    titles = {}
    for language, name in (("en", sensor.name), ("zh", sensor.name_zh or sensor.name)):
        with speaking(language):
            titles[language] = _("Check %(sensor)s: unusual readings", sensor=name)
    order = open_work(
        ctx,
        type=WorkType.PREDICTIVE,
        asset=sensor.asset,
        location=None if sensor.asset else sensor.location,
        title=titles["en"],
        title_zh=titles["zh"],
        priority=priority,
        origin=f"alarm:{alarm.id}",
        evidence=evidence,
    )
    alarm.work_order_no = order.no
    ctx.emit(
        AlarmRaised(
            alarm.id,
            sensor.code,
            priority,
            order.no,
            reason=episode.reason,
            asset_id=sensor.asset_id,
        )
    )


def _sensor(ctx: Context, sensor_id: int) -> Sensor:
    query = select(Sensor).where(Sensor.id == sensor_id)
    places = joinedload(Sensor.asset), joinedload(Sensor.location)
    return ctx.session.scalars(query.options(*places)).one()


def _priority(sensor: Sensor, episode: Episode) -> Priority:
    """Return high for high-risk equipment and for readings twice beyond the limit."""
    risky = sensor.asset is not None and sensor.asset.risk is Risk.HIGH
    return Priority.HIGH if risky or episode.peak_score >= 2.0 else Priority.NORMAL


def _evidence(sensor: Sensor, episode: Episode, outcome: Outcome) -> dict[str, Any]:
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
        "threshold": 1.0,
        "reason": episode.reason,
        "detector": DETECTOR,
        "series": outcome.trace.evidence(began=episode.began, until=until),
    }


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
