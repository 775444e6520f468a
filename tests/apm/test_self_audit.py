"""The yearly self-audit: figures counted by hand, both languages, this hospital alone."""

from datetime import UTC, date, datetime, timedelta

import pypdfium2 as pdfium
import pytest

from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.reports.self_audit import self_audit
from apm.vendors.link_model import VendorVisit
from apm.work.model import WorkOrder
from apm.work.states import WorkState
from tests.apm.hospital import make_asset, make_work

pytestmark = pytest.mark.database
NEW_YEAR = datetime(2025, 12, 31, 16, tzinfo=UTC)
"""Midnight in Shanghai: 2026 begins."""


@pytest.fixture
def year(as_):
    """Things of 2026 beside those of other years, and of another hospital."""
    for who in ("wang", "qin"):
        ctx = as_(who)
        asset = make_asset(ctx, in_service_on=date(2026, 1, 1), serial="S", model="M")
        make_asset(ctx, in_service_on=date(2025, 12, 31))
        order = make_work(ctx, asset)
        with ctx.writing("test.year"):
            row = ctx.session.get(WorkOrder, order.id)
            row.state, row.closed_at = WorkState.CLOSED, NEW_YEAR
            for n, at in enumerate((NEW_YEAR, NEW_YEAR - timedelta(seconds=1))):
                ctx.session.add(
                    VendorVisit(
                        work_order_id=order.id, company="Firm", person="Li", arrived_at=at,
                        recorded_by="Wang", client_key=f"k{n}",
                    )
                )  # fmt: skip
            plan = Plan(
                asset_id=asset.id, template_code="MON", mode=PlanMode.FIXED, interval_months=1,
                anchor=date(2026, 5, 1), next_due=date(2027, 5, 1),
            )  # fmt: skip
            ctx.session.add(plan)
            ctx.session.flush()
            for seq, outcome in enumerate(("in_use", "not_located"), start=1):
                due = date(2026, 4 + seq, 1)
                ctx.session.add(
                    Occurrence(
                        plan_id=plan.id, seq=seq, due=due, opens=due, late_after=due,
                        state=OccurrenceState.EXCUSED, why="calendar", outcome=outcome,
                        note=f"proof of {outcome}", decided_by="Wang Lei",
                    )
                )  # fmt: skip


def figures(parts) -> dict[str, int]:
    return {str(line.text): line.value for part in parts for line in part.lines}


def test_it_counts_the_year_of_the_hospital(as_, year):
    found = figures(self_audit(as_("wang"), 2026))

    assert found["Devices on the register today"] == 2
    assert found["Devices put into service in the year"] == 1
    assert found["Of these without manufacturer, model or serial number"] == 1  # no manufacturer
    assert found["Repairs closed in the year"] == 1
    assert found["Visits of other companies"] == 1
    assert found["Of these without a record of what was done"] == 1
    assert found["Excused: in use"] == found["Excused: not located"] == 1
    assert found["Devices in service without a maintenance plan"] == 1
    before = figures(self_audit(as_("wang"), 2025))
    assert before["Repairs closed in the year"] == 0
    assert before["Visits of other companies"] == 1


@pytest.mark.parametrize(
    ("language", "words", "others"),
    [("en", "Annual self-audit", "年度自查"), ("zh", "年度自查", "Annual self-audit")],
)
def test_it_is_printed_in_each_language(login, year, language, words, others):
    wang = login("wang")
    page = wang.get(f"/analytics/self-audit?year=2026&lang={language}").get_data(as_text=True)
    pdf = wang.get(f"/analytics/self-audit.pdf?year=2026&language={language}").data
    text = "\n".join(p.get_textpage().get_text_bounded() for p in pdfium.PdfDocument(pdf))

    assert words in page
    assert words in text
    assert others not in text
    assert wang.get("/analytics/self-audit.pdf?language=xx").status_code == 404
    assert login("chen").get("/analytics/self-audit").status_code == 403


def test_what_is_excused_is_listed_apart_with_its_proof(login, year):
    wang = login("wang")
    page = wang.get("/analytics/compliance?year=2026&lang=en").get_data(as_text=True)
    pdf = wang.get("/analytics/compliance.pdf?year=2026&language=both").data
    text = "\n".join(p.get_textpage().get_text_bounded() for p in pdfium.PdfDocument(pdf))

    for outcome in ("in_use", "not_located"):
        assert page.count(f"proof of {outcome}") == 1  # South's are not among them
        assert f"proof of {outcome}" in text.replace("\r\n", " ")
