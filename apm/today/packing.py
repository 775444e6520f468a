"""What to take along: test equipment, instruments and parts for the work of one day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from apm.accounts.queries import hospital_day, zone_of
from apm.core.command import Context
from apm.maintenance.workdays import workdays_in
from apm.metrology.instruments import was_calibrated
from apm.metrology.model import Instrument, InstrumentUse
from apm.parts.model import Lot, Part, Reservation, Stock
from apm.parts.queries import first_expiring, is_usable
from apm.procedures.catalogue import Template
from apm.procedures.model import StepKind
from apm.procedures.shelf import templates_for
from apm.work.lifecycle import HELD
from apm.work.model import WorkOrder
from apm.work.queries import with_place
from apm.work.states import WorkState

MOST = 100
"""Orders looked at: nobody does more in a day."""
FINISHED = (WorkState.DONE, WorkState.CLOSED)


@dataclass(frozen=True, slots=True)
class Tool:
    """An instrument as it was used the last time, and whether its calibration holds that day."""

    instrument: Instrument
    holds: bool


@dataclass(slots=True)
class Kit:
    """What one template asks for."""

    template: Template
    orders: list[WorkOrder] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    last_no: str | None = None
    """The work order the tools were named on; None: nobody has named any yet."""

    @property
    def is_measured(self) -> bool:
        """Whether there is anything to measure."""
        return any(step.kind is StepKind.MEASURE for step in self.template.steps)


@dataclass(frozen=True, slots=True)
class Portion:
    """A part that is promised to the work: how much, and where it lies; in thousandths."""

    part: Part
    quantity: int
    orders: list[WorkOrder]
    places: list[Stock]

    @property
    def missing(self) -> int:
        """How much of it may not be taken from anywhere."""
        return max(0, self.quantity - sum(stock.on_hand_milli for stock in self.places))


@dataclass(frozen=True, slots=True)
class Packing:
    """All of one day."""

    day: date
    orders: list[WorkOrder]
    kits: list[Kit]
    portions: list[Portion]


def next_workday(ctx: Context) -> date:
    """Return the next day that people work at the hospital."""
    day, worked = hospital_day(ctx), workdays_in(zone_of(ctx))
    return next(d for k in range(1, 31) if worked.is_workday(d := day + timedelta(days=k)))


def packing_for(ctx: Context, day: date) -> Packing:
    """Return what the actor's open work that is due by `day` needs, overdue work included."""
    orders = _orders(ctx, day)
    return Packing(day, orders, _kits(ctx, orders, day), _portions(ctx, orders))


def _orders(ctx: Context, day: date) -> list[WorkOrder]:
    query = (
        with_place(select(WorkOrder))
        .where(
            WorkOrder.assignee_id == (ctx.actor.user_id or 0),
            WorkOrder.state.in_(HELD),
            or_(WorkOrder.due_on.is_(None), WorkOrder.due_on <= day),
        )
        .order_by(WorkOrder.due_on.asc().nulls_last(), WorkOrder.id)
        .limit(MOST)
    )
    return list(ctx.session.scalars(query))


def _kits(ctx: Context, orders: list[WorkOrder], day: date) -> list[Kit]:
    shelf = templates_for(ctx)
    kits: dict[str, Kit] = {}
    for order in orders:
        template = shelf.get(order.template_code or "")
        if template is not None:
            kits.setdefault(template.code, Kit(template)).orders.append(order)
    for use in _last_uses(ctx, list(kits)):
        kit = kits[use.work_order.template_code or ""]
        kit.last_no = use.work_order.no
        known = {tool.instrument.id for tool in kit.tools}
        if use.instrument.is_active and use.instrument_id not in known:
            holds = was_calibrated(use.instrument.certificates, day)
            kit.tools.append(Tool(use.instrument, holds))
    return list(kits.values())


def _last_uses(ctx: Context, codes: list[str]) -> list[InstrumentUse]:
    """Return what the last finished order of each template was measured with."""
    last = (
        select(func.max(WorkOrder.id))
        .join(InstrumentUse, InstrumentUse.work_order_id == WorkOrder.id)
        .where(WorkOrder.template_code.in_(codes), WorkOrder.state.in_(FINISHED))
        .group_by(WorkOrder.template_code)
    )
    query = (
        select(InstrumentUse)
        .where(InstrumentUse.work_order_id.in_(last))
        .options(
            joinedload(InstrumentUse.work_order),
            joinedload(InstrumentUse.instrument).selectinload(Instrument.certificates),
        )
        .order_by(InstrumentUse.id)
    )
    return list(ctx.session.scalars(query))


def _portions(ctx: Context, orders: list[WorkOrder]) -> list[Portion]:
    mine = {order.id: order for order in orders}
    query = (
        select(Reservation)
        .where(Reservation.work_order_id.in_(mine), Reservation.left_milli > 0)
        .options(selectinload(Reservation.part))
        .order_by(Reservation.part_id, Reservation.id)
    )
    promised: dict[int, list[Reservation]] = defaultdict(list)
    for one in ctx.session.scalars(query):
        promised[one.part_id].append(one)
    places = _places(ctx, list(promised))
    return [
        Portion(
            part=each[0].part,
            quantity=sum(one.left_milli for one in each),
            orders=[mine[one.work_order_id] for one in each],
            places=places[part_id],
        )
        for part_id, each in promised.items()
    ]


def _places(ctx: Context, part_ids: list[int]) -> dict[int, list[Stock]]:
    query = (
        select(Stock)
        .join(Stock.lot)
        .where(Stock.part_id.in_(part_ids), Stock.on_hand_milli > 0)
        .where(is_usable(hospital_day(ctx)))
        .options(joinedload(Stock.lot).joinedload(Lot.part), joinedload(Stock.store))
        .order_by(*first_expiring())
    )
    found: dict[int, list[Stock]] = defaultdict(list)
    for stock in ctx.session.scalars(query):
        found[stock.part_id].append(stock)
    return found
