"""How a work order comes to be.  Inside another command; `commands.open_work` is the way in."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select

from apm.assets.model import Asset, Location, Risk
from apm.core.command import Context
from apm.procedures.catalogue import Template
from apm.procedures.shelf import template_for
from apm.procedures.snapshot import StepFields, steps_for
from apm.teams.model import Team
from apm.teams.queries import teams
from apm.work.assigning import team_of
from apm.work.clocks import start_clocks
from apm.work.events import WorkOrderOpened
from apm.work.model import Counter, WorkOrder, WorkStep
from apm.work.numbers import locked_counter, number_of
from apm.work.states import OPEN_WORK, Priority, WorkState, WorkType

COPIED = tuple(each.name for each in fields(StepFields))


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
    opening = Opening(ctx)  # two detectors at once: the second waits, then finds the first's
    if found := _already_there(ctx, work):
        return found
    if work.type is WorkType.PREDICTIVE and (open_one := _open_predictive(ctx, work)):
        return _join(open_one, work)
    order = opening.add(
        work, template_for(ctx, work.template_code) if work.template_code else None
    )
    opening.write_checklists()
    return order


@dataclass(slots=True)
class Opening:
    """Many new orders of one command: the counter is locked and the teams are read once.

    Whoever adds orders must call `write_checklists` before the command ends, and answers for it
    that none of them was there before.
    """

    ctx: Context
    counter: Counter = field(init=False)
    _teams: list[Team] = field(init=False)
    _checklists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _bare: list[tuple[WorkOrder, Template]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counter = locked_counter(self.ctx, "WO")
        self._teams = teams(self.ctx, only_active=True)

    def add(self, work: NewWork, chosen: Template | None) -> WorkOrder:
        """Return a new order, with its id; its checklist follows."""
        asset_id, location_id = work.place
        self.counter.last += 1
        order = WorkOrder(
            no=number_of(self.counter),
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
            created_at=self.ctx.now(),
            evidence=work.evidence,
            team_id=team_of(self._teams, work.asset, work.location),
        )
        if work.type is WorkType.CORRECTIVE:
            start_clocks(self.ctx, order, work.reported_at or self.ctx.now())
        self.ctx.session.add(order)
        self.ctx.session.flush()  # the steps and the event need its id
        if chosen:
            self._bare.append((order, chosen))
        self.ctx.emit(
            WorkOrderOpened(
                order.id, order.no, order.type, order.priority, order.origin, order.asset_id
            )
        )
        return order

    def write_checklists(self) -> None:
        """Give each new order the steps of its template."""
        steps = [
            WorkStep(work_order_id=order.id, **values)
            for order, chosen in self._bare
            for values in self._values(chosen)
        ]
        drifting = [s for s in steps if s.tolerance and s.tolerance["type"] == "baseline_drift"]
        if drifting:
            asset_ids = {order.id: order.asset_id for order, _chosen in self._bare}
            _set_baselines(self.ctx, drifting, asset_ids)
        self.ctx.session.add_all(steps)
        self.ctx.session.flush()
        self._bare.clear()

    def _values(self, chosen: Template) -> list[dict[str, Any]]:
        if chosen.code not in self._checklists:
            known = [{name: getattr(step, name) for name in COPIED} for step in steps_for(chosen)]
            self._checklists[chosen.code] = [  # what is not set costs nothing to store
                {name: value for name, value in step.items() if value is not None}
                for step in known
            ]
        return self._checklists[chosen.code]


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


def _set_baselines(ctx: Context, steps: list[WorkStep], asset_ids: dict[int, int | None]) -> None:
    """Give each step what it measured the first time on its asset: drift is counted from there."""
    query = (
        select(WorkOrder.asset_id, WorkStep.key, WorkStep.value)
        .join(WorkOrder)
        .where(WorkOrder.asset_id.in_(set(asset_ids.values())))
        .where(WorkOrder.state == WorkState.CLOSED)
        .where(WorkStep.key.in_({step.key for step in steps}), WorkStep.value.is_not(None))
        .order_by(WorkStep.id.desc())
    )
    first = {(asset_id, key): value for asset_id, key, value in ctx.session.execute(query)}
    for step in steps:
        step.reference = first.get((asset_ids[step.work_order_id], step.key))
