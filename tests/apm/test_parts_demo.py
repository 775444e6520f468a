"""The demo's spare parts: two years of believable stock, told by the same commands."""

from sqlalchemy import func, select

from apm.parts.model import (
    DemandForecast,
    Lot,
    MoveKind,
    Part,
    PurchaseLine,
    Reservation,
    Stock,
    StockMove,
)
from apm.parts.quarantine import receivers_of
from apm.parts.queries import counts_of
from apm.parts.reorder import proposals
from apm.parts.suppliers import LEAST, scores
from apm.work.model import Cost, WorkOrder
from apm.work.states import CostKind, WorkState
from seed.demo.shelves import items, suppliers
from tests.apm.stockroom import books_balance
from tests.apm.test_demo import ctx, desk, first_run, folder, pytestmark  # noqa: F401  (the demo, built once)


def test_the_list_of_parts_is_sound():
    listed = items()

    assert len(listed) >= 30
    assert len({item.number for item in listed}) == len(listed)
    assert {item.supplier for item in listed} <= set(suppliers())
    assert all(item.remedy or item.visit_milli for item in listed)


def test_the_demo_has_stock_in_every_state(ctx):  # noqa: F811
    session = ctx.session
    assert session.scalar(select(func.count(Part.id))) == len(items())
    assert books_balance(ctx)
    counts = counts_of(ctx)
    assert counts["low"] >= 3
    assert counts["quarantined"] == 1
    assert counts["expiring"] >= 1
    recalled = session.scalars(select(Lot).where(Lot.is_quarantined)).one()
    assert receivers_of(ctx, recalled)
    kinds = set(session.scalars(select(StockMove.kind)))
    assert {MoveKind.RECEIVE, MoveKind.ISSUE, MoveKind.SCRAP} <= kinds
    assert session.scalar(
        select(func.count(PurchaseLine.id)).where(PurchaseLine.closed_at.is_(None))
    )
    assert session.scalar(select(func.count(Reservation.id)).where(Reservation.left_milli > 0))


def test_what_was_issued_is_what_the_repairs_cost(ctx):  # noqa: F811
    """Of each order, the price of its parts is not above what it was charged for parts."""
    charged = dict(
        ctx.session.execute(
            select(Cost.work_order_id, func.sum(Cost.amount))
            .where(Cost.kind == CostKind.PARTS)
            .group_by(Cost.work_order_id)
        ).all()
    )
    moved = select(
        StockMove.work_order_id, func.sum(-StockMove.quantity_milli * StockMove.price)
    ).join(WorkOrder, WorkOrder.id == StockMove.work_order_id)
    moved = moved.where(WorkOrder.state == WorkState.CLOSED).group_by(StockMove.work_order_id)
    issued = ctx.session.execute(moved).all()
    assert len(issued) > 100
    assert [no for no, milli in issued if milli // 1000 > charged.get(no, 0)] == []


def test_the_demo_proposes_and_scores(ctx):  # noqa: F811
    found = proposals(ctx)
    assert {each.reason for each in found} & {"demand", "minimum"}
    patterns = set(ctx.session.scalars(select(DemandForecast.pattern)))
    assert {"smooth", None} < patterns
    assert any(score.n >= LEAST and score.faultless is not None for score in scores(ctx))
    assert ctx.session.scalar(select(func.min(Stock.on_hand_milli))) == 0
