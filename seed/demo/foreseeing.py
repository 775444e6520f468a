"""Forecasts: a worn CT tube, a cold head mended in time, a false alarm, a model silenced.

What wears is simulated; what the models make of it is not: they are trained in the story's past on
the records of that day, foretell, and are judged by what came, as in any hospital.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm.attributes import set_committed_value

from apm.alarms.evaluating import evaluate_all
from apm.alarms.rule_commands import Change, set_rule
from apm.assets.model import Asset
from apm.core.command import Context
from apm.demo.signals import origin_of
from apm.detecting.scoring import score_all
from apm.forecasts.foretelling import foretell_all, foretell_some
from apm.forecasts.handling import dismiss_forecast
from apm.forecasts.model import Dismissal, ForecastRecord, ModelKind, ModelState
from apm.forecasts.muting import review
from apm.forecasts.outcomes import judge_news
from apm.forecasts.registry import decide_model
from apm.forecasts.training import train_kind
from apm.readings.commands import add_sensor, ingest
from apm.readings.merging import merge_inbox
from apm.readings.model import Sensor
from apm.readings.sealing import seal_days
from apm.work.model import WorkOrder
from apm.work.results import put_findings
from apm.work.states import AsFound, WorkState, WorkType
from seed.demo import working
from seed.demo.diary import Act, Diary
from seed.demo.world import SEED, World

W = WorkState
READ_AT = timedelta(hours=6)
"""Each sensor says one value a day, read by the morning's self-test."""
FIRST_DAY = 400


@dataclass(frozen=True, slots=True)
class Wear:
    """A daily value and its limit.  course: (days ago, value), joined by straight lines."""

    code: str
    name: str
    name_zh: str
    on: tuple[str, str, int]
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
BEARING = Wear(
    "CHILLER-2-VIB", "Chiller 2 bearing vibration", "2号冷水机轴承振动",
    ("Radiology", "CHILLER", 1), "vibration", "mm/s", "high", 5.0, 0.08,
    ((400, 2.0), (135, 2.1), (90, 4.3), (86, 2.2), (0, 2.3)),
)  # fmt: skip
WEARS = (TUBE, COLD_HEAD, BEARING)
LOOKED = (103, 80, 45, 24, 10)
"""Days ago at which the three were foretold anew, besides the rounds of the whole fleet."""
SIGNS = tuple(range(632, 301, -30))
"""Rounds in which the model that learnt signs too early was at work."""
JUDGED = 515
"""Days ago from when on the rounds of that model are judged, as the worker does every day."""
ROUNDS = (190, 95)
MENDED = 60


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
    _note_signs(world, diary, on)
    diary.note(on(191), system, "model.train", _training(ModelKind.LIFE))
    diary.note(on(191, 12), wang, "model.decide", _let_life_work)
    diary.note(on(110), system, "model.train", _training(ModelKind.TREND))
    for days in ROUNDS:
        diary.note(on(days), system, "forecast.keep", _foretell)
    for days in LOOKED:
        diary.note(on(days), system, "forecast.keep", _look)
    diary.note(on(88), wang, "forecast.dismiss", _set_aside)
    _note_work(world, diary, COLD_HEAD, on(MENDED, 0), REPLACED)
    diary.note(world.now, system, "forecast.keep", _foretell)
    diary.note(world.now, system, "forecast.judge", _judge)


def _add(ctx: Context, world: World) -> None:
    why = "厂家给出的更换限值 / The maker's limit for replacement"
    for wear in WEARS:
        department, category, index = wear.on
        change = Change(is_on=True, reason=why, limit=wear.limit)
        add_sensor(
            ctx, code=wear.code, name=wear.name, name_zh=wear.name_zh, quantity=wear.quantity,
            unit=wear.unit, asset=world.of(category, department)[index].code,
        )  # fmt: skip
        set_rule(ctx, sensor=wear.code, key=wear.key, change=change)


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


def _note_signs(world: World, diary: Diary, on: Callable[..., datetime]) -> None:
    """A model of signs is let to work on too few failures; its own score puts it to silence."""
    wang, system = world.people["wang"].actor, world.system
    begin, kind = on(SIGNS[0], 2), ModelKind.SOON
    diary.note(begin, system, "model.train", _training(kind))
    diary.note(
        begin + timedelta(hours=2),
        wang,
        "model.decide",
        lambda ctx: decide_model(
            ctx, kind=kind, version=1, state=ModelState.ACTIVE,
            reason="试用：看看预警是否有用 / On trial: are its warnings of use?",
        ),
    )  # fmt: skip
    for days in SIGNS:
        diary.note(on(days), system, "forecast.keep", _foretell)
        _note_work(world, diary, None, on(days - 2), NOTHING)
        if days < JUDGED:
            diary.note(on(days, 12), system, "forecast.judge", _judge)


