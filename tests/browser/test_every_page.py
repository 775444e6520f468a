"""Every page, in both languages, on a phone and a desk, light and dark: nobody is kept out.

Which pages there are is asked of the program itself; a new page about one thing needs an
example in `furnished.py`, or the first test here fails.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from playwright.sync_api import expect

from apm.core.db import make_engine, make_sessions
from apm.core.settings import Settings
from apm.factory import create_app
from apm.procedures.catalogue import templates
from tests.browser.axe import english_sentences, overflow, spilled, violations
from tests.browser.conftest import Come
from tests.browser.furnished import Furnished
from tests.browser.house import House
from tests.browser.person import DESKTOP, PHONE, Person

pytestmark = pytest.mark.timeout(900)
HTML_LANG = {"en": "en", "zh": "zh-Hans"}
NOT_PAGES = {
    "api-docs", "assets.lists.export", "assets.qr", "procedures.exchange.export_all",
    "procedures.exchange.export_one", "static", "stocktake.report_csv",
    "requests.public.photo", "requests.staff.photo", "work.field.photo",
    "vendors.link.file", "vendors.order.file", "metrology.assets.certificate_file",
    "notify.open_message", "notify.calendar.feed", "reports.download",
}  # fmt: skip
QUOTED = [template.interval_source.title for template in templates().values()]
FOR_VISITORS = {
    "requests.public.label", "requests.public.tracking", "reports.verify", "vendors.link.show",
}  # fmt: skip
UNFOLD = "for (const each of document.querySelectorAll('main details')) each.open = true"


@pytest.fixture(scope="session")
def program() -> Flask:
    """The program, to ask it for its addresses."""
    sessions = make_sessions(make_engine("sqlite://"))
    return create_app(sessions, Settings("sqlite://", "only for tests", "http://x", Path()))


def endpoints(program: Flask, *, with_arguments: bool) -> dict[str, str]:
    """Return the addresses one can GET, by endpoint, without those of the API for programs."""
    return {
        rule.endpoint: rule.rule
        for rule in program.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and bool(rule.arguments) == with_arguments
        and not rule.endpoint.partition(".")[0].endswith("_api")
        and not {rule.endpoint, rule.endpoint.partition(".")[0]} & NOT_PAGES
    }


def test_every_page_about_one_thing_has_an_example(
    program: Flask, full_house: tuple[House, Furnished]
) -> None:
    _house, furnished = full_house

    wanted = set(endpoints(program, with_arguments=True)) - FOR_VISITORS

    assert wanted - set(furnished.pages) == set()


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_is_accessible(
    lang: str,
    device: dict[str, Any],
    program: Flask,
    full_house: tuple[House, Furnished],
    come: Come,
) -> None:
    house, furnished = full_house
    options = {"device": device, "reduced_motion": "reduce"}
    amy = come(house, lang, "amy", **options)
    chen = come(house, lang, "chen", **options)
    visitor = come(house, lang, **options)

    problems = []
    for path in pages_of(amy, program, furnished):
        problems += problems_of(amy, path)
    for path in furnished.technician:
        problems += problems_of(chen, path)
    for path in ["/sign-in", *furnished.visitor]:
        problems += problems_of(visitor, path)
    for person in (amy, visitor):
        with person.watch.refusals(404):
            for path in ("/a/ZZZZZZZ", "/r/nothing", "/no-such-page"):
                problems += problems_of(person, path)

    assert not problems, "\n".join(problems)


def pages_of(person: Person, program: Flask, furnished: Furnished) -> list[str]:
    """Return the addresses of all pages a signed-in person may look at."""
    plain = sorted(endpoints(program, with_arguments=False).values())
    cookies = {c["name"]: c["value"] for c in person.context.cookies()}
    with httpx.Client(base_url=person.house.url, cookies=cookies, timeout=30) as client:
        answers = {path: client.get(path) for path in plain}
    pages = [path for path, answer in answers.items() if is_page(answer)]
    return pages + [path for paths in furnished.pages.values() for path in paths]


def is_page(answer: httpx.Response) -> bool:
    """Whether it is for people; a form that must be told about what answers 404 without."""
    return answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")


def problems_of(person: Person, path: str) -> list[str]:
    """Return all that is wrong with one page, in light and in dark."""
    page = person.page
    person.goto(path)
    found = [] if overflow(page) == 0 else [f"{overflow(page)} px too wide"]
    page.evaluate(UNFOLD)
    if wide := overflow(page):
        found.append(f"{wide} px too wide when unfolded")
    found += [f"runs over: {text}" for text in spilled(page)]
    found += violations(page)
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {one}" for one in violations(page, ["color-contrast"])]
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("lang", HTML_LANG[person.lang])
    if person.lang == "zh":
        found += [f"not translated: {text}" for text in english_sentences(page, QUOTED)]
    return [f"{path}: {one}" for one in found]
