"""What staff do all day: counting a department, working side by side, reading the figures."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Route, expect
from sqlalchemy import select

from apm.assets.model import Asset
from apm.procedures.model import Verdict
from apm.work.model import WorkOrder, WorkStep
from tests.apm.hospital import make_asset, make_work, start_work
from tests.browser.checklist import step_card
from tests.browser.conftest import Come
from tests.browser.furnished import Furnished
from tests.browser.house import House
from tests.browser.person import DESKTOP, Person
from tests.conftest import PASSWORD
from tests.processes import until

LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])


@LANGUAGES
def test_a_department_is_counted_by_its_labels(house: House, come: Come, lang: str) -> None:
    ward = f"内镜中心{lang}"
    with house.acting("wang") as ctx:
        here, missing = (
            make_asset(ctx, number=f"EN{lang}-{n}", department=ward).code for n in (1, 2)
        )
        elsewhere = make_asset(ctx, number=f"EX{lang}", department="仓库").code
    with house.acting("qin") as ctx:
        foreign = make_asset(ctx, number=f"S{lang}", department="South ward").code
    chen = come(house, lang, "chen")
    chen.goto("/stocktakes")
    departments = chen.page.get_by_label(chen.say("Department"))
    assert "South ward" not in departments.inner_text()
    departments.select_option(label=ward)
    chen.button("Start").tap()

    scan(chen, here.lower(), "Found: %(number)s", number=f"EN{lang}-1")
    scan(chen, elsewhere, "Registered elsewhere: %(number)s", number=f"EX{lang}")
    scan(chen, foreign, "Unknown code: %(code)s", code=foreign)
    scan(chen, f"EN{lang}-1", "Already counted: %(code)s", code=f"EN{lang}-1")
    chen.sees("%(found)s of %(expected)s found", found=1, expected=2)
    expect(chen.main).to_contain_text(f"EN{lang}-2")

    chen.link("Finish").tap()
    expect(chen.main.locator(".notice.t-warn")).to_be_visible()
    chen.button("Finish the stocktake").tap()
    expect(chen.page).to_have_url(re.compile("/report$"))
    for kind, number in [("missing", f"EN{lang}-2"), ("unexpected", f"EX{lang}")]:
        word = chen.say({"missing": "Missing", "unexpected": "Unexpected"}[kind])
        expect(chen.page.get_by_role("table", name=word)).to_contain_text(number)
    with house.acting("wang") as ctx:
        state = ctx.session.scalar(select(Asset.lifecycle).where(Asset.code == missing))
        assert state != "missing"  # a technician counts; the register is the engineer's


def scan(person: Person, typed: str, answer: str, **params: object) -> None:
    """Type a code; the page counts it without leaving."""
    person.field("Code on the label").fill(typed)
    person.button("Continue").tap()
    expect(person.page.locator("#count")).to_contain_text(person.say(answer, **params))


@LANGUAGES
def test_two_who_take_the_same_job_do_not_both_get_it(house: House, come: Come, lang: str) -> None:
    with house.acting("wang") as ctx:
        path = f"/work-orders/{make_work(ctx).no}"
    chen, wang = come(house, lang, "chen"), come(house, lang, "wang")
    chen.goto(path)
    wang.goto(path)

    chen.button("Take").tap()
    expect(chen.button("Start")).to_be_visible()
    with wang.watch.refusals(409):
        wang.button("Take").tap()
        expect(wang.page.get_by_role("heading", level=1)).to_have_text(
            wang.say("Changed in the meantime")
        )
    wang.link("Reload the page").tap()

    expect(wang.page).to_have_url(f"{house.url}{path}")
    expect(wang.main).to_contain_text("陈博" if lang == "zh" else "Chen Bo")
    expect(wang.button("Take")).to_have_count(0)


def test_answers_in_quick_succession_are_all_kept(house: House, come: Come) -> None:
    """While one answer is under way on a slow net, two more are given: the last one counts."""
    with house.acting("wang") as ctx, house.acting("chen") as chen_ctx:
        order = make_work(ctx, make_asset(ctx, "VENT"), template_code="VENT")
        start_work(chen_ctx, ctx, order)
        no, step = order.no, ctx.session.query(WorkStep).filter_by(
            work_order_id=order.id, key="q1"
        ).one().id  # fmt: skip
    chen = come(house, "en", "chen", service_workers="block")
    chen.goto(f"/work-orders/{no}")
    under_way: list[Route] = []

    def hold_first(route: Route) -> None:
        if under_way:
            route.continue_()
        else:
            under_way.append(route)

    chen.page.route("**/results/*", hold_first)
    card = chen.page.locator(f"#step-{step}")
    with chen.page.expect_request("**/results/*"):
        card.get_by_label("Pass", exact=True).check()
    card.get_by_label("Fail", exact=True).check()
    card.get_by_label("Not applicable", exact=True).check()
    held(chen, under_way).continue_()

    expect(card.locator("[role=status]")).to_contain_text("Not applicable")
    expect(card.locator("[role=status]")).not_to_contain_text("Saved here")
    with house.acting("chen") as ctx:
        assert ctx.session.get_one(WorkStep, step).verdict is Verdict.NOT_APPLICABLE


def test_a_signature_waits_for_the_answer_before_it(house: House, come: Come) -> None:
    """On a slow net the last answer is stored before the work is signed, not after."""
    with house.acting("wang") as ctx, house.acting("chen") as chen_ctx:
        order = make_work(ctx, make_asset(ctx, "VENT"), template_code="VENT")
        start_work(chen_ctx, ctx, order)
        path = f"/work-orders/{order.no}"
    chen = come(house, "en", "chen", service_workers="block")
    chen.goto(path)
    record = chen.page.locator("#record")
    record.get_by_label("Cause").select_option(index=1)
    record.get_by_label("What was done?").fill("Cleaned")
    record.get_by_label("Your password").fill(PASSWORD)
    under_way: list[Route] = []

    def hold(route: Route) -> None:
        under_way.append(route)

    chen.page.route("**/results/*", hold)

    step_card(chen, "400 mL").locator("[data-tolerance]").fill("402")
    with chen.page.expect_request("**/results/*"):
        chen.button("Complete", record).tap()
    assert f"POST {house.url}{path}/complete" not in chen.watch.sent
    with chen.watch.refusals(422):
        held(chen, under_way).continue_()
        chen.sees("Nothing was saved yet. Please correct the marked fields.")

    answers = [line for line in chen.watch.sent if "/results/" in line]
    assert chen.watch.sent.index(answers[0]) < chen.watch.sent.index(
        f"POST {house.url}{path}/complete"
    )
    expect(step_card(chen, "400 mL").locator("[data-tolerance]")).to_have_value("402")


def held(person: Person, under_way: list[Route]) -> Route:
    """The first request that is held back, as soon as it is."""
    until(lambda: person.page.evaluate("1") and under_way, seconds=20, what="a request is held")
    return under_way[0]


@LANGUAGES
def test_the_manager_reads_cost_downtime_and_reliability(
    full_house: tuple[House, Furnished], come: Come, lang: str
) -> None:
    house, _furnished = full_house
    zhao = come(house, lang, "zhao", device=DESKTOP)
    zhao.goto("/analytics")

    ward = zhao.main.locator("tbody tr", has_text="重症医学科")
    expect(ward).to_contain_text("1,999.90")
    expect(ward.locator("td").nth(2)).to_have_text("4")
    other = zhao.main.locator("tbody tr", has_text="磁共振室")
    expect(other).to_contain_text(zhao.say("Too few events"))
    zhao.link("By category").click()
    kind = "呼吸机" if lang == "zh" else "Critical care ventilator"
    expect(zhao.main.locator("tbody tr", has_text=kind)).to_contain_text("1,999.90")

    qin = come(house, lang, "qin", device=DESKTOP)
    qin.goto("/analytics")
    expect(qin.main).not_to_contain_text("1,999")


def test_my_work_puts_what_is_late_first(house: House, come: Come) -> None:
    with house.acting("wang") as ctx:
        yesterday = ctx.now().date() - timedelta(days=2)
        late = make_work(ctx, title="Late job", title_zh="逾期工单", due_on=yesterday)
        make_work(ctx, title="Other job", title_zh="其他工单")
        assert isinstance(late, WorkOrder)
    with house.acting("qin") as ctx:
        make_work(ctx, title="Southern job", due_on=yesterday)
    chen = come(house, "en", "chen")

    chen.goto("/")

    now = chen.page.get_by_role("list", name=chen.say("Now"))
    expect(now.get_by_role("link", name="Late job")).to_be_visible()
    expect(now).not_to_contain_text("Other job")
    expect(now.locator("li", has_text="Late job")).to_contain_text("days overdue")
    expect(chen.main).to_contain_text("Other job")
    expect(chen.main).not_to_contain_text("Southern job")
