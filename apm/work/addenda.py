"""Remarks on a record that can no longer be changed."""

from __future__ import annotations

from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotAllowed
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.work.field_model import Addendum
from apm.work.lifecycle import is_assignee
from apm.work.loading import order_to_change
from apm.work.model import WorkOrder
from apm.work.phone import NOT_SAID, Sent
from apm.work.queries import history_of
from apm.work.states import WorkState

SIGNED = frozenset({WorkState.DONE, WorkState.CLOSED, WorkState.CANCELLED})


@command("work_order.add_addendum", Permission.WORK_READ)
def add_addendum(ctx: Context, *, no: str, text: str, sent: Sent = NOT_SAID) -> Addendum:
    """Add a remark below a record; what is signed stays as it is.

    Raises:
        NotFound: no such order.
        Conflict: whoever asks has the job and can still write into the record itself.
        NotAllowed: not somebody who worked on it, and not an engineer.
        Invalid: it says nothing.
    """
    order = order_to_change(ctx, no)
    if order.state not in SIGNED and (is_assignee(ctx.actor, order) or not has_had(ctx, order)):
        raise Conflict(
            _l("The record is still open. Write into the record itself."), code="not_now"
        )
    if not may_add(ctx, order):
        raise NotAllowed(_l("Only who worked on it or an engineer may add to this record."))
    if not text.strip():
        message = _l("Fill this in.")
        raise Invalid(message, fields={"text": [message]})
    moment = sent.moment(ctx.now())
    addendum = Addendum(
        work_order_id=order.id,
        user_id=ctx.actor.user_id,
        author=ctx.actor.name,
        text=text.strip(),
        at=moment.received_at,
        device_at=moment.device_at,
    )
    ctx.session.add(addendum)
    return addendum


def may_add(ctx: Context, order: WorkOrder) -> bool:
    """Tell whether the actor may add to a signed record."""
    actor = ctx.actor
    if actor.can(Permission.WORK_ASSIGN) or actor.can(Permission.WORK_CLOSE):
        return True
    return is_assignee(actor, order) or has_had(ctx, order)


def has_had(ctx: Context, order: WorkOrder) -> bool:
    """Tell whether this was the actor's job at some time, even if somebody else has it now."""
    mine = ctx.actor.user_id
    if mine is None:
        return False
    given = [entry.changes.get("assignee_id", ()) for entry in history_of(ctx, order)]
    return order.done_by == mine or any(str(mine) in pair for pair in given)
