"""What is going on today: something in every state, so that each page has something to show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from apm.assets.categories import category
from apm.assets.commands import advance, create_asset
from apm.assets.model import AssetState
from apm.core.command import Context
from apm.requests.merging import mark_duplicate
from apm.requests.triage import ask, reject
from apm.work.commands import open_work
from apm.work.states import Priority, WorkState, WorkType
from seed.demo.checklists import answer
from seed.demo.diary import Diary
from seed.demo.failures import make_repair
from seed.demo.repairs import Repair, Times
from seed.demo.scenery import Fault, faults
from seed.demo.upkeep import Upkeep
from seed.demo.world import Unit, World

HANDED_TO_CHEN, HANDED_TO_WANG = 5, 2
ASIDE = (  # category, department, action, days ago
    ("MON", "Emergency", "stand_by", 30),
    ("SYRP", "Intensive care", "stand_by", 25),
    ("US", "Cardiology", "lend", 12),
    ("INCU", "Neonatal intensive care", "quarantine", 5),
    ("OTHER", "Laboratory", "retire", 60),
)
COMING = (("VENT", AssetState.ACCEPTANCE), ("CT", AssetState.ORDERED), ("DR", AssetState.PLANNED))


def reserve(world: World) -> dict[str, Unit]:
    """Choose the units of today's story; nothing else happens to them lately."""
    chosen = {
        "patient": world.of("VENT", "Intensive care")[2],
        "new": world.of("MON", "Emergency")[1],
        "pump": world.of("INFP", "Respiratory medicine")[0],
        "vague": world.of("ECG", "Cardiology")[1],
        "rejected": world.of("INFP", "General surgery")[1],
        "assigned": world.of("SYRP", "Operating theatres")[0],
        "in_progress": world.of("HD", "Dialysis")[4],
        "parts": world.of("ESU", "Operating theatres")[3],
        "vendor": world.of("US", "Ultrasound")[1],
        "access": world.of("ANES", "Operating theatres")[2],
        "done": world.of("VENT", "Emergency")[0],
        "resolved": world.of("MON", "Cardiology")[2],
    }
    aside = {f"{a}-{i}": world.of(c, d)[-1] for i, (c, d, a, _days) in enumerate(ASIDE)}
    for unit in (*chosen.values(), *aside.values()):
        unit.is_busy = True
    return chosen | aside


def note_today(world: World, diary: Diary, chosen: dict[str, Unit], plans: list[Upkeep]) -> None:
    """Write today's story into the diary."""
    _note_requests(world, diary, chosen)
    _note_repairs(world, diary, chosen)
    _note_upkeep(world, diary, plans)
    _note_assets(world, diary, chosen)


def _repair(
    world: World, unit: Unit, times: Times, is_fit: Callable[[Fault], bool] = lambda _f: True
) -> Repair:
    fitting = [fault for fault in faults(unit.category) if is_fit(fault)]
    made = make_repair(world, unit, fitting[0], times)
    made.has_patient = False
    made.is_out_of_use = True
    if times.started:
        made.worker, made.closer = world.people["chen"], world.people["wang"]
    return made


def _note_requests(world: World, diary: Diary, chosen: dict[str, Unit]) -> None:
    wang, now = world.people["wang"].actor, world.now
    new = {}
    for key, minutes in (("patient", 14), ("new", 47), ("pump", 130), ("vague", 1500),
                         ("rejected", 4400)):  # fmt: skip
        times = Times(now - timedelta(minutes=minutes))
        new[key] = _repair(world, chosen[key], times)
        new[key].has_patient = key == "patient"
        new[key].note(diary, times)

    why = "哪个导联？请补充照片 / Which lead? Please add a photo"
    diary.note(
        now - timedelta(minutes=1440), wang, "request.ask",
        lambda ctx: ask(ctx, no=new["vague"].request_no, reason=why),
    )  # fmt: skip
    no = "正常的上电自检 / This is the normal self-test"
    diary.note(
        now - timedelta(minutes=4300), wang, "request.reject",
        lambda ctx: reject(ctx, no=new["rejected"].request_no, reason=no),
    )  # fmt: skip


