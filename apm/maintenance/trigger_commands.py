"""Giving a plan a trigger, and taking one away."""

from __future__ import annotations

import math

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.maintenance.metering import meter_of
from apm.maintenance.model import Plan, PlanTrigger, TriggerKind
from apm.maintenance.triggers import readings_of, refresh_meter
from apm.maintenance.wishes import Wanted
from apm.readings.model import Sensor

MOST = 10
"""Triggers of one plan."""
LONGEST_MINUTES = 60 * 24 * 7


@command("plan.add_trigger", Permission.PLAN_EDIT)
def add_trigger(ctx: Context, *, plan_id: int, wanted: Wanted) -> PlanTrigger:
    """Let something besides the calendar make a plan due.

    Raises:
        NotFound: no such plan or sensor.
        Invalid: a number is missing or makes no sense.
        Conflict: the plan was stopped, has this trigger already, or has too many.
    """
    return attach(ctx, _plan(ctx, plan_id), wanted)


@command("plan.remove_trigger", Permission.PLAN_EDIT)
def remove_trigger(ctx: Context, *, plan_id: int, trigger_id: int) -> None:
    """Take a trigger away; work it has opened stays."""
    plan = _plan(ctx, plan_id)
    found = next((t for t in plan.triggers if t.id == trigger_id), None)
    if found is None:
        raise NotFound(_l("This plan has no such trigger. Reload the page."))
    plan.triggers.remove(found)


def _plan(ctx: Context, plan_id: int) -> Plan:
    query = (
        select(Plan)
        .where(Plan.id == plan_id)
        .options(
            selectinload(Plan.asset),
            selectinload(Plan.triggers),
        )
        .with_for_update(of=Plan)
        .execution_options(populate_existing=True)
    )
    plan = ctx.session.scalar(query)
    if plan is None:
        raise NotFound(_l("There is no such plan. Look for it in the list of plans."))
    if not plan.is_active:
        raise Conflict(_l("This plan has already been stopped."))
    return plan


def attach(ctx: Context, plan: Plan, wanted: Wanted) -> PlanTrigger:
    """Add a trigger to a plan (its triggers loaded); called inside a command."""
    if len(plan.triggers) >= MOST:
        raise Conflict(_l("A plan has at most %(n)s triggers.", n=MOST))
    trigger = PlanTrigger(kind=wanted.kind, plan_id=plan.id)
    with ctx.session.no_autoflush:  # it is not whole yet
        _FILL[wanted.kind](ctx, plan, trigger, wanted)
    plan.triggers.append(trigger)
    ctx.session.flush()
    return trigger


def _fill_meter(ctx: Context, plan: Plan, trigger: PlanTrigger, wanted: Wanted) -> None:
    if wanted.meter is None:
        raise _missing("meter", _l("Choose what the meter counts."))
    if wanted.every is None or not 0 < wanted.every < math.inf:
        raise _missing("every", _l("Give a number above 0."))
    meter = meter_of(ctx, plan.asset_id, wanted.meter)
    if any(t.meter_id == meter.id for t in plan.triggers):
        raise Conflict(_l("The plan counts by this meter already. Remove that trigger first."))
    trigger.meter, trigger.meter_id = meter, meter.id
    trigger.every = wanted.every
    seen = readings_of(ctx, meter.id)
    if wanted.base is not None and math.isfinite(wanted.base):
        trigger.base_value = wanted.base
    elif seen:
        trigger.base_value, trigger.base_at = seen[-1].value, seen[-1].at
    refresh_meter(ctx, trigger, seen)


def _fill_condition(ctx: Context, _plan: Plan, trigger: PlanTrigger, wanted: Wanted) -> None:
    if wanted.limit is None or not math.isfinite(wanted.limit):
        raise _missing("limit", _l("Give a finite number."))
    if not 0 <= wanted.hysteresis < math.inf:
        raise _missing("hysteresis", _l("Give 0 or more."))
    if not 0 <= wanted.minutes <= LONGEST_MINUTES:
        raise _missing("minutes", _l("Give 0 to %(n)s minutes.", n=LONGEST_MINUTES))
    sensor = ctx.session.scalar(select(Sensor).where(Sensor.code == (wanted.sensor or "")))
    if sensor is None:
        raise _missing("sensor", _l("Choose a sensor of this equipment or its room."))
    trigger.sensor, trigger.sensor_id = sensor, sensor.id
    trigger.is_above, trigger.limit = wanted.is_above, wanted.limit
    trigger.hysteresis, trigger.minutes = wanted.hysteresis, wanted.minutes
    trigger.read_until = ctx.now()  # what was before the plan wanted to know is past


def _fill_prediction(_ctx: Context, plan: Plan, trigger: PlanTrigger, wanted: Wanted) -> None:
    if wanted.floor is None or not 0 < wanted.floor <= 1:
        raise _missing("floor", _l("Give a probability above 0, at most 1."))
    if wanted.horizon_days is None or not 1 <= wanted.horizon_days <= 366:
        raise _missing("horizon_days", _l("Give 1 to 366 days."))
    if any(t.kind is TriggerKind.PREDICTION for t in plan.triggers):
        raise Conflict(_l("The plan listens to predictions already. Remove that trigger first."))
    trigger.floor, trigger.horizon_days = wanted.floor, wanted.horizon_days


def _missing(field: str, message: object) -> Invalid:
    return Invalid(message, fields={field: [message]})


_FILL = {
    TriggerKind.METER: _fill_meter,
    TriggerKind.CONDITION: _fill_condition,
    TriggerKind.PREDICTION: _fill_prediction,
}
