"""Power meters and a counter on a few devices, and what they have told of use and energy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import select

from apm.assets.commands import create_asset
from apm.assets.model import Asset
from apm.core.command import Context
from apm.demo.signals import origin_of
from apm.demo.use_signals import USES
from apm.maintenance.model import MeterKind, Plan, TriggerKind
from apm.maintenance.trigger_commands import add_trigger
from apm.maintenance.wishes import Wanted
from apm.readings.commands import add_sensor, ingest
from apm.utilisation.commands import Terms, Wish, set_feed, set_terms
from apm.utilisation.factors import factors
from apm.utilisation.following import follow_feed
from apm.utilisation.model import Feed, FeedWay
from seed.demo.diary import Diary
from seed.demo.world import World, clock_time

DAYS = 28
STEP_S = 600
WASHER = "WASH-001"
PRICE = Decimal("0.685")
"""Yuan a kWh; the demo's own."""
EXPOSURES = 25_000
"""The CT is looked after each time so many exposures were made."""


@dataclass(frozen=True, slots=True)
class Meter:
    """A sensor, what it stands on (department, category, n-th), and what it tells."""

    code: str
    name: str
    name_zh: str
    on: tuple[str, str, int] | None
    quantity: str
    unit: str
    wish: Wish


METERS = (
    Meter("CT1-POWER", "CT 1 power", "CT 1功率", ("Radiology", "CT", 0), "power", "kW",
          Wish(FeedWay.POWER, MeterKind.HOURS)),
    Meter("CT1-EXPOSURES", "CT 1 exposures", "CT 1曝光次数", ("Radiology", "CT", 0), "count",
          "times", Wish(FeedWay.COUNTER, MeterKind.EXPOSURES)),
    Meter("ICU-VENT-1-P", "Ventilator power", "呼吸机功率", ("Intensive care", "VENT", 0), "power",
          "W", Wish(FeedWay.POWER, MeterKind.HOURS)),
    Meter("HD-1-P", "Dialysis machine power", "血透机功率", ("Dialysis", "HD", 0), "power", "W",
          Wish(FeedWay.POWER, MeterKind.HOURS)),
    Meter("WASHER-1-P", "Instrument washer power", "清洗消毒机功率", None, "power", "W",
          Wish(FeedWay.POWER, MeterKind.CYCLES)),
    Meter("CHILLER-1-I", "Chiller 1 current", "1号冷水机电流", ("Radiology", "CHILLER", 0),
          "current", "A", Wish(FeedWay.CURRENT, volts=380, phases=3, power_factor=0.85)),
)  # fmt: skip


def note_metering(world: World, diary: Diary) -> None:
    """Write the meters, four weeks of their readings and what follows from them into the diary."""
    today = datetime.fromtimestamp(origin_of(world.now), UTC)
    first = today - timedelta(days=DAYS)
    wang, zhao = world.people["wang"].actor, world.people["zhao"].actor
    diary.note(
        first - timedelta(days=2), wang, "asset.create", lambda ctx: _buy_washer(ctx, world)
    )
    diary.note(first - timedelta(days=1), wang, "utilisation.feed", lambda ctx: _hang(ctx, world))
    diary.note(first - timedelta(hours=20), zhao, "utilisation.terms", _agree)
    diary.note(world.now, world.system, "reading.ingest", lambda ctx: _send(ctx, world, first))
    diary.note(world.now, world.system, "utilisation.follow", _follow)
    diary.note(world.now, wang, "plan.add_trigger", lambda ctx: _count_exposures(ctx, world))


def _buy_washer(ctx: Context, world: World) -> None:
    day = clock_time(world.today, 9).date()
    create_asset(
        ctx, number=WASHER, name="Instrument washer", category="OTHER", name_zh="清洗消毒机",
        department="Operating theatres", location="Recovery room", manufacturer="Polarn",
        model="Lava 12", purchased_on=day - timedelta(days=DAYS + 30),
        in_service_on=day - timedelta(days=DAYS + 2),
    )  # fmt: skip


def _hang(ctx: Context, world: World) -> None:
    for meter in METERS:
        add_sensor(
            ctx, code=meter.code, name=meter.name, name_zh=meter.name_zh, quantity=meter.quantity,
            unit=meter.unit, asset=_code_of(ctx, world, meter),
        )  # fmt: skip
        set_feed(ctx, sensor=meter.code, wish=meter.wish)


def _code_of(ctx: Context, world: World, meter: Meter) -> str:
    if meter.on is None:
        return ctx.session.scalars(select(Asset.code).where(Asset.number == WASHER)).one()
    department, category, index = meter.on
    return world.of(category, department)[index].code


def _agree(ctx: Context) -> None:
    newest = factors()[0]
    terms = Terms(PRICE, newest.g_per_kwh, newest.source, newest.year, is_verified=False)
    set_terms(ctx, terms=terms)


def _send(ctx: Context, world: World, first: datetime) -> None:
    ticks = np.arange(int(first.timestamp()), int(world.now.timestamp()) + 1, STEP_S)
    at, origin = ticks.astype(np.float64), origin_of(world.now)
    stamps = [datetime.fromtimestamp(second, UTC) for second in ticks.tolist()]
    rows: list[dict[str, Any]] = []
    for code, signal in USES.items():
        values = signal.values(at, origin).tolist()
        rows += [
            {"sensor": code, "at": stamp, "value": value}
            for stamp, value in zip(stamps, values, strict=True)
        ]
    ingest(ctx, rows)


def _follow(ctx: Context) -> None:
    for feed_id in ctx.session.scalars(select(Feed.id).order_by(Feed.id)).all():
        follow_feed(ctx, feed_id=feed_id)


def _count_exposures(ctx: Context, world: World) -> None:
    scanner = world.of("CT", "Radiology")[0].row
    plan = ctx.session.scalars(select(Plan).where(Plan.asset_id == scanner.id)).first()
    if plan is None:
        raise ValueError("the CT has no plan")
    wanted = Wanted(TriggerKind.METER, meter=MeterKind.EXPOSURES, every=EXPOSURES, base=0.0)
    add_trigger(ctx, plan_id=plan.id, wanted=wanted)
