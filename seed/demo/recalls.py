"""A maker's recall that touches two pumps: one is put right, one still has to be checked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apm.core.command import Context
from apm.recalls.commands import add_notice, decide, open_orders
from apm.recalls.model import CaseState, Issuer, RecallClass, SafetyNotice
from apm.work.model import WorkOrder
from seed.demo.diary import Diary
from seed.demo.working import assign, close, complete, start
from seed.demo.world import ZONE, Unit, World, clock_time

MODEL = "QH-P6"
DAYS_AGO = 26
NOTE = "已升级至 V2.14，跌落后自检通过 / Updated to V2.14, self-test passed after a knock"


def note_recalls(world: World, diary: Diary) -> None:
    """Write the notice, its work and what was found into the diary."""
    pair = _pair(world)
    made: dict[str, Any] = {}
    day = world.today - timedelta(days=DAYS_AGO)
    wang, chen = world.people["wang"], world.people["chen"]

    def enter(ctx: Context) -> None:
        made["notice"] = add_notice(ctx, details=_details(world, pair))
        made["orders"] = open_orders(ctx, notice_id=_notice().id)

    def _notice() -> SafetyNotice:
        notice: SafetyNotice = made["notice"]
        return notice

    def _order() -> WorkOrder:
        orders: list[WorkOrder] = made["orders"]
        return next(order for order in orders if order.asset_id == pair[0].row.id)

    def settle(ctx: Context) -> None:
        decide(
            ctx, notice_id=_notice().id, asset=pair[0].code, state=CaseState.CORRECTED, note=NOTE
        )

    def note(days: int, hour: float, who: str, name: str, act: Any) -> None:
        at = clock_time(day + timedelta(days=days), hour)
        diary.note(at, world.people[who].actor, name, act)

    note(1, 9.2, "wang", "recall.add", enter)
    note(1, 9.6, "wang", "work_order.assign", lambda ctx: assign(ctx, _order(), chen))
    note(2, 10.1, "chen", "work_order.start", lambda ctx: start(ctx, _order()))
    note(2, 10.9, "chen", "work_order.complete", lambda c: complete(c, _order(), chen, minutes=40))
    note(2, 15.0, "wang", "work_order.close", lambda ctx: close(ctx, _order(), wang))
    note(2, 15.1, "wang", "recall.decide", settle)


def _pair(world: World) -> list[Unit]:
    """Return two pumps that stand next to each other in the order of serial numbers."""
    before = world.now - timedelta(days=DAYS_AGO + 5)
    known = [
        unit
        for unit in world.of("INFP")
        if unit.model == MODEL and unit.registered_at < before and not unit.is_busy
    ]
    return sorted(known, key=lambda unit: unit.serial)[:2]


def _details(world: World, pair: list[Unit]) -> dict[str, Any]:
    published = (world.now - timedelta(days=DAYS_AGO)).astimezone(ZONE).date()
    return {
        "number": f"QHM-{published:%Y}-07",
        "issuer": Issuer.MAKER,
        "recall_class": RecallClass.II,
        "published_on": published,
        "title": "Pump may deliver too little after a knock",
        "title_zh": "输液泵受撞击后流量可能偏低",
        "text": "受撞击后压力传感器零点可能漂移，流量偏低而不报警。\n"
        "After a knock the zero of the pressure sensor may shift; too little is delivered"
        " without an alarm.",
        "action": "升级软件至 V2.14 并做流量测试；之前受过撞击的泵停止使用。\n"
        "Update the software to V2.14 and test the flow; do not use pumps that were dropped.",
        "manufacturer": pair[0].maker,
        "models": MODEL,
        "serial_from": pair[0].serial,
        "serial_to": pair[-1].serial,
    }
