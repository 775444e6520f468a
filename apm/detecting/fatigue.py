"""Acting on alarm fatigue: a detector that calls in vain too often gets a higher threshold.

The rules, all counted by `predict.alarming.quieting`:

- Looked at are the verdicts on a sensor's findings of the last 90 days, since it is watched and
  since its threshold was last changed or taken back; a month at least.
- More than one false alarm a month, and three at least, raise the threshold so far that the budget
  would have been kept; never so far that a finding judged real would have been put out.
- After 90 days without a false alarm it falls back to what the program ships with.
- A person takes it back at any time.  Limits of products and rooms are never touched.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from apm.core.command import Context, command
from apm.core.errors import Conflict, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.detecting.commands import locked
from apm.detecting.model import DetectorState, ThresholdChange, ThresholdEnd
from apm.detecting.queries import detector_state
from apm.readings.model import Alarm, AlarmKind
from predict.alarming.quieting import quieter_factor

WINDOW = timedelta(days=90)
QUIET = timedelta(days=90)
MONTH = timedelta(days=30)
SHIPPED = 1.0


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What people said of a sensor's findings: peaks of the false and of the real ones."""

    since: datetime
    false: tuple[float, ...]
    real: tuple[float, ...]
    months: float


def look_for_fatigue(ctx: Context) -> int:
    """Raise and lower the thresholds of the hospital's detectors; return how many changed."""
    changed = 0
    for sensor_id in _judged_or_raised(ctx):
        changed += adjust_threshold(ctx, sensor_id=sensor_id) is not None
    return changed


def _judged_or_raised(ctx: Context) -> list[int]:
    judged = select(Alarm.sensor_id).where(
        Alarm.kind == AlarmKind.ANOMALY,
        Alarm.is_real.is_(False),
        Alarm.raised_at > ctx.now() - WINDOW,
    )
    query = select(DetectorState.sensor_id).where(
        or_(DetectorState.factor > SHIPPED, DetectorState.sensor_id.in_(judged))
    )
    return list(ctx.session.scalars(query.order_by(DetectorState.sensor_id)))


@command("detector.adjust", Permission.SYSTEM_RUN)
def adjust_threshold(ctx: Context, *, sensor_id: int) -> ThresholdChange | None:
    """Raise one detector's threshold if it calls in vain too often, or let it fall back.

    Returns the change that was made or ended; None: everything stays.
    """
    locked(ctx, sensor_id)
    state = detector_state(ctx, sensor_id)
    if state is None:
        return None
    last = _last_change(ctx, sensor_id)
    verdicts = verdicts_of(ctx, state, last)
    if verdicts is None:
        return None
    new = quieter_factor(verdicts.false, verdicts.real, verdicts.months, now=state.factor)
    if new is not None:
        return _raise(ctx, state, last, verdicts, new)
    is_quiet = not verdicts.false and last is not None and last.at <= ctx.now() - QUIET
    if is_quiet and last is not None and last.ended_at is None:
        return _end(ctx, state, last, ThresholdEnd.QUIET)
    return None


@command("detector.take_back", Permission.ALARM_HANDLE)
def take_back(ctx: Context, *, change_id: int, reason: str) -> ThresholdChange:
    """Let a detector judge again as it did when the program was installed, and say why.

    Raises:
        NotFound: no such change here.
        Conflict: it holds no more.
    """
    query = select(ThresholdChange).where(ThresholdChange.id == change_id)
    change = ctx.session.scalar(query)
    if change is None:
        raise NotFound(_l("There is no such change. Look at the list of raised thresholds."))
    locked(ctx, change.sensor_id)
    ctx.session.refresh(change)
    state = detector_state(ctx, change.sensor_id)
    if change.ended_at is not None or state is None:
        raise Conflict(_l("This threshold holds no more. Reload the page."))
    change.reason = reason
    return _end(ctx, state, change, ThresholdEnd.TAKEN_BACK)


def _last_change(ctx: Context, sensor_id: int) -> ThresholdChange | None:
    query = select(ThresholdChange).where(ThresholdChange.sensor_id == sensor_id)
    query = query.order_by(ThresholdChange.id.desc()).limit(1)
    return ctx.session.scalar(query.execution_options(populate_existing=True))


def verdicts_of(
    ctx: Context, state: DetectorState, last: ThresholdChange | None
) -> Verdicts | None:
    """Return what was said since the last change; None before it has been watched for a month."""
    if state.watching_since is None or state.read_until is None:
        return None
    end = min(ctx.now(), state.read_until)
    began = [end - WINDOW, state.watching_since]
    if last is not None:
        began.append(last.ended_at or last.at)
    since = max(began)
    months = (end - since) / MONTH
    if months < 1:
        return None
    query = select(Alarm.is_real, Alarm.score).where(
        Alarm.sensor_id == state.sensor_id,
        Alarm.kind == AlarmKind.ANOMALY,
        Alarm.is_real.is_not(None),
        Alarm.raised_at >= since,
    )
    peaks: dict[bool, list[float]] = defaultdict(list)
    for is_real, score in ctx.session.execute(query):
        peaks[bool(is_real)].append(score or SHIPPED)
    return Verdicts(since, tuple(peaks[False]), tuple(peaks[True]), months)


def _raise(
    ctx: Context,
    state: DetectorState,
    last: ThresholdChange | None,
    verdicts: Verdicts,
    new: float,
) -> ThresholdChange:
    if last is not None and last.ended_at is None:
        _end(ctx, state, last, ThresholdEnd.RAISED)
    change = ThresholdChange(
        sensor_id=state.sensor_id,
        old=last.new if last is not None and last.ended_why is ThresholdEnd.RAISED else SHIPPED,
        new=new,
        false_alarms=len(verdicts.false),
        real_alarms=len(verdicts.real),
        months=round(verdicts.months, 2),
        at=ctx.now(),
        by=ctx.actor.name,
    )
    state.factor = new
    ctx.session.add(change)
    ctx.session.flush()
    return change


def _end(
    ctx: Context, state: DetectorState, change: ThresholdChange, why: ThresholdEnd
) -> ThresholdChange:
    change.ended_at, change.ended_by, change.ended_why = ctx.now(), ctx.actor.name, why
    state.factor = SHIPPED
    return change
