"""What besides the calendar makes a plan due, and what a visit does to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from apm.accounts.queries import hospital_day, zone_of
from apm.core.clock import local_day
from apm.core.command import Context, command
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.maintenance.conditions import Condition, Watch
from apm.maintenance.conditions import begin_again as watch_again
from apm.maintenance.model import Meter, MeterReading, Phase, Plan, PlanTrigger, TriggerKind
from apm.maintenance.usage import FEWEST, Reading, pace, projection, running, value_at

K = TriggerKind
LONGEST_HORIZON = 3660
LEARN = timedelta(days=366)
"""A pace is learned from the readings of the last year: use changes."""


def due_triggers(plan: Plan, today: date) -> list[PlanTrigger]:
    """Return the triggers that ask for work now: a meter ahead of its day, like the calendar."""
    return [trigger for trigger in plan.triggers if asks_on(plan, trigger) <= today]


def asks_on(plan: Plan, trigger: PlanTrigger) -> date:
    """Return the day from which a trigger asks for work; the last day there is for none."""
    if trigger.due_on is None:
        return date.max
    if trigger.kind is K.METER:
        return trigger.due_on - timedelta(days=plan.early_days)
    return date.min  # what has happened, or is foretold, asks at once


def condition_of(trigger: PlanTrigger) -> Condition:
    """Return the condition a trigger watches."""
    return Condition(
        limit=trigger.limit or 0.0,
        is_above=bool(trigger.is_above),
        hysteresis=trigger.hysteresis or 0.0,
        lasting=timedelta(minutes=trigger.minutes or 0),
    )


def watch_of(trigger: PlanTrigger) -> Watch:
    """Return where the condition of a trigger stands."""
    return Watch(trigger.phase, trigger.since, trigger.read_until, trigger.value)


def keep_watch(trigger: PlanTrigger, watch: Watch) -> None:
    """Store where the condition of a trigger stands."""
    trigger.phase, trigger.since = watch.phase, watch.since
    trigger.read_until, trigger.value = watch.at, watch.value


def begin_again(ctx: Context, plan: Plan, done_at: datetime) -> None:
    """Let every trigger of a plan count from a visit at `done_at`."""
    for trigger in plan.triggers:
        trigger.due_on = trigger.fired_seq = None
        if trigger.kind is K.METER:
            seen = readings_of(ctx, trigger.meter_id)
            found = value_at(seen, done_at)
            trigger.base_value = trigger.base_value if found is None else found
            trigger.base_at = done_at
            refresh_meter(ctx, trigger, seen)
        elif trigger.kind is K.CONDITION:
            keep_watch(trigger, watch_again(watch_of(trigger), done_at))
        else:
            trigger.phase = Phase.NORMAL


def let_go(ctx: Context, plan: Plan, seq: int) -> None:
    """Free the triggers an occurrence answered that was called off or excused.

    The same cause does not ask again at once: a meter asks a whole interval later, a condition
    when it is met anew, a prediction when another is made.
    """
    for trigger in plan.triggers:
        if trigger.fired_seq != seq:
            continue
        trigger.due_on = trigger.fired_seq = None
        if trigger.kind is K.METER and trigger.base_value is not None:
            trigger.base_value += trigger.every or 0.0
            refresh_meter(ctx, trigger, readings_of(ctx, trigger.meter_id))


def readings_of(ctx: Context, meter_id: int | None) -> list[Reading]:
    """Return the readings of a meter as one running count, oldest first."""
    query = (
        select(MeterReading.at, MeterReading.value, MeterReading.is_reset)
        .where(MeterReading.meter_id == meter_id)
        .order_by(MeterReading.at)
    )
    return running([Reading(*row) for row in ctx.session.execute(query)])


def refresh_meter(ctx: Context, trigger: PlanTrigger, seen: list[Reading]) -> None:
    """Work out anew when a meter makes its plan due; one that is answered already stays."""
    if trigger.fired_seq is not None or trigger.every is None:
        return
    if not seen:
        trigger.phase = Phase.WAITING
        return
    if trigger.base_value is None:
        trigger.base_value, trigger.base_at = seen[0].value, seen[0].at
    target = trigger.base_value + trigger.every
    learned = [r for r in seen if r.at >= seen[-1].at - LEARN]
    found = projection(learned, target)
    speed = pace(learned)
    trigger.value = seen[-1].value
    zone = zone_of(ctx)
    trigger.due_on = local_day(found.at, zone) if found else None
    if seen[-1].value >= target:
        trigger.phase = Phase.MET
    else:
        trigger.phase = Phase.NORMAL if len(learned) >= FEWEST else Phase.NOT_ENOUGH
    meter = ctx.session.get(Meter, trigger.meter_id)
    trigger.detail = {
        "meter": meter.kind.value if meter else None,
        "value": seen[-1].value,
        "base": trigger.base_value,
        "every": trigger.every,
        "n": len(learned),
        "per_day": speed and round(speed.per_day, 3),
        "earliest": found and local_day(found.earliest, zone).isoformat(),
        "latest": found and found.latest and local_day(found.latest, zone).isoformat(),
    }


@dataclass(frozen=True, slots=True)
class Foretold:
    """A failure somebody or something expects."""

    probability: float
    horizon_days: int
    why: str


def foretell(ctx: Context, trigger: PlanTrigger, said: Foretold) -> bool:
    """Make a plan due if a foretold failure is likely and near enough; tell whether it is.

    Due half-way to the horizon: work planned for the last day would come too late half the time.
    """
    if trigger.fired_seq is not None:
        return False
    likely = said.probability >= (trigger.floor or 0.0)
    near = said.horizon_days <= (trigger.horizon_days or 0)
    trigger.detail = {
        "probability": said.probability, "horizon_days": said.horizon_days, "why": said.why,
        "at": ctx.now().isoformat(),
    }  # fmt: skip
    trigger.value = said.probability
    if not (likely and near):
        trigger.phase, trigger.due_on = Phase.NORMAL, None
        return False
    trigger.phase = Phase.MET
    trigger.due_on = hospital_day(ctx) + timedelta(days=said.horizon_days // 2)
    return True


@command("plan.foretell", Permission.SYSTEM_RUN)
def prediction_due(
    ctx: Context, asset_id: int, probability: float, horizon_days: int, why: str
) -> list[int]:
    """Tell the plans of an asset that a failure is expected; return the ids of those due now.

    A plan listens if it has a prediction trigger; the work follows with the next run of
    `maintenance.watch`, within a minute.

    Args:
        ctx: the context of the asset's hospital.
        asset_id: which asset.
        probability: of a failure within the horizon, 0 to 1.
        horizon_days: how far the forecast looks.
        why: what speaks for it, in a few words, for people.

    Raises:
        Invalid: the probability or the horizon makes no sense.
    """
    if not 0 <= probability <= 1 or not 0 <= horizon_days <= LONGEST_HORIZON:
        raise Invalid(_l("A prediction needs a probability of 0 to 1 and a horizon in days."))
    query = (
        select(Plan)
        .join(PlanTrigger, PlanTrigger.plan_id == Plan.id)
        .where(Plan.asset_id == asset_id, Plan.is_active, PlanTrigger.kind == K.PREDICTION)
        .options(selectinload(Plan.triggers))
        .with_for_update(of=Plan)
        .execution_options(populate_existing=True)
    )
    said = Foretold(probability, horizon_days, why[:500])
    due = []
    for plan in ctx.session.scalars(query).unique():
        told = [foretell(ctx, t, said) for t in plan.triggers if t.kind is K.PREDICTION]
        if any(told):
            due.append(plan.id)
    return due
