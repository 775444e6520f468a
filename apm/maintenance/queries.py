"""Reading plans and occurrences."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import String, and_, cast, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from apm.assets.model import GONE, Asset, AssetState
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.maintenance.due import LONGEST_EARLY_DAYS
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanTrigger, TriggerKind

HELD = frozenset(AssetState) - {AssetState.IN_SERVICE} - GONE
"""Assets that nobody uses now: their maintenance waits until they are to be used again."""


def plan_by_id(ctx: Context, plan_id: int) -> Plan:
    """Return a plan with its asset, or raise `NotFound`."""
    query = select(Plan).where(Plan.id == plan_id).options(joinedload(Plan.asset))
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such plan. Look for it in the list of plans."))
    return found


def plan_for_writing(ctx: Context, plan_id: int) -> Plan | None:
    """Return a plan with its asset, fresh and locked until the command ends."""
    query = (
        select(Plan)
        .where(Plan.id == plan_id)
        .options(selectinload(Plan.asset))
        .with_for_update(of=Plan)
        .execution_options(populate_existing=True)
    )
    return ctx.session.scalar(query)


def plan_of(ctx: Context, asset: Asset, template_code: str) -> Plan | None:
    """Return the plan of an asset for a template, stopped or not."""
    query = (
        select(Plan)
        .where(Plan.asset_id == asset.id, Plan.template_code == template_code)
        .options(selectinload(Plan.triggers))
    )
    return ctx.session.scalar(query)


def plans_to_look_at(ctx: Context, today: date) -> list[int]:
    """Return the ids of the plans for which there may be something to do, oldest due first.

    Left out are those whose window is not open yet, and those already noted as held for the state
    their asset is still in: an hourly run must not lock thousands of plans to find nothing.
    """
    soon = Plan.next_due <= today + timedelta(days=LONGEST_EARLY_DAYS)
    gone = Asset.lifecycle.in_(GONE)
    newly_held = and_(
        Asset.lifecycle.in_(HELD),
        or_(Plan.held_why.is_(None), Plan.held_why != cast(Asset.lifecycle, String)),
    )
    released = Plan.held_why.is_not(None)
    usable = and_(Asset.lifecycle == AssetState.IN_SERVICE, or_(soon, released))
    maybe_closed = and_(Asset.lifecycle == AssetState.IN_SERVICE, Plan.held_why.is_(None))
    query = (
        select(Plan.id, Plan.next_due, Plan.early_days, maybe_closed.label("by_date"))
        .join(Asset, Asset.id == Plan.asset_id)
        .where(Plan.is_active, or_(gone, newly_held, usable))
        .order_by(Plan.next_due, Plan.id)
    )
    # Each plan has its own early days, and databases disagree on how to subtract them.
    found = dict.fromkeys(
        row.id
        for row in ctx.session.execute(query)
        if not row.by_date or row.next_due - timedelta(days=row.early_days) <= today
    )
    return list(found | dict.fromkeys(plans_triggered(ctx, today)))


def plans_triggered(ctx: Context, today: date) -> list[int]:
    """Return the ids of the plans that a trigger nobody has answered yet asks work for."""
    query = (
        select(Plan.id, Plan.early_days, PlanTrigger.kind, PlanTrigger.due_on)
        .join(PlanTrigger, PlanTrigger.plan_id == Plan.id)
        .join(Asset, Asset.id == Plan.asset_id)
        .where(
            Plan.is_active,
            Asset.lifecycle == AssetState.IN_SERVICE,
            PlanTrigger.fired_seq.is_(None),
            PlanTrigger.due_on.is_not(None),
        )
        .order_by(PlanTrigger.due_on, Plan.id)
    )
    return [
        row.id
        for row in ctx.session.execute(query)
        if row.kind is not TriggerKind.METER
        or row.due_on - timedelta(days=row.early_days) <= today
    ]


def last_done(ctx: Context, plans: list[Plan]) -> dict[int, date]:
    """Return the day each of these plans was last done, by plan id."""
    query = (
        select(Occurrence.plan_id, func.max(Occurrence.done_on).label("day"))
        .where(
            Occurrence.plan_id.in_([plan.id for plan in plans]),
            Occurrence.state == OccurrenceState.DONE,
            Occurrence.done_on.is_not(None),
        )
        .group_by(Occurrence.plan_id)
    )
    return {row.plan_id: row.day for row in ctx.session.execute(query)}


def last_settled_due(ctx: Context, plan: Plan) -> date | None:
    """Return the latest due date of a plan that is on record, open ones included."""
    query = select(func.max(Occurrence.due)).where(
        Occurrence.plan_id == plan.id, Occurrence.is_extra.is_(False)
    )
    return ctx.session.scalar(query)
