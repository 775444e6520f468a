"""Every page, in both languages, on a phone and a desk, light and dark: nobody is kept out.

Which pages there are is asked of the program itself; a new page about one thing needs an
example in `furnished.py`, or the first test here fails.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from tests.conftest import PASSWORD

pytestmark = pytest.mark.timeout(900)
HTML_LANG = {"en": "en", "zh": "zh-Hans"}
NOT_PAGES = {
    "api-docs", "assets.lists.export", "assets.qr", "procedures.exchange.export_all",
    "procedures.exchange.export_one", "static", "stocktake.report_csv",
    "requests.public.photo", "requests.staff.photo", "work.field.photo",
    "vendors.link.file", "vendors.order.file", "metrology.assets.certificate_file",
    "environment.plans.picture", "forecasts.chart.as_file", "forecasts.chart.data",
    "environment.records.export", "reports.environment.excursion",
    "reports.environment.draft_record", "reports.environment.record",
    "analytics.causes.export", "notify.open_message", "notify.calendar.feed", "reports.download",
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


SHARES = 4
"""There are too many pages for one test: each test takes a share of them."""


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize(
    ("device", "lang"), [(PHONE, "en"), (DESKTOP, "zh")], ids=["phone-en", "desktop-zh"]
)
def test_every_page_is_accessible(
    device: dict[str, Any],
    lang: str,
    share: int,
    pages: list[str],
    full_house: tuple[House, Furnished],
    come: Come,
) -> None:
    """Axe reads the page's tree: a language and a width each, light and dark."""
    problems = []
    for person, path in tour(come, full_house, pages, lang, device, share):
        found = look_at(person, path) + violations(person.page)
        dark = []
        if lang == "en":  # colours have no language
            person.page.emulate_media(color_scheme="dark")
            dark = violations(person.page, ["color-contrast"])
            person.page.emulate_media(color_scheme="light")
        problems += [f"{path}: {one}" for one in [*found, *(f"dark: {one}" for one in dark)]]

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("share", range(SHARES // 2))
@pytest.mark.parametrize(
    ("device", "lang"), [(PHONE, "zh"), (DESKTOP, "en")], ids=["phone-zh", "desktop-en"]
)
def test_every_page_fits_and_is_translated(
    device: dict[str, Any],
    lang: str,
    share: int,
    pages: list[str],
    full_house: tuple[House, Furnished],
    come: Come,
) -> None:
    problems = []
    for person, path in tour(come, full_house, pages, lang, device, share, SHARES // 2):
        problems += [f"{path}: {one}" for one in look_at(person, path)]

    assert not problems, "\n".join(problems)


def tour(
    come: Come,
    full_house: tuple[House, Furnished],
    pages: list[str],
    lang: str,
    device: dict[str, Any],
    share: int,
    shares: int = SHARES,
) -> Iterator[tuple[Person, str]]:
    """Yield whom to send where: one share of all pages there are."""
    house, furnished = full_house
    options = {"device": device, "reduced_motion": "reduce"}
    amy = come(house, lang, "amy", **options)
    chen = come(house, lang, "chen", **options)
    visitor = come(house, lang, **options)
    ways = [(amy, path) for path in pages]
    ways += [(chen, path) for path in furnished.technician]
    ways += [(visitor, path) for path in ["/sign-in", *furnished.visitor]]
    yield from ways[share::shares]
    for person in (amy, visitor) if share == 0 else ():
        with person.watch.refusals(404):
            for path in ("/a/ZZZZZZZ", "/r/nothing", "/no-such-page"):
                yield person, path


@pytest.fixture(scope="session")
def pages(program: Flask, full_house: tuple[House, Furnished]) -> list[str]:
    """The addresses of all pages that Amy, who may everything, may look at."""
    house, furnished = full_house
    plain = sorted(endpoints(program, with_arguments=False).values())
    with httpx.Client(base_url=house.url, timeout=30, headers={"Origin": house.url}) as client:
        who = {"email": "amy@north.example", "password": PASSWORD}
        assert client.post("/sign-in", data=who).status_code == 303
        answers = {path: client.get(path) for path in plain}
    found = [path for path, answer in answers.items() if is_page(answer)]
    return found + [path for paths in furnished.pages.values() for path in paths]


def is_page(answer: httpx.Response) -> bool:
    """Whether it is for people; a form that must be told about what answers 404 without."""
    return answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")


def look_at(person: Person, path: str) -> list[str]:
    """Open a page; return what does not fit on it and what is not translated."""
    page = person.page
    person.goto(path)
    found = [] if overflow(page) == 0 else [f"{overflow(page)} px too wide"]
    page.evaluate(UNFOLD)
    if wide := overflow(page):
        found.append(f"{wide} px too wide when unfolded")
    found += [f"runs over: {text}" for text in spilled(page)]
    expect(page.locator("html")).to_have_attribute("lang", HTML_LANG[person.lang])
    if person.lang == "zh":
        found += [f"not translated: {text}" for text in english_sentences(page, QUOTED)]
    return found
