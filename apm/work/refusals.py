"""Why something written down on a phone is not taken: said so that it can be put right.

Nothing of it is lost: the phone keeps what was refused, shows the reason, and lets people choose.
"""

from __future__ import annotations

from collections.abc import Mapping

from apm.assets.model import GONE
from apm.core.command import Context
from apm.core.errors import Conflict, NotAllowed
from apm.core.i18n import _l
from apm.work.lifecycle import is_assignee
from apm.work.model import WorkOrder, WorkStep
from apm.work.queries import last_moved_by
from apm.work.states import WorkState


class Overtaken(Conflict):
    """Somebody was faster; `fields` says what there is now, as texts."""

    def __init__(
        self, message: object, *, code: str, fields: Mapping[str, object], **params: object
    ) -> None:
        super().__init__(message, code=code, **params)
        self.fields = dict(fields)


class GivenAway(NotAllowed):
    """The work is somebody else's by now; `fields` says whose."""

    def __init__(self, message: object, *, fields: Mapping[str, object], **params: object) -> None:
        super().__init__(message, code="not_yours", **params)
        self.fields = dict(fields)


def only_in_progress(ctx: Context, order: WorkOrder) -> None:
    """Refuse what may be written only while somebody works on the order."""
    if order.state is WorkState.IN_PROGRESS:
        return
    if order.state not in {WorkState.DONE, WorkState.CLOSED, WorkState.CANCELLED}:
        raise Conflict(
            _l("Answers are taken only while the work is in progress. Start or resume it first."),
            code="not_now",
        )
    who, at = last_moved_by(ctx, order)
    is_gone = order.asset is not None and order.asset.lifecycle in GONE
    messages = {
        WorkState.DONE: _l("The work is already signed as done, by %(who)s."),
        WorkState.CLOSED: _l("This work order was closed by %(who)s."),
        WorkState.CANCELLED: _l("This work order was cancelled by %(who)s."),
    }
    gone = _l("The equipment is retired. The work order was ended by %(who)s.")
    raise Overtaken(
        gone if is_gone else messages[order.state],
        code="over",
        fields={"state": order.state.value, "by": who, "at": at.isoformat() if at else ""},
        who=who,
    )


def only_assignee(ctx: Context, order: WorkOrder) -> None:
    """Refuse what only whoever has the job may write."""
    if is_assignee(ctx.actor, order):
        return
    if order.assignee_name:
        raise GivenAway(
            _l("This work order is %(who)s's now. Ask an engineer."),
            fields={"state": order.state.value, "by": order.assignee_name},
            who=order.assignee_name,
        )
    raise NotAllowed(_l("This work order is somebody else's. Ask an engineer."))


def only_at_work(ctx: Context, order: WorkOrder) -> None:
    """Refuse what is written by whoever has the job, while it is in progress."""
    only_in_progress(ctx, order)
    only_assignee(ctx, order)


def refuse_overwriting(step: WorkStep, theirs: Mapping[str, object]) -> None:
    """Refuse an answer based on one that somebody else has changed since: both are kept."""
    raise Overtaken(
        _l("%(who)s has answered this step meanwhile. Choose which answer counts."),
        code="answered_meanwhile",
        fields={"theirs": dict(theirs)},
        who=step.changed_by or "",
    )
