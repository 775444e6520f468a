"""What holds on every page: language, light and dark, doors that are closed, signing out."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.house import House
from tests.browser.person import DESKTOP, PHONE, Person

LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])
TAGS = {"en": "en", "zh": "zh-Hans"}
OTHER = {"en": ("zh", "中文"), "zh": ("en", "English")}


@LANGUAGES
def test_the_other_language_is_one_tap_away_and_stays(house: House, come: Come, lang: str) -> None:
    visitor = come(house, lang)
    visitor.goto("/sign-in")
    expect(visitor.page.locator("html")).to_have_attribute("lang", TAGS[lang])
    other, name = OTHER[lang]

    visitor.page.get_by_role("link", name=name).tap()

    expect(visitor.page.locator("html")).to_have_attribute("lang", TAGS[other])
    visitor.lang = other
    visitor.sign_in("chen")
    visitor.goto("/assets")
    expect(visitor.page.locator("html")).to_have_attribute("lang", TAGS[other])
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(visitor.say("Assets"))
    visitor.page.locator(".tabs-bottom summary").tap()
    visitor.page.locator(".tabs-bottom").get_by_role("link", name=OTHER[other][1]).tap()
    expect(visitor.page).to_have_url(re.compile("/assets"))
    expect(visitor.page.locator("html")).to_have_attribute("lang", TAGS[lang])


@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_dark_is_chosen_once(house: House, come: Come, device: dict[str, object]) -> None:
    wang = come(house, "en", "wang", device=device)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = wang.page.evaluate(ground)

    if device is PHONE:
        wang.page.locator(".tabs-bottom summary").tap()
    wang.page.locator("[data-theme-toggle]:visible").click()
    expect(wang.page.locator("html")).to_have_attribute("data-theme", "dark")

    dark = wang.page.evaluate(ground)
    assert dark != light
    wang.goto("/work-orders")
    expect(wang.page.locator("html")).to_have_attribute("data-theme", "dark")
    assert wang.page.evaluate(ground) == dark


@LANGUAGES
def test_a_closed_door_says_so(house: House, come: Come, lang: str) -> None:
    lin = come(house, lang, "lin")
    expect(lin.page).to_have_url(re.compile("/requests"))

    with lin.watch.refusals(403):
        lin.goto("/analytics")

    expect(lin.page.get_by_role("heading", level=1)).to_have_text(lin.say("Not allowed"))
    lin.sees("Your role may not do this. Ask your equipment department.")
    assert lin.page.locator("a[href='/analytics']").count() == 0
    lin.link("First page").tap()
    expect(lin.page).to_have_url(re.compile("/requests"))


def test_who_is_not_signed_in_is_asked_to_and_comes_back(house: House, come: Come) -> None:
    chen = come(house, "en")
    chen.goto("/alarms?show=active")
    expect(chen.page).to_have_url(re.compile("/sign-in"))
    chen.page.get_by_label("E-mail").fill("chen@north.example")
    chen.page.get_by_label("Password").fill("wrong")
    with chen.watch.refusals(400, 401, 403, 422):
        chen.button("Sign in").click()
        expect(chen.main.locator(".error")).to_be_visible()
    chen.page.get_by_label("Password").fill("correct horse")
    chen.button("Sign in").click()

    expect(chen.page).to_have_url(f"{house.url}/alarms?show=active")


@LANGUAGES
def test_a_lost_phone_is_signed_out_from_afar(house: House, come: Come, lang: str) -> None:
    name = f"Lost phone {lang}"
    lost = come(house, lang, "zhao", user_agent=name)
    zhao = come(house, lang, "zhao")
    zhao.goto("/account")
    expect(zhao.main.locator("tbody tr", has_text=zhao.say("This browser"))).to_have_count(1)

    row = zhao.main.locator("tbody tr", has_text=name)
    row.get_by_role("button", name=zhao.say("Sign out")).tap()

    zhao.sees("That browser is signed out.")
    expect(row).to_have_count(0)
    lost.goto("/assets")
    expect(lost.page).to_have_url(re.compile("/sign-in"))
    zhao.goto("/assets")
    expect(zhao.page).to_have_url(re.compile("/assets"))


def test_the_administrator_is_asked_before_signing_somebody_out(house: House, come: Come) -> None:
    chen = come(house, "en", "chen", user_agent="Chen's tablet")
    amy = come(house, "en", "amy", device=DESKTOP)
    amy.goto("/admin")
    row = amy.main.locator("tr", has_text="Chen's tablet")
    question = amy.page.get_by_role("dialog")

    amy.button("Sign out", row).click()
    expect(question).to_contain_text("Sign this browser out?")
    amy.button("Cancel", question).click()
    still_in(chen)
    amy.button("Sign out", row).click()
    amy.button("Continue", question).click()

    amy.sees("That browser is signed out.")
    chen.goto("/")
    expect(chen.page).to_have_url(re.compile("/sign-in"))


def still_in(person: Person) -> None:
    """Their session goes on."""
    person.goto("/account")
    expect(person.page).to_have_url(re.compile("/account"))


def test_signing_out_ends_it(house: House, come: Come) -> None:
    chen = come(house, "zh", "chen")
    chen.page.locator(".tabs-bottom summary").tap()

    chen.page.locator(".tabs-bottom").get_by_role("button", name=chen.say("Sign out")).tap()

    expect(chen.page).to_have_url(re.compile("/sign-in"))
    chen.goto("/assets")
    expect(chen.page).to_have_url(re.compile("/sign-in"))
