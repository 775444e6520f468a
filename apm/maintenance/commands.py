"""What people do with plans."""

from __future__ import annotations

from apm.assets.model import GONE
from apm.assets.queries import asset_by_code
from apm.core.command import Context, command
from apm.core.errors import Conflict, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.maintenance.generation import excuse_unstarted
from apm.maintenance.model import Plan
from apm.maintenance.queries import plan_for_writing, plan_of, today_of
from apm.maintenance.rhythm import Rhythm
from apm.procedures.catalogue import template as template_of


@command("plan.add", Permission.PLAN_EDIT)
def add_plan(ctx: Context, *, asset: str, template: str, rhythm: Rhythm) -> Plan:
    """Plan maintenance of the asset with this code by this template, again and again.

    A plan that was stopped begins again with the new rhythm; its history stays.

    Raises:
        NotFound: no such asset, or no such template.
        Invalid: the rhythm does not work.
        Conflict: the asset is retired, or already has a plan for this template.
    """
    rhythm.check()
    chosen = template_of(template)
    thing = asset_by_code(ctx, asset)
    if thing.lifecycle in GONE:
        raise Conflict(_l("This asset is retired. It needs no maintenance plan."))
    plan = plan_of(ctx, thing, chosen.code)
    if plan is not None and plan.is_active:
        raise Conflict(
            _l("This asset already has a plan for this template. Stop that plan first."),
            code="plan_exists",
        )
    first_due = rhythm.first_due(today_of(ctx))
    if plan is None:
        plan = Plan(asset_id=thing.id, template_code=chosen.code, next_seq=1)
        ctx.session.add(plan)
    plan.mode = rhythm.mode
    plan.interval_months = rhythm.interval_months
    plan.anchor = rhythm.anchor
    plan.early_days, plan.grace_days = rhythm.early_days, rhythm.grace_days
    plan.is_active = True
    plan.next_due = first_due
    plan.held_why = plan.held_since = plan.problem = None
    plan.asset = thing
    ctx.session.flush()
    return plan


@command("plan.stop", Permission.PLAN_EDIT)
def stop_plan(ctx: Context, *, plan_id: int) -> Plan:
    """End a plan; work that nobody has started is cancelled, work under way goes on."""
    plan = plan_for_writing(ctx, plan_id)
    if plan is None:
        raise NotFound(_l("There is no such plan. Look for it in the list of plans."))
    if not plan.is_active:
        raise Conflict(_l("This plan has already been stopped."))
    plan.is_active = False
    excuse_unstarted(ctx, plan, "stopped")
    return plan
