"""Who is told what: events become messages to the people they concern.

A handler runs at least once an event; `send` gives each person one message an event.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

import apm.notify.alarm_news
import apm.notify.forecast_news
import apm.notify.metrology_news
import apm.notify.recall_news  # noqa: F401  (subscribes)
from apm.accounts.queries import colleagues
from apm.core.command import Context
from apm.core.events import subscribe
from apm.core.permissions import Permission, Role
from apm.dispatch.events import ServiceLevelMissed, ServiceLevelNear
from apm.notify.commands import send
from apm.notify.escalating import escalate, people_of, settle
from apm.notify.events import ChannelFails, NobodyAnswered, PartsLow, WorkRemembered
from apm.notify.messages import News
from apm.notify.model import Escalation
from apm.notify.overdue import Stage
from apm.notify.subjects import about, members, of_the_team, people_who_may
from apm.requests.events import AdverseEventSuspected, RequestMoved, RequestReported
from apm.work.events import WorkOrderMoved, WorkOrderOpened
from apm.work.states import Priority, WorkState, WorkType

OWN_NEWS = ("alarm_rule:", "alarm:", "forecast:")
"""What an alarm or a forecast opens has a message of its own."""
TAKEN_UP = frozenset({"accept", "reject", "ask", "mark_duplicate"})
"""What triage does with a report: whoever does it has answered."""


@subscribe(RequestReported)
def tell_of_a_report(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell those who triage, of the team that serves the equipment; when urgent until one answers.

    Managers hear only of what is urgent.
    """
    no, asset_id = payload["no"], payload["asset_id"]
    params, url = about(ctx, no, asset_id), f"/requests/{no}"
    urgent = bool(payload["is_urgent"])
    spared = () if urgent else (Role.MANAGER,)
    everybody = people_who_may(ctx, Permission.REQUEST_TRIAGE, *spared)
    escalation_id = None
    if urgent:
        escalation_id = escalate(
            ctx,
            event_id=event_id,
            subject=no,
            news=News("escalated", {**params, "asset_id": asset_id}, url),
        )
    send(
        ctx,
        event_id=event_id,
        user_ids=everybody if urgent else of_the_team(ctx, everybody, asset_id),
        news=News("request_urgent" if urgent else "request_reported", params, url),
        escalation_id=escalation_id,
    )


@subscribe(NobodyAnswered)
def ask_the_next(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell the people of the next step, unless somebody has answered since."""
    query = select(Escalation).where(Escalation.id == payload["escalation_id"])
    found = ctx.session.scalar(query)
    if found is None or found.answered_at is not None:
        return
    send(
        ctx,
        event_id=event_id,
        user_ids=people_of(ctx, found, payload["step"]),
        news=News(found.kind, found.params, found.url),
        escalation_id=found.id,
    )


@subscribe(RequestMoved)
def tell_the_reporter(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell a signed-in reporter how the request goes on; others follow their private link."""
    if payload["action"] in TAKEN_UP:
        settle(ctx, payload["no"])
    if payload["reporter_id"] is not None:
        send(
            ctx,
            event_id=event_id,
            user_ids=[payload["reporter_id"]],
            news=News(
                "request_moved",
                {"no": payload["no"], "state": payload["state"]},
                f"/requests/{payload['no']}",
            ),
        )


@subscribe(WorkOrderOpened)
def tell_of_a_finding(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell those who assign work that a prediction asked for some; other work has its own news."""
    origin = payload.get("origin") or ""
    if payload["type"] == WorkType.PREDICTIVE and not origin.startswith(OWN_NEWS):
        send(
            ctx,
            event_id=event_id,
            user_ids=people_who_may(ctx, Permission.WORK_ASSIGN, Role.MANAGER),
            news=News(
                "finding",
                about(ctx, payload["no"], payload["asset_id"]),
                f"/work-orders/{payload['no']}",
            ),
        )


@subscribe(WorkOrderMoved)
def tell_of_a_step(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell the assignee of new work, and those who may close of work that is done."""
    settle(ctx, payload["no"])
    if payload["action"] == "assign" and payload["assignee_id"] is not None:
        people, kind = [payload["assignee_id"]], "assigned"
    elif payload["state"] == WorkState.DONE:
        people, kind = people_who_may(ctx, Permission.WORK_CLOSE), "to_close"
    else:
        return
    send(
        ctx,
        event_id=event_id,
        user_ids=people,
        news=News(kind, {"no": payload["no"]}, f"/work-orders/{payload['no']}"),
    )


@subscribe(ServiceLevelNear)
def tell_of_a_clock(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell the people named that a clock runs out."""
    _tell_of_a_clock(ctx, event_id, payload, "near")


@subscribe(ServiceLevelMissed)
def tell_of_a_missed_clock(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell the people named that a clock has run out."""
    _tell_of_a_clock(
        ctx, event_id, payload, "late" if payload["priority"] == Priority.URGENT else "missed"
    )


def _tell_of_a_clock(ctx: Context, event_id: int, payload: dict[str, Any], how: str) -> None:
    send(
        ctx,
        event_id=event_id,
        user_ids=payload["people"],
        news=News(f"{payload['clock']}_{how}", {"no": payload["no"]}, payload["url"]),
    )


def _of_order(kind: str, ctx: Context, payload: dict[str, Any]) -> News:
    no = payload["no"]
    return News(kind, about(ctx, no, payload["asset_id"]), f"/work-orders/{no}")


@subscribe(WorkRemembered)
def remind_of_work(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Remind who has the work; when it is late the team, too, and at last the managers.

    Where nobody has it, those who give it out stand in.
    """
    stage, own = Stage(payload["stage"]), payload["assignee_id"]
    people = people_who_may(ctx, Permission.WORK_ASSIGN, Role.MANAGER) if own is None else [own]
    if stage in {Stage.GRACE, Stage.OVERDUE}:
        people += members(ctx, payload["team_id"])
    if stage is Stage.OVERDUE:
        people += [user.id for user in colleagues(ctx, frozenset({Role.MANAGER}))]
    send(
        ctx,
        event_id=event_id,
        user_ids=list(dict.fromkeys(people)),
        news=_of_order(stage.value, ctx, payload),
    )


@subscribe(AdverseEventSuspected)
def tell_of_an_adverse_event(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell all who triage, managers too: the periods for reporting it have begun."""
    no = payload["no"]
    send(
        ctx,
        event_id=event_id,
        user_ids=people_who_may(ctx, Permission.REQUEST_TRIAGE),
        news=News("adverse_event", about(ctx, no, payload["asset_id"]), f"/requests/{no}"),
    )


@subscribe(PartsLow)
def tell_of_low_parts(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell those who give work out that parts run low."""
    send(
        ctx,
        event_id=event_id,
        user_ids=people_who_may(ctx, Permission.WORK_ASSIGN),
        news=News("parts_low", {"n": payload["n"]}, "/parts?show=low"),
    )


@subscribe(ChannelFails)
def tell_of_a_dead_channel(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell administrators that messages do not get out."""
    send(
        ctx,
        event_id=event_id,
        user_ids=people_who_may(ctx, Permission.USER_ADMIN),
        news=News("channel_fails", {"name": payload["name"]}, "/admin/channels"),
    )
