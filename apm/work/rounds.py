"""Rounds: the planned work of one template, place after place, and which of it is simple."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from apm.assets.model import Asset, Department, Location
from apm.core.codes import normal_code
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.natural import Key, natural
from apm.procedures.model import StepKind, Verdict
from apm.work.lifecycle import HELD, WAITING
from apm.work.loading import FRESH
from apm.work.model import WorkOrder, WorkStep
from apm.work.results import missing_steps, takes_reference
from apm.work.states import WorkState, WorkType

PLANNED_WORK = frozenset({WorkType.PREVENTIVE, WorkType.INSPECTION})
MOST = 60
"""Devices of one sheet; the next ones follow when these are signed."""
MOST_MEASURED = 5
"""Values to measure on a simple device; one with more is worth its own page."""
NOWHERE = 0
"""What the address of a sheet says for equipment of no department."""


@dataclass(slots=True)
class Stop:
    """One department of a round: the devices to be seen there by one template, room by room."""

    template: str
    department_id: int
    department: tuple[str, str | None] | None
    rooms: list[tuple[str | None, str | None, int]] = field(default_factory=list)
    """English and Chinese name, and how many devices; without a name: in no room."""
    first_due: date | None = None

    @property
    def n(self) -> int:
        """How many devices."""
        return sum(n for _name, _zh, n in self.rooms)


@dataclass(frozen=True, slots=True)
class Device:
    """One line of a sheet."""

    order: WorkOrder
    measured: list[WorkStep]
    """The values to be given with "pass"."""
    why_alone: object | None
    """Why it is done on its own page; None: it is simple."""

    @property
    def asset(self) -> Asset:
        """The device itself."""
        assert self.order.asset  # noqa: S101  (a round joins the register)
        return self.order.asset


def my_stops(ctx: Context) -> list[Stop]:
    """Return where the actor has planned work to do, in the order one walks."""
    return _stops(ctx, _mine(ctx))


def stops_to_approve(ctx: Context) -> list[Stop]:
    """Return where planned work is done and waits for approval, in the order one walks."""
    return _stops(ctx, WorkOrder.state == WorkState.DONE)


def _mine(ctx: Context) -> Any:
    return WorkOrder.state.in_(HELD) & (WorkOrder.assignee_id == (ctx.actor.user_id or 0))


def _stops(ctx: Context, wanted: Any) -> list[Stop]:
    names = (Department.name, Department.name_zh, Location.name, Location.name_zh)
    query = _planned(
        select(
            WorkOrder.template_code, Asset.department_id, *names, func.count(WorkOrder.id),
            func.min(WorkOrder.due_on),
        )
    ).where(wanted)  # fmt: skip
    query = query.group_by(WorkOrder.template_code, Asset.department_id, Location.id, *names)
    stops: dict[tuple[str, int], Stop] = {}
    for code, at, name, name_zh, room, room_zh, n, due in ctx.session.execute(
        query.order_by(WorkOrder.template_code)
    ):
        key = (code, at or NOWHERE)
        stop = stops.setdefault(key, Stop(*key, (name, name_zh) if name else None))
        stop.rooms.append((room, room_zh, n))
        stop.first_due = min(filter(None, (stop.first_due, due)), default=None)
    for stop in stops.values():
        stop.rooms.sort(key=lambda room: _by_name(room[0]))
    # One goes to the department, and there to the first room that has something.
    return sorted(
        stops.values(),
        key=lambda stop: (
            _by_name(stop.department and stop.department[0]), _by_name(stop.rooms[0][0]),
            stop.template,
        ),
    )  # fmt: skip


def _planned(query: Any) -> Any:
    """Return the query, of planned work on equipment alone."""
    return (
        query.select_from(WorkOrder)
        .join(Asset, WorkOrder.asset_id == Asset.id)
        .outerjoin(Department, Asset.department_id == Department.id)
        .outerjoin(Location, Asset.location_id == Location.id)
        .where(WorkOrder.type.in_(PLANNED_WORK), WorkOrder.template_code.is_not(None))
    )


def _by_name(name: str | None) -> tuple[bool, Key]:
    return name is None, natural(name or "")


def _in_walking_order(rows: Iterable[Any]) -> list[int]:
    """Return the ids of orders, department by department and room by room."""

    def key(row: Any) -> tuple[Any, ...]:
        return _by_name(row.department), _by_name(row.room), natural(row.number), row.id

    return [row.id for row in sorted(rows, key=key)]


def department_of_round(ctx: Context, department_id: int) -> Department | None:
    """Return the department of a sheet; None for equipment of none.

    Raises:
        NotFound: there is no such department here.
    """
    if department_id == NOWHERE:
        return None
    found = ctx.session.scalar(select(Department).where(Department.id == department_id))
    if found is None:
        raise NotFound(_l("There is no such department here. Choose one from the rounds."))
    return found


def sheet_of(ctx: Context, template: str, department_id: int) -> list[Device]:
    """Return the actor's devices of one template and department, room by room."""
    orders = _on_sheet(ctx, template, department_id, _mine(ctx))
    return [Device(order, to_measure(order), why_alone(order)) for order in orders]


