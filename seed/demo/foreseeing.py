"""Forecasts: a worn CT tube, a cold head mended in time, a false alarm.

What wears is simulated; what the models make of it is not: they are trained in the story's past on
the records of that day, foretell, and are judged by what came, as in any hospital.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import select

from apm.alarms.evaluating import evaluate_all
from apm.alarms.rule_commands import Change, set_rule
from apm.core.command import Context
from apm.demo.signals import origin_of
from apm.detecting.scoring import score_all
from apm.forecasts.foretelling import foretell_some
from apm.forecasts.handling import dismiss_forecast
from apm.forecasts.model import Dismissal, ForecastRecord, ModelKind
from apm.readings.commands import add_sensor, ingest
from apm.readings.merging import merge_inbox
from apm.readings.model import Sensor
from apm.readings.sealing import seal_days
from apm.work.states import AsFound, WorkState
from seed.demo import working
from seed.demo.diary import Diary
from seed.demo.predicting import (
    REVIEWED,
    Finding,
    foretell_now,
    judge_now,
    let_work,
    note_work,
    orders_of,
    training,
)
from seed.demo.world import SEED, Unit, World

READ_AT = timedelta(hours=6)
"""Each sensor says one value a day, read by the morning's self-test."""
FIRST_DAY = 400


@dataclass(frozen=True, slots=True)
class Wear:
    """A daily value and its limit.  course: (days ago, value), joined by straight lines."""

    code: str
    name: str
    name_zh: str
    on: tuple[str, str, int] | None
    """Department, category, n-th; None: a dialysis machine that kept well all the while."""
    quantity: str
    unit: str
    key: str
    limit: float
    noise: float
    course: tuple[tuple[float, float], ...]


TUBE = Wear(
    "CT1-TUBE-OUTPUT", "CT 1 tube output against new", "CT 1球管输出（与新管之比）",
    ("Radiology", "CT", 0), "other", "%", "low", 80.0, 0.35,
    ((400, 99.0), (210, 96.0), (120, 92.5), (0, 81.8)),
)  # fmt: skip
COLD_HEAD = Wear(
    "MRI-HELIUM", "MRI helium level", "磁共振液氦液位", ("Radiology", "MRI", 0), "other", "%",
    "low", 65.0, 0.3, ((400, 95.0), (170, 88.0), (61, 67.6), (60, 93.0), (0, 91.5)),
)  # fmt: skip
PUMP = Wear(
    "HD-PUMP-VIB", "Blood pump vibration", "血泵振动", None, "vibration", "mm/s", "high", 5.0,
    0.08, ((400, 2.0), (135, 2.1), (90, 4.3), (86, 2.2), (0, 2.3)),
)  # fmt: skip
WEARS = (TUBE, COLD_HEAD, PUMP)
LOOKED = (103, 80, 45, 24, 10)
"""Days ago at which the three were foretold anew, besides the rounds of the whole fleet."""
ROUNDS = (190, 95)
MENDED = 60
REVIEW = 40
"""Days ago; what a person decides holds for longer against a score as good as the baseline's."""
REPLACED = Finding(
    AsFound.WEAR, "PF", "冷头更换，补充液氦 / Cold head replaced, helium filled up", 420
)


def note_foreseeing(world: World, diary: Diary) -> None:
    """Write sensors, models, forecasts and what people made of them into the diary."""
    today = datetime.fromtimestamp(origin_of(world.now), UTC)
    wang, system = world.people["wang"].actor, world.system

    def on(days: float, hours: float = 10.0) -> datetime:
        return min(today - timedelta(days=days) + timedelta(hours=hours), world.now)

    diary.note(on(FIRST_DAY + 1), wang, "sensor.add", lambda ctx: _add(ctx, world))
    last = on(FIRST_DAY)
    for days in sorted({*LOOKED, *ROUNDS, 110}, reverse=True):
        _note_readings(world, diary, last, on(days, 9))
        last = on(days, 9)
    _note_readings(world, diary, last, world.now)
    diary.note(on(191), system, "model.train", training(ModelKind.LIFE))
    diary.note(on(191, 12), wang, "model.decide", let_work(ModelKind.LIFE))
    diary.note(on(REVIEW, 12), wang, "model.decide", let_work(ModelKind.LIFE, REVIEWED))
    diary.note(on(110), system, "model.train", training(ModelKind.TREND))
    for days in ROUNDS:
        diary.note(on(days), system, "forecast.keep", foretell_now)
    for days in LOOKED:
        diary.note(on(days), system, "forecast.keep", _look)
    diary.note(on(88), wang, "forecast.dismiss", _set_aside)
    note_work(world, diary, COLD_HEAD.code, on(MENDED, 0), REPLACED)
    diary.note(world.now, system, "forecast.keep", foretell_now)
    diary.note(world.now, system, "forecast.judge", judge_now)


