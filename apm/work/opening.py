"""How a work order comes to be.  Inside another command; `commands.open_work` is the way in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select

from apm.assets.model import Asset, Location, Risk
from apm.core.command import Context
from apm.procedures.catalogue import Template
from apm.procedures.shelf import template_for
from apm.procedures.snapshot import steps_for
from apm.work.assigning import team_of
from apm.work.clocks import start_clocks
from apm.work.events import WorkOrderOpened
from apm.work.model import WorkOrder, WorkStep
from apm.work.numbers import locked_counter, next_number
from apm.work.states import OPEN_WORK, Priority, WorkState, WorkType


@dataclass(frozen=True, slots=True)
class NewWork:
    """What a work order is opened with; see `commands.open_work`."""

    type: WorkType
    title: str
    asset: Asset | None = None
    location: Location | None = None
    title_zh: str | None = None
    priority: Priority = Priority.NORMAL
    origin: str | None = None
    evidence: dict[str, Any] | None = None
    template_code: str | None = None
    due_on: date | None = None
    late_after: date | None = None
    reported_at: datetime | None = None
    """When the fault was reported; a repair's clocks begin then, else when it is opened."""

    @property
    def place(self) -> tuple[int | None, int | None]:
        """The ids of the asset and of the location, of which one is given."""
        return (self.asset.id if self.asset else None, self.location.id if self.location else None)


def make_order(ctx: Context, work: NewWork) -> WorkOrder:
    """Return the order for `work`: a new one, the one its origin opened, or one it joins."""
    locked_counter(ctx, "WO")  # two detectors at once: the second waits, then finds the first's
    if found := _already_there(ctx, work):
        return found
    if work.type is WorkType.PREDICTIVE and (open_one := _open_predictive(ctx, work)):
        return _join(open_one, work)
    chosen = template_for(ctx, work.template_code) if work.template_code else None
    asset_id, location_id = work.place
    order = WorkOrder(
        no=next_number(ctx, "WO"),
        type=work.type,
        origin=work.origin,
        asset_id=asset_id,
        location_id=location_id,
        title=work.title,
        title_zh=work.title_zh,
        state=WorkState.PLANNED,
        priority=work.priority,
        high_risk=work.asset is not None and work.asset.risk is Risk.HIGH,
        template_code=chosen.code if chosen else None,
        template_version=chosen.version if chosen else None,
        due_on=work.due_on,
        late_after=work.late_after,
        created_at=ctx.now(),
        evidence=work.evidence,
        team_id=team_of(ctx, work.asset, work.location),
    )
    if work.type is WorkType.CORRECTIVE:
        start_clocks(ctx, order, work.reported_at or ctx.now())
    ctx.session.add(order)
    ctx.session.flush()  # the steps and the event need its id
    if chosen:
        _copy_steps(ctx, order, chosen)
    ctx.emit(
        WorkOrderOpened(
            order.id, order.no, order.type, order.priority, order.origin, order.asset_id
        )
    )
    return order


def _already_there(ctx: Context, work: NewWork) -> WorkOrder | None:
    """Return the order this origin opened, or joined, before."""
    if work.origin is None:
        return None
    if found := _one(ctx, select(WorkOrder).where(WorkOrder.origin == work.origin)):
        return found
    if work.type is not WorkType.PREDICTIVE:
        return None
    fresh = _predictive(work).execution_options(populate_existing=True)
    for order in ctx.session.scalars(fresh):
        also = (order.evidence or {}).get("also", ())
        if any(other.get("origin") == work.origin for other in also):
            return order
    return None


def _open_predictive(ctx: Context, work: NewWork) -> WorkOrder | None:
    is_open = WorkOrder.state.in_(OPEN_WORK - {WorkState.DONE})
    return _one(ctx, _predictive(work).where(is_open).order_by(WorkOrder.id))


def _predictive(work: NewWork) -> Select[WorkOrder]:
    asset_id, location_id = work.place
    return select(WorkOrder).where(
        WorkOrder.type == WorkType.PREDICTIVE,
        WorkOrder.asset_id == asset_id,
        WorkOrder.location_id == location_id,
    )


def _one(ctx: Context, query: Select[WorkOrder]) -> WorkOrder | None:
    return ctx.session.scalar(query.limit(1).execution_options(populate_existing=True))


def _join(order: WorkOrder, work: NewWork) -> WorkOrder:
    known = order.evidence or {}
    also = [*known.get("also", ()), {**(work.evidence or {}), "origin": work.origin}]
    order.evidence = {**known, "also": also}
    return order


def _copy_steps(ctx: Context, order: WorkOrder, chosen: Template) -> None:
    for fields in steps_for(chosen):
        step = WorkStep(work_order_id=order.id, **asdict(fields))
        if fields.tolerance and fields.tolerance["type"] == "baseline_drift":
            step.reference = _baseline(ctx, order, step.key)
        ctx.session.add(step)
    ctx.session.flush()


def _baseline(ctx: Context, order: WorkOrder, key: str) -> float | None:
    """Return what this step measured the first time on this asset: drift is counted from there."""
    query = (
        select(WorkStep.value)
        .join(WorkOrder)
        .where(WorkOrder.asset_id == order.asset_id, WorkOrder.state == WorkState.CLOSED)
        .where(WorkStep.key == key, WorkStep.value.is_not(None))
        .order_by(WorkStep.id)
    )
    return ctx.session.scalar(query.limit(1))
