"""Chromium, and the program running for real beside it.

Every page a person opens is watched: a test fails on any script error, violation of the content
policy, refused or failed request, and on any request that leaves our origin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.furnished import Furnished, furnish
from tests.browser.house import House
from tests.browser.person import PHONE, Person

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
Come = Callable[..., Person]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives Chromium."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; the shell without a window costs a fifth less."""
    path = which("chromium-headless-shell") or which("chromium")
    assert path, "the browser tests need apt-get install chromium-headless-shell"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared_house(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """The program with web server and no worker, shared: tests add what they need to it."""
    house = House(tmp_path_factory.mktemp("house"), sqlite_template, has_worker=False)
    yield house
    house.stop()


@pytest.fixture(scope="session")
def far_house(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A program whose server tests may stop and start."""
    house = House(tmp_path_factory.mktemp("far"), sqlite_template, has_worker=False)
    yield house
    house.stop()
    assert house.trouble == []


@pytest.fixture
def house(shared_house: House) -> Iterator[House]:
    """The shared program; nothing may have gone wrong inside it during the test."""
    yield shared_house
    assert shared_house.trouble == []


@pytest.fixture(scope="session")
def full_house(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[House, Furnished]]:
    """A program in which every page has something to show; tests leave it as it is."""
    house = House(tmp_path_factory.mktemp("full"), sqlite_template, has_worker=False)
    try:
        yield house, furnish(house)
    finally:
        house.stop()
    assert house.trouble == []


@pytest.fixture
def own_house(sqlite_template: Path, tmp_path: Path) -> Iterator[House]:
    """The program with its worker, on a database that this test alone uses."""
    house = House(tmp_path, sqlite_template, has_worker=True)
    yield house
    house.stop()
    assert house.trouble == []


@pytest.fixture
def come(chromium: Browser) -> Iterator[Come]:
    """`come(house, "zh", "wang")` is Wang's phone, signed in; without a name a visitor's."""
    people: list[Person] = []

    def arrive(
        house: House,
        lang: str = "en",
        name: str | None = None,
        *,
        device: dict[str, Any] = PHONE,
        **options: Any,
    ) -> Person:
        person = Person(chromium, house, lang, device=device, **options)
        people.append(person)
        if name:
            person.let_in(name)
        return person

    yield arrive
    complaints = [person.watch.complaints for person in people]
    for person in people:
        person.close()
    assert not any(complaints), complaints
