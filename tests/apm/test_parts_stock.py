"""Stock: what comes in, goes out, comes back; never below zero, never the last piece twice."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from apm.accounts.queries import hospital_day
from apm.core.audit import AuditEntry
from apm.core.clock import utc_now
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.parts.issuing import give_back, issue, release, reserve, still_out
from apm.parts.keeping import Delivery, adjust, receive, scrap, transfer
from apm.parts.model import ChangedMove, Lot, MoveKind, Reservation, Stock, StockMove
from apm.parts.quarantine import lot_by_id, quarantine, receivers_of, unquarantine
from apm.work.completion import Completion, complete
from apm.work.moving import Facts, move_work
from apm.work.queries import work_order
from tests.apm.hospital import make_work
from tests.apm.stockroom import books_balance, fill, job, lies, make_part, standing, stocked
from tests.conftest import PASSWORD

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def books(as_):
    """After every test, what is on hand is the sum of its moves."""
    yield
    assert books_balance(as_("wang"))


@pytest.fixture(autouse=True)
def noise(as_):
    """South has the same part and plenty of it; North has another."""
    stocked(as_("qin"), 100, number="P-1", lot="A")
    stocked(as_("wang"), 50, number="P-OTHER", lot="A")


def day(as_, days):
    return hospital_day(as_("wang")) + timedelta(days=days)


def costs_of(as_, order):
    return [cost.amount for cost in work_order(as_("wang"), order.no).costs]


def only_stock(as_, part):
    return as_("wang").session.scalars(select(Stock).where(Stock.part_id == part.id)).one()


def lot_of(as_, part, code):
    return (
        as_("wang")
        .session.scalars(select(Lot).where(Lot.part_id == part.id, Lot.code == code))
        .one()
    )


def test_an_issue_takes_from_stock_and_costs_the_order(as_):
    part, order = stocked(as_("wang"), 5, number="P-1"), job(as_)

    [move] = issue(as_("chen"), no=order.no, part_id=part.id, quantity="2")

    assert (move.kind, move.quantity_milli, move.by) == (MoveKind.ISSUE, -2000, "Chen Bo")
    assert standing(as_, part).on_hand == 3000
    assert costs_of(as_, order) == [2500]
    [cost] = work_order(as_("wang"), order.no).costs
    assert (cost.kind, cost.note, cost.currency) == ("parts", "P-1 × 2", "CNY")


def test_what_comes_back_is_in_stock_and_off_the_order(as_):
    part, order = stocked(as_("wang"), 5), job(as_)
    [move] = issue(as_("chen"), no=order.no, part_id=part.id, quantity=3)

    give_back(as_("chen"), no=order.no, move_id=move.id, quantity=1)
    with pytest.raises(Invalid, match="Only 2"):
        give_back(as_("chen"), no=order.no, move_id=move.id, quantity=3)
    give_back(as_("chen"), no=order.no, move_id=move.id, quantity=2)

    assert costs_of(as_, order) == [3750, -1250, -2500]
    assert standing(as_, part).on_hand == 5000
    assert still_out(as_("wang"), [move]) == {move.id: 0}


def test_in_however_many_pieces_it_comes_back_the_cost_is_zero(as_):
    part, order = stocked(as_("wang"), 1, unit="metre", price=100), job(as_)
    [move] = issue(as_("chen"), no=order.no, part_id=part.id, quantity="0.333")

    for piece in ("0.111", "0.1", "0.122"):
        give_back(as_("chen"), no=order.no, move_id=move.id, quantity=piece)

    assert sum(costs_of(as_, order)) == 0
    assert standing(as_, part).on_hand == 1000


def test_what_expires_first_is_taken_first_from_several_lots_if_need_be(as_):
    ctx, order = as_("wang"), job(as_)
    part = make_part(ctx)
    fill(ctx, part, 5, lot="LATER", expires_on=day(as_, 200))
    fill(ctx, part, 2, lot="SOON", expires_on=day(as_, 20))
    fill(ctx, part, 5, lot="NEVER")

    moves = issue(as_("chen"), no=order.no, part_id=part.id, quantity=3)

    soon, later = (lot_of(as_, part, code).id for code in ("SOON", "LATER"))
    assert [(m.lot_id, m.quantity_milli) for m in moves] == [(soon, -2000), (later, -1000)]
    assert costs_of(as_, order) == [3750]


def test_an_expired_lot_is_refused_and_passed_over(as_):
    order, ctx = job(as_), as_("wang")
    part = make_part(ctx)
    fill(ctx, part, 2, lot="OLD", expires_on=day(as_, 3))
    fill(ctx, part, 1, lot="NEW", expires_on=day(as_, 90))
    later = as_("wang", now=lambda: utc_now() + timedelta(days=5))

    with pytest.raises(Conflict, match=r"OLD expired on .* Take another"):
        issue(later, no=order.no, part_id=part.id, quantity=1, lot="OLD")
    with pytest.raises(Conflict, match="Only 1 left"):
        issue(later, no=order.no, part_id=part.id, quantity=2)
    [move] = issue(later, no=order.no, part_id=part.id, quantity=1)

    assert move.lot_id == lot_of(as_, part, "NEW").id


def test_a_quarantined_lot_is_refused_passed_over_and_traced(as_):
    ctx, order = as_("wang"), job(as_)
    part = make_part(ctx)
    fill(ctx, part, 4, lot="BAD", expires_on=day(as_, 10))
    fill(ctx, part, 4, lot="GOOD")
    [bad] = issue(as_("chen"), no=order.no, part_id=part.id, quantity=2)
    other = job(as_)
    [back] = issue(as_("chen"), no=other.no, part_id=part.id, quantity=1)
    give_back(as_("chen"), no=other.no, move_id=back.id, quantity=1)

    quarantine(ctx, lot_id=bad.lot_id, reason="Recall 2026-7")

    with pytest.raises(Conflict, match="BAD is in quarantine"):
        issue(as_("chen"), no=order.no, part_id=part.id, quantity=1, lot="BAD")
    [good] = issue(as_("chen"), no=order.no, part_id=part.id, quantity=1)
    assert good.lot_id == lot_of(as_, part, "GOOD").id
    [received] = receivers_of(as_("wang"), lot_by_id(as_("wang"), bad.lot_id))
    assert (received.order.no, received.milli) == (order.no, 2000)
    with pytest.raises(Conflict, match="already"):
        quarantine(ctx, lot_id=bad.lot_id, reason="again")
    with pytest.raises(Conflict, match="in quarantine"):
        fill(ctx, part, 1, lot="BAD")

    held = unquarantine(ctx, lot_id=bad.lot_id, note="Tested: good")
    assert (held.released_by, held.release_note) == ("Wang Lei", "Tested: good")
    issue(as_("chen"), no=order.no, part_id=part.id, quantity=1, lot="BAD")


def test_who_may_set_a_lot_aside(as_):
    part = stocked(as_("wang"), 1, lot="A")
    lot = lot_of(as_, part, "A").id
    with pytest.raises(NotAllowed):
        quarantine(as_("chen"), lot_id=lot, reason="?")
    with pytest.raises(NotFound):
        quarantine(as_("qin"), lot_id=lot, reason="?")
    with pytest.raises(Invalid):
        quarantine(as_("wang"), lot_id=lot, reason="  ")


def test_what_is_promised_is_kept_from_others(as_):
    part, mine, theirs = stocked(as_("wang"), 3), job(as_), job(as_)
    reserve(as_("chen"), no=mine.no, part_id=part.id, quantity=2)
    assert standing(as_, part).available == 1000

    with pytest.raises(Conflict, match="Only 1 left"):
        reserve(as_("chen"), no=theirs.no, part_id=part.id, quantity=2)
    with pytest.raises(Conflict, match="Only 1 free; the rest is reserved"):
        issue(as_("chen"), no=theirs.no, part_id=part.id, quantity=2)
    issue(as_("chen"), no=theirs.no, part_id=part.id, quantity=1)
    issue(as_("chen"), no=mine.no, part_id=part.id, quantity=1)

    assert standing(as_, part).reserved == 1000
    issue(as_("chen"), no=mine.no, part_id=part.id, quantity=1)
    assert standing(as_, part).on_hand == standing(as_, part).reserved == 0


def test_a_reservation_is_given_up_by_hand(as_):
    part, order = stocked(as_("wang"), 3), job(as_)
    made = reserve(as_("chen"), no=order.no, part_id=part.id, quantity=2)
    with pytest.raises(NotFound):
        release(as_("chen"), no=job(as_).no, reservation_id=made.id)
    release(as_("chen"), no=order.no, reservation_id=made.id)
    assert standing(as_, part).available == 3000


def test_an_order_that_ends_gives_up_what_it_was_promised(as_):
    part = stocked(as_("wang"), 9)
    cancelled, done, going = job(as_), job(as_), job(as_)
    for order in (cancelled, done, going):
        reserve(as_("chen"), no=order.no, part_id=part.id, quantity=2)
    assert standing(as_, part).available == 3000

    move_work(as_("wang"), no=cancelled.no, action="cancel", facts=Facts(reason="scrapped"))
    said = Completion(labour_minutes=5, cause="USE", remedy="Cleaned")
    complete(as_("chen"), no=done.no, password=PASSWORD, said=said)

    left = as_("wang").session.scalars(select(Reservation).order_by(Reservation.id)).all()
    assert [each.left_milli for each in left] == [0, 0, 2000]
    assert standing(as_, part).available == 7000


def test_what_was_signed_for_does_not_change(as_):
    part, order = stocked(as_("wang"), 3), job(as_)
    [move] = issue(as_("chen"), no=order.no, part_id=part.id, quantity=1)
    said = Completion(labour_minutes=5, cause="USE", remedy="Cleaned")
    complete(as_("chen"), no=order.no, password=PASSWORD, said=said)

    for act in (
        lambda: issue(as_("chen"), no=order.no, part_id=part.id, quantity=1),
        lambda: reserve(as_("chen"), no=order.no, part_id=part.id, quantity=1),
        lambda: give_back(as_("chen"), no=order.no, move_id=move.id, quantity=1),
    ):
        with pytest.raises(Conflict, match="done or closed"):
            act()


def test_parts_of_a_cancelled_order_come_back(as_):
    part, order = stocked(as_("wang"), 3), job(as_)
    [move] = issue(as_("chen"), no=order.no, part_id=part.id, quantity=2)
    move_work(as_("wang"), no=order.no, action="cancel", facts=Facts(reason="scrapped"))

    give_back(as_("chen"), no=order.no, move_id=move.id, quantity=2)

    assert standing(as_, part).on_hand == 3000
    assert sum(costs_of(as_, order)) == 0


def test_somebody_elses_order_or_hospital(as_):
    part, order = stocked(as_("wang"), 3), job(as_, "amy")
    with pytest.raises(NotAllowed, match="somebody else"):
        issue(as_("chen"), no=order.no, part_id=part.id, quantity=1)
    with pytest.raises(NotAllowed):
        issue(as_("lin"), no=order.no, part_id=part.id, quantity=1)
    issue(as_("wang"), no=order.no, part_id=part.id, quantity=1)  # who assigns work may
    with pytest.raises(NotFound):
        issue(as_("qin"), no=order.no, part_id=part.id, quantity=1)
    with pytest.raises(NotFound, match="work order"):
        issue(as_("wang"), no="WO-1999-000001", part_id=part.id, quantity=1)
    south = stocked(as_("qin"), 5)
    with pytest.raises(NotFound, match="part"):
        issue(as_("wang"), no=order.no, part_id=south.id, quantity=1)


@pytest.mark.parametrize(
    ("quantity", "says"),
    [
        ("0", "above zero"),
        ("-1", "above zero"),
        (-3, "above zero"),
        ("1.5", "whole units"),
        ("0,5", "whole units"),
        ("two", "such as 2"),
        ("", "such as 2"),
        (None, "such as 2"),
        (True, "such as 2"),
        ("NaN", "such as 2"),
        ("1e400", "too large"),
        ("9" * 5000, "too large"),
        (1_000_001, "too large"),
        ("1.0000000001", "Three decimals"),
        ([], "such as 2"),
    ],
)
def test_wrong_quantities_are_refused_with_a_reason(as_, quantity, says):
    part, order = stocked(as_("wang"), 3), job(as_)
    for act in (
        lambda: issue(as_("chen"), no=order.no, part_id=part.id, quantity=quantity),
        lambda: reserve(as_("chen"), no=order.no, part_id=part.id, quantity=quantity),
    ):
        with pytest.raises(Invalid, match=says) as refused:
            act()
        assert "quantity" in refused.value.fields
    assert standing(as_, part).on_hand == 3000


def test_full_width_digits_and_a_decimal_comma_are_read(as_):
    part, order = stocked(as_("wang"), "２,5", unit="litre"), job(as_)
    issue(as_("chen"), no=order.no, part_id=part.id, quantity="0,75")
    assert standing(as_, part).on_hand == 1750


def test_stock_is_corrected_to_what_was_counted_with_a_reason(as_):
    part = stocked(as_("wang"), 5)
    stock = only_stock(as_, part)
    count = {"part_id": part.id, "stock_id": stock.id}

    with pytest.raises(Invalid, match="why"):
        adjust(as_("wang"), **count, counted="3", reason=" ")
    move = adjust(as_("wang"), **count, counted="3", reason="Counted")
    assert (move.kind, move.quantity_milli, move.reason) == (MoveKind.ADJUST, -2000, "Counted")
    assert adjust(as_("wang"), **count, counted="3", reason="Counted") is None
    assert adjust(as_("wang"), **count, counted="0", reason="Gone").quantity_milli == -3000
    with pytest.raises(Invalid, match="negative"):
        adjust(as_("wang"), **count, counted="-1", reason="?")
    with pytest.raises(NotAllowed):
        adjust(as_("chen"), **count, counted="9", reason="?")
    with pytest.raises(NotFound):
        adjust(as_("qin"), **count, counted="9", reason="?")


def test_throwing_away_and_carrying(as_):
    part = stocked(as_("wang"), 5, lot="A")
    here = only_stock(as_, part)
    at = {"part_id": part.id, "stock_id": here.id}

    scrap(as_("wang"), **at, quantity=1, reason="Damaged")
    transfer(as_("wang"), **at, quantity=3, store="ICU cupboard")

    assert lies(as_, part) == {("Store", "A"): 1, ("ICU cupboard", "A"): 3}
    with pytest.raises(Conflict, match="Only 1 left"):
        transfer(as_("wang"), **at, quantity=2, store="ICU cupboard")
    with pytest.raises(Conflict, match="Only 1 left"):
        scrap(as_("wang"), **at, quantity=2, reason="Damaged")
    with pytest.raises(Invalid, match="other place"):
        transfer(as_("wang"), **at, quantity=1, store="Store")
    assert standing(as_, part).on_hand == 4000


@pytest.mark.parametrize(
    ("delivery", "field"),
    [
        (Delivery(0, "Store"), "quantity"),
        (Delivery("x", "Store"), "quantity"),
        (Delivery(1, ""), "store"),
        (Delivery(1, "Store", rejected=1), "reject_reason"),
        (Delivery(1, "Store", rejected="-1"), "rejected"),
    ],
)
def test_a_delivery_that_cannot_be(as_, delivery, field):
    part = make_part(as_("wang"))
    with pytest.raises(Invalid) as refused:
        receive(as_("wang"), part_id=part.id, delivery=delivery)
    assert field in refused.value.fields
    assert lies(as_, part) == {}


def test_a_lot_expires_once(as_):
    ctx = as_("wang")
    part = make_part(ctx)
    with pytest.raises(Invalid, match="expired"):
        fill(ctx, part, 1, lot="A", expires_on=day(as_, -1))
    fill(ctx, part, 1, lot="A")
    fill(ctx, part, 1, lot="A", expires_on=day(as_, 9))
    fill(ctx, part, 1, lot="A")
    with pytest.raises(Invalid, match="another expiry"):
        fill(ctx, part, 1, lot="A", expires_on=day(as_, 10))
    assert lies(as_, part) == {("Store", "A"): 3}


def test_a_move_is_written_once(as_):
    part = stocked(as_("wang"), 5)
    for spoil in ("change", "delete"):
        ctx = as_("wang")
        move = ctx.session.scalars(select(StockMove).where(StockMove.part_id == part.id)).one()
        with pytest.raises(ChangedMove), ctx.writing("test"):
            if spoil == "change":
                move.quantity_milli = 9000
            else:
                ctx.session.delete(move)
    trail = select(AuditEntry.command).where(AuditEntry.entity == "StockMove")
    assert "part.receive" in set(as_("wang").session.scalars(trail))


def test_a_work_order_nobody_began_takes_parts_from_who_assigns(as_):
    part, order = stocked(as_("wang"), 2), make_work(as_("wang"))
    with pytest.raises(NotAllowed):
        reserve(as_("chen"), no=order.no, part_id=part.id, quantity=1)
    reserve(as_("wang"), no=order.no, part_id=part.id, quantity=1)
    assert standing(as_, part).reserved == 1000
