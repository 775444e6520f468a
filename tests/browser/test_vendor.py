"""A vendor on a phone: a link instead of a login, one order, perhaps no script."""

from __future__ import annotations

import io
import re

import pytest
from playwright.sync_api import FilePayload, expect
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import select

from apm.vendors.link_model import VendorVisit
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from tests.apm.hospital import jpeg, make_asset, make_work
from tests.browser.axe import overflow
from tests.browser.conftest import Come
from tests.browser.house import House
from tests.browser.person import DESKTOP

LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])


def assigned_order(house: House) -> str:
    """The number of a new repair that Chen has."""
    with house.acting("chen") as chen:
        give = Facts(assignee_id=chen.actor.user_id)
    with house.acting("wang") as wang:
        asset = make_asset(wang, name="Monitor", name_zh="监护仪", department="ICU")
        order = make_work(wang, asset, title="Monitor: no display", title_zh="监护仪：无显示")
        return move_work(wang, no=order.no, action="assign", facts=give).no


def link_from_its_page(house: House, come: Come, lang: str, no: str) -> str:
    """What Wang reads off when a link is made, once."""
    wang = come(house, lang, "wang", device=DESKTOP)
    wang.goto(f"/work-orders/{no}/vendor")
    wang.field("Company").fill("Mindray Service")
    wang.button("Make a link").click()
    wang.sees("This is shown once")
    expect(wang.page.locator(".qr svg")).to_be_visible()
    expect(wang.button("Copy")).to_be_visible()
    address = wang.page.locator("#link").input_value()
    wang.goto(f"/work-orders/{no}/vendor")
    assert address not in wang.page.content()
    return "/v/" + address.rpartition("/v/")[2]


def pdf() -> bytes:
    """A service report."""
    out = io.BytesIO()
    paper = Canvas(out)
    paper.drawString(72, 720, "Service report")
    paper.save()
    return out.getvalue()


@LANGUAGES
def test_from_the_link_to_done_without_a_script(house: House, come: Come, lang: str) -> None:
    no = assigned_order(house)
    link = link_from_its_page(house, come, lang, no)
    zhang = come(house, lang, java_script_enabled=False)

    zhang.goto(link)
    zhang.field("Your name").fill("Zhang Wei")
    zhang.button("I am here and begin").click()
    zhang.field("Note").fill("Backlight replaced")
    zhang.field("Photos").set_input_files(
        FilePayload(name="a.jpg", mimeType="image/jpeg", buffer=jpeg())
    )
    report = FilePayload(name="r.pdf", mimeType="application/pdf", buffer=pdf())
    zhang.field("Service report").set_input_files(report)
    zhang.button("Hand in").click()
    expect(zhang.main).to_contain_text("Backlight replaced")
    assert overflow(zhang.page) == 0

    zhang.field("What was done?").fill("Backlight replaced")
    zhang.field("Cause").select_option(index=1)
    zhang.button("Report as done").click()
    zhang.sees("Done. Thank you.")

    with house.acting("wang") as ctx:
        order = ctx.session.scalars(select(WorkOrder).where(WorkOrder.no == no)).one()
        assert (order.state.value, order.performed_by) == ("done", "Zhang Wei, Mindray Service")
        visit = select(VendorVisit).where(VendorVisit.work_order_id == order.id)
        assert ctx.session.scalars(visit).one().left_at is not None

    wang = come(house, lang, "wang")
    wang.goto(f"/work-orders/{no}")
    wang.sees("Performed by a vendor")
    with wang.page.expect_download() as saved:
        wang.main.get_by_role("link", name=re.compile("PDF")).click()
    assert saved.value.path().read_bytes().startswith(b"%PDF-")


@LANGUAGES
def test_a_wrong_link_says_what_to_do(house: House, come: Come, lang: str) -> None:
    somebody = come(house, lang)
    with somebody.watch.refusals(404):
        somebody.goto("/v/no-such-link")
    somebody.sees("Ask the equipment department of the hospital for a new one.")


def test_leaving_for_a_part_and_coming_again(house: House, come: Come) -> None:
    no = assigned_order(house)
    link = link_from_its_page(house, come, "en", no)
    zhang = come(house)
    zhang.goto(link)
    for name in ("Zhang Wei", "Li Na"):
        zhang.field("Your name").fill(name)
        zhang.button("I am here and begin").click()
        leaving = zhang.open_details("A part is missing")
        zhang.field("What is needed, and what was done today?", leaving).fill("Fan ordered")
        zhang.button("Leave for now", leaving).click()
        expect(zhang.page.locator(".chip").first).to_have_text("Waiting for parts")
    with house.acting("wang") as ctx:
        order = ctx.session.scalars(select(WorkOrder).where(WorkOrder.no == no)).one()
        visits = select(VendorVisit).where(VendorVisit.work_order_id == order.id)
        people = [visit.person for visit in ctx.session.scalars(visits)]
    assert sorted(people) == ["Li Na", "Zhang Wei"]
