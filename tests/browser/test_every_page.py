"""Every page, in both languages, on a phone and a desk, light and dark: nobody is kept out.

Which pages there are is asked of the program itself; a new page about one thing needs an
example in `furnished.py`, or the first test here fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from apm.core.db import make_engine, make_sessions
from apm.core.settings import Settings
from apm.factory import create_app
from apm.procedures.catalogue import templates
from tests.browser.axe import (
    EVERYWHERE,
    OF_THE_LOOK,
    WITHIN,
    bring_axe,
    english_sentences,
    overflow,
    spilled,
    violations,
)
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
    "environment.plans.picture", "connections.certificate",
    "forecasts.chart.as_file", "forecasts.chart.data",
    "forecasts.models.export",
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


SHARES = 6
"""There are too many pages for one test: each test takes a share of them."""


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_page_fits_is_translated_and_accessible(
    lang: str, share: int, pages: list[str], full_house: tuple[House, Furnished], come: Come
) -> None:
    """Both widths in each language; axe reads the tree once, in one: its markup is the other's.

    A page is fetched once and the window then widened: the second look costs no second visit.
    At night axe looks again, on a desk: at colours, and at what lies elsewhere when it is wide.
    The menu and all else around a page is looked at on everybody's first page alone.
    """
    problems = []
    seen = set()
    for person, path in tour(come, full_house, pages, lang, share):
        found = look_at(person, path)
        look = WITHIN if person in seen else EVERYWHERE
        seen.add(person)
        if lang == "en":
            found += violations(person.page, look=look)
            person.page.emulate_media(color_scheme="dark")
        person.page.set_viewport_size(DESKTOP["viewport"])
        found += [f"on a desk: {one}" for one in misfits(person.page)]
        if lang == "en":
            at_night = violations(person.page, OF_THE_LOOK, look)
            found += [f"on a desk at night: {one}" for one in at_night]
            person.page.emulate_media(color_scheme="light")
        person.page.set_viewport_size(PHONE["viewport"])
        problems += [f"{path}: {one}" for one in found]

    assert not problems, "\n".join(problems)


def tour(
    come: Come,
    full_house: tuple[House, Furnished],
    pages: list[str],
    lang: str,
    share: int,
) -> Iterator[tuple[Person, str]]:
    """Yield whom to send where: one share of all pages there are."""
    house, furnished = full_house
    # What the service worker keeps for later has its own tests; here it would fetch all twice.
    plain = {"reduced_motion": "reduce", "service_workers": "block"}
    amy, chen = come(house, lang, "amy", **plain), come(house, lang, "chen", **plain)
    visitor = come(house, lang, **plain)
    for person in (amy, chen, visitor) if lang == "en" else ():
        bring_axe(person.context)
    ways = [(amy, path) for path in pages]
    ways += [(chen, path) for path in furnished.technician]
    ways += [(visitor, path) for path in ["/sign-in", *furnished.visitor]]
    yield from ways[share::SHARES]
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
    found = [f"{wide} px too wide"] if (wide := overflow(page)) else []
    page.evaluate(UNFOLD)
    found += [f"unfolded: {one}" for one in misfits(page)]
    expect(page.locator("html")).to_have_attribute("lang", HTML_LANG[person.lang])
    if person.lang == "zh":
        found += [f"not translated: {text}" for text in english_sentences(page, QUOTED)]
    return found


def misfits(page: Page) -> list[str]:
    """Return what is too wide for its window or runs over its box."""
    found = [f"{wide} px too wide"] if (wide := overflow(page)) else []
    return found + [f"runs over: {text}" for text in spilled(page)]