def _add(ctx: Context, world: World) -> None:
    why = "厂家给出的更换限值 / The maker's limit for replacement"
    for wear in WEARS:
        change = Change(is_on=True, reason=why, limit=wear.limit)
        add_sensor(
            ctx, code=wear.code, name=wear.name, name_zh=wear.name_zh, quantity=wear.quantity,
            unit=wear.unit, asset=_unit(world, wear).code,
        )  # fmt: skip
        set_rule(ctx, sensor=wear.code, key=wear.key, change=change)


def _unit(world: World, wear: Wear) -> Unit:
    """Return what the sensor stands on: a failure of its own would prove a false alarm right."""
    if wear.on is not None:
        department, category, index = wear.on
        return world.of(category, department)[index]
    since, until = world.now - timedelta(days=115), world.now - timedelta(days=40)
    failed = {r.unit.code for r, times in world.repairs if since < times.reported < until}
    return next(
        unit
        for unit in world.of("HD", "Dialysis")[1:]
        if unit.code not in failed and not unit.is_busy and unit.registered_at < since
    )


def _note_readings(world: World, diary: Diary, begin: datetime, end: datetime) -> None:
    def store(ctx: Context) -> None:
        ingest(ctx, readings_between(world.now, begin, end))
        merge_inbox(ctx)
        seal_days(ctx)

    diary.note(end, world.system, "reading.ingest", store)
    diary.note(end, world.system, "alarm.evaluate", lambda ctx: evaluate_all(ctx, until=end))
    diary.note(end, world.system, "detector.store", lambda ctx: score_all(ctx, until=end))


def readings_between(now: datetime, begin: datetime, end: datetime) -> list[dict[str, object]]:
    """Return what the three said with begin < at <= end."""
    today = datetime.fromtimestamp(origin_of(now), UTC)
    found = []
    for n, wear in enumerate(WEARS):
        noise = np.random.default_rng(SEED + n).normal(0.0, wear.noise, FIRST_DAY + 1)
        ago, values = zip(*reversed(wear.course), strict=True)
        for days in range(FIRST_DAY, -1, -1):
            at = today - timedelta(days=days) + READ_AT
            if begin < at <= end:
                value = float(np.interp(days, ago, values)) + float(noise[days])
                found.append({"sensor": wear.code, "at": at.isoformat(), "value": round(value, 2)})
    return found


def _look(ctx: Context) -> None:
    query = select(Sensor.asset_id).where(Sensor.code.in_([wear.code for wear in WEARS]))
    foretell_some(ctx, [asset_id for asset_id in ctx.session.scalars(query) if asset_id])


def _set_aside(ctx: Context) -> None:
    """The engineer went there, measured by hand, and found nothing."""
    query = (
        select(ForecastRecord.id)
        .join(Sensor)
        .where(Sensor.code == PUMP.code, ForecastRecord.warned)
        .order_by(ForecastRecord.id.desc())
    )
    record_id = ctx.session.scalars(query).first()
    if record_id is None:
        raise ValueError(f"no forecast warned of {PUMP.code}")
    note = "手持测振仪复测正常，探头松动 / Sound by hand-held meter; the probe was loose"
    dismiss_forecast(ctx, record_id=record_id, why=Dismissal.CHECKED_FINE, note=note)
    for order in orders_of(ctx, PUMP.code, WorkState.PLANNED):
        working.cancel(ctx, order, note)
