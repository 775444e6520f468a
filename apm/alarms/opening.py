"""How an alarm comes to be, and how it calls people: once a cause, with one work order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from apm.alarms.catalogue import Spec
from apm.alarms.events import AlarmRaised
from apm.alarms.grouping import join_group
from apm.core.command import Context
from apm.core.i18n import _, speaking
from apm.readings.model import Alarm, AlarmKind, EndedWhy, Muted, Sensor
from apm.readings.reasons import title_of
from apm.work.commands import open_work
from apm.work.model import WorkOrder
from apm.work.states import Priority, WorkType

LATE = timedelta(minutes=15)
"""Noticed so much after it was to be raised, an alarm says that it is late."""
TOO_OLD = timedelta(days=1)
"""What was over before this calls nobody: there is nothing left to do but to read the record."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the evaluator saw of one episode; times by the sensor's clock."""

    since: datetime
    raised_at: datetime
    ended_at: datetime | None
    peak: float | None
    series: dict[str, list[Any]] = field(default_factory=lambda: {"at": [], "value": []})


def open_alarm(ctx: Context, sensor: Sensor, spec: Spec, seen: Seen, muted: Muted | None) -> Alarm:
    """Keep a new alarm, and call for somebody unless it is muted or long over."""
    is_over = seen.ended_at is not None and not spec.latches
    alarm = Alarm(
        sensor=sensor,
        kind=spec.kind,
        rule=spec.key,
        priority=spec.priority.value,
        since=seen.since,
        raised_at=seen.raised_at,
        noticed_at=ctx.now(),
        returned_at=seen.ended_at if spec.latches else None,
        ended_at=seen.ended_at if is_over else None,
        ended_why=EndedWhy.RETURNED if is_over else None,
        active=not is_over,
        latches=spec.latches,
        muted=muted,
        limit=spec.limit,
        peak=seen.peak,
        reason=reason_of(spec),
        evidence=evidence_of(sensor, spec, seen),
    )
    ctx.session.add(alarm)
    ctx.session.flush()  # others name its id
    last = seen.ended_at or ctx.now()
    if muted is None and last >= ctx.now() - TOO_OLD:
        announce(ctx, alarm, sensor, opens_work=spec.opens_work)
    else:
        join_group(ctx, alarm, sensor)
    return alarm


def announce(ctx: Context, alarm: Alarm, sensor: Sensor, *, opens_work: bool) -> None:
    """Call for somebody: one message a group, and one work order."""
    group, is_first = join_group(ctx, alarm, sensor) if alarm.group_id is None else (None, True)
    if group is not None and group.work_order_no is not None:
        alarm.work_order_no = group.work_order_no
        if alarm.kind is AlarmKind.ANOMALY:
            _add_evidence(ctx, alarm, group.work_order_no)
    elif opens_work:
        alarm.work_order_no = _work_for(ctx, alarm, sensor)
        if group is not None:
            group.work_order_no = alarm.work_order_no
    alarm.announced_at = ctx.now()
    ctx.emit(
        AlarmRaised(
            alarm.id,
            sensor.code,
            alarm.priority,
            alarm.work_order_no,
            alarm_kind=alarm.kind.value,
            reason=alarm.reason,
            asset_id=sensor.asset_id,
            is_first=is_first,
        )
    )


def _add_evidence(ctx: Context, alarm: Alarm, no: str) -> None:
    """Let the order of the group show what the detector saw here as well."""
    query = select(WorkOrder).where(WorkOrder.no == no).with_for_update()
    order = ctx.session.scalars(query.execution_options(populate_existing=True)).one()
    known = order.evidence or {}
    also = [*known.get("also", ()), {**alarm.evidence, "origin": f"alarm:{alarm.id}"}]
    order.evidence = {**known, "also": also}


def _work_for(ctx: Context, alarm: Alarm, sensor: Sensor) -> str:
    is_finding = alarm.kind is AlarmKind.ANOMALY
    titles = {}
    for language, name in (("en", sensor.name), ("zh", sensor.name_zh or sensor.name)):
        with speaking(language):
            if is_finding:
                titles[language] = _("Check %(sensor)s: unusual readings", sensor=name)
                continue
            titles[language] = _(
                "Check %(sensor)s: %(reason)s", sensor=name, reason=title_of(alarm.reason)
            )
    order = open_work(
        ctx,
        type=WorkType.PREDICTIVE,
        asset=sensor.asset,
        location=None if sensor.asset else sensor.location,
        title=titles["en"],
        title_zh=titles["zh"],
        priority=Priority(alarm.priority),
        origin=f"alarm:{alarm.id}" if is_finding else f"alarm_rule:{alarm.id}",
        evidence=alarm.evidence,
    )
    return order.no


def evidence_of(sensor: Sensor, spec: Spec, seen: Seen) -> dict[str, Any]:
    """Return what was seen and by which rule, as plain JSON."""
    return {
        "kind": spec.kind.value,
        "sensor": sensor.code,
        "name": sensor.name,
        "name_zh": sensor.name_zh,
        "quantity": sensor.quantity,
        "unit": sensor.unit,
        "since": seen.since.isoformat(),
        "raised_at": seen.raised_at.isoformat(),
        "ended": None if seen.ended_at is None else seen.ended_at.isoformat(),
        "reason": reason_of(spec),
        "peak": seen.peak,
        "rule": {
            "key": spec.key,
            "limit": spec.limit,
            "low_limit": spec.low_limit,
            "deadband": spec.deadband,
            "on_delay_s": spec.on_delay_s,
            "off_delay_s": spec.off_delay_s,
            "cumulative": spec.is_cumulative,
            "text": spec.text,
            "source": spec.source,
            "to_verify": spec.to_verify,
            "own": spec.own,
        },
        "series": seen.series,
    }


def reason_of(spec: Spec) -> str:
    """Return what an alarm gives as its reason; detectors have a `spike` of their own."""
    return "jump" if spec.key == "spike" else spec.key
