"""What the worker and the people of the story do about forecasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm.attributes import set_committed_value

from apm.assets.model import Asset
from apm.core.command import Context
from apm.forecasts.foretelling import foretell_all
from apm.forecasts.model import ForecastRecord, ModelKind, ModelState
from apm.forecasts.muting import review
from apm.forecasts.outcomes import judge_news
from apm.forecasts.registry import decide_model
from apm.forecasts.training import train_kind
from apm.readings.model import Sensor
from apm.work.model import WorkOrder
from apm.work.results import put_findings
from apm.work.states import AsFound, WorkState, WorkType
from seed.demo import working
from seed.demo.diary import Act, Diary
from seed.demo.world import World

W = WorkState


def training(kind: ModelKind) -> Act:
    """Return the deed of training a kind on what is known by then."""
    return lambda ctx: train_kind(ctx, kind, why="first")


AGREES = "与科室经验相符；先用，看评分 / Agrees with what we know here; its score will tell"
REVIEWED = "季度评审：与经验相符，继续使用 / Quarterly review: agrees with us, stays at work"


def let_work(kind: ModelKind, why: str = AGREES) -> Act:
    """Return the engineer's deed of letting the first version of a kind work.

    Whether it beats its baseline is a close thing here, and differs by the day it is built.
    """

    def decide(ctx: Context) -> None:
        decide_model(ctx, kind=kind, version=1, state=ModelState.ACTIVE, reason=why)

    return decide


def foretell_now(ctx: Context) -> None:
    """Ask the models at work about every asset."""
    foretell_all(ctx, train=False)


def judge_now(ctx: Context) -> None:
    """Judge what is over, and let the score decide."""
    judge_news(ctx)
    review(ctx)


@dataclass(frozen=True, slots=True)
class Finding:
    """What who did predicted work saw, and did about it."""

    found: AsFound
    cause: str
    remedy: str
    minutes: int


NOTHING = Finding(AsFound.NOTHING, "NPF", "检查正常 / Checked, sound", 45)


def note_work(
    world: World, diary: Diary, sensor: str | None, at: datetime, finding: Finding
) -> None:
    """Write that the work was done which forecasts of a sensor (None: of whole assets) planned."""
    chen, wang = world.people["chen"], world.people["wang"]

    def complete(ctx: Context, order: WorkOrder) -> None:
        order.as_found = finding.found
        put_findings(
            order, labour_minutes=finding.minutes, cause=finding.cause, remedy=finding.remedy
        )
        working.complete(ctx, order, chen, minutes=finding.minutes)

    def each(act: Callable[[Context, WorkOrder], None], state: WorkState) -> Act:
        def do(ctx: Context) -> None:
            orders = orders_of(ctx, sensor, state)
            if sensor and not orders:
                raise ValueError(f"no work was planned for {sensor}")
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


def orders_of(ctx: Context, sensor: str | None, state: WorkState) -> list[WorkOrder]:
    """Return the work in a state that forecasts of a sensor (None: of whole assets) planned."""
    query = (
        select(WorkOrder)
        .join(ForecastRecord, ForecastRecord.work_order_no == WorkOrder.no)
        .outerjoin(Sensor, Sensor.id == ForecastRecord.sensor_id)
        .where(
            WorkOrder.type == WorkType.PREDICTIVE,
            WorkOrder.state == state,
            Sensor.code == sensor if sensor else ForecastRecord.sensor_id.is_(None),
        )
        .distinct()
        .order_by(WorkOrder.id)
    )
    found = list(ctx.session.scalars(query))
    for order in found:
        set_committed_value(order, "asset", ctx.session.get(Asset, order.asset_id))
    return found
