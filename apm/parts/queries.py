"""Reading parts: the catalogue, what lies where, what moved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from apm.accounts.queries import hospital_day
from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.parts.model import (
    Lot,
    MoveKind,
    Part,
    PartBarcode,
    PartFit,
    PurchaseLine,
    Reservation,
    Stock,
    StockMove,
    Store,
)
from apm.parts.search import matches

USED = (MoveKind.ISSUE, MoveKind.RETURN)
"""What says whether work used a part: taken from the store, and brought back."""
SOON = timedelta(days=60)
"""A lot that may not be used any more within this time is shown as expiring."""
MOST_FITTING = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """How much there is of a part, in thousandths of its unit.

    usable: on hand, neither expired nor in quarantine.  reserved: of that, promised to work.
    """

    on_hand: int = 0
    usable: int = 0
    expiring: int = 0
    reserved: int = 0
    on_order: int = 0

    @property
    def available(self) -> int:
        """What may be issued to anybody; negative when more is promised than there is."""
        return self.usable - self.reserved


@dataclass(frozen=True, slots=True)
class PartQuery:
    """What the list of parts is narrowed to; `show`: low, expiring, quarantined or retired."""

    q: str = ""
    category: str = ""
    show: str = ""


def with_details(query: Select[Part]) -> Select[Part]:
    """Load what the page of a part shows: barcodes, models, supplier."""
    return query.options(
        selectinload(Part.fits), selectinload(Part.barcodes), selectinload(Part.supplier)
    )


def part_by_id(ctx: Context, part_id: int) -> Part:
    """Return a part with its details, or raise `NotFound`."""
    found = ctx.session.scalar(with_details(select(Part)).where(Part.id == part_id))
    if found is None:
        raise _unknown()
    return found


def part_by_code(ctx: Context, code: str) -> Part:
    """Return the part with this barcode or number, or raise `NotFound`."""
    text = code.strip()
    barcode = select(PartBarcode.part_id).where(PartBarcode.code == text)
    query = select(Part).where(or_(Part.number == text, Part.id.in_(barcode)))
    # A number wins over another part's barcode; there is at most one of each.
    found = ctx.session.scalars(query.order_by((Part.number == text).desc())).first()
    if found is None:
        raise NotFound(
            _l("No part has this number or barcode. Check it, or look in the list of parts."),
            code="unknown_part",
        )
    return part_by_id(ctx, found.id)


def _unknown() -> NotFound:
    return NotFound(_l("There is no such part here. Look in the list of parts."))


def part_page(
    ctx: Context, wanted: PartQuery, *, after: str | None = None, limit: int = 50
) -> Page[Part]:
    """Return one page of parts, by number."""
    query = with_details(select(Part)).where(*matches(wanted.q))
    if wanted.category:
        query = query.where(Part.category == wanted.category)
    query = query.where(*_shown(wanted.show, hospital_day(ctx)))
    return page_of(ctx.session, query, by=[Part.number], after=after, limit=limit)


def _shown(show: str, today: date) -> list[ColumnElement[bool]]:
    if show == "retired":
        return [Part.is_active.is_(False)]
    conditions: list[ColumnElement[bool]] = [Part.is_active.is_(True)]
    if show == "low":
        conditions.append(is_low(today))
    elif show == "expiring":
        conditions.append(Part.id.in_(_parts_with(Lot.expires_on < today + SOON)))
    elif show == "quarantined":
        conditions.append(Part.id.in_(_parts_with(Lot.is_quarantined.is_(True))))
    return conditions


def _parts_with(lot: ColumnElement[bool]) -> Select[int]:
    return select(Stock.part_id).join(Stock.lot).where(Stock.on_hand_milli > 0, lot)


def is_low(today: date) -> ColumnElement[bool]:
    """Return the condition that less of a part may be used than its minimum."""
    usable = (
        select(func.coalesce(func.sum(Stock.on_hand_milli), 0))
        .join(Stock.lot)
        .where(Stock.part_id == Part.id, is_usable(today))
        .correlate(Part)
        .scalar_subquery()
    )
    return and_(Part.minimum_milli > 0, usable < Part.minimum_milli)


def is_usable(today: date) -> ColumnElement[bool]:
    """Return the condition that a lot may be issued today."""
    return and_(
        Lot.is_quarantined.is_(False), or_(Lot.expires_on.is_(None), Lot.expires_on >= today)
    )


def counts_of(ctx: Context) -> dict[str, int]:
    """Return how many parts each filter of the list shows, in one statement."""
    today = hospital_day(ctx)
    shows = ("", "low", "expiring", "quarantined", "retired")
    sums = [func.sum(case((and_(*_shown(show, today)), 1), else_=0)) for show in shows]
    row = ctx.session.execute(select(*sums).select_from(Part)).one()
    return {show: int(n or 0) for show, n in zip(shows, row, strict=True)}


def standings(ctx: Context, part_ids: Iterable[int]) -> dict[int, Standing]:
    """Return how each part stands, in three statements for all."""
    ids, today = list(part_ids), hospital_day(ctx)
    usable, soon = is_usable(today), and_(is_usable(today), Lot.expires_on < today + SOON)
    stock = (
        select(
            Stock.part_id,
            func.sum(Stock.on_hand_milli),
            func.sum(case((usable, Stock.on_hand_milli), else_=0)),
            func.sum(case((soon, Stock.on_hand_milli), else_=0)),
        )
        .join(Stock.lot)
        .where(Stock.part_id.in_(ids))
        .group_by(Stock.part_id)
    )
    lying = {
        part_id: (int(all_), int(fit), int(soon_))
        for part_id, all_, fit, soon_ in ctx.session.execute(stock)
    }
    reserved = _sum_by_part(
        ctx,
        select(Reservation.part_id, func.sum(Reservation.left_milli))
        .where(Reservation.part_id.in_(ids), Reservation.left_milli > 0)
        .group_by(Reservation.part_id),
    )
    ordered = _sum_by_part(
        ctx,
        select(
            PurchaseLine.part_id,
            func.sum(PurchaseLine.quantity_milli - PurchaseLine.received_milli),
        )
        .where(PurchaseLine.part_id.in_(ids), PurchaseLine.closed_at.is_(None))
        .group_by(PurchaseLine.part_id),
    )
    nothing = (0, 0, 0)
    return {
        each: Standing(*lying.get(each, nothing), reserved.get(each, 0), ordered.get(each, 0))
        for each in ids
    }


def _sum_by_part(ctx: Context, query: Select[int, int]) -> dict[int, int]:
    return {part_id: int(total) for part_id, total in ctx.session.execute(query)}


def stock_of(ctx: Context, part_id: int) -> list[Stock]:
    """Return where a part lies, what expires first first; empty places are left out."""
    query = (
        select(Stock)
        .join(Stock.lot)
        .where(Stock.part_id == part_id, Stock.on_hand_milli > 0)
        .options(joinedload(Stock.lot), joinedload(Stock.store))
    )
    return list(ctx.session.scalars(query.order_by(*first_expiring())))


def first_expiring() -> tuple[Any, ...]:
    """Return the order in which lots are used: first expiring, then first received."""
    return (Lot.expires_on.is_(None), Lot.expires_on, Lot.received_at, Lot.id, Stock.id)


def moves_page(
    ctx: Context, part_id: int, *, after: str | None = None, limit: int = 50
) -> Page[StockMove]:
    """Return the moves of a part, the newest first."""
    query = (
        select(StockMove)
        .where(StockMove.part_id == part_id)
        .options(
            joinedload(StockMove.lot),
            joinedload(StockMove.store),
            joinedload(StockMove.work_order),
            joinedload(StockMove.part),
        )
    )
    return page_of(
        ctx.session, query, by=[StockMove.id], after=after, limit=limit, descending=True
    )


def stores(ctx: Context) -> list[Store]:
    """Return the places where parts lie, by name."""
    return list(ctx.session.scalars(select(Store).order_by(Store.name)))


def parts_for(ctx: Context, asset: Asset) -> list[Part]:
    """Return the parts in use that go into an asset: by its model, its maker or its category."""
    same_maker = and_(
        PartFit.manufacturer == asset.manufacturer,
        or_(PartFit.model.is_(None), PartFit.model == asset.model),
    )
    fitting = select(PartFit.part_id).where(same_maker)
    any_model = ~select(PartFit.id).where(PartFit.part_id == Part.id).correlate(Part).exists()
    query = (
        select(Part)
        .where(
            Part.is_active.is_(True),
            or_(Part.id.in_(fitting), and_(Part.category == asset.category, any_model)),
        )
        .order_by(Part.number)
    )
    return list(ctx.session.scalars(query.limit(MOST_FITTING)))


def used_parts() -> Select[int | None, int]:
    """Return the work orders and the parts of which more was issued to them than came back."""
    return (
        select(StockMove.work_order_id, StockMove.part_id)
        .where(StockMove.work_order_id.is_not(None), StockMove.kind.in_(USED))
        .group_by(StockMove.work_order_id, StockMove.part_id)
        .having(func.sum(StockMove.quantity_milli) < 0)
    )