def _note_repairs(world: World, diary: Diary, chosen: dict[str, Unit]) -> None:
    made = {}
    for key, hours, is_fit in (
        ("assigned", (20, 19), None),
        ("in_progress", (5, 4.5, 1.2), None),
        ("parts", (50, 49, 46, 45), _needs_parts),
        ("vendor", (75, 74, 70, 69), _needs_vendor),
        ("access", (26, 25.5, 22, 21), None),
        ("done", (9, 8.5, 6, None, None, 3), None),
        ("resolved", (60, 59, 55, None, None, 53, 30), None),
    ):
        steps = [None if h is None else world.now - timedelta(hours=h) for h in hours]
        assert steps[0] is not None  # noqa: S101  (every repair was reported)
        times = Times(steps[0], *steps[1:])
        made[key] = _repair(world, chosen[key], times, is_fit or (lambda _f: True))
        if key == "access":
            made[key].access = "手术占用 / In use in theatre"
        made[key].note(diary, times)
    again = Times(world.now - timedelta(hours=44))
    twin = _repair(world, chosen["parts"], again)
    twin.note(diary, again)
    diary.note(
        world.now - timedelta(hours=43.5), world.people["wang"].actor, "request.mark_duplicate",
        lambda ctx: mark_duplicate(ctx, no=twin.request_no, of=made["parts"].request_no),
    )  # fmt: skip


def _needs_parts(fault: Fault) -> bool:
    return bool(fault.days and fault.parts)


def _needs_vendor(fault: Fault) -> bool:
    return bool(fault.days and fault.vendor)


def _note_upkeep(world: World, diary: Diary, plans: list[Upkeep]) -> None:
    chen, wang, now = world.people["chen"], world.people["wang"], world.now

    def waiting() -> list[Upkeep]:
        return [
            plan for plan in plans
            if plan.order and plan.order.state is WorkState.PLANNED and not plan.unit.is_busy
        ]  # fmt: skip

    def hand_out(ctx: Context) -> None:
        for number, plan in enumerate(waiting()[: HANDED_TO_CHEN + HANDED_TO_WANG]):
            plan.worker, plan.closer = (
                (chen, wang) if number < HANDED_TO_CHEN else (wang, world.people["zhao"])
            )
            plan.assign(ctx)

    def begin(ctx: Context) -> None:
        mine = [p for p in plans if p.order and p.order.assignee_id == chen.id]
        ready = [p for p in mine if p.order and p.order.state is WorkState.ASSIGNED]
        for half in ready[:1]:
            half.start(ctx)
            if half.order:
                answer(ctx, half.order, world.rng, share=0.5)

    diary.note(now - timedelta(hours=20), wang.actor, "work_order.assign", hand_out)
    diary.note(now - timedelta(hours=1), chen.actor, "work_order.start", begin)


def _note_assets(world: World, diary: Diary, chosen: dict[str, Unit]) -> None:
    wang = world.people["wang"].actor
    for index, (_category, _department, action, days) in enumerate(ASIDE):
        step = partial(advance, code=chosen[f"{action}-{index}"].code, action=action)
        diary.note(world.now - timedelta(days=days), wang, "asset.advance", step)

    def inspect(ctx: Context) -> None:
        open_work(
            ctx,
            type=WorkType.INSPECTION,
            title="Round: emergency power sockets",
            title_zh="巡检：应急电源插座",
            location=world.rooms["Theatre 1"],
            priority=Priority.LOW,
            due_on=world.today + timedelta(days=4),
        )

    diary.note(world.now - timedelta(days=2), wang, "work_order.open", inspect)
    zhao = world.people["zhao"].actor
    for number, (code, state) in enumerate(COMING, start=1):
        new = partial(_order_new, number=f"NEW-{world.today:%Y}-{number}", code=code, state=state)
        diary.note(world.now - timedelta(days=number), zhao, "asset.create", new)


def _order_new(ctx: Context, *, number: str, code: str, state: AssetState) -> None:
    kind = category(code)
    made = create_asset(ctx, number=number, name=kind.en, category=code, name_zh=kind.zh)
    made.lifecycle = state
