"""All that this feature knows of alarms: what rings, who has seen it, what is muted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from apm.alarms import commands
from apm.assets.model import GONE, AssetState
from apm.core.command import Context
from apm.readings import queries
from apm.readings.model import Alarm, AlarmKind
from apm.readings.profiles import profiles
from apm.readings.reasons import title_of

OF_LIMITS = frozenset({AlarmKind.HIGH, AlarmKind.LOW})
MOST = 500
"""Active alarms that are looked at; with more the newest count."""
MUTED = GONE | {AssetState.UNDER_REPAIR}
"""What stands so is being worked on or used no more: its readings say nothing."""


@dataclass(frozen=True, slots=True)
class Ringing:
    """An active alarm, as much of it as a card shows."""

    id: int
    version: int
    since: datetime
    reason: str
    priority: str
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    work_order_no: str | None
    is_of_limits: bool
    """Whether a limit raised it: then readings inside the limits say that it is ending."""
    is_muted: bool
    """Whether it calls nobody: silenced for a while, suppressed, or out of service."""

    @property
    def title(self) -> str:
        """What it is, in two words of the language spoken."""
        return title_of(self.reason)


@dataclass(frozen=True, slots=True)
class Limits:
    """The product limits of what a sensor measures, and whether they are only remembered."""

    low: float
    high: float
    source: str
    to_verify: bool

    def is_outside(self, value: float) -> bool:
        """Tell whether a value is beyond a limit; at the limit it is inside."""
        return not self.low <= value <= self.high


def ringing(ctx: Context) -> dict[int, Ringing]:
    """Return the newest active alarm of each sensor of the hospital that has one."""
    page = queries.alarms_page(ctx, active=True, limit=MOST)
    return {alarm.sensor_id: _of(alarm) for alarm in reversed(page.items)}


def limits_for(profile: str | None, quantity: str) -> Limits | None:
    """Return the limits of a quantity where a profile holds, if it has any."""
    known = profiles().get(profile or "")
    found = known.limits.get(quantity) if known else None
    if known is None or found is None:
        return None
    return Limits(found[0], found[1], known.source, known.to_verify)


def is_muted(lifecycle: AssetState | None) -> bool:
    """Tell whether nothing rings for equipment in this state."""
    return lifecycle in MUTED


def acknowledge(ctx: Context, *, alarm_id: int, note: str | None) -> None:
    """Say that one has seen an alarm."""
    commands.acknowledge(ctx, alarm_id=alarm_id, note=note)


def alarms_between(
    ctx: Context, sensor_ids: Iterable[int], start: datetime, end: datetime
) -> list[Alarm]:
    """Return the alarms of these sensors that lasted within start..end, oldest first."""
    query = (
        select(Alarm)
        .where(Alarm.sensor_id.in_(list(sensor_ids)), Alarm.since <= end)
        .where(or_(Alarm.ended_at.is_(None), Alarm.ended_at >= start))
        .order_by(Alarm.since, Alarm.id)
        .limit(MOST)
    )
    return list(ctx.session.scalars(query))


def _of(alarm: Alarm) -> Ringing:
    return Ringing(
        id=alarm.id,
        version=alarm.version,
        since=alarm.since,
        reason=alarm.reason,
        priority=alarm.priority,
        acknowledged_by=alarm.acknowledged_by,
        acknowledged_at=alarm.acknowledged_at,
        work_order_no=alarm.work_order_no,
        is_of_limits=alarm.kind in OF_LIMITS or alarm.returned_at is not None,
        is_muted=alarm.muted is not None,
    )
