"""Taking back a work order that nobody has started."""

from __future__ import annotations

from apm.core.command import Context
from apm.core.i18n import _l
from apm.tickets.events import WorkOrderMoved
from apm.tickets.lifecycle import WORK
from apm.tickets.model import WorkOrder
from apm.tickets.states import WorkState

UNSTARTED = frozenset({WorkState.PLANNED, WorkState.ASSIGNED})
_REASONS: dict[str, object] = {
    "superseded": _l("The next maintenance came due before this one was started."),
    "held": _l("The equipment was not in use when this was due."),
    "retired": _l("The equipment was retired."),
    "stopped": _l("The maintenance plan was stopped."),
}


def withdraw(ctx: Context, order: WorkOrder, outcome: str) -> None:
    """Cancel `order` for what became of its occurrence; called inside a command."""
    step = WORK.take("cancel", order.state, ctx.actor, order)
    order.state = step.target
    order.reason = str(_REASONS[outcome])
    ctx.session.flush()
    ctx.emit(
        WorkOrderMoved(
            order.id, order.no, order.type, step.action, order.state, order.origin,
            order.assignee_id,
        )
    )  # fmt: skip