def _training(kind: ModelKind) -> Act:
    return lambda ctx: train_kind(ctx, kind, why="first")


def _let_life_work(ctx: Context) -> None:
    """Whether it beats its baseline on the past is a close thing here: the engineer decides."""
    why = "与科室经验相符；先用，看评分 / Agrees with what we know here; its score will tell"
    decide_model(ctx, kind=ModelKind.LIFE, version=1, state=ModelState.ACTIVE, reason=why)


def _foretell(ctx: Context) -> None:
    foretell_all(ctx, train=False)


def _look(ctx: Context) -> None:
    query = select(Sensor.asset_id).where(Sensor.code.in_([wear.code for wear in WEARS]))
    foretell_some(ctx, [asset_id for asset_id in ctx.session.scalars(query) if asset_id])


def _judge(ctx: Context) -> None:
    judge_news(ctx)
    review(ctx)


def _set_aside(ctx: Context) -> None:
    """The engineer went to the chiller, measured by hand, and found nothing."""
    query = (
        select(ForecastRecord.id)
        .join(Sensor)
        .where(Sensor.code == BEARING.code, ForecastRecord.warned)
        .order_by(ForecastRecord.id.desc())
    )
    record_id = ctx.session.scalars(query).first()
    if record_id is None:
        raise ValueError(f"no forecast warned of {BEARING.code}")
    note = "手持测振仪复测正常，探头底座松动 / Sound by hand-held meter; the probe was loose"
    dismiss_forecast(ctx, record_id=record_id, why=Dismissal.CHECKED_FINE, note=note)
    for order in _orders(ctx, BEARING, W.PLANNED):
        working.cancel(ctx, order, note)


@dataclass(frozen=True, slots=True)
class Finding:
    """What who did predicted work saw, and did about it."""

    found: AsFound
    cause: str
    remedy: str
    minutes: int


REPLACED = Finding(
    AsFound.WEAR, "PF", "冷头更换，补充液氦 / Cold head replaced, helium filled up", 420
)
NOTHING = Finding(AsFound.NOTHING, "NPF", "检查正常 / Checked, sound", 45)


def _note_work(
    world: World, diary: Diary, wear: Wear | None, at: datetime, finding: Finding
) -> None:
    """Write that the work was done which forecasts of `wear` (None: of whole assets) planned."""
    chen, wang = world.people["chen"], world.people["wang"]

    def complete(ctx: Context, order: WorkOrder) -> None:
        order.as_found = finding.found
        put_findings(
            order, labour_minutes=finding.minutes, cause=finding.cause, remedy=finding.remedy
        )
        working.complete(ctx, order, chen, minutes=finding.minutes)

    def each(act: Callable[[Context, WorkOrder], None], state: WorkState) -> Act:
        def do(ctx: Context) -> None:
            orders = _orders(ctx, wear, state)
            if wear and not orders:
                raise ValueError(f"no work was planned for {wear.code}")
            for order in orders:
                act(ctx, order)

        return do

    soon = timedelta(minutes=1)
    for minutes, actor, name, act, state in (
        (0, wang.actor, "work_order.assign", lambda c, o: working.assign(c, o, chen), W.PLANNED),
        (30, chen.actor, "work_order.start", working.start, W.ASSIGNED),
        (30 + finding.minutes, chen.actor, "work_order.complete", complete, W.IN_PROGRESS),
        (90 + finding.minutes, wang.actor, "work_order.close",
         lambda c, o: working.close(c, o, wang), W.DONE),
    ):  # fmt: skip
        diary.note(at + soon * minutes, actor, name, each(act, state))


def _orders(ctx: Context, wear: Wear | None, state: WorkState) -> list[WorkOrder]:
    """Return the work in a state that forecasts of a sensor (None: of whole assets) planned."""
    query = (
        select(WorkOrder)
        .join(ForecastRecord, ForecastRecord.work_order_no == WorkOrder.no)
        .outerjoin(Sensor, Sensor.id == ForecastRecord.sensor_id)
        .where(
            WorkOrder.type == WorkType.PREDICTIVE,
            WorkOrder.state == state,
            Sensor.code == wear.code if wear else ForecastRecord.sensor_id.is_(None),
        )
        .distinct()
        .order_by(WorkOrder.id)
    )
    found = list(ctx.session.scalars(query))
    for order in found:
        set_committed_value(order, "asset", ctx.session.get(Asset, order.asset_id))
    return found
