"""An engineer looks at what the evidence says of a failure and confirms it, in both languages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from apm.requests.triage import accept
from apm.work.queries import work_order
from tests.apm.hospital import make_asset, make_request
from tests.browser.conftest import Come
from tests.browser.house import House
from tests.browser.reasons import heat_room

LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])


@LANGUAGES
def test_a_failure_in_a_hot_room_is_put_down_to_it(house: House, come: Come, lang: str) -> None:
    """Evidence, limits and the failure stand on one screen; an engineer decides, on a phone."""
    with house.acting("wang") as wang, house.acting("lin") as lin:
        heat_room(wang, f"HOT-{lang}", f"CT {lang}")
        asset = make_asset(
            wang, "CT", number=f"CT-{lang}", location=f"CT {lang}",
            in_service_on=wang.now().date() - timedelta(days=730),
        )  # fmt: skip
        request = make_request(lin, asset, symptom="alarm")
        no = accept(wang, no=request.no).no
    phone = come(house, lang, "wang")
    phone.goto(f"/work-orders/{no}")
    phone.link("Evidence and decision").tap()

    phone.sees("strongly for: %(cause)s", cause=phone.say("Environment"))
    phone.sees("Nothing is decided before an engineer says so.")
    expect(phone.page.locator("svg.plot")).to_have_count(1)
    assert phone.page.locator("svg.plot rect.window").count() >= 1
    phone.sees("What would change the proposal")

    decide = phone.page.locator("#decide")
    expect(decide.get_by_label(phone.say("Environment"), exact=True)).to_be_checked()
    phone.button("Confirm the cause", decide).tap()
    phone.sees("Confirmed: %(cause)s", cause=phone.say("Environment"))
    with house.acting("wang") as ctx:
        assert work_order(ctx, no).cause_code == "ENV"

    decide = phone.page.locator("#decide")
    decide.get_by_label(phone.say("Wear and ageing"), exact=True).check()
    with phone.watch.refusals(422):
        phone.button("Confirm the cause", decide).tap()
        phone.sees("This differs from the proposal. Say what you saw.")
    phone.field("Reason").fill("滤网堵塞 filter blocked")
    phone.button("Confirm the cause", phone.page.locator("#decide")).tap()
    phone.sees("Confirmed: %(cause)s", cause=phone.say("Wear and ageing"))

    phone.goto("/analytics/causes")
    phone.sees("Confirmed causes")
