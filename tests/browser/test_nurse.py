"""A nurse at a device: no login, perhaps no script, a slow phone, an impatient finger."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Route, expect
from sqlalchemy import func, select

from apm.requests.model import Request
from tests.apm.hospital import jpeg, make_asset
from tests.browser.axe import overflow
from tests.browser.conftest import Come
from tests.browser.house import House

LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])
MOST_BYTES = 15_000
STORED = (
    "No network: the report is stored on this phone and sent by itself when there is one."
    " Keep this page open, or open it again later."
)


def device(house: House, who: str = "wang", **details: Any) -> str:
    """Return the code of a new monitor."""
    with house.acting(who) as ctx:
        facts = {"name": "Monitor", "name_zh": "监护仪", "department": "ICU", **details}
        return make_asset(ctx, **facts).code


def reports_on(house: House, code: str) -> int:
    """Return how many requests an asset has."""
    with house.acting("wang") as ctx:
        query = select(func.count(Request.id)).where(Request.asset.has(code=code))
        return ctx.session.scalar(query) or 0


@LANGUAGES
def test_without_a_script_she_reports_and_follows(house: House, come: Come, lang: str) -> None:
    code = device(house)
    nurse = come(house, lang, java_script_enabled=False)

    nurse.goto(f"/a/{code}")
    assert nurse.main.locator(".tile").count() == 6
    nurse.main.get_by_role("radio").first.check()
    nurse.main.get_by_role("checkbox", name=nurse.say("A patient is affected")).check()
    nurse.button("Send").click()

    expect(nurse.page).to_have_url(re.compile("/r/"))
    expect(nurse.main.locator("[aria-current=step]")).to_contain_text(nurse.say("Reported"))
    nurse.sees("A patient is affected")
    nurse.field("Write a message").fill("在三号床 at bed 3")
    nurse.button("Send").click()
    expect(nurse.main).to_contain_text("在三号床 at bed 3")
    assert reports_on(house, code) == 1

    nurse.goto(f"/a/{code}")
    nurse.sees("Already reported")
    nurse.main.locator("summary", has_text=nurse.say("Me too, or add a photo")).click()
    nurse.button("Add to this report").click()
    nurse.sees("Me too.")
    assert reports_on(house, code) == 1


def test_her_page_is_light(house: House, come: Come) -> None:
    code = device(house)
    nurse = come(house, "zh")
    bodies: dict[str, bytes] = {}
    nurse.page.on("response", lambda answer: bodies.update({answer.url: answer.body()}))

    nurse.page.goto(f"/a/{code}", wait_until="networkidle")

    sizes = {url: len(gzip.compress(body)) for url, body in bodies.items()}
    assert {f"{house.url}/a/{code}"} < set(sizes)
    assert any(url.endswith(".css") for url in sizes)
    assert sum(sizes.values()) < MOST_BYTES, sizes


def test_two_presses_make_one_report(house: House, come: Come) -> None:
    code = device(house)
    nurse = come(house)
    under_way: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            under_way.append(route)
        else:
            route.continue_()

    nurse.page.route("**/a/*", hold)
    nurse.goto(f"/a/{code}")
    nurse.main.get_by_role("radio").first.check()
    nurse.button("Send").scroll_into_view_if_needed()
    place = nurse.button("Send").bounding_box()
    assert place
    finger = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    with nurse.page.expect_request(lambda request: request.method == "POST"):
        nurse.page.mouse.click(*finger)
    nurse.page.mouse.dblclick(*finger)  # the first is still under way
    [only] = under_way
    only.continue_()

    expect(nurse.page).to_have_url(re.compile("/r/"))
    assert [line for line in nurse.watch.sent if line.startswith("POST")] == [
        f"POST {house.url}/a/{code}"
    ]
    assert reports_on(house, code) == 1


def test_going_back_shows_that_it_is_reported(house: House, come: Come) -> None:
    code = device(house)
    nurse = come(house)
    nurse.goto(f"/a/{code}")
    nurse.main.get_by_role("radio").first.check()
    nurse.button("Send").click()
    expect(nurse.page).to_have_url(re.compile("/r/"))

    nurse.page.go_back()

    nurse.sees("Already reported")
    expect(nurse.button("Send")).to_be_hidden()
    assert reports_on(house, code) == 1


@LANGUAGES
def test_a_file_that_is_no_photo_does_not_hold_the_report_back(
    house: House, come: Come, lang: str
) -> None:
    code = device(house)
    nurse = come(house, lang, java_script_enabled=False)
    nurse.goto(f"/a/{code}")
    virus = FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=b"MZ not a picture")
    nurse.main.get_by_role("radio").nth(2).check()
    nurse.field("Photo").set_input_files(virus)
    nurse.button("Send").click()

    expect(nurse.page).to_have_url(re.compile("/r/"))
    nurse.sees("This file is not a photo we can read. Send a JPEG, PNG or WebP picture.")
    assert overflow(nurse.page) == 0
    assert reports_on(house, code) == 1


@LANGUAGES
def test_without_a_network_it_is_kept_and_sent_later_and_she_is_told(
    house: House, come: Come, lang: str
) -> None:
    code = device(house)
    nurse = come(house, lang)
    nurse.goto(f"/a/{code}")
    nurse.tap(nurse.main.locator(".tile").nth(1))
    nurse.field("Photo").set_input_files(
        FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=jpeg())
    )
    with nurse.watch.cut():
        nurse.context.set_offline(True)
        nurse.tap(nurse.button("Send"))
        nurse.sees(STORED)
        expect(nurse.button("Send")).to_be_hidden()
        assert reports_on(house, code) == 0
        nurse.context.set_offline(False)

    nurse.sees("The stored report is sent. Follow it here.")
    nurse.link("The stored report is sent. Follow it here.").click()
    expect(nurse.page).to_have_url(re.compile("/r/"))
    expect(nurse.main.get_by_alt_text(nurse.say("Photo of the report"))).to_be_visible()
    nurse.page.reload()
    assert reports_on(house, code) == 1


def test_what_was_kept_is_sent_when_the_label_is_opened_again(house: House, come: Come) -> None:
    code, other = device(house), device(house)
    nurse = come(house)
    nurse.goto(f"/a/{code}")
    nurse.tap(nurse.main.locator(".tile").first)
    with nurse.watch.cut():
        nurse.context.set_offline(True)
        nurse.tap(nurse.button("Send"))
        nurse.sees(STORED)
        nurse.page.goto("about:blank")
        nurse.context.set_offline(False)

    nurse.goto(f"/a/{other}")

    nurse.sees("The stored report is sent. Follow it here.")
    assert (reports_on(house, code), reports_on(house, other)) == (1, 0)


@LANGUAGES
def test_wrong_addresses_say_what_to_do(house: House, come: Come, lang: str) -> None:
    code = device(house)
    nurse = come(house, lang)
    with nurse.watch.refusals(404):
        nurse.goto("/a/ZZZZ2222")
        nurse.sees("No equipment has the label %(code)s.", code="ZZZZ2222")
        nurse.goto("/r/no-such-link")
        nurse.sees("The link is wrong or has expired. Links end 90 days after the repair.")

    stranger = come(house, lang, "qin")
    with stranger.watch.refusals(404):
        stranger.goto(f"/a/{code}")
        stranger.sees("This label belongs to another hospital. You are signed in at yours.")
    assert "监护仪" not in stranger.page.content()
    assert stranger.main.get_by_role("radio").count() == 0


def test_codes_are_read_in_any_case(house: House, come: Come) -> None:
    code = device(house)
    nurse = come(house, "zh")

    nurse.goto(f"/a/{code.lower()}")

    expect(nurse.page.get_by_role("heading", level=1)).to_have_text("监护仪")
