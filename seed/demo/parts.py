"""Spare parts: what the repairs and the maintenance of the story used, and how it was bought.

What each repair and visit needs is known when the story is planned, so buying is played through
then: whatever falls to its minimum is ordered, and comes late or faulty as its supplier does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select

from apm.core.command import Context
from apm.parts.catalogue import Part
from apm.parts.commands import add_part
from apm.parts.demand import recalculate
from apm.parts.keeping import Delivery, receive, scrap
from apm.parts.model import Lot, MoveKind, PurchaseLine, Reservation, Store
from apm.parts.purchasing import close_order, order_part, receive_order
from apm.parts.quantities import MILLI
from apm.parts.quarantine import quarantine
from apm.parts.queries import stock_of
from apm.parts.stock import Facts, change, shares, usable_stock
from apm.vendors.commands import add_vendor
from apm.vendors.model import Vendor
from apm.work.model import WorkOrder
from seed.demo.diary import Diary
from seed.demo.repairs import Repair
from seed.demo.shelves import Item, Supplier, items, stores, suppliers
from seed.demo.upkeep import Upkeep
from seed.demo.world import SEED, World, on_duty

FORGOTTEN = timedelta(days=150)
"""So long nobody has ordered what is short today."""
ORDERED = {"due": (timedelta(days=16), -3), "coming": (timedelta(days=5), 9)}
"""How long ago something short was ordered, and for how many days from today it was promised."""
RECALL = "厂家召回：批次存在鼓包风险 / Recalled by the maker: cells may swell"
DAMAGED = "受潮损坏 / Damaged by damp"


@dataclass(frozen=True, slots=True)
class Need:
    """A part that a job used when it was done, or is promised while it is not."""

    at: datetime
    job: Repair | Upkeep
    is_done: bool = True

    @property
    def order(self) -> WorkOrder | None:
        """The work order in hand, if the story got that far."""
        return self.job.order if isinstance(self.job, Repair) else self.job.in_hand


@dataclass(slots=True)
class Shelf:
    """What the story knows of one part while it is planned; `made` comes with the replay."""

    item: Item
    supplier: Supplier
    on_hand: int
    on_order: int = 0
    made: Part | None = None
    deliveries: int = 0

    @property
    def part(self) -> Part:
        """The part, once it is in the catalogue."""
        if self.made is None:
            raise ValueError(f"{self.item.number} is not in the catalogue yet")
        return self.made


def note_parts(world: World, diary: Diary) -> None:
    """Write catalogue, stock, issues and orders into the diary; called after all work is."""
    rng = Random(SEED + 1)  # noqa: S311  (a story, no secret; of its own, so that others stay)
    shelves = [
        Shelf(item, suppliers()[item.supplier], on_hand=item.first_milli) for item in items()
    ]
    wang = world.people["wang"].actor
    first = world.began + timedelta(hours=3)
    diary.note(first, wang, "part.add", lambda ctx: _fill_catalogue(ctx, shelves))
    for upkeep, _done in world.visits:
        upkeep.parts = sum(
            each.each_fen for each in items()
            if each.visit_milli and each.category == upkeep.unit.category
        )  # fmt: skip
    for shelf in shelves:
        _note_life(world, diary, rng, shelf)
    last = world.now - timedelta(minutes=30)
    diary.note(last, world.system, "part.forecast", recalculate)


def _fill_catalogue(ctx: Context, shelves: list[Shelf]) -> None:
    vendors: dict[str, Vendor] = {}
    for key, supplier in suppliers().items():
        vendors[key] = add_vendor(
            ctx,
            name=supplier.name,
            name_zh=supplier.name_zh,
            contact=supplier.contact,
            phone=supplier.phone,
            email=supplier.email,
        )
    ctx.session.add_all(Store(name=place["en"], name_zh=place["zh"]) for place in stores())
    for shelf in shelves:
        item = shelf.item
        shelf.made = add_part(ctx, **item.details(vendors[item.supplier].id))
        receive(ctx, part_id=shelf.part.id, delivery=_delivery(ctx, shelf, item.first_milli))


def _delivery(ctx: Context, shelf: Shelf, milli: int, rejected: int = 0) -> Delivery:
    shelf.deliveries += 1
    item, today = shelf.item, ctx.now().date()
    return Delivery(
        quantity=milli / MILLI,
        store=stores()[0]["en"],
        lot=f"{item.number[:3]}{today:%y%m}-{shelf.deliveries:02d}" if item.has_lots else None,
        expires_on=today + timedelta(days=item.shelf_days) if item.shelf_days else None,
        rejected=rejected / MILLI,
        reject_reason="包装破损 / Package torn" if rejected else None,
    )


def _note_life(world: World, diary: Diary, rng: Random, shelf: Shelf) -> None:
    item = shelf.item
    coming: list[tuple[datetime, int]] = []
    for need in sorted(_needs(world, item), key=lambda each: each.at):
        while coming and coming[0][0] <= need.at:
            milli = coming.pop(0)[1]
            shelf.on_hand, shelf.on_order = shelf.on_hand + milli, shelf.on_order - milli
        if shelf.on_hand < item.each_milli:
            continue  # bought outside for this once; the cost of the job says so
        shelf.on_hand -= item.each_milli
        _note_need(world, diary, shelf, need)
        is_forgotten = item.short and need.at > world.now - FORGOTTEN
        if not is_forgotten and shelf.on_hand + shelf.on_order <= item.min_milli:
            coming += _note_purchase(world, diary, rng, shelf, need.at)
            coming.sort()
    shelf.on_hand += sum(milli for _at, milli in coming)
    _note_shortage(world, diary, shelf)
    _note_story(world, diary, shelf)


def _needs(world: World, item: Item) -> Iterator[Need]:
    for repair, times in world.repairs:
        if item.remedy == repair.fault.remedy and times.started and item.suits(repair.unit):
            until = times.done or times.started + timedelta(minutes=16)
            yield Need(until - timedelta(minutes=4), repair, is_done=times.done is not None)
    for upkeep, done in world.visits:
        if item.visit_milli and upkeep.unit.category == item.category:
            yield Need(done - timedelta(minutes=4), upkeep)


def _note_need(world: World, diary: Diary, shelf: Shelf, need: Need) -> None:
    if isinstance(need.job, Repair) and need.is_done:
        need.job.parts = shelf.item.each_fen
    who = world.people[need.job.worker.key].actor
    if need.is_done:
        diary.note(need.at, who, "part.issue", lambda ctx: _issue(ctx, shelf, need))
    else:
        diary.note(need.at, who, "part.reserve", lambda ctx: _reserve(ctx, shelf, need))


def _issue(ctx: Context, shelf: Shelf, need: Need) -> None:
    """Hand out; what it cost is written, and signed for, when the job is completed."""
    if need.order is None:
        return
    facts = Facts(MoveKind.ISSUE, work_order_id=need.order.id, price=shelf.part.price)
    for stock, share in shares(usable_stock(ctx, shelf.part), shelf.item.each_milli):
        change(ctx, stock, -share, facts)


def _reserve(ctx: Context, shelf: Shelf, need: Need) -> None:
    if need.order is not None:
        milli = shelf.item.each_milli
        ctx.session.add(
            Reservation(
                part_id=shelf.part.id,
                work_order_id=need.order.id,
                quantity_milli=milli,
                left_milli=milli,
                by=need.job.worker.name,
                at=ctx.now(),
            )
        )


def _note_purchase(
    world: World, diary: Diary, rng: Random, shelf: Shelf, at: datetime
) -> list[tuple[datetime, int]]:
    """Write an order and how it came; return when how much will be there."""
    item, supplier = shelf.item, shelf.supplier
    ordered = on_duty(at + timedelta(hours=rng.uniform(1, 20)), rng)
    promised = ordered + timedelta(days=item.lead_days)
    is_late = rng.random() < supplier.late
    comes = on_duty(
        promised + timedelta(days=rng.uniform(2, 9) if is_late else -rng.random()), rng
    )
    rejected = MILLI if rng.random() < supplier.faulty and item.lot_milli > MILLI else 0
    if ordered >= world.now:
        return []
    line: list[PurchaseLine] = []
    wang, zhao = world.people["wang"].actor, world.people["zhao"].actor
    diary.note(
        ordered, zhao, "part.order",
        lambda ctx: line.append(_order(ctx, shelf, item.lot_milli, promised)),
    )  # fmt: skip
    shelf.on_order += item.lot_milli
    if comes >= world.now:
        return []
    accepted = item.lot_milli - rejected

    def arrive(ctx: Context) -> None:
        delivery = _delivery(ctx, shelf, accepted, rejected)
        receive_order(ctx, line_id=line[0].id, delivery=delivery)

    diary.note(comes, wang, "part.receive_order", arrive)
    given_up = comes + timedelta(minutes=9)
    if rejected and given_up < world.now:
        shelf.on_order -= rejected
        diary.note(
            given_up, zhao, "part.close_order", lambda ctx: close_order(ctx, line_id=line[0].id)
        )
    return [(comes, accepted)]


def _order(ctx: Context, shelf: Shelf, milli: int, promised: datetime) -> PurchaseLine:
    return order_part(
        ctx,
        part_id=shelf.part.id,
        vendor_id=shelf.part.supplier_id or 0,
        quantity=milli / MILLI,
        promised_on=promised.date(),
    )


def _note_shortage(world: World, diary: Diary, shelf: Shelf) -> None:
    """Of what is short today, too little is left, and it may have been ordered by now."""
    item, zhao = shelf.item, world.people["zhao"].actor
    if not item.short:
        return
    left = max(item.min_milli - 2 * MILLI, 0)
    if shelf.on_hand > left:
        lost = shelf.on_hand - left
        at, wang = world.now - timedelta(days=6, hours=2), world.people["wang"].actor
        diary.note(at, wang, "part.scrap", lambda ctx: _lose(ctx, shelf, lost))
    if item.short in ORDERED:
        ago, days = ORDERED[item.short]
        promised = world.now + timedelta(days=days)
        diary.note(
            world.now - ago, zhao, "part.order",
            lambda ctx: _order(ctx, shelf, item.lot_milli, promised),
        )  # fmt: skip


def _lose(ctx: Context, shelf: Shelf, milli: int) -> None:
    for stock, share in shares(stock_of(ctx, shelf.part.id), milli):
        scrap(
            ctx,
            part_id=shelf.part.id,
            stock_id=stock.id,
            quantity=share / MILLI,
            reason=DAMAGED,
        )


def _note_story(world: World, diary: Diary, shelf: Shelf) -> None:
    """One lot is recalled after some of it went into equipment; another must be used soon."""
    wang, now = world.people["wang"].actor, world.now
    if shelf.item.story == "recalled":
        came = now - timedelta(days=120)
        diary.note(came, wang, "part.receive", lambda ctx: _special(ctx, shelf, "R2609", 400, 24))
        diary.note(
            now - timedelta(days=3), wang, "part.quarantine",
            lambda ctx: _recall(ctx, shelf, "R2609"),
        )  # fmt: skip
    if shelf.item.story == "expiring":
        came = now - timedelta(days=20)
        diary.note(came, wang, "part.receive", lambda ctx: _special(ctx, shelf, "OX2412", 45, 8))


def _special(ctx: Context, shelf: Shelf, lot: str, days: int, quantity: int) -> None:
    """A lot that is used before the others, kept near the wards."""
    until = ctx.now().date() + timedelta(days=days)
    delivery = Delivery(quantity=quantity, store=stores()[1]["en"], lot=lot, expires_on=until)
    receive(ctx, part_id=shelf.part.id, delivery=delivery)


def _recall(ctx: Context, shelf: Shelf, lot: str) -> None:
    query = select(Lot.id).where(Lot.part_id == shelf.part.id, Lot.code == lot)
    quarantine(ctx, lot_id=ctx.session.scalars(query).one(), reason=RECALL)
