"""Working through a checklist on a phone: a tap for each check, a number for each measurement."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.person import Person


def fitting(tolerance: dict[str, Any], reference: float | None) -> float:
    """Return a value well inside a limit."""
    kind = tolerance["type"]
    if kind == "le":
        return float(tolerance["limit"]) / 2
    if kind == "ge":
        return float(tolerance["limit"]) * 2
    if kind == "between":
        return float(tolerance["low"] + tolerance["high"]) / 2
    assert reference is not None, f"nothing fits {tolerance}"
    return reference


def typed(value: float, lang: str) -> str:
    """Return a number as people type it: with a decimal comma as often as not."""
    text = f"{value:g}"
    return text.replace(".", ",") if lang == "zh" else text


def answer_all(person: Person, *, but: Locator) -> None:
    """Answer every step that has no answer, except the card `but`."""
    left_out = but.get_attribute("id")
    cards = person.page.locator("#checklist .card")
    for place in range(cards.count()):
        card = cards.nth(place)
        if card.get_attribute("id") == left_out:
            continue
        if card.locator("[data-tolerance]").count():
            _measure(person, card)
        else:
            person.tap(card.get_by_label(person.say("Pass"), exact=True))
        expect(card.locator("[role=status]")).to_contain_text(person.say("Pass"))


def _measure(person: Person, card: Locator) -> None:
    field = card.locator("[data-tolerance]")
    tolerance = json.loads(field.get_attribute("data-tolerance") or "")
    reference = field.get_attribute("data-reference")
    if tolerance["type"] == "manufacturer":
        person.type(card.locator("input[name$=_low]"), "30")
        enter(person, card, "45")
    else:
        value = fitting(tolerance, float(reference) if reference else None)
        enter(person, card, typed(value, person.lang))
    expect(card.locator(".verdict")).to_contain_text(person.say("Within the limit"))


def enter(person: Person, card: Locator, text: str) -> None:
    """Type a number and leave the field, which stores it."""
    field = card.locator("[data-tolerance]")
    person.type(field, text)
    field.blur()


def step_card(person: Person, words: str) -> Locator:
    """Return the card of the step whose label holds these words."""
    return person.page.locator("#checklist .card").filter(has_text=words).first
