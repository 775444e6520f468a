"""Preventive maintenance: plans from the day the program came, and what became of each due date.

Checklists are on record from `CHECKLISTS` days ago; before, maintenance was signed for as a whole,
as hospitals do until they trust a new program.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from apm.core.command import Context
from apm.maintenance.commands import add_plan
from apm.maintenance.due import Window, add_months, next_fixed_due, window
from apm.maintenance.generation import generate, settle
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.maintenance.rhythm import Rhythm
from apm.procedures.catalogue import template
from apm.work.commands import open_work
from apm.work.lifecycle import CANCELLABLE
from apm.work.model import WorkOrder
from apm.work.states import CostKind, WorkState, WorkType
from seed.demo import working
from seed.demo.checklists import answer
from seed.demo.diary import Diary
from seed.demo.metrology import name_tools
from seed.demo.scenery import kinds
from seed.demo.world import ZONE, Person, Unit, World, clock_time, on_duty

CHECKLISTS = timedelta(days=150)
EARLY_DAYS = GRACE_DAYS = 14
IN_TIME, LATE = 0.90, 0.96
"""Shares of due dates met in time, and met at all."""
GIVEN_UP_AFTER = timedelta(days=25)
"""So long after the last day of its window, maintenance that nobody did is called off."""
SWEEP = timedelta(days=2)
HOLIDAY, PUT_OFF = timedelta(days=16), 0.6
"""Lately a technician was away, and much was put off: so some work is due, and some overdue."""
WHY_NOT = "设备一直在用，顺延到下次 / In use all the time; left to the next visit"


@dataclass(frozen=True, slots=True)
class Visit:
    """When the work for one due date was done; `begun` None: it was not."""

    frame: Window
    opened: datetime
    begun: datetime | None


@dataclass(slots=True, eq=False)
class Upkeep:
    """The plan of one unit, and the order that is open for it."""

    world: World
    unit: Unit
    worker: Person
    closer: Person
    rhythm: Rhythm
    plan: Plan | None = None
    order: WorkOrder | None = None
    parts: int = 0
    """What goes into each visit, in fen."""
    in_hand: WorkOrder | None = None
    """The same once somebody has it; the visit goes on with this one, come what may."""

    @property
    def made(self) -> Plan:
        """The plan, once it is there."""
        if self.plan is None:
            raise ValueError("the plan has not been made yet")
        return self.plan

    def begin(self, ctx: Context) -> None:
        """The engineer plans the maintenance."""
        self.plan = add_plan(
            ctx, asset=self.unit.code, template=self.unit.category, rhythm=self.rhythm
        )

    def open(self, ctx: Context) -> None:
        """The window opens: the program makes the work order with its checklist."""
        made = generate(ctx, plan_id=self.made.id)
        found = made and ctx.session.get(WorkOrder, made.work_order_id)
        self.order = found or self.order  # a sweep may have been faster

    def open_on_paper(self, ctx: Context, frame: Window) -> None:
        """The same in the first months: an order without a checklist."""
        plan, kind = self.made, template(self.unit.category)
        made = Occurrence(
            plan_id=plan.id,
            seq=plan.next_seq,
            due=frame.due,
            opens=frame.opens,
            late_after=frame.late_after,
            state=OccurrenceState.OPEN,
            why="calendar",
        )
        self.order = open_work(
            ctx,
            type=WorkType.PREVENTIVE,
            title=f"Maintenance: {kind.en}",
            title_zh=f"维护保养：{kind.zh}",
            asset=self.unit.row,
            origin=f"occurrence:{plan.id}:{plan.next_seq}",
            due_on=frame.due,
            late_after=frame.late_after,
        )
        made.work_order_id = self.order.id
        ctx.session.add(made)
        plan.next_due = next_fixed_due(plan.anchor, plan.interval_months, frame.due)
        plan.next_seq += 1

    def assign(self, ctx: Context) -> None:
        """Somebody gets the job; without one (the asset is in repair) the visit falls through."""
        if self.order and self.order.state is WorkState.PLANNED:
            working.assign(ctx, self.order, self.worker)
            self.in_hand = self.order

    def start(self, ctx: Context) -> None:
        """The technician begins."""
        if self.in_hand:
            working.start(ctx, self.in_hand)

    def complete(self, ctx: Context) -> None:
        """Every step is answered and the work signed."""
        if self.in_hand:
            answer(ctx, self.in_hand, self.world.rng)
            name_tools(ctx, self.world, self.in_hand)
            minutes = self.world.rng.randint(25, 95)
            spent = {CostKind.PARTS: self.parts}
            working.complete(ctx, self.in_hand, self.worker, minutes=minutes, spent=spent)

    def settle(self, ctx: Context) -> None:
        """The program notes what became of the due date."""
        if self.order:
            settle(ctx, work_order_id=self.order.id)

    def close(self, ctx: Context) -> None:
        """Somebody else approves."""
        if self.in_hand:
            working.close(ctx, self.in_hand, self.closer)
            self.order = self.in_hand = None

    def give_up(self, ctx: Context) -> None:
        """The engineer calls it off: that due date was missed."""
        if self.order and not self.in_hand and self.order.state in CANCELLABLE:
            working.cancel(ctx, self.order, WHY_NOT)


def note_upkeep(world: World, diary: Diary) -> list[Upkeep]:
    """Write the plans and their visits into the diary; return the plans."""
    found = []
    for unit in world.units:
        if months := kinds()[unit.category].months:
            upkeep = _upkeep(world, unit, months)
            found.append(upkeep)
            _note_plan(world, diary, upkeep)
    return found


def note_sweeps(world: World, diary: Diary, plans: list[Upkeep]) -> None:
    """Write that the program looked after plans held up by a repair, as it does every hour."""

    def sweep(ctx: Context) -> None:
        opened = ctx.now().astimezone(ZONE).date() + timedelta(days=EARLY_DAYS)
        for each in plans:
            if each.plan and each.plan.next_due <= opened:
                made = generate(ctx, plan_id=each.plan.id)
                found = made and ctx.session.get(WorkOrder, made.work_order_id)
                each.order = found or each.order

    at = world.now - timedelta(minutes=6)
    while at > world.now - CHECKLISTS:
        diary.note(at, world.system, "maintenance.generate", sweep)
        at -= SWEEP


def _upkeep(world: World, unit: Unit, months: int) -> Upkeep:
    rng, people = world.rng, world.people
    first = unit.registered_at.date() + timedelta(days=rng.randint(20, months * 30))
    rhythm = Rhythm(PlanMode.FIXED, months, first, EARLY_DAYS, GRACE_DAYS)
    worker = people["chen" if rng.random() < 0.8 else "wang"]
    return Upkeep(world, unit, worker, people["zhao" if worker.key == "wang" else "wang"], rhythm)


def _note_plan(world: World, diary: Diary, upkeep: Upkeep) -> None:
    wang = world.people["wang"].actor
    diary.note(upkeep.unit.registered_at + timedelta(hours=2), wang, "plan.add", upkeep.begin)
    for visit in _visits(world, upkeep):
        _note_visit(world, diary, upkeep, visit)


def _visits(world: World, upkeep: Upkeep) -> Iterator[Visit]:
    rng, rhythm = world.rng, upkeep.rhythm
    due = rhythm.anchor
    while (
        frame := window(due, early_days=EARLY_DAYS, grace_days=GRACE_DAYS)
    ).opens <= world.today:
        opened = clock_time(frame.opens, 5 + rng.random())
        opened = max(opened, upkeep.unit.registered_at + timedelta(hours=3))
        begun = None
        luck = rng.random()
        if luck < LATE:
            day = _day(rng.random(), frame) if luck < IN_TIME else _late_day(rng.random(), frame)
            begun = on_duty(clock_time(day, rng.uniform(8.5, 16)), rng)
        if begun and world.now - HOLIDAY < begun and rng.random() < PUT_OFF:
            begun = None
        if opened < world.now:
            yield Visit(frame, opened, begun)
        due = add_months(due, rhythm.interval_months)


def _window(due: date) -> Window:
    return window(due, early_days=EARLY_DAYS, grace_days=GRACE_DAYS)


def _day(share: float, frame: Window) -> date:
    return frame.opens + timedelta(days=1 + round(share * (EARLY_DAYS + GRACE_DAYS - 2)))


def _late_day(share: float, frame: Window) -> date:
    return frame.late_after + timedelta(days=1 + round(share * 12))


def _note_visit(world: World, diary: Diary, upkeep: Upkeep, visit: Visit) -> None:
    system, wang = world.system, world.people["wang"].actor
    if visit.opened < world.now - CHECKLISTS:
        frame = visit.frame
        diary.note(
            visit.opened,
            system,
            "maintenance.generate",
            lambda ctx: upkeep.open_on_paper(ctx, frame),
        )
    else:
        diary.note(visit.opened, system, "maintenance.generate", upkeep.open)
    given_up = clock_time(visit.frame.late_after, 10) + GIVEN_UP_AFTER
    if visit.begun is None and given_up < world.now:
        diary.note(given_up, wang, "work_order.cancel", upkeep.give_up)
        diary.note(given_up + timedelta(seconds=2), system, "maintenance.settle", upkeep.settle)
    done = visit.begun and visit.begun + timedelta(minutes=world.rng.uniform(25, 95))
    closed = done and on_duty(done + timedelta(hours=world.rng.uniform(1, 30)), world.rng)
    if visit.begun is None or done is None or closed is None or closed > world.now:
        return
    world.visits.append((upkeep, done))
    worker = upkeep.worker.actor
    diary.note(
        visit.begun - timedelta(hours=world.rng.uniform(1, 20)), wang, "work_order.assign",
        upkeep.assign,
    )  # fmt: skip
    diary.note(visit.begun, worker, "work_order.start", upkeep.start)
    diary.note(done, worker, "work_order.complete", upkeep.complete)
    diary.note(done + timedelta(seconds=2), system, "maintenance.settle", upkeep.settle)
    diary.note(closed, upkeep.closer.actor, "work_order.close", upkeep.close)
