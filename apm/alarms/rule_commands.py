"""Changing rules: for one sensor, or for every sensor of a profile.  With a reason, and audited.

A change holds from then on.  Readings that arrive late are judged by the rules of today.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from apm.alarms.catalogue import KINDS, STALE, shipped
from apm.alarms.model import AlarmRule
from apm.core.command import Context, command
from apm.core.errors import Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.readings.profiles import profiles
from apm.readings.queries import sensor_by_code


@dataclass(frozen=True, slots=True)
class Change:
    """How a rule departs from what is shipped; what is None stays as it is."""

    is_on: bool
    reason: str
    limit: float | None = None
    deadband: float | None = None
    on_delay_s: int | None = None
    off_delay_s: int | None = None
    priority: str | None = None


@command("alarm.set_rule", Permission.SENSOR_EDIT)
def set_rule(ctx: Context, *, sensor: str, key: str, change: Change) -> AlarmRule:
    """Let one rule of a sensor (its code) depart from what is shipped.

    Raises:
        NotFound: no such sensor, or no such rule for it.
        Invalid: the rule is on and has no limit.
    """
    found = sensor_by_code(ctx, sensor)
    known = {spec.key: spec for spec in shipped(found.profile, found.quantity, found.unit)}
    if key not in known:
        raise _no_such_rule()
    _require_limit(change, known[key].limit, key)
    row = ctx.session.scalar(
        select(AlarmRule).where(AlarmRule.sensor_id == found.id, AlarmRule.key == key)
    )
    return _put(ctx, row or AlarmRule(sensor_id=found.id, key=key), change)


@command("alarm.set_profile_rule", Permission.SENSOR_EDIT)
def set_profile_rule(ctx: Context, *, profile: str, key: str, change: Change) -> AlarmRule:
    """Let one rule of a profile depart from what is shipped, on all its sensors."""
    if profile not in profiles() or key not in KINDS:
        raise _no_such_rule()
    row = ctx.session.scalar(
        select(AlarmRule).where(AlarmRule.profile == profile, AlarmRule.key == key)
    )
    return _put(ctx, row or AlarmRule(profile=profile, key=key), change)


@command("alarm.reset_rule", Permission.SENSOR_EDIT)
def reset_rule(ctx: Context, *, sensor: str, key: str) -> None:
    """Let a rule of a sensor be again as its profile or the shipped catalogue says."""
    found = sensor_by_code(ctx, sensor)
    row = ctx.session.scalar(
        select(AlarmRule).where(AlarmRule.sensor_id == found.id, AlarmRule.key == key)
    )
    if row is None:
        raise _no_such_rule()
    ctx.session.delete(row)


@command("alarm.reset_profile_rule", Permission.SENSOR_EDIT)
def reset_profile_rule(ctx: Context, *, profile: str, key: str) -> None:
    """Let a rule of a profile be again as shipped."""
    row = ctx.session.scalar(
        select(AlarmRule).where(AlarmRule.profile == profile, AlarmRule.key == key)
    )
    if row is None:
        raise _no_such_rule()
    ctx.session.delete(row)


def _put(ctx: Context, row: AlarmRule, change: Change) -> AlarmRule:
    row.is_on, row.reason = change.is_on, change.reason
    row.limit, row.deadband = change.limit, change.deadband
    row.on_delay_s, row.off_delay_s = change.on_delay_s, change.off_delay_s
    row.priority = change.priority
    row.changed_by, row.changed_at = ctx.actor.name, ctx.now()
    ctx.session.add(row)
    ctx.session.flush()
    return row


def _require_limit(change: Change, shipped_limit: float | None, key: str) -> None:
    needs_limit = key in KINDS and key not in {STALE, "neighbours"}
    if change.is_on and needs_limit and change.limit is None and shipped_limit is None:
        message = _l("Give a limit, or switch the rule off.")
        raise Invalid(message, fields={"limit": [message]}, code="no_limit")


def _no_such_rule() -> NotFound:
    return NotFound(_l("There is no such rule here. Choose one from the list."))
