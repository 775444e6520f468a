"""The month's report against a count made by hand."""

from datetime import UTC, date, datetime, timedelta

import pypdfium2 as pdfium
import pytest
from sqlalchemy import select

from apm.assets.model import Asset, AssetState
from apm.core.errors import Invalid
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.reports.compliance import Span, compliance
from tests.apm.hospital import make_asset

NOW = datetime(2026, 6, 20, 4, tzinfo=UTC)
S = OccurrenceState
MAY = date(2026, 5, 10)


@pytest.fixture
def ward(as_):
    """`ward(name, [(due, state, done_on, outcome), ...])` writes the history of one device."""

    def write(name, visits, who="wang", **more):
        ctx = as_(who)
        asset = make_asset(ctx, department=name)
        with ctx.writing("test.history"):
            plan = Plan(
                asset_id=asset.id, template_code="MON", mode=PlanMode.FIXED, interval_months=1,
                anchor=MAY, next_due=MAY,
            )  # fmt: skip
            ctx.session.add(plan)
            ctx.session.flush()
            for seq, (due, state, done_on, outcome) in enumerate(visits, start=1):
                ctx.session.add(
                    Occurrence(
                        plan_id=plan.id, seq=seq, due=due, opens=due, state=state, why="calendar",
                        late_after=due + timedelta(days=7), done_on=done_on, outcome=outcome,
                        **more,
                    )
                )  # fmt: skip

    return write


def at(as_, who="wang"):
    ctx = as_(who)
    ctx.now = lambda: NOW
    return ctx


def test_each_due_date_is_counted_once_in_its_own_month(as_, ward):
    ward("ICU", [
        (date(2026, 4, 30), S.DONE, date(2026, 4, 30), None),  # the month before
        (date(2026, 5, 1), S.DONE, date(2026, 5, 8), None),  # the last day of grace
        (date(2026, 5, 2), S.DONE, date(2026, 5, 10), None),  # a day late
        (date(2026, 5, 31), S.MISSED, None, "superseded"),
        (date(2026, 6, 1), S.OPEN, None, None),  # the month after
    ])  # fmt: skip
    ward("OR", [
        (MAY, S.EXCUSED, None, "in_use"),
        (MAY, S.EXCUSED, None, "not_located"),
        (MAY, S.EXCUSED, None, "held"),
        (MAY, S.OPEN, None, None),  # long overdue by now
        (MAY, S.CANCELLED, None, "merged"),
    ])  # fmt: skip
    ward("ICU", [(MAY, S.DONE, MAY, None)], is_extra=True)
    ward("ICU", [(MAY, S.MISSED, None, None)], who="qin")

    counted = compliance(at(as_), Span(2026, 5))

    total, found = counted.total, {row.name: row for row in counted.rows}
    icu, theatre = found["ICU"], found["OR"]
    assert (icu.in_time, icu.late, icu.missed, icu.overdue, icu.excused) == (1, 1, 1, 0, 0)
    assert icu.judged == 3
    assert (theatre.in_use, theatre.not_located, theatre.held, theatre.overdue) == (1, 1, 1, 1)
    assert (theatre.judged, theatre.share) == (1, 0.0)
    assert (total.judged, total.excused, total.share) == (4, 3, 0.25)
    low, high = total.interval
    assert low < 0.25 < high


def test_a_window_that_is_still_open_is_neither_good_nor_bad(as_, ward):
    ward("ICU", [(NOW.date(), S.OPEN, None, None)])

    total = compliance(at(as_), Span(2026)).total

    assert (total.pending, total.judged, total.share, total.interval) == (1, 0, None, None)


def test_what_falls_due_out_of_use_is_held_before_its_record_is_written(as_, ward):
    ward("ICU", [(date(2026, 4, 10), S.DONE, date(2026, 4, 10), None)])
    ctx = as_("wang")
    with ctx.writing("test.away"):
        ctx.session.scalars(select(Asset)).one().lifecycle = AssetState.STANDBY

    ward("ICU", [], who="qin")
    ward("OR", [])  # in service: its open dates are no excuse
    south = as_("qin")
    with south.writing("test.away"):
        south.session.scalars(select(Asset)).one().lifecycle = AssetState.STANDBY

    months = {n: compliance(at(as_), Span(2026, n)).total for n in (4, 5, 6)}
    assert [row.held for row in months.values()] == [0, 1, 0]  # that of 10 June is still open
    [told] = compliance(at(as_), Span(2026, 5)).excused
    assert (told.due, told.outcome) == (MAY, "held")
    [icu] = compliance(at(as_), Span(2026)).rows
    assert (icu.name, icu.in_time, icu.held, icu.judged) == ("ICU", 1, 1, 1)


def test_the_page_and_the_paper_say_the_same(login, ward):
    ward("ICU", [(MAY, S.DONE, MAY, None), (MAY, S.MISSED, None, None)])
    zhao = login("zhao")

    page = zhao.get("/analytics/compliance?year=2026&month=5").text
    pdf = zhao.get("/analytics/compliance.pdf?year=2026&month=5&language=both")

    assert "50 %" in page or "50%" in page
    text = "".join(p.get_textpage().get_text_bounded() for p in pdfium.PdfDocument(pdf.data))
    assert "n = 2" in text
    assert "50 % (" in text
    assert "2026-05" in text


def test_nothing_due_says_what_to_do(login):
    assert "No maintenance fell due" in login("zhao").get("/analytics/compliance?year=2020").text


@pytest.mark.parametrize("span", [(2026, 13), (1800, 1), (9999, None)])
def test_a_month_no_calendar_has(span, login):
    with pytest.raises(Invalid, match="month"):
        Span(*span)
    address = f"/analytics/compliance?year={span[0]}&month={span[1] or ''}"
    assert login("zhao").get(address).status_code == 422
