"""What people do with alarms.  Every step leaves an entry in the audit trail."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from apm.alarms.acting import LONGEST_SHELF, check
from apm.alarms.events import AlarmAnswered
from apm.alarms.model import Shelf
from apm.core.command import Context, command
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.readings.model import Alarm, EndedWhy, Muted
from apm.readings.queries import alarm_by_id
from apm.work.states import Priority


@command("alarm.acknowledge", Permission.ALARM_HANDLE)
def acknowledge(ctx: Context, *, alarm_id: int, note: str | None = None) -> Alarm:
    """Note who has seen an alarm; the first to say so stays named, a note is added.

    An alarm that waited for this, its readings being back, ends.
    """
    alarm = alarm_by_id(ctx, alarm_id)
    _acknowledge(ctx, alarm, note)
    if alarm.active and alarm.returned_at is not None:
        alarm.active = False
        alarm.ended_at = alarm.returned_at
        alarm.ended_why = EndedWhy.RETURNED
    return alarm


@command("alarm.clear", Permission.ALARM_HANDLE)
def clear(ctx: Context, *, alarm_id: int, note: str | None = None) -> Alarm:
    """End an alarm by hand; the same episode raises no other.

    Raises:
        Conflict: it has ended already.
    """
    alarm = alarm_by_id(ctx, alarm_id)
    check(alarm, ctx.actor, "clear")
    _acknowledge(ctx, alarm, note)
    alarm.active = False
    alarm.ended_at = ctx.now()
    alarm.ended_why = EndedWhy.CLEARED
    alarm.cleared_by = ctx.actor.name
    return alarm


@command("alarm.shelve", Permission.ALARM_HANDLE)
def shelve(ctx: Context, *, alarm_id: int, minutes: int, reason: str) -> Alarm:
    """Let an alarm, and what its rule raises meanwhile, call nobody for a while.

    Raises:
        Conflict: it is not active, or calls nobody already.
        Invalid: longer than its priority permits.
    """
    alarm = alarm_by_id(ctx, alarm_id)
    check(alarm, ctx.actor, "shelve")
    longest = LONGEST_SHELF[Priority(alarm.priority)]
    if timedelta(minutes=minutes) > longest:
        message = _l(
            "An alarm of this priority may be silenced for %(n)s minutes at most.",
            n=int(longest / timedelta(minutes=1)),
        )
        raise Invalid(message, fields={"minutes": [message]}, code="too_long")
    _silence(ctx, alarm, Muted.SHELVED, reason, minutes)
    return alarm


@command("alarm.unshelve", Permission.ALARM_HANDLE)
def unshelve(ctx: Context, *, alarm_id: int) -> Alarm:
    """Let a silenced alarm call again, before its time is over."""
    alarm = alarm_by_id(ctx, alarm_id)
    check(alarm, ctx.actor, "unshelve")
    _speak_again(ctx, alarm, Muted.SHELVED)
    return alarm


@command("alarm.take_out", Permission.ALARM_AUTHORISE)
def take_out(ctx: Context, *, alarm_id: int, reason: str) -> Alarm:
    """Take the rule behind an alarm out of service on its sensor until somebody puts it back."""
    alarm = alarm_by_id(ctx, alarm_id)
    check(alarm, ctx.actor, "take_out")
    _silence(ctx, alarm, Muted.OUT_OF_SERVICE, reason, None)
    return alarm


@command("alarm.put_back", Permission.ALARM_AUTHORISE)
def put_back(ctx: Context, *, alarm_id: int) -> Alarm:
    """Put the rule behind an alarm back into service."""
    alarm = alarm_by_id(ctx, alarm_id)
    check(alarm, ctx.actor, "put_back")
    _speak_again(ctx, alarm, Muted.OUT_OF_SERVICE)
    return alarm


@command("alarm.judge", Permission.ALARM_HANDLE)
def judge(ctx: Context, *, alarm_id: int, is_real: bool) -> Alarm:
    """Say whether an alarm was real; the shares of the figures rest on it."""
    alarm = alarm_by_id(ctx, alarm_id)
    check(alarm, ctx.actor, "judge")
    alarm.is_real = is_real
    alarm.judged_by = ctx.actor.name
    return alarm


def _acknowledge(ctx: Context, alarm: Alarm, note: str | None) -> None:
    if not alarm.acknowledged:
        alarm.acknowledged = True
        alarm.acknowledged_by = ctx.actor.name
        alarm.acknowledged_at = ctx.now()
        ctx.emit(AlarmAnswered(alarm.id))
    if note:
        alarm.note = f"{alarm.note}\n{note}" if alarm.note else note


def _silence(ctx: Context, alarm: Alarm, how: Muted, reason: str, minutes: int | None) -> None:
    _end_shelves(ctx, alarm)
    ctx.session.add(
        Shelf(
            sensor_id=alarm.sensor_id,
            kind=alarm.kind.value,
            rule=alarm.rule,
            how=how,
            reason=reason,
            by=ctx.actor.name,
            at=ctx.now(),
            until=None if minutes is None else ctx.now() + timedelta(minutes=minutes),
        )
    )
    alarm.muted = how
    ctx.emit(AlarmAnswered(alarm.id))


def _speak_again(ctx: Context, alarm: Alarm, how: Muted) -> None:
    """End the shelf; the alarms behind it are announced by the next sweep (`sweeping`)."""
    _end_shelves(ctx, alarm)
    query = select(Alarm).where(
        Alarm.sensor_id == alarm.sensor_id,
        Alarm.kind == alarm.kind,
        Alarm.rule == alarm.rule,
        Alarm.muted == how,
    )
    for one in ctx.session.scalars(query):
        one.muted, one.announced_at = None, None


def _end_shelves(ctx: Context, alarm: Alarm) -> None:
    query = select(Shelf).where(
        Shelf.sensor_id == alarm.sensor_id,
        Shelf.kind == alarm.kind.value,
        Shelf.rule == alarm.rule,
        Shelf.ended_at.is_(None),
    )
    for shelf in ctx.session.scalars(query):
        shelf.ended_at = ctx.now()
        shelf.ended_by = ctx.actor.name
