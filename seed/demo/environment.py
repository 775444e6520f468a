"""Rooms and storage: what is known of them, an excursion that was reported, a month's record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from random import Random

from PIL import Image, ImageDraw
from sqlalchemy import select

from apm.accounts.model import User
from apm.core.command import Context
from apm.demo.signals import origin_of
from apm.environment import plans, records, reporting
from apm.environment.checks import check_by_hand
from apm.environment.model import Decision, ExcursionReport, Slot
from apm.environment.places import describe_place
from seed.demo.diary import Act, Diary
from seed.demo.scenery import hospital
from seed.demo.sensing import CHAPTER, DAYS, TROUBLES
from seed.demo.world import SEED, World, clock_time

STORES = {
    "Blood store": "红细胞悬液、全血 / Red cells, whole blood",
    "Cold store": "疫苗、冷藏药品 / Vaccines, chilled medicines",
    "Clinical chemistry": "检验试剂 / Reagents",
}
BY_HAND, HAND_DAYS = "ICU store", 14
"""A store of sterile goods without a sensor, and for how long it has been checked."""
WATCHED = ("CT room 1", "CT room 2", "MRI room", "Chiller room", "Theatre 1", *STORES)
PINS = (
    ("CT room 1", 20, 30), ("CT room 2", 52, 30), ("MRI room", 82, 30),
    ("Chiller room", 82, 76), ("Cold store", 24, 76),
)  # fmt: skip
"""What is pinned on the plan of the first floor: place, percent from the left, from above."""
WALLS = ((36, 0, 36, 52), (67, 0, 67, 52), (0, 52, 100, 52), (48, 62, 48, 100), (0, 62, 100, 62))
SIZE = (1200, 800)
CAUSE = "取血后门未关严 / The door was left ajar after a withdrawal"
ACTION = "关门、培训、加装闭门提示 / Door shut, staff told, reminder fitted"
PRODUCTS = "红细胞悬液18袋 / 18 units of red cells"
TOO_DAMP = "已通知后勤，两小时后复测58 % / Plant room told; 58 % two hours later"
REASON = "厂家允许短时升温，血袋无异常 / Within the maker's allowance; units look normal"


def note_environment(world: World, diary: Diary) -> None:
    """Write places, checks, an excursion report, a record and a plan into the diary."""
    wang, zhao = world.people["wang"], world.people["zhao"]
    today = datetime.fromtimestamp(origin_of(world.now), UTC)
    first = today - timedelta(days=DAYS - 1)
    diary.note(first, wang.actor, "environment.describe_place", lambda ctx: _describe(ctx, world))
    diary.note(first, wang.actor, "floor_plan.add", lambda ctx: _draw(ctx, world))
    for days in range(HAND_DAYS, -1, -1):
        for slot, hour in ((Slot.MORNING, 8.2), (Slot.AFTERNOON, 15.4)):
            at = clock_time(world.today - timedelta(days=days), hour)
            if at < world.now:
                act = _checking(world, slot, days)
                diary.note(at, world.people["lin"].actor, "environment.check", act)
    trouble = next(one for one in TROUBLES if one.sensor.startswith("BB-"))
    began = today - timedelta(days=trouble.days_ago) + timedelta(hours=trouble.hours / 2)
    stored = min(  # readings are stored a chapter at a time
        today - timedelta(days=DAYS) + CHAPTER * n for n in range(1, DAYS // CHAPTER.days + 1)
        if today - timedelta(days=DAYS) + CHAPTER * n > began + timedelta(hours=trouble.hours)
    )  # fmt: skip
    written, signed = stored + timedelta(hours=2), stored + timedelta(hours=5)
    begin = partial(_report, sensor=trouble.sensor, began=began)
    diary.note(written, wang.actor, "excursion.write_report", begin)
    diary.note(signed, zhao.actor, "excursion.sign_report", lambda ctx: _sign(ctx, zhao.id))
    last = world.today - timedelta(days=2)
    month = records.Period(last - timedelta(days=29), last)
    diary.note(
        world.now - timedelta(hours=1), zhao.actor, "environment.sign_record",
        lambda ctx: records.sign_as(
            ctx, place=world.rooms["Blood store"].code, period=month, signer=_user(ctx, zhao.id)
        ),
    )  # fmt: skip


def _describe(ctx: Context, world: World) -> None:
    floors = {
        room["en"]: str(entry["floor"])
        for entry in hospital()["departments"]
        for room in entry["rooms"]
    }
    for name in WATCHED:
        code = world.rooms[name].code
        describe_place(ctx, place=code, floor=floors[name], stores=STORES.get(name))
    describe_place(
        ctx,
        place=world.rooms[BY_HAND].code,
        floor=floors[BY_HAND],
        profile="sterile_store",
        stores="无菌耗材 / Sterile supplies",
        is_checked_by_hand=True,
    )


def _checking(world: World, slot: Slot, days: int) -> Act:
    dice = Random(f"{SEED} {slot} {days}")  # noqa: S311  (a story, no secret)
    temperature = round(21.5 + dice.uniform(-1.2, 1.2), 1)
    humidity = float(round(48 + dice.uniform(-6, 6)))
    note = None
    if days == HAND_DAYS // 2 and slot is Slot.AFTERNOON:
        humidity, note = 64.0, TOO_DAMP

    def write_down(ctx: Context) -> None:
        check_by_hand(
            ctx, place=world.rooms[BY_HAND].code, slot=slot, temperature=temperature,
            humidity=humidity, note=note,
        )  # fmt: skip

    return write_down


def _report(ctx: Context, *, sensor: str, began: datetime) -> None:
    row = reporting.begin_report(ctx, sensor=sensor, began=began)
    reporting.write_report(
        ctx, report_id=row.id, products=PRODUCTS, cause=CAUSE, action=ACTION,
        decision=Decision.USE, decision_reason=REASON,
    )  # fmt: skip


def _sign(ctx: Context, person_id: int) -> None:
    report_id = ctx.session.scalars(select(ExcursionReport.id)).one()
    reporting.sign_as(ctx, report_id=report_id, signer=_user(ctx, person_id))


def _user(ctx: Context, person_id: int) -> User:
    return ctx.session.get_one(User, person_id)


def _draw(ctx: Context, world: World) -> None:
    """Keep a plan of the first floor: its walls as lines, the pins tell the rooms."""
    picture = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((4, 4, SIZE[0] - 4, SIZE[1] - 4), outline="#41515a", width=8)
    for wall in WALLS:
        corners = [share * SIZE[k % 2] // 100 for k, share in enumerate(wall)]
        pen.line(corners, fill="#41515a", width=6)
    out = BytesIO()
    picture.save(out, "PNG")
    plan = plans.add_plan(ctx, name="Floor 1", name_zh="1楼", data=out.getvalue())
    for name, x, y in PINS:
        plans.place_pin(ctx, plan_id=plan.id, what=f"place:{world.rooms[name].code}", x=x, y=y)
