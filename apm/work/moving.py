"""Moving a work order along: who does it, whether it waits, whether it is done after all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from apm.accounts.queries import colleague, hospital_day, roles_in
from apm.assets.commands import mark_under_repair, return_to_service, set_availability
from apm.assets.model import Availability
from apm.core.command import Context, command
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.permissions import ROLES, Permission
from apm.core.registry import Hooks
from apm.work.assigning import fit_assignee
from apm.work.clocks import change_priority, note_step, wind
from apm.work.events import WorkOrderMoved
from apm.work.lifecycle import NEEDS_REASON, WORK
from apm.work.loading import order_to_change
from apm.work.model import WorkOrder
from apm.work.states import Priority, WorkType

Moved = Callable[[Context, WorkOrder, str], None]
_TOLD: Hooks[Moved] = Hooks("those told of moved work")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said with a step: why, until when, who."""

    reason: str | None = None
    expected_on: date | None = None
    assignee_id: int | None = None
    priority: Priority | None = None
    is_confirmed: bool = False
    """Somebody without the competence is meant all the same."""
    at: datetime | None = None
    """When it was done, if it is told only now: a phone had no network."""


@command("work_order.move", Permission.WORK_READ)
def move_work(
    ctx: Context,
    *,
    no: str,
    action: str,
    facts: Facts | None = None,
    version: int | None = None,
) -> WorkOrder:
    """Take any step of a work order that needs no signature; see `lifecycle.WORK`.

    Raises:
        NotFound: no such order here.
        Conflict: not possible in this state, or changed since `version`.
        NotAllowed: somebody else's step.
        Invalid: a reason or a person is missing.
    """
    order = order_to_change(ctx, no, version)
    return take_step(ctx, order, action, facts or Facts())


def take_step(ctx: Context, order: WorkOrder, action: str, said: Facts) -> WorkOrder:
    """Take a step inside a command that has taken hold of the order; errors as `move_work`."""
    step = WORK.take(action, order.state, ctx.actor, order)
    _need_reason(action, said)
    _need_a_day_to_come(ctx, said)
    with ctx.writing(f"work_order.{action}"):
        if effect := _EFFECTS.get(action):
            effect(ctx, order, said)
        note_step(ctx, order, action)
        if action in ASIDE:
            order.note = said.reason
        else:
            order.reason, order.expected_on = said.reason, said.expected_on
        order.state = step.target
    announce(ctx, order, action)
    return order


def _need_reason(action: str, said: Facts) -> None:
    if action in NEEDS_REASON and not (said.reason or "").strip():
        message = _l("Say why, so that others understand.")
        raise Invalid(message, fields={"reason": [message]})


def _need_a_day_to_come(ctx: Context, said: Facts) -> None:
    if said.expected_on and said.expected_on < hospital_day(ctx):
        message = _l("This day is over. Give today or a later one.")
        raise Invalid(message, fields={"expected_on": [message]})


def _assign(ctx: Context, order: WorkOrder, said: Facts) -> None:
    role = roles_in(ctx, said.assignee_id) if said.assignee_id else None
    if said.assignee_id is None or role is None or Permission.WORK_DO not in ROLES[role]:
        message = _l("Choose a technician or an engineer of your hospital.")
        raise Invalid(message, fields={"assignee": [message]})
    _give_to(ctx, order, said.assignee_id, said)


def _take(ctx: Context, order: WorkOrder, said: Facts) -> None:
    _give_to(ctx, order, ctx.actor.user_id or 0, said)


def _hand_over(ctx: Context, order: WorkOrder, said: Facts) -> None:
    if said.assignee_id == order.assignee_id:
        message = _l("It is this person's already. Choose somebody else.")
        raise Invalid(message, fields={"assignee": [message]})
    _assign(ctx, order, said)


def _give_to(ctx: Context, order: WorkOrder, user_id: int, said: Facts) -> None:
    # Everything is read before anything is written: the step leaves one line in the trail.
    name = colleague(ctx, user_id).name
    why = fit_assignee(ctx, order, user_id, is_confirmed=said.is_confirmed, reason=said.reason)
    order.assignee_id, order.assignee_name = user_id, name
    order.assigned_at, order.assigned_why = ctx.now(), dict(why)


def _give_back(_ctx: Context, order: WorkOrder, _said: Facts) -> None:
    order.assignee_id = order.assignee_name = order.assigned_at = order.assigned_why = None


def _prioritise(ctx: Context, order: WorkOrder, said: Facts) -> None:
    if said.priority is None or said.priority is order.priority:
        message = _l("Choose another priority.")
        raise Invalid(message, fields={"priority": [message]})
    change_priority(ctx, order, said.priority)


def _start(ctx: Context, order: WorkOrder, said: Facts) -> None:
    told = max(said.at or ctx.now(), order.assigned_at or order.created_at)
    order.started_at = order.started_at or told
    take_out_of_use(ctx, order)


def _return(ctx: Context, order: WorkOrder, _said: Facts) -> None:
    order.done_at = order.done_by = order.performed_by = None
    take_out_of_use(ctx, order)


def _cancel(ctx: Context, order: WorkOrder, _said: Facts) -> None:
    """Nothing was repaired: the asset leaves the workshop, but stays out of use."""
    if order.asset and order.down_from and order.down_until is None:
        put_back_in_use(ctx, order)
        set_availability(order.asset, Availability.DOWN)


_EFFECTS: dict[str, Callable[[Context, WorkOrder, Facts], None]] = {
    "assign": _assign,
    "take": _take,
    "give_back": _give_back,
    "start": _start,
    "return": _return,
    "cancel": _cancel,
    "hand_over": _hand_over,
    "prioritise": _prioritise,
}
ASIDE = frozenset({"hand_over", "prioritise"})
"""Steps that leave the order where it stands, and why it waits."""


def take_out_of_use(ctx: Context, order: WorkOrder) -> None:
    """While a repair goes on, its asset is under repair, and the time counts as downtime."""
    if order.type is WorkType.CORRECTIVE and order.asset:
        mark_under_repair(ctx, order.asset)
        order.down_from = order.down_from or ctx.now()
        order.down_until = None


def put_back_in_use(ctx: Context, order: WorkOrder) -> None:
    """End the downtime of a repair; the asset returns unless another repair still holds it."""
    if order.down_from is None or order.down_until is not None:
        return
    order.down_until = order.usable_again_at or ctx.now()
    others = select(WorkOrder.id).where(
        WorkOrder.asset_id == order.asset_id,
        WorkOrder.id != order.id,
        WorkOrder.down_from.is_not(None),
        WorkOrder.down_until.is_(None),
    )
    if order.asset and ctx.session.scalar(others.limit(1)) is None:
        return_to_service(ctx, order.asset)


def announce(ctx: Context, order: WorkOrder, action: str) -> None:
    """Tell the others, at once and through events."""
    wind(ctx, order)
    ctx.session.flush()
    ctx.emit(
        WorkOrderMoved(
            order.id, order.no, order.type, action, order.state, order.origin, order.assignee_id
        )
    )
    for tell in _TOLD:
        tell(ctx, order, action)


def when_moved(tell: Moved) -> Moved:
    """Register what a feature above has to say in the same command."""
    _TOLD.add(tell)
    return tell
