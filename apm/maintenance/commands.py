"""What people do with plans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from apm.accounts.queries import hospital_day
from apm.assets.model import GONE, Asset
from apm.assets.queries import asset_by_code
from apm.core.command import Context, command
from apm.core.errors import Conflict, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.maintenance.generation import end_open
from apm.maintenance.model import Plan, PlanMode
from apm.maintenance.queries import last_done, last_settled_due, plan_of
from apm.maintenance.rhythm import Rhythm
from apm.maintenance.rounds import Round, begin_round
from apm.maintenance.trigger_commands import attach
from apm.maintenance.wishes import Wanted
from apm.procedures.shelf import template_for


@command("plan.add", Permission.PLAN_EDIT)
def add_plan(
    ctx: Context,
    *,
    asset: str,
    template: str,
    rhythm: Rhythm,
    triggers: Sequence[Wanted] = (),
) -> Plan:
    """Plan maintenance of the asset with this code by this template, again and again.

    A plan that was stopped begins again with the new rhythm; its history stays.

    Raises:
        NotFound: no such asset, or no such template.
        Invalid: the rhythm does not work, or a trigger does not.
        Conflict: the asset is retired, or already has a plan for this template.
    """
    rhythm.check()
    chosen = template_for(ctx, template)
    if chosen.is_retired:
        raise Conflict(_l("This template is retired. Choose another one."), code="retired")
    thing = asset_by_code(ctx, asset)
    if thing.lifecycle in GONE:
        raise Conflict(_l("This asset is retired. It needs no maintenance plan."))
    plan = plan_of(ctx, thing, chosen.code)
    if plan is not None and plan.is_active:
        raise Conflict(
            _l("This asset already has a plan for this template. Stop that plan first."),
            code="plan_exists",
        )
    plan = begin_plan(ctx, thing, chosen.code, rhythm, plan)
    ctx.session.flush()
    for wanted in triggers:
        attach(ctx, plan, wanted)
    ctx.session.flush()
    return plan


def begin_plan(
    ctx: Context, asset: Asset, template_code: str, rhythm: Rhythm, known: Plan | None
) -> Plan:
    """Make a plan, or wake one that was stopped; called inside a command."""
    first_due = rhythm.first_due(hospital_day(ctx))
    plan = known or Plan(asset_id=asset.id, template_code=template_code, next_seq=1, triggers=[])
    _take_rhythm(plan, rhythm)
    if known is not None:  # what made it due long ago does not ask for work today
        plan.triggers.clear()
    plan.is_active = True
    plan.next_due = first_due
    plan.held_why = plan.held_since = plan.problem = None
    plan.asset = asset
    if known is None:
        ctx.session.add(plan)
    return plan


def _take_rhythm(plan: Plan, rhythm: Rhythm) -> None:
    plan.mode = rhythm.mode
    plan.interval_months, plan.interval_days = rhythm.interval_months, rhythm.interval_days
    plan.anchor = rhythm.anchor
    plan.early_days, plan.grace_days = rhythm.early_days, rhythm.grace_days


@command("plan.change", Permission.PLAN_EDIT)
def change_plan(ctx: Context, *, plan_id: int, rhythm: Rhythm) -> Plan:
    """Give a plan another rhythm; dates already open or settled stay as they are.

    The next date is the first of the new rhythm after the last one there was; of a floating plan
    the new interval counts from the last completion.

    Raises:
        NotFound: no such plan.
        Invalid: the rhythm does not work.
        Conflict: the plan has been stopped.
    """
    rhythm.check()
    plan = _active(begin_round(ctx, [plan_id]))
    _take_rhythm(plan, rhythm)
    plan.next_due = _next_due(ctx, plan, rhythm)
    return plan


def _next_due(ctx: Context, plan: Plan, rhythm: Rhythm) -> date:
    interval = rhythm.interval
    last = last_settled_due(ctx, plan)
    if rhythm.mode is PlanMode.FIXED or not interval:
        due = rhythm.first_due(hospital_day(ctx))
        while last is not None and due <= last and interval:
            due = interval.following(rhythm.anchor, due)
        return due
    done = last_done(ctx, [plan]).get(plan.id)
    if done is not None and (last is None or done >= last or interval.after(done) > last):
        return interval.after(done)
    return rhythm.anchor if last is None or rhythm.anchor > last else interval.after(last)


@command("plan.stop", Permission.PLAN_EDIT)
def stop_plan(ctx: Context, *, plan_id: int) -> Plan:
    """End a plan; work that nobody has started is cancelled, work under way goes on."""
    work = begin_round(ctx, [plan_id])
    plan = _active(work)
    plan.is_active = False
    end_open(work, plan, "stopped")
    return plan


def _active(work: Round) -> Plan:
    if not work.plans:
        raise NotFound(_l("There is no such plan. Look for it in the list of plans."))
    if not work.plans[0].is_active:
        raise Conflict(_l("This plan has already been stopped."))
    return work.plans[0]
