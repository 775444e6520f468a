"""Judging frozen forecasts: when their time is over, or something happened to their equipment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select

from apm.core.command import Context, command
from apm.core.errors import Conflict, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.forecasts.happened import happened_to, limits_reached
from apm.forecasts.horizon_scores import story_by
from apm.forecasts.judging import Judgement, frozen_of, judge
from apm.forecasts.model import ForecastRecord, Outcome
from apm.work.model import WorkOrder
from apm.work.states import AsFound

AT_ONCE = 500
NEWS = timedelta(days=2)
"""How far back the hourly run looks for news: two runs may fail without anything being lost."""
LATE = timedelta(days=120)
"""Records that ended this long ago are judged again once a day: causes are put right later."""


def judge_news(ctx: Context) -> Counter[Outcome]:
    """Judge the records whose end has come or whose equipment had news; return the changes."""
    since = ctx.now() - NEWS
    news = select(WorkOrder.asset_id).where(
        WorkOrder.asset_id.is_not(None),
        or_(WorkOrder.created_at > since, WorkOrder.done_at > since, WorkOrder.closed_at > since),
    )
    is_open = ForecastRecord.outcome == Outcome.OPEN
    over = or_(ForecastRecord.until <= ctx.now(), ForecastRecord.dismissed_at.is_not(None))
    touched = and_(
        ForecastRecord.asset_id.in_(news),
        ForecastRecord.at <= ctx.now(),
        ForecastRecord.until > ctx.now() - LATE,
    )
    return _judge_in_parts(ctx, or_(and_(is_open, over), touched))


def judge_everything(ctx: Context) -> Counter[Outcome]:
    """Judge all open records, and again those that ended lately; return the changes."""
    is_open = ForecastRecord.outcome == Outcome.OPEN
    return _judge_in_parts(ctx, or_(is_open, ForecastRecord.until > ctx.now() - LATE))


def _judge_in_parts(ctx: Context, which: Any) -> Counter[Outcome]:
    query = select(ForecastRecord.id).where(which).order_by(ForecastRecord.id)
    ids = list(ctx.session.scalars(query))
    changed: Counter[Outcome] = Counter()
    for start in range(0, len(ids), AT_ONCE):
        changed += judge_records(ctx, ids=ids[start : start + AT_ONCE])
    return changed


@command("forecast.judge", Permission.SYSTEM_RUN)
def judge_records(ctx: Context, *, ids: Sequence[int]) -> Counter[Outcome]:
    """Judge some records by what is known now; return how many became what.

    The same facts give the same judgement: judging again changes nothing.
    """
    return _judge(ctx, _locked(ctx, ids))


def _locked(ctx: Context, ids: Sequence[int]) -> list[ForecastRecord]:
    query = select(ForecastRecord).where(ForecastRecord.id.in_(ids)).order_by(ForecastRecord.id)
    fresh = query.with_for_update().execution_options(populate_existing=True)
    return list(ctx.session.scalars(fresh))


def _judge(ctx: Context, records: Sequence[ForecastRecord]) -> Counter[Outcome]:
    changed: Counter[Outcome] = Counter()
    if not records:
        return changed
    first = min(record.at for record in records)
    happened = happened_to(ctx, {record.asset_id for record in records}, first)
    sensors = {record.sensor_id for record in records if record.sensor_id is not None}
    reached = limits_reached(ctx, sensors, first) if sensors else {}
    story = story_by(happened, reached)
    for record in records:
        found = judge(frozen_of(record), story(record), ctx.now())
        if _write(record, found):
            changed[found.outcome] += 1
    return changed


def _write(record: ForecastRecord, found: Judgement) -> bool:
    """Put a judgement into a record; tell whether that changed anything."""
    said = (record.outcome_why or {}).get("said")
    why = {**found.why, **({"said": said} if said else {})} or None
    if (record.outcome, record.outcome_at, record.outcome_why) == (found.outcome, found.at, why):
        return False
    record.outcome, record.outcome_at, record.outcome_why = found.outcome, found.at, why
    return True


@command("forecast.put_right", Permission.FORECAST_HANDLE)
def put_right(
    ctx: Context, *, record_id: int, as_found: AsFound, note: str | None = None
) -> ForecastRecord:
    """Say, after the work was signed, what it had found in truth, and judge the forecast again.

    The signed work order stays as it is; who said what stands with the forecast.

    Raises:
        NotFound: no such record here.
        Conflict: no work that answered this forecast is done.
    """
    found = _locked(ctx, [record_id])
    if not found:
        raise NotFound(_l("There is no such forecast here. Choose one from the list."))
    [record] = found
    order = answer_of(ctx, record)
    if order is None:
        message = _l("No work that this forecast asked for is done yet. Complete it first.")
        raise Conflict(message, code="not_now")
    said = {
        "as_found": as_found.value,
        "order": order,
        "by": ctx.actor.name,
        "at": ctx.now().isoformat(),
        **({"note": note.strip()} if note and note.strip() else {}),
    }
    record.outcome_why = {**(record.outcome_why or {}), "said": said}
    _judge(ctx, found)
    return record


def answer_of(ctx: Context, record: ForecastRecord) -> str | None:
    """Return the number of the finished work order that a forecast led to."""
    query = select(WorkOrder.no).where(
        WorkOrder.no == record.work_order_no, WorkOrder.done_at.is_not(None)
    )
    return ctx.session.scalar(query)


def is_over(record: ForecastRecord, now: datetime) -> bool:
    """Tell whether a record's horizon has ended: until then hits are known before the rest."""
    return record.until <= now