def sheet_to_approve(ctx: Context, template: str, department_id: int) -> list[Device]:
    """Return the devices done by one template in a department, each with what was measured."""
    orders = _on_sheet(ctx, template, department_id, WorkOrder.state == WorkState.DONE)
    return [Device(order, _values(order), why_approved_alone(order)) for order in orders]


def _on_sheet(ctx: Context, template: str, department_id: int, wanted: Any) -> list[WorkOrder]:
    return _loaded(
        ctx,
        wanted,
        WorkOrder.template_code == template,
        Asset.department_id == department_id if department_id else Asset.department_id.is_(None),
    )


def chosen_orders(ctx: Context, nos: Iterable[str]) -> list[WorkOrder]:
    """Return the orders of these numbers, in the order one walks; unknown ones are left out."""
    return _loaded(ctx, WorkOrder.no.in_(list(nos)[:MOST]))


def _loaded(ctx: Context, *wanted: Any) -> list[WorkOrder]:
    """Return the first orders of planned work, in the order one walks."""
    names = Department.name.label("department"), Location.name.label("room"), Asset.number
    rows = ctx.session.execute(_planned(select(WorkOrder.id, *names)).where(*wanted))
    ids = _in_walking_order(rows)[:MOST]
    query = (
        select(WorkOrder)
        .where(WorkOrder.id.in_(ids))
        .options(
            joinedload(WorkOrder.asset).joinedload(Asset.department),
            joinedload(WorkOrder.asset).joinedload(Asset.location),
            selectinload(WorkOrder.steps),
            selectinload(WorkOrder.photos),
        )
    )
    found = {order.id: order for order in ctx.session.scalars(query.execution_options(**FRESH))}
    return [found[order_id] for order_id in ids]


def to_measure(order: WorkOrder) -> list[WorkStep]:
    """Return the mandatory values that nobody has given yet."""
    return [step for step in missing_steps(order) if step.kind is StepKind.MEASURE]


def _values(order: WorkOrder) -> list[WorkStep]:
    return [step for step in order.steps if step.kind is StepKind.MEASURE and step.verdict]


def why_alone(order: WorkOrder) -> Any:
    """Return why a device is done on its own page, and not on a sheet; None if it is simple."""
    shown = {photo.step_key for photo in order.photos}
    measured = to_measure(order)
    if order.state in WAITING:
        return _l("The work waits. Resume it on its own page.")
    if _has_failed(order):
        return _l("A step has failed already. Complete it on its own page, with a repair.")
    to_show = [s for s in order.steps if s.needs_photo and (s.mandatory or s.verdict)]
    if any(step.key not in shown for step in to_show):
        return _l("A step needs a photo. Take it on its own page.")
    if any(_needs_more(step) for step in measured):
        return _l("A value needs the maker's limit or a reading beside it. Use its own page.")
    if len(measured) > MOST_MEASURED:
        return _l(
            "%(n)s values are to be measured: too many for a sheet. Use its own page.",
            n=len(measured),
        )
    return None


def why_approved_alone(order: WorkOrder) -> Any:
    """Return why a record must be looked at by itself before it is approved; None if simple."""
    values = _values(order)
    if _has_failed(order):
        return _l("A step has failed. Look at the record, and approve it on its own page.")
    if len(values) > MOST_MEASURED:
        return _l(
            "%(n)s values were measured: look at them, and approve it on its own page.",
            n=len(values),
        )
    return None


def _has_failed(order: WorkOrder) -> bool:
    return any(step.verdict is Verdict.FAIL for step in order.steps)


def _needs_more(step: WorkStep) -> bool:
    return (step.tolerance or {}).get("type") == "manufacturer" or takes_reference(step)


def scanned(devices: Iterable[Device], text: str) -> Device | None:
    """Return the device of a sheet that a label or a typed number means."""
    said = text.strip().upper()
    for device in devices:
        asset = device.asset
        names = {asset.number.upper(), (asset.serial or "").upper()} - {""}
        if said in names or normal_code(said) == asset.code:
            return device
    return None
