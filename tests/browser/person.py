"""Somebody with a browser: goes to pages, reads words in their language, taps."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from time import monotonic
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from apm.core.i18n import _, speaking
from tests.browser.house import House
from tests.conftest import CAST, PASSWORD

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
LOCALES = {"en": "en-GB", "zh": "zh-CN"}
PATIENCE_MS = 60_000
NO_NETWORK = {
    "net::ERR_INTERNET_DISCONNECTED",
    "net::ERR_CONNECTION_REFUSED",
    "net::ERR_CONNECTION_RESET",
    "net::ERR_EMPTY_RESPONSE",
    "net::ERR_FAILED",
    "net::ERR_TIMED_OUT",
}
STORIES = logging.getLogger("stories")
expect.set_options(timeout=PATIENCE_MS)


class Watch:
    """Notes everything a page should not do: errors, refusals, requests to foreign places."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.complaints: list[str] = []
        self.sent: list[str] = []
        self._url, self._allowed = url, frozenset[int]()
        self._is_cut = False
        context.on("console", self._said)
        context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))
        context.on("request", self._asked)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    @contextmanager
    def refusals(self, *statuses: int) -> Iterator[None]:
        """Within the block these refusals are expected; one of them must come."""
        before, self._allowed = self._allowed, frozenset(statuses)
        self._refused = False
        yield
        assert self._refused, f"none of {statuses} came"
        self._allowed = before

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Within the block the network may fail: that is what is tried."""
        before, self._is_cut = self._is_cut, True
        yield
        self._is_cut = before

    def _said(self, message: ConsoleMessage) -> None:
        # "Failed to load resource" repeats what `response` and `requestfailed` tell better.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"console: {message.text}")

    def _asked(self, request: Any) -> None:
        self.sent.append(f"{request.method} {request.url}")
        if not request.url.startswith((self._url + "/", "data:", f"blob:{self._url}/")):
            self.complaints.append(f"left our origin: {request.url}")

    def _failed(self, request: Any) -> None:
        if self._is_cut and request.failure in NO_NETWORK:
            return
        if request.service_worker and request.failure == "net::ERR_FAILED":
            return  # it is stopped with its last page, in the middle of keeping files
        if request.failure != "net::ERR_ABORTED":  # that is the browser itself, going elsewhere
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def _answered(self, response: Any) -> None:
        if response.status < 400:
            return
        if response.status in self._allowed:
            self._refused = True
        else:
            self.complaints.append(f"{response.status}: {response.url}")


class Person:
    """One browser window, on a phone or a desk, in one language."""

    def __init__(
        self, browser: Browser, house: House, lang: str, *, device: dict[str, Any], **options: Any
    ) -> None:
        self.house, self.lang = house, lang
        self.context = browser.new_context(
            base_url=house.url, locale=LOCALES[lang], timezone_id="Asia/Shanghai",
            **{**device, **options},
        )  # fmt: skip
        self.context.set_default_timeout(PATIENCE_MS)
        self.watch = Watch(self.context, house.url)
        self.page: Page = self.context.new_page()
        self.taps = 0
        self.fields = 0
        self._is_touched = bool(device.get("has_touch"))

    def close(self) -> None:
        """Close the window."""
        self.context.close()

    def say(self, text: str, **params: object) -> str:
        """Return a text of the pages in this person's language."""
        with speaking(self.lang):
            return _(text, **params)

    def goto(self, path: str) -> None:
        """Go to a page and wait until it is loaded."""
        self.page.goto(path)

    def sign_in(self, name: str, *, to: str = "/") -> None:
        """Come in by the door."""
        self.goto(f"/sign-in?next={to}")
        hospital = CAST[name][0].lower()
        self.page.get_by_label(self.say("E-mail")).fill(f"{name}@{hospital}.example")
        self.page.get_by_label(self.say("Password")).fill(PASSWORD)
        self.main.get_by_role("button", name=self.say("Sign in")).click()
        expect(self.page).not_to_have_url(re.compile("/sign-in"))

    def let_in(self, name: str) -> None:
        """Come in as by the door, without typing; the door has tests of its own."""
        who = {"email": f"{name}@{CAST[name][0].lower()}.example", "password": PASSWORD}
        answer = self.context.request.post(
            "/sign-in", form=who, headers={"Origin": self.house.url}, max_redirects=0
        )
        assert answer.status == HTTPStatus.SEE_OTHER
        self.goto("/")

    @property
    def main(self) -> Locator:
        """What the page is about, without header and menus."""
        return self.page.locator("main")

    def button(self, text: str, within: Locator | None = None) -> Locator:
        """The button with these words."""
        return (within or self.main).get_by_role("button", name=self.say(text), exact=True)

    def link(self, text: str, within: Locator | None = None) -> Locator:
        """The link with these words."""
        return (within or self.main).get_by_role("link", name=self.say(text), exact=True)

    def field(self, text: str, within: Locator | None = None) -> Locator:
        """The input with this label, be it optional or not."""
        label = re.compile(rf"^{re.escape(self.say(text))}\s*([(（].*)?$")
        return (within or self.main).get_by_label(label)

    def open_details(self, text: str, within: Locator | None = None) -> Locator:
        """Unfold what is folded under these words, if it is, and return it."""
        summary = (within or self.main).locator("summary", has_text=self.say(text)).first
        details = summary.locator("..")
        if details.get_attribute("open") is None:
            summary.click()
        return details

    def tap(self, what: Locator) -> None:
        """Tap with a finger, or click where there is a mouse, and count it."""
        if self._is_touched:
            what.tap()
        else:
            what.click()
        self.taps += 1

    def type(self, what: Locator, text: str) -> None:
        """Fill a field, and count it."""
        what.fill(text)
        self.fields += 1

    @contextmanager
    def story(self, name: str) -> Iterator[None]:
        """Log how many taps, fields and seconds of the machine the block took."""
        taps, fields, began = self.taps, self.fields, monotonic()
        yield
        taps, fields = self.taps - taps, self.fields - fields
        spent = monotonic() - began
        STORIES.info("%s %s: %d taps, %d fields, %.1f s", self.lang, name, taps, fields, spent)

    def sees(self, text: str, **params: object) -> None:
        """Wait until the page says this, in this person's language."""
        expect(self.main).to_contain_text(self.say(text, **params))
