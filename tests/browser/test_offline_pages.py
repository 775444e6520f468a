"""What the phone keeps, for whom, and what it says of what was not taken."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from apm.procedures.model import Verdict
from apm.work.completion import Completion
from apm.work.moving import Facts, move_work
from tests.apm.hospital import make_asset, make_work
from tests.browser.checklist import step_card
from tests.browser.conftest import Come
from tests.browser.field import (
    banner,
    no_network,
    ready,
    say_pass,
    started,
    steps_of,
    synced,
)
from tests.browser.house import House
from tests.processes import until

pytestmark = pytest.mark.timeout(240)
LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])
SAID = Completion(cause="UPF", remedy="Board replaced", labour_minutes=10)


def test_what_was_refused_stays_until_somebody_discards_it(far_house: House, come: Come) -> None:
    no = started(far_house)
    chen = come(far_house, "en", "chen")
    chen.goto(f"/work-orders/{no}")
    card = chen.page.locator("[data-kind=check]").first
    with chen.watch.refusals(409):
        with far_house.acting("chen") as ctx:
            move_work(ctx, no=no, action="wait_parts", facts=Facts("fan"))
        card.get_by_label("Pass", exact=True).check()
        panel = chen.page.locator("#outbox")
        expect(panel).to_contain_text("Start or resume it first.")
    chen.page.reload()
    expect(panel).to_contain_text("Start or resume it first.")
    with far_house.acting("chen") as ctx:
        move_work(ctx, no=no, action="resume")
    chen.button("Try again", panel).tap()
    expect(panel).to_be_hidden()
    synced(chen)
    key = str(card.get_attribute("data-step"))
    assert steps_of(far_house, no)[key].verdict is Verdict.PASS


def test_a_phone_a_day_ahead_is_believed_about_the_order_not_the_hour(
    far_house: House, come: Come
) -> None:
    no = started(far_house)
    chen = come(far_house, "en", "chen")
    clock = chen.page.clock
    with far_house.acting("wang") as ctx:
        now = ctx.now()
    clock.set_system_time(now + timedelta(minutes=24 * 60 - 2))
    chen.goto(f"/work-orders/{no}")
    card = chen.page.locator("[data-kind=check]").first
    card.get_by_label("Pass", exact=True).check()
    expect(card.locator("[data-said]")).not_to_contain_text("Saved here")

    step = steps_of(far_house, no)[str(card.get_attribute("data-step"))]
    assert step.answered_at
    assert abs((step.answered_at - now).total_seconds()) < 60
    assert abs((step.clock_ahead_s or 0) - (24 * 60 - 2) * 60) < 60
    chen.page.reload()
    chen.sees("the phone's clock was 23 h 5")


def test_signing_out_leaves_no_page_behind(far_house: House, come: Come) -> None:
    no = started(far_house)
    chen = come(far_house, "en", "chen")
    ready(chen, f"/work-orders/{no}")
    chen.goto("/account")
    chen.page.evaluate("document.querySelector('form[action=\"/sign-out\"]').requestSubmit()")
    expect(chen.page).to_have_url(re.compile("/sign-in"))

    def is_empty() -> bool:
        kept: int = chen.page.evaluate(
            "caches.open('apm-pages').then(c => c.keys()).then(keys => keys.length)"
        )
        return kept == 0

    until(is_empty, seconds=20, what="no page is kept")
    with no_network(chen):
        chen.goto(f"/work-orders/{no}")
        chen.sees("This page is not on this phone. It opens when the network is back.")
        expect(chen.main).not_to_contain_text(no)


def test_nobody_sees_the_pages_or_the_answers_of_another_person(
    far_house: House, come: Come
) -> None:
    no = started(far_house)
    chen = come(far_house, "en", "chen")
    ready(chen, f"/work-orders/{no}")
    with no_network(chen):
        say_pass(chen, chen.page.locator("[data-kind=check]").first)
    # The phone goes from hand to hand without signing out: the session alone is another's.
    synced(chen)
    with no_network(chen):
        say_pass(chen, chen.page.locator("[data-kind=check]").nth(1))
        chen.goto("about:blank")
        chen.context.clear_cookies()
    chen.sign_in("wang")
    chen.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    expect(banner(chen)).to_be_hidden()
    with no_network(chen):
        chen.goto(f"/work-orders/{no}")
        chen.sees("This page is not on this phone. It opens when the network is back.")


def test_todays_page_keeps_my_open_orders_alone(far_house: House, come: Come) -> None:
    mine, free = started(far_house), ""
    with far_house.acting("wang") as wang:
        free = make_work(wang, make_asset(wang)).no
    chen = come(far_house, "en", "chen")
    chen.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    chen.goto("/")

    def kept() -> list[str]:
        found: list[str] = chen.page.evaluate(
            "caches.open('apm-pages').then(c => c.keys())"
            ".then(keys => keys.map(k => new URL(k.url).pathname))"
        )
        return found

    until(lambda: f"/work-orders/{mine}" in kept(), seconds=30, what="my order is kept")
    assert f"/work-orders/{free}" not in kept()
    with no_network(chen):
        chen.goto("/")
        chen.main.get_by_role("link", name="Repair").filter(has_text="Repair").first.wait_for()
        chen.goto(f"/work-orders/{mine}")
        expect(step_card(chen, "400 mL")).to_be_visible()
