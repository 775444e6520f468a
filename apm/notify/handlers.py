"""Who is told what: events become messages to the people they concern.

A handler runs at least once an event; `send` gives each person one message an event.
"""

from __future__ import annotations

from typing import Any

from apm.accounts.queries import colleagues
from apm.core.command import Context
from apm.core.events import subscribe
from apm.core.permissions import ROLES, Permission, Role
from apm.notify.commands import send
from apm.requests.events import RequestMoved, RequestReported
from apm.work.events import WorkOrderMoved, WorkOrderOpened
from apm.work.states import WorkState, WorkType


def _people_who_may(ctx: Context, permission: Permission, *but: Role) -> list[int]:
    roles = frozenset(role for role, held in ROLES.items() if permission in held) - {*but}
    return [user.id for user in colleagues(ctx, roles)]


@subscribe(RequestReported)
def tell_of_a_report(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell those who triage; managers only when it is urgent."""
    urgent = bool(payload["is_urgent"])
    spared = () if urgent else (Role.MANAGER,)
    send(
        ctx,
        event_id=event_id,
        user_ids=_people_who_may(ctx, Permission.REQUEST_TRIAGE, *spared),
        kind="request_urgent" if urgent else "request_reported",
        params={"no": payload["no"]},
        url=f"/requests/{payload['no']}",
    )


@subscribe(RequestMoved)
def tell_the_reporter(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell a signed-in reporter how the request goes on; others follow their private link."""
    if payload["reporter_id"] is not None:
        send(
            ctx,
            event_id=event_id,
            user_ids=[payload["reporter_id"]],
            kind="request_moved",
            params={"no": payload["no"], "state": payload["state"]},
            url=f"/requests/{payload['no']}",
        )


@subscribe(WorkOrderOpened)
def tell_of_a_finding(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell those who assign work that a detector asked for some; other work has its own news."""
    if payload["type"] == WorkType.PREDICTIVE:
        send(
            ctx,
            event_id=event_id,
            user_ids=_people_who_may(ctx, Permission.WORK_ASSIGN, Role.MANAGER),
            kind="finding",
            params={"no": payload["no"]},
            url=f"/work-orders/{payload['no']}",
        )


@subscribe(WorkOrderMoved)
def tell_of_a_step(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell the assignee of new work, and those who may close of work that is done."""
    if payload["action"] == "assign" and payload["assignee_id"] is not None:
        people, kind = [payload["assignee_id"]], "assigned"
    elif payload["state"] == WorkState.DONE:
        people, kind = _people_who_may(ctx, Permission.WORK_CLOSE), "to_close"
    else:
        return
    send(
        ctx,
        event_id=event_id,
        user_ids=people,
        kind=kind,
        params={"no": payload["no"]},
        url=f"/work-orders/{payload['no']}",
    )
