"""What to order: use counted by month, forecasts kept, reasons with numbers; how suppliers do."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from apm.accounts.queries import hospital_day
from apm.core.clock import local_day, utc_now
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.core.jobs import JOBS
from apm.parts.commands import update_part
from apm.parts.demand import first_day, forecast_of, month_of, recalculate, use_of
from apm.parts.issuing import give_back, issue
from apm.parts.keeping import Delivery
from apm.parts.model import Lot
from apm.parts.purchasing import close_order, line_by_id, line_page, order_part, receive_order
from apm.parts.quarantine import quarantine
from apm.parts.reorder import assess, csv_of, proposals
from apm.parts.suppliers import scores
from tests.apm.stockroom import fill, job, make_part, make_vendor, standing, stocked
from tests.queries import count_queries

pytestmark = pytest.mark.database


def mid_month(as_, ago):
    """An instant in the middle of the month so many months ago."""
    month = month_of(local_day(utc_now(), "Asia/Shanghai")) - ago
    return datetime.combine(first_day(month), datetime.min.time(), UTC) + timedelta(days=14)


def at(as_, ago, who="wang"):
    when = mid_month(as_, ago)
    return as_(who, now=lambda: when)


def used(as_, monthly, **details):
    """A part with plenty of stock, used like this in the months up to the last one."""
    past = [mid_month(as_, ago) for ago in range(len(monthly) + 1, 0, -1)]
    clock = iter(past)
    now = [next(clock)]
    ctx = as_("wang", now=lambda: now[0])
    part = make_part(ctx, **details)
    fill(ctx, part, 500)
    order = job(as_)
    for quantity in monthly:
        now[0] = next(clock)
        if quantity:
            issue(ctx, no=order.no, part_id=part.id, quantity=quantity)
    return part


def test_use_is_counted_by_whole_months_less_what_came_back(as_):
    part = used(as_, [3, 0, 5, 2])
    order = job(as_)
    [move] = issue(at(as_, 2), no=order.no, part_id=part.id, quantity=4)
    give_back(as_("wang"), no=order.no, move_id=move.id, quantity=3)  # this month, of an old issue
    issue(as_("wang"), no=order.no, part_id=part.id, quantity=9)  # this month is not over

    found = use_of(as_("wang"))[part.id]

    assert found.milli == (3000, 0, 6000, 2000)
    assert found.first == first_day(month_of(hospital_day(as_("wang"))) - 4)
    assert use_of(as_("qin")) == {}


def test_the_month_is_the_hospitals(as_):
    part = used(as_, [1, 1])
    last = first_day(month_of(hospital_day(as_("wang"))) - 1)
    evening = datetime.combine(last, datetime.min.time(), UTC) - timedelta(hours=7)
    issue(as_("wang", now=lambda: evening), no=job(as_).no, part_id=part.id, quantity=5)

    assert use_of(as_("wang"), part.id)[part.id].milli == (1000, 6000)  # Shanghai is 8 h ahead


def test_forecasts_are_kept_and_calculated_anew(as_):
    steady = used(as_, [4, 5, 4, 5, 4, 5, 4, 5])
    rare = used(as_, [0, 2, 0, 0, 2, 0, 0, 2])
    young = used(as_, [4, 4])

    assert recalculate(as_("wang")) == 3
    assert JOBS["parts.forecast"].work(as_("system")) is None

    ctx = as_("wang")
    kept = forecast_of(ctx, steady.id)
    assert (kept.pattern, kept.method, kept.months, kept.demands) == ("smooth", "smoothing", 8, 8)
    assert 4000 <= kept.mean_milli <= 5000
    assert kept.low_milli <= kept.mean_milli <= kept.high_milli
    assert forecast_of(ctx, rare.id).method == "sba"
    none = forecast_of(ctx, young.id)
    assert (none.mean_milli, none.pattern, none.months, none.demands) == (None, None, 2, 2)
    with pytest.raises(NotAllowed):
        recalculate(as_("chen"))


def test_a_proposal_says_why_and_how_much(as_):
    vendor = make_vendor(as_("wang"))
    part = used(as_, [10, 12, 10, 12, 10, 12], lead_days=61, supplier=vendor.id, minimum=1)
    recalculate(as_("wang"))
    assert proposals(as_("wang")) == []  # there are hundreds
    order = job(as_)
    issue(as_("wang"), no=order.no, part_id=part.id, quantity=500 - 66 - 10)

    [found] = proposals(as_("wang"))

    kept = forecast_of(as_("wang"), part.id)
    level = kept.mean_milli * 61 / 30.44 + 1.6449 * kept.spread_milli * (61 / 30.44) ** 0.5
    assert found.reason == "demand"
    assert found.point.level == pytest.approx(level, rel=1e-4)
    assert found.level >= found.point.level > found.level - 1000
    missing = found.level - 10_000 + kept.mean_milli
    assert missing <= found.quantity < missing + 1000
    assert found.quantity % 1000 == 0
    assert found.cost == found.quantity // 1000 * 1250

    line = order_part(as_("wang"), part_id=part.id, vendor_id=vendor.id, quantity=30)
    assert proposals(as_("wang")) == []  # on its way
    close_order(as_("wang"), line_id=line.id)
    assert len(proposals(as_("wang"))) == 1


def test_without_history_the_minimum_decides_and_the_lead_time_is_assumed(as_):
    part = stocked(as_("wang"), 3, minimum=5)
    update_part(as_("wang"), part_id=stocked(as_("wang"), 0.5, unit="metre").id, minimum="2,25")
    stocked(as_("wang"), 9, minimum=5)
    retired = stocked(as_("wang"), 1, minimum=5)
    update_part(as_("wang"), part_id=retired.id, is_active=False)
    stocked(as_("qin"), 1, minimum=5)

    found = {each.part.id: each for each in proposals(as_("wang"))}

    assert sorted(each.quantity for each in found.values()) == [1750, 2000]
    assert (found[part.id].reason, found[part.id].point) == ("minimum", None)
    assert found[part.id].is_lead_assumed


def test_what_must_not_be_used_does_not_count(as_):
    part = stocked(as_("wang"), 9, lot="A", minimum=5)
    lot = as_("wang").session.scalars(select(Lot.id).where(Lot.part_id == part.id)).one()
    quarantine(as_("wang"), lot_id=lot, reason="Recall")
    [found] = proposals(as_("wang"))
    assert found.quantity == 5000


def test_the_spreadsheet_is_complete_and_harmless(as_):
    stocked(as_("wang"), 1, number="=1+1", name="@cmd", name_zh=None, minimum=4, price=None)

    head, row = csv.reader(io.StringIO(csv_of(proposals(as_("wang"))).removeprefix("\ufeff")))

    assert dict(zip(head, row, strict=True)) == {
        "Part number": "'=1+1", "Name": "'@cmd", "Supplier": "", "Order": "3", "Unit": "pcs",
        "Price": "", "Currency": "CNY", "Available": "1", "On order": "0", "Minimum": "4",
        "Reorder point": "4", "Use a month": "", "Months": "0", "Lead time, days": "30",
        "Why": "Below the minimum",
    }  # fmt: skip


def test_the_proposal_asks_as_often_for_many_parts(as_, engine):
    def statements():
        ctx = as_("wang")
        with count_queries(engine) as sent:
            proposals(ctx)
        return len(sent)

    stocked(as_("wang"), 1, minimum=4)
    before = statements()
    for _ in range(5):
        stocked(as_("wang"), 1, minimum=4)
    assert statements() == before


def test_an_order_comes_in_pieces(as_):
    ctx = as_("wang")
    part, vendor = make_part(ctx), make_vendor(ctx)
    line = order_part(ctx, part_id=part.id, vendor_id=vendor.id, quantity=5)
    assert line.no == f"PO-{hospital_day(ctx).year}-000001"

    receive_order(ctx, line_id=line.id, delivery=Delivery(2, "Store"))
    said = Delivery(2, "Store", rejected=1, reject_reason="Torn")
    receipt = receive_order(ctx, line_id=line.id, delivery=said)
    assert (receipt.accepted_milli, receipt.rejected_milli) == (2000, 1000)
    assert standing(as_, part).on_order == 1000
    with pytest.raises(Invalid, match="More came"):
        receive_order(ctx, line_id=line.id, delivery=Delivery(2, "Store"))
    receive_order(ctx, line_id=line.id, delivery=Delivery(1, "Store"))

    assert line_by_id(as_("wang"), line.id).closed_at is not None
    assert (standing(as_, part).on_hand, standing(as_, part).on_order) == (5000, 0)
    with pytest.raises(Conflict, match="closed"):
        receive_order(ctx, line_id=line.id, delivery=Delivery(1, "Store"))
    assert [each.id for each in line_page(as_("wang"), is_open=False).items] == [line.id]
    assert line_page(as_("wang")).items == line_page(as_("qin"), is_open=False).items == []


def test_what_cannot_be_ordered(as_):
    ctx = as_("wang")
    part, vendor = make_part(ctx), make_vendor(ctx)
    what = {"part_id": part.id, "vendor_id": vendor.id}
    with pytest.raises(Invalid, match="past"):
        order_part(ctx, **what, quantity=1, promised_on=date(2020, 1, 1))
    with pytest.raises(Invalid, match="above zero"):
        order_part(ctx, **what, quantity=0)
    with pytest.raises(NotAllowed):
        order_part(as_("chen"), **what, quantity=1)
    with pytest.raises(NotFound):
        order_part(as_("qin"), **what, quantity=1)
    update_part(ctx, part_id=part.id, is_active=False)
    with pytest.raises(Conflict, match="retired"):
        order_part(ctx, **what, quantity=1)


def delivered(as_, part, vendor, *, late, **delivery):
    """An order of ten days ago that came so many days later than promised."""
    past = lambda days: as_("wang", now=lambda: utc_now() - timedelta(days=days))  # noqa: E731
    promised = hospital_day(past(10))
    line = order_part(
        past(20), part_id=part.id, vendor_id=vendor.id, quantity=9, promised_on=promised
    )
    said = Delivery(delivery.pop("quantity", 9), "Store", **delivery)
    return receive_order(past(10 - late), line_id=line.id, delivery=said)


def test_a_supplier_is_scored_by_what_came(as_):
    part = make_part(as_("wang"))
    good, few = make_vendor(as_("wang"), "Good"), make_vendor(as_("wang"), "Few")
    make_vendor(as_("wang"), "Never delivered")
    delivered(as_, part, good, late=0)
    delivered(as_, part, good, late=-3)
    delivered(as_, part, good, late=4, quantity=8, rejected=1, reject_reason="Torn")
    receipt = delivered(as_, part, good, late=1, lot="BAD")
    delivered(as_, part, few, late=0)
    delivered(as_, part, few, late=0)
    quarantine(as_("wang"), lot_id=receipt.lot_id, reason="Leaks")

    small, score = scores(as_("wang"))

    assert (small.vendor.name, small.n, small.in_time, small.faultless) == ("Few", 2, None, None)
    assert (score.vendor.name, score.n, score.promised) == ("Good", 4, 4)
    assert (score.in_time, score.median_days_late, score.faultless) == (0.5, 0.5, 0.5)
    assert (score.rejected, score.quarantined) == (1, 1)
    assert scores(as_("qin")) == []


def test_what_is_assessed_without_stock(as_):
    part = make_part(as_("wang"))
    nothing = assess(part, standing(as_, part), None)
    assert (nothing.quantity, nothing.level) == (0, 0)
