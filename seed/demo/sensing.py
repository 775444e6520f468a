"""Sensors and the readings they have sent so far, two old troubles among them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm.attributes import set_committed_value

from apm.alarms import commands
from apm.alarms.evaluating import evaluate_all
from apm.alarms.neighbours import compare_rooms
from apm.core.command import Context
from apm.demo.signals import DAY, SIGNALS, origin_of
from apm.detecting.scoring import score_all
from apm.readings.commands import add_sensor, ingest
from apm.readings.merging import merge_inbox
from apm.readings.model import Alarm, AlarmKind, Sensor
from apm.readings.sealing import seal_days
from apm.work.model import WorkOrder
from apm.work.results import put_findings
from seed.demo import working
from seed.demo.diary import Diary
from seed.demo.scenery import hospital
from seed.demo.world import World

DAYS = 50
STEP = timedelta(minutes=10)
CHAPTER = timedelta(days=7)
"""Readings are stored and scored so much at a time, besides at each trouble."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong: `by` units at its worst, `hours` from start to end."""

    sensor: str
    days_ago: float
    by: float
    hours: float
    cause: str
    remedy: str
    seen_after: timedelta = timedelta(hours=1)

    @property
    def lasts(self) -> timedelta:
        """From start to end."""
        return timedelta(hours=self.hours)


TROUBLES = (
    Trouble(
        "CT2-ROOM-T", 27.3, 5.5, 6, "ENV",
        "空调滤网堵塞，已更换 / The cooling's filter was blocked; replaced",
    ),
    Trouble(
        "BB-FRIDGE-3", 16.4, 4.5, 3, "USE",
        "门未关严，已培训 / The door was not shut; staff were told",
    ),
)  # fmt: skip


def note_sensing(world: World, diary: Diary) -> None:
    """Write the sensors, their readings and what their detectors found into the diary."""
    today = datetime.fromtimestamp(origin_of(world.now), UTC)
    first = today - timedelta(days=DAYS)
    wang = world.people["wang"].actor
    diary.note(first - timedelta(days=3), wang, "sensor.add", lambda ctx: _add_sensors(ctx, world))
    seen = [today - timedelta(days=t.days_ago) + t.seen_after for t in TROUBLES]
    ends = {first + CHAPTER * n for n in range(1, DAYS // CHAPTER.days + 1)}
    last = first
    over = {today - timedelta(days=t.days_ago) + t.lasts + STEP for t in TROUBLES}
    for end in sorted({*ends, *seen, *over, world.now}):
        _note_chapter(world, diary, last, end)
        last = end
    diary.note(world.now, world.system, "alarm.compare", compare_rooms)
    for trouble, at in zip(TROUBLES, seen, strict=True):
        _note_answer(world, diary, trouble, at)


def _add_sensors(ctx: Context, world: World) -> None:
    for entry in hospital()["sensors"]:
        details: dict[str, Any] = {
            key: entry[key] for key in ("name_zh", "profile") if key in entry
        }
        if "asset" in entry:
            department, category, index = entry["asset"]
            details["asset"] = world.of(category, department)[index].code
        else:
            details["location"] = entry["room"]
        add_sensor(
            ctx,
            code=entry["code"],
            name=entry["name"],
            quantity=entry["quantity"],
            unit=entry["unit"],
            **details,
        )


def _note_chapter(world: World, diary: Diary, begin: datetime, end: datetime) -> None:
    def store(ctx: Context) -> None:
        ingest(ctx, readings_between(world.now, begin, end))
        merge_inbox(ctx)
        seal_days(ctx)

    diary.note(end, world.system, "reading.ingest", store)
    diary.note(end, world.system, "alarm.evaluate", lambda ctx: evaluate_all(ctx, until=end))
    diary.note(end, world.system, "detector.store", lambda ctx: score_all(ctx, until=end))


def readings_between(now: datetime, begin: datetime, end: datetime) -> list[dict[str, Any]]:
    """Return every sensor's readings with begin < at <= end, on the clock's ten minutes."""
    step = int(STEP.total_seconds())
    ticks = np.arange(int(begin.timestamp()) // step + 1, int(end.timestamp()) // step + 1) * step
    at, origin = ticks.astype(np.float64), origin_of(now)
    stamps = [datetime.fromtimestamp(second, UTC).isoformat() for second in ticks.tolist()]
    found = []
    for code, signal in SIGNALS.items():
        values = signal.values(at, origin) + _troubles(origin, code, at)
        found += [
            {"sensor": code, "at": stamp, "value": round(value, signal.digits)}
            for stamp, value in zip(stamps, values.tolist(), strict=True)
        ]
    return found


def _troubles(origin: float, code: str, at: NDArray[np.float64]) -> NDArray[np.float64]:
    extra = np.zeros_like(at)
    for trouble in TROUBLES:
        if trouble.sensor == code:
            began = origin - trouble.days_ago * DAY
            share = np.clip((at - began) / (trouble.hours * 3600), 0.0, 1.0)
            extra += trouble.by * np.sin(np.pi * share) ** 0.5
    return extra


def _note_answer(world: World, diary: Diary, trouble: Trouble, at: datetime) -> None:
    """Write that the order a trouble opened was dealt with."""
    chen, wang = world.people["chen"], world.people["wang"]

    def order(ctx: Context) -> WorkOrder:
        alarm = _alarm(ctx, trouble)
        found = ctx.session.scalars(
            select(WorkOrder).where(WorkOrder.no == alarm.work_order_no)
        ).one()
        set_committed_value(found, "asset", None)
        return found

    def acknowledge(ctx: Context) -> None:
        alarm = _alarm(ctx, trouble)
        alarm.acknowledged, alarm.acknowledged_by = True, wang.actor.name
        alarm.acknowledged_at, alarm.note = ctx.now(), trouble.remedy

    def complete(ctx: Context) -> None:
        found = order(ctx)
        put_findings(found, labour_minutes=40, cause=trouble.cause, remedy=trouble.remedy)
        working.complete(ctx, found, chen, minutes=40)

    def answer_the_others(ctx: Context) -> None:
        query = select(Alarm.id).join(Sensor).where(Sensor.code == trouble.sensor)
        unseen = query.where(Alarm.since >= at - trouble.seen_after, ~Alarm.acknowledged)
        for alarm_id in ctx.session.scalars(unseen.order_by(Alarm.id)).all():
            commands.acknowledge(ctx, alarm_id=alarm_id, note=trouble.remedy)

    soon = timedelta(minutes=1)
    for minutes, actor, name, act in (
        (6, wang.actor, "alarm.acknowledge", acknowledge),
        (7, wang.actor, "alarm.acknowledge", answer_the_others),
        (8, wang.actor, "work_order.assign", lambda ctx: working.assign(ctx, order(ctx), chen)),
        (20, chen.actor, "work_order.start", lambda ctx: working.start(ctx, order(ctx))),
        (70, chen.actor, "work_order.complete", complete),
        (370, wang.actor, "alarm.acknowledge", answer_the_others),
        (400, wang.actor, "work_order.close", lambda ctx: working.close(ctx, order(ctx), wang)),
    ):
        diary.note(at + soon * minutes, actor, name, act)


def _alarm(ctx: Context, trouble: Trouble) -> Alarm:
    query = (
        select(Alarm)
        .join(Sensor)
        .where(Sensor.code == trouble.sensor, Alarm.kind == AlarmKind.ANOMALY)
    )
    return ctx.session.scalars(query.order_by(Alarm.id)).first() or _silent(trouble)


def _silent(trouble: Trouble) -> Alarm:
    raise ValueError(f"the detector did not see the trouble of {trouble.sensor}")
