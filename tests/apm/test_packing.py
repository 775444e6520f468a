"""What to take along: for my due work alone, by template, with instruments that still hold."""

from datetime import date, timedelta

import pytest

from apm.metrology.naming import name_instrument
from apm.parts.issuing import reserve
from apm.today.packing import next_workday, packing_for
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.states import WorkState, WorkType
from tests.apm.hospital import make_asset, make_work, start_work
from tests.apm.metrology import days, make_instrument
from tests.apm.stockroom import fill, stocked
from tests.queries import count_queries

pytestmark = pytest.mark.database


def planned(as_, *, due, template="INFP", who="chen", by="wang"):
    """Planned maintenance that is given to somebody."""
    made = make_work(
        as_(by), make_asset(as_(by), template), type=WorkType.PREVENTIVE,
        template_code=template, due_on=due,
    )  # fmt: skip
    facts = Facts(assignee_id=as_(who).actor.user_id)
    move_work(as_(by), no=made.no, action="assign", facts=facts)
    return made


def measured_before(as_, instrument, template="INFP"):
    """Work by a template that is done, with the instrument that was named."""
    wang = as_("wang")
    made = make_work(wang, make_asset(wang, template), template_code=template)
    start_work(as_("chen"), wang, made)
    name_instrument(as_("chen"), no=made.no, instrument_id=instrument.id)
    later = as_("wang")
    with later.writing("test.done"):
        later.session.get(WorkOrder, made.id).state = WorkState.DONE
    return made


def test_my_due_work_and_nobody_elses(as_):
    chen = as_("chen")
    late, tomorrow = planned(as_, due=days(-9, chen)), planned(as_, due=days(1, chen))
    planned(as_, due=days(5, chen))
    planned(as_, due=days(1, chen), who="wang")
    found = packing_for(as_("chen"), days(1, chen))
    assert [order.no for order in found.orders] == [late.no, tomorrow.no]
    [kit] = found.kits
    assert (kit.template.code, len(kit.orders)) == ("INFP", 2)
    assert "infusion pump analyser" in kit.template.tools


def test_the_instruments_of_the_last_time_and_whether_they_hold(as_):
    wang, chen = as_("wang"), as_("chen")
    planned(as_, due=days(1, chen))
    assert packing_for(as_("chen"), days(1, chen)).kits[0].tools == []
    old, good = make_instrument(wang), make_instrument(wang, serial="IDA-5")
    measured_before(as_, old)
    last = measured_before(as_, good)
    measured_before(as_, old, template="VENT")

    [kit] = packing_for(as_("chen"), days(1, chen)).kits
    assert kit.last_no == last.no
    assert [(tool.instrument.serial, tool.holds) for tool in kit.tools] == [("IDA-5", True)]
    planned(as_, due=days(0, chen), who="qin", by="qin")
    [south] = packing_for(as_("qin"), days(1, chen)).kits
    assert (south.tools, south.last_no) == ([], None), "instruments of another hospital"
    [kit] = packing_for(as_("chen"), days(201, chen)).kits  # its calibration ends the day before
    assert [tool.holds for tool in kit.tools] == [False]


def test_reserved_parts_where_they_lie_and_what_is_missing(as_):
    wang, chen = as_("wang"), as_("chen")
    one, other = planned(as_, due=days(0, chen)), planned(as_, due=days(0, chen))
    part = stocked(wang, 3, lot="A", expires_on=days(20, chen))
    fill(wang, part, 2, store="Ward store")
    for order, quantity in ((one, 2), (other, 3)):
        reserve(as_("wang"), no=order.no, part_id=part.id, quantity=quantity)

    [portion] = packing_for(as_("chen"), days(1, chen)).portions
    assert (portion.quantity, portion.missing) == (5000, 0)
    assert {order.no for order in portion.orders} == {one.no, other.no}
    assert [stock.store.name for stock in portion.places] == ["Store", "Ward store"]
    a_month_on = as_("chen", now=lambda: chen.now() + timedelta(days=30))
    [portion] = packing_for(a_month_on, days(31, chen)).portions
    assert portion.missing == 3000, "what has expired may not be taken"


@pytest.mark.parametrize(
    ("today", "expected"),
    [(date(2026, 11, 27), date(2026, 11, 30)), (date(2026, 9, 30), date(2026, 10, 8))],
    ids=["after a weekend", "after the national holiday"],
)
def test_tomorrow_is_the_next_day_worked(as_, today, expected):
    chen = as_("chen")
    then = chen.now().replace(year=today.year, month=today.month, day=today.day, hour=4)
    assert next_workday(as_("chen", now=lambda: then)) == expected


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "infusion pump analyser"), ("zh", "输液泵分析仪")]
)
def test_the_page(as_, login, lang, words):
    planned(as_, due=days(0, as_("chen")))
    for day in ("", "&day=today"):
        page = login("chen").get(f"/packing?lang={lang}{day}").get_data(as_text=True)
        assert words in page
    assert login("lin").get("/packing").status_code == 403


def test_it_costs_the_same_however_much_there_is(as_, engine):
    chen = as_("chen")
    instrument = make_instrument(as_("wang"))

    def look():
        with count_queries(engine) as queries:
            packing_for(as_("chen"), days(1, chen))
        return len(queries)

    planned(as_, due=days(0, chen))
    measured_before(as_, instrument)
    before = look()
    for template in ("VENT", "MON", "DEFIB"):
        planned(as_, due=days(0, chen), template=template)
        measured_before(as_, make_instrument(as_("wang")), template=template)
    assert look() == before
