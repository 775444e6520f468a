"""Giving an occurrence up, and taking back a work order that nobody has started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apm.core.command import Context
from apm.core.i18n import _l
from apm.maintenance.holds import is_within_its_days, unmark
from apm.maintenance.model import Occurrence, OccurrenceState
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.states import WorkState

if TYPE_CHECKING:
    from apm.maintenance.rounds import Round

UNSTARTED = frozenset({WorkState.PLANNED, WorkState.ASSIGNED})
_REASONS: dict[str, object] = {
    "superseded": _l("The next maintenance came due before this one was started."),
    "held": _l("The equipment was not in use when this was due."),
    "in_use": _l("The equipment was in use and could not be maintained."),
    "not_located": _l("The equipment could not be found."),
    "retired": _l("The equipment was retired."),
    "stopped": _l("The maintenance plan was stopped."),
    "absorbed": _l("A larger maintenance of the same equipment does this as well."),
    "joined": _l("It is done together with the work that was returned."),
}
_STATES = {
    "superseded": OccurrenceState.MISSED,
    "held": OccurrenceState.EXCUSED,
    "in_use": OccurrenceState.EXCUSED,
    "not_located": OccurrenceState.EXCUSED,
    "retired": OccurrenceState.CANCELLED,
    "stopped": OccurrenceState.CANCELLED,
}


def withdraw(ctx: Context, order: WorkOrder, outcome: str) -> None:
    """Cancel `order` for what became of its occurrence; called inside a command."""
    move_work(ctx, no=order.no, action="cancel", facts=Facts(reason=str(_REASONS[outcome])))


def give_up(work: Round, occurrence: Occurrence, outcome: str) -> None:
    """Close an occurrence that is not done; its order goes too unless it ticks others as well.

    What was held, and is still in its days before use when the next date comes, is no miss.
    """
    if outcome == "superseded" and is_within_its_days(occurrence, work.today):
        outcome = "held"
        unmark(occurrence)
    occurrence.state, occurrence.outcome = _STATES[outcome], outcome
    order = work.order_of(occurrence)
    if order is None or order.state not in UNSTARTED:
        return
    work.ctx.session.flush()
    if not work.sharing(order):
        withdraw(work.ctx, order, outcome)
