"""Following the sensors that plans watch: from new readings to conditions that are met."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from apm.accounts.queries import zone_of
from apm.core.clock import local_day
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.maintenance.conditions import SILENT, Watch, follow, listen
from apm.maintenance.model import Phase, Plan, PlanTrigger, TriggerKind
from apm.maintenance.triggers import condition_of, keep_watch, watch_of
from apm.readings.checking import instant
from apm.readings.model import Latest, Sensor
from apm.readings.series import readings_between

NEWER = timedelta(microseconds=1)


def triggers_to_watch(ctx: Context) -> list[int]:
    """Return the ids of condition triggers whose sensor has said something new, or nothing."""
    silent = Latest.received_at < ctx.now() - SILENT
    talking = PlanTrigger.phase.in_([Phase.NORMAL, Phase.PENDING])
    query = (
        select(PlanTrigger.id)
        .join(Latest, Latest.sensor_id == PlanTrigger.sensor_id)
        .join(Plan, Plan.id == PlanTrigger.plan_id)
        .where(
            Plan.is_active,
            PlanTrigger.kind == TriggerKind.CONDITION,
            or_(Latest.revision != PlanTrigger.seen_revision, silent & talking),
        )
        .order_by(PlanTrigger.id)
    )
    return list(ctx.session.scalars(query))


@command("maintenance.follow", Permission.SYSTEM_RUN)
def follow_sensor(ctx: Context, *, trigger_id: int) -> bool:
    """Read what a watched sensor has said since; tell whether its condition is met now."""
    query = (
        select(PlanTrigger)
        .where(PlanTrigger.id == trigger_id)
        .with_for_update(of=PlanTrigger)
        .execution_options(populate_existing=True)
    )
    trigger = ctx.session.scalar(query)
    if trigger is None or trigger.sensor_id is None:
        return False
    latest = ctx.session.scalars(
        select(Latest)
        .where(Latest.sensor_id == trigger.sensor_id)
        .options(joinedload(Latest.sensor))
        .execution_options(populate_existing=True)
    ).one()
    was = watch_of(trigger)
    watch = listen(follow(condition_of(trigger), was, _news(ctx, trigger)), ctx.now())
    keep_watch(trigger, watch)
    trigger.seen_revision = latest.revision
    _decide(ctx, trigger, was, watch, latest.sensor)
    return trigger.due_on is not None and trigger.fired_seq is None


def _news(ctx: Context, trigger: PlanTrigger) -> list[tuple[datetime, float]]:
    start = trigger.read_until + NEWER if trigger.read_until else None
    return [
        (instant(at), value)
        for part in readings_between(ctx, trigger.sensor_id or 0, start=start)
        for at, value in zip(part.times.tolist(), part.values.tolist(), strict=True)
    ]


def _decide(ctx: Context, trigger: PlanTrigger, was: Watch, watch: Watch, sensor: Sensor) -> None:
    if watch.phase is not Phase.MET:
        if trigger.fired_seq is None:
            trigger.due_on = None  # it has come back by itself before anybody was sent
        return
    if was.phase is Phase.MET:
        return
    since = watch.since or ctx.now()
    trigger.due_on = local_day(since, zone_of(ctx))
    trigger.detail = {
        "sensor": sensor.code,
        "quantity": sensor.quantity,
        "unit": sensor.unit,
        "value": watch.value,
        "limit": trigger.limit,
        "is_above": bool(trigger.is_above),
        "minutes": trigger.minutes or 0,
        "since": since.isoformat(),
    }
