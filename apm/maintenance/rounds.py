"""What one transaction of the due engine knows, read in a few statements for many plans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload

from apm.accounts.queries import hospital_day, zone_of
from apm.core.command import Context
from apm.maintenance.holds import Hold
from apm.maintenance.model import Occurrence, OccurrenceState, Plan
from apm.maintenance.workdays import Workdays, workdays_in
from apm.procedures.catalogue import Template
from apm.procedures.shelf import template_for, templates_for
from apm.work.model import WorkOrder
from apm.work.opening import NewWork, Opening
from apm.work.states import OPEN_WORK, WorkState, WorkType

FRESH = {"populate_existing": True}
STANDING = OPEN_WORK - {WorkState.DONE}
"""States of work that somebody still has to do."""


@dataclass(slots=True)
class Round:
    """The plans of one transaction, locked, with what is open of them and on their assets."""

    ctx: Context
    today: date
    workdays: Workdays
    plans: list[Plan] = field(default_factory=list)
    open: dict[int, Occurrence] = field(default_factory=dict)
    """The newest open occurrence by plan."""
    orders: dict[int, WorkOrder] = field(default_factory=dict)
    on_asset: dict[int, list[WorkOrder]] = field(default_factory=lambda: defaultdict(list))
    """Preventive work that still has to be done, by asset."""

    back: dict[int, Hold] = field(default_factory=dict)
    """The hold that has ended, by plan, where equipment has just come back."""
    templates: dict[str, Template] = field(default_factory=dict)
    opening: Opening | None = None
    """The orders made in this round; None while there are none."""

    def open_order(self, wanted: NewWork, chosen: Template) -> WorkOrder:
        """Return a new order; its checklist is written at the end of the round."""
        if self.opening is None:
            self.opening = Opening(self.ctx)
        order = self.opening.add(wanted, chosen)
        self.orders[order.id] = order
        self.on_asset[order.asset_id or 0].append(order)
        return order

    def end(self) -> None:
        """Write what was left for the end."""
        if self.opening is not None:
            self.opening.write_checklists()

    def template(self, code: str) -> Template:
        """Return what work by this code is done by, or raise `NotFound`."""
        if code not in self.templates:
            self.templates = {**templates_for(self.ctx), **self.templates}
        if code not in self.templates:  # a retired one: what is planned by it goes on
            self.templates[code] = template_for(self.ctx, code)
        return self.templates[code]

    def order_of(self, occurrence: Occurrence) -> WorkOrder | None:
        """Return the work order of an occurrence."""
        return self.orders.get(occurrence.work_order_id or 0)

    def sharing(self, order: WorkOrder) -> list[Occurrence]:
        """Return all open occurrences that a work order will tick, their plans loaded."""
        query = (
            select(Occurrence)
            .where(Occurrence.work_order_id == order.id, Occurrence.state == OccurrenceState.OPEN)
            .options(selectinload(Occurrence.plan).selectinload(Plan.triggers))
        )
        return list(self.ctx.session.scalars(query))


def begin_round(ctx: Context, plan_ids: Collection[int]) -> Round:
    """Lock these plans and read what belongs to them; called inside a command."""
    zone = zone_of(ctx)
    work = Round(ctx, hospital_day(ctx), workdays_in(zone))
    query = (
        select(Plan)
        .where(Plan.id.in_(plan_ids))
        .options(selectinload(Plan.asset), selectinload(Plan.triggers))
        .order_by(Plan.id)
        .with_for_update(of=Plan)
        .execution_options(**FRESH)
    )
    work.plans = list(ctx.session.scalars(query))
    _read_open(work, [plan.id for plan in work.plans])
    _read_orders(work, {plan.asset_id for plan in work.plans})
    return work


def _read_open(work: Round, plan_ids: Iterable[int]) -> None:
    query = (
        select(Occurrence)
        .where(Occurrence.plan_id.in_(plan_ids), Occurrence.state == OccurrenceState.OPEN)
        .order_by(Occurrence.seq)
        .execution_options(**FRESH)
    )
    work.open = {found.plan_id: found for found in work.ctx.session.scalars(query)}


def _read_orders(work: Round, assets: Collection[int]) -> None:
    own = [found.work_order_id for found in work.open.values() if found.work_order_id]
    preventive = (
        WorkOrder.asset_id.in_(assets)
        & WorkOrder.state.in_(STANDING)
        & (WorkOrder.type == WorkType.PREVENTIVE)
    )
    query = (
        select(WorkOrder)
        .where(or_(preventive, WorkOrder.id.in_(own)))
        .order_by(WorkOrder.id)
        .execution_options(**FRESH)
    )
    for order in work.ctx.session.scalars(query):
        work.orders[order.id] = order
        if order.type is WorkType.PREVENTIVE and order.state in STANDING and order.asset_id:
            work.on_asset[order.asset_id].append(order)
