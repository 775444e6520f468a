"""Moving work to another day or person before it begins."""

from __future__ import annotations

from datetime import date

from apm.accounts.queries import hospital_day
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.work.loading import order_to_change
from apm.work.model import WorkOrder
from apm.work.moving import Facts, take_step
from apm.work.states import WorkState

MOVABLE = frozenset({WorkState.PLANNED, WorkState.ASSIGNED})


@command("work_order.reschedule", Permission.WORK_ASSIGN)
def reschedule(
    ctx: Context,
    *,
    no: str,
    day: date,
    assignee_id: int | None = None,
    version: int | None = None,
) -> WorkOrder:
    """Plan work for a day, and for a person if one is given; its last day stays what it was.

    Raises:
        NotFound: no such order here.
        Conflict: somebody has begun, or changed it since `version`.
        Invalid: the day is over, or the person may not have it.
    """
    order = order_to_change(ctx, no, version)
    if order.state not in MOVABLE:
        raise Conflict(_l("Work has begun or has ended. Only work that waits can be moved."))
    if day < hospital_day(ctx):
        message = _l("This day is over. Give today or a later one.")
        raise Invalid(message, fields={"day": [message]})
    if assignee_id is not None and assignee_id != order.assignee_id:
        take_step(ctx, order, "assign", Facts(assignee_id=assignee_id))
    order.due_on = day
    return order
