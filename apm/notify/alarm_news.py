"""Messages of alarms: who is called, and who is asked next until somebody has acknowledged."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from apm.alarms.events import AlarmAnswered, AlarmRaised
from apm.core.command import Context
from apm.core.events import subscribe
from apm.core.permissions import Permission
from apm.notify.commands import send
from apm.notify.escalating import escalate, settle
from apm.notify.messages import News
from apm.notify.subjects import of_the_team, people_who_may
from apm.readings.model import Alarm, Sensor
from apm.work.states import Priority

LOUD = frozenset({Priority.URGENT, Priority.HIGH})
"""Priorities that are asked about until somebody answers."""


@subscribe(AlarmRaised)
def tell_of_an_alarm(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell those who handle alarms, of the team of the equipment; ask on when it is urgent.

    Of a group of one cause only the first alarm calls.
    """
    if not payload["is_first"]:
        return
    found = ctx.session.execute(
        select(Alarm.active, Alarm.acknowledged, Sensor.name, Sensor.name_zh)
        .join(Sensor, Sensor.id == Alarm.sensor_id)
        .where(Alarm.id == payload["alarm_id"])
    ).first()
    if found is None or found.acknowledged:
        return
    subject, url = subject_of(payload["alarm_id"]), f"/alarms/{payload['alarm_id']}"
    params = {
        "reason": payload["reason"],
        "sensor": payload["sensor"],
        "asset": found.name,
        "asset_zh": found.name_zh,
        "asset_id": payload["asset_id"],
    }
    is_loud = payload["priority"] in LOUD
    people = people_who_may(ctx, Permission.ALARM_HANDLE)
    escalation_id = None
    if is_loud and found.active:
        news = News("alarm_escalated", params, url)
        escalation_id = escalate(ctx, event_id=event_id, subject=subject, news=news)
    send(
        ctx,
        event_id=event_id,
        user_ids=people if is_loud else of_the_team(ctx, people, payload["asset_id"]),
        news=News("alarm_urgent" if is_loud else "alarm", params, url),
        escalation_id=escalation_id,
    )


@subscribe(AlarmAnswered)
def stop_asking(ctx: Context, _event_id: int, payload: dict[str, Any]) -> None:
    """Somebody has answered, or there is nothing left to answer."""
    settle(ctx, subject_of(payload["alarm_id"]))


def subject_of(alarm_id: int) -> str:
    """Return by what an alarm's escalation is known."""
    return f"alarm:{alarm_id}"
