"""Who may take a request from where to where: one table, read by everything."""

from __future__ import annotations

from apm.core.command import Actor
from apm.core.lifecycle import Lifecycle, Step
from apm.core.permissions import Permission
from apm.requests.model import Request
from apm.requests.states import RequestState as R

NEW = frozenset({R.OPEN, R.NEEDS_INFO})
REPAIRED = frozenset({R.RESOLVED})

REQUEST: Lifecycle[R] = Lifecycle(
    Step("accept", NEW, R.ASSIGNED, Permission.REQUEST_TRIAGE),
    Step("ask", frozenset({R.OPEN}), R.NEEDS_INFO, Permission.REQUEST_TRIAGE),
    Step("mark_duplicate", NEW, R.DUPLICATE, Permission.REQUEST_TRIAGE),
    Step("unmerge", frozenset({R.DUPLICATE}), R.OPEN, Permission.REQUEST_TRIAGE),
    Step("reject", NEW, R.REJECTED, Permission.REQUEST_TRIAGE),
    Step("verify", REPAIRED, R.VERIFIED, Permission.REQUEST_REPORT),
    Step("reopen", REPAIRED, R.ASSIGNED, Permission.REQUEST_REPORT),
)


def request_actions(actor: Actor, request: Request) -> list[str]:
    """Return the actions this actor may take on a request now.

    Its work order is loaded, and the report it is merged into with that one's.
    """
    actions = REQUEST.open_to(request.state, actor, request)
    if request.duplicate_of is None or request.duplicate_of.is_open:
        return actions
    return [action for action in actions if action != "unmerge"]
