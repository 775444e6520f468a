"""Who may take a work order from where to where: one table, read by everything."""

from __future__ import annotations

from apm.core.command import Actor
from apm.core.lifecycle import Lifecycle, Step
from apm.core.permissions import Permission
from apm.work.model import WorkOrder
from apm.work.states import OPEN_WORK
from apm.work.states import WorkState as W


def is_person(actor: Actor, _order: WorkOrder) -> bool:
    """Work is taken by people, not by programs."""
    return actor.user_id is not None


def is_assignee(actor: Actor, order: WorkOrder) -> bool:
    """The job is this person's."""
    return actor.user_id is not None and actor.user_id == order.assignee_id


def is_second_person(actor: Actor, order: WorkOrder) -> bool:
    """On high-risk equipment, whoever did the work does not approve it."""
    if actor.user_id is None:
        return False
    return not order.high_risk or actor.user_id not in {order.assignee_id, order.done_by}


def is_linked_vendor(actor: Actor, order: WorkOrder) -> bool:
    """The actor came by the link to this very order."""
    return actor.bound_to is not None and actor.bound_to == order.no


def _from(*states: W) -> frozenset[W]:
    return frozenset(states)


WAITING = _from(W.WAITING_PARTS, W.WAITING_VENDOR, W.WAITING_ACCESS)
HELD = WAITING | {W.ASSIGNED, W.IN_PROGRESS}
"""States in which the job is somebody's."""
CANCELLABLE = OPEN_WORK - {W.DONE}
BY_LINK = Permission.WORK_BY_LINK

WORK: Lifecycle[W] = Lifecycle(
    Step("assign", _from(W.PLANNED, W.ASSIGNED), W.ASSIGNED, Permission.WORK_ASSIGN),
    Step("take", _from(W.PLANNED), W.ASSIGNED, Permission.WORK_DO, is_person),
    Step("give_back", _from(W.ASSIGNED), W.PLANNED, Permission.WORK_DO, is_assignee),
    Step("give_back", _from(W.ASSIGNED), W.PLANNED, Permission.WORK_ASSIGN),
    Step("start", _from(W.ASSIGNED), W.IN_PROGRESS, Permission.WORK_DO, is_assignee),
    Step("wait_parts", _from(W.IN_PROGRESS), W.WAITING_PARTS, Permission.WORK_DO, is_assignee),
    Step("wait_vendor", _from(W.IN_PROGRESS), W.WAITING_VENDOR, Permission.WORK_DO, is_assignee),
    Step("wait_access", _from(W.IN_PROGRESS), W.WAITING_ACCESS, Permission.WORK_DO, is_assignee),
    Step("resume", WAITING, W.IN_PROGRESS, Permission.WORK_DO, is_assignee),
    Step("complete", _from(W.IN_PROGRESS), W.DONE, Permission.WORK_DO, is_assignee),
    Step("return", _from(W.DONE), W.IN_PROGRESS, Permission.WORK_CLOSE),
    Step("close", _from(W.DONE), W.CLOSED, Permission.WORK_CLOSE, is_second_person),
    # What a vendor may do by a link; somebody of the hospital stays the assignee, and closes.
    Step("start", _from(W.ASSIGNED), W.IN_PROGRESS, BY_LINK, is_linked_vendor),
    Step("wait_parts", _from(W.IN_PROGRESS), W.WAITING_PARTS, BY_LINK, is_linked_vendor),
    Step("wait_vendor", _from(W.IN_PROGRESS), W.WAITING_VENDOR, BY_LINK, is_linked_vendor),
    Step("wait_access", _from(W.IN_PROGRESS), W.WAITING_ACCESS, BY_LINK, is_linked_vendor),
    Step("resume", WAITING, W.IN_PROGRESS, BY_LINK, is_linked_vendor),
    Step("complete", _from(W.IN_PROGRESS), W.DONE, BY_LINK, is_linked_vendor),
    Step("cancel", CANCELLABLE, W.CANCELLED, Permission.WORK_ASSIGN),
    # These leave the order where it stands: another person goes on, or it is more or less urgent.
    *(Step("hand_over", _from(at), at, Permission.WORK_DO, is_assignee) for at in sorted(HELD)),
    *(Step("hand_over", _from(at), at, Permission.WORK_ASSIGN) for at in sorted(HELD)),
    *(Step("prioritise", _from(at), at, Permission.WORK_ASSIGN) for at in sorted(CANCELLABLE)),
)

NEEDS_REASON = frozenset(
    {
        "give_back",
        "wait_parts",
        "wait_vendor",
        "wait_access",
        "return",
        "cancel",
        "hand_over",
        "prioritise",
    }
)
"""Actions somebody will later ask "why?" about."""


def work_actions(actor: Actor, order: WorkOrder) -> list[str]:
    """Return the actions this actor may take on a work order now, each once."""
    return list(dict.fromkeys(WORK.open_to(order.state, actor, order)))
