"""Taking back a work order that nobody has started."""

from __future__ import annotations

from apm.core.command import Context
from apm.core.i18n import _l
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.states import WorkState

UNSTARTED = frozenset({WorkState.PLANNED, WorkState.ASSIGNED})
_REASONS: dict[str, object] = {
    "superseded": _l("The next maintenance came due before this one was started."),
    "held": _l("The equipment was not in use when this was due."),
    "retired": _l("The equipment was retired."),
    "stopped": _l("The maintenance plan was stopped."),
}


def withdraw(ctx: Context, order: WorkOrder, outcome: str) -> None:
    """Cancel `order` for what became of its occurrence; called inside a command."""
    move_work(ctx, no=order.no, action="cancel", facts=Facts(reason=str(_REASONS[outcome])))
