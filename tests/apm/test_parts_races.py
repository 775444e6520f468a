"""Two people want the same part at the same instant: one gets it, the other is told."""

import threading

import pytest
from sqlalchemy import select

from apm.core.command import Context
from apm.core.errors import Conflict, DomainError
from apm.parts.issuing import give_back, issue, reserve
from apm.parts.keeping import Delivery
from apm.parts.model import Lot, PurchaseLine
from apm.parts.purchasing import order_part, receive_order
from apm.parts.quarantine import quarantine
from apm.work.moving import Facts, move_work
from tests.apm.stockroom import books_balance, job, make_vendor, standing, stocked

pytestmark = pytest.mark.database


@pytest.fixture
def together(sessions, as_):
    """`together((act, "wang"), (act, "chen"))` lets them go at once; returns the refusals."""

    def run(*deeds):
        gate, refused, broken = threading.Barrier(len(deeds)), [], []
        deeds = [(act, as_(name).actor) for act, name in deeds]

        def go(act, actor):
            with sessions() as session:
                gate.wait()
                try:
                    act(Context(session, actor))
                except DomainError as error:
                    refused.append(error)
                except Exception as error:  # a thread's exception would be lost
                    broken.append(error)

        threads = [threading.Thread(target=go, args=deed) for deed in deeds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert broken == []
        return refused

    return run


def test_the_last_piece_is_issued_once(as_, together):
    part = stocked(as_("wang"), 1)
    first, second = job(as_), job(as_, "amy")

    [refused] = together(
        (lambda ctx: issue(ctx, no=first.no, part_id=part.id, quantity=1), "chen"),
        (lambda ctx: issue(ctx, no=second.no, part_id=part.id, quantity=1), "amy"),
    )

    assert isinstance(refused, Conflict)
    assert "Only 0 left" in str(refused)
    assert standing(as_, part).on_hand == 0
    assert books_balance(as_("wang"))


def test_many_take_from_the_same_heap_and_none_is_lost(as_, together):
    part = stocked(as_("wang"), 5)
    orders = [job(as_) for _ in range(8)]

    refused = together(
        *[
            (lambda ctx, no=order.no: issue(ctx, no=no, part_id=part.id, quantity=1), "chen")
            for order in orders
        ]
    )

    assert len(refused) == 3
    assert standing(as_, part).on_hand == 0
    assert books_balance(as_("wang"))


def test_the_last_piece_is_promised_or_issued(as_, together):
    part = stocked(as_("wang"), 1)
    first, second = job(as_), job(as_, "amy")

    refused = together(
        (lambda ctx: reserve(ctx, no=first.no, part_id=part.id, quantity=1), "chen"),
        (lambda ctx: issue(ctx, no=second.no, part_id=part.id, quantity=1), "amy"),
    )

    assert len(refused) == 1
    assert standing(as_, part).available == 0


def test_nothing_is_promised_to_an_order_that_ends(as_, together):
    part, order = stocked(as_("wang"), 1), job(as_)

    together(
        (lambda ctx: reserve(ctx, no=order.no, part_id=part.id, quantity=1), "wang"),
        (lambda ctx: move_work(ctx, no=order.no, action="cancel", facts=Facts("no")), "zhao"),
    )

    assert standing(as_, part).reserved == 0


def test_the_same_piece_comes_back_once(as_, together):
    part, order = stocked(as_("wang"), 1), job(as_)
    [move] = issue(as_("chen"), no=order.no, part_id=part.id, quantity=1)

    back = lambda ctx: give_back(ctx, no=order.no, move_id=move.id, quantity=1)  # noqa: E731
    assert len(together((back, "chen"), (back, "wang"))) == 1
    assert standing(as_, part).on_hand == 1000


def test_a_delivery_is_received_once(as_, together):
    ctx = as_("wang")
    part = stocked(ctx, 1)
    line = order_part(ctx, part_id=part.id, vendor_id=make_vendor(ctx).id, quantity=4)

    take = lambda ctx: receive_order(ctx, line_id=line.id, delivery=Delivery(4, "Store"))  # noqa: E731
    assert len(together((take, "wang"), (take, "zhao"))) == 1
    assert standing(as_, part).on_hand == 5000
    assert as_("wang").session.scalars(select(PurchaseLine.received_milli)).all() == [4000]


def test_a_lot_is_issued_before_it_is_set_aside_or_not_at_all(as_, together):
    part, order = stocked(as_("wang"), 1, lot="A"), job(as_)
    lot = as_("wang").session.scalars(select(Lot.id)).one()
    together(
        (lambda ctx: issue(ctx, no=order.no, part_id=part.id, quantity=1, lot="A"), "chen"),
        (lambda ctx: quarantine(ctx, lot_id=lot, reason="Recall"), "wang"),
    )

    assert books_balance(as_("wang"))
    assert as_("wang").session.get(Lot, lot).is_quarantined
