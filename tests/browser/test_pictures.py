"""The pictures of the README.

They are taken in every run; with `APM_PICTURES=1` they are written into docs/img.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Come
from tests.browser.furnished import Furnished
from tests.browser.house import ROOT, House
from tests.browser.person import DESKTOP, PHONE, Person

MOST_BYTES = 200_000
SHARP = {**PHONE, "device_scale_factor": 2}


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Where pictures go."""
    folder = ROOT / "docs" / "img" if os.environ.get("APM_PICTURES") else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_a_finding_on_a_desk_and_on_a_phone(
    full_house: tuple[House, Furnished], come: Come, album: Path
) -> None:
    house, furnished = full_house
    finding = furnished.pages["work.show"][-1]
    views = []
    for device in (DESKTOP, PHONE):
        person = come(house, "en", "wang", device=device, reduced_motion="reduce")
        person.goto(finding)
        chart = person.page.locator("figure.chart").first
        chart.evaluate("it => it.closest('.card').scrollIntoView({block: 'end'})")
        expect(chart).to_be_in_viewport()
        views.append(Image.open(io.BytesIO(person.page.screenshot())).convert("RGB"))

    desk, phone = views
    both = Image.new("RGB", (desk.width + phone.width + 36, desk.height + 24), "#8a9ba1")
    both.paste(desk, (12, 12))
    both.paste(phone, (desk.width + 24, (both.height - phone.height) // 2))
    keep(both.quantize(192, dither=Image.Dither.NONE), album / "finding.png")


@pytest.mark.parametrize(
    ("name", "lang", "who", "device"),
    [
        ("work-order", "en", "chen", SHARP),
        ("report", "zh", None, SHARP),
        ("register", "zh", "wang", DESKTOP),
    ],
)
def test_a_page_as_people_see_it(
    name: str,
    lang: str,
    who: str | None,
    device: dict[str, Any],
    full_house: tuple[House, Furnished],
    come: Come,
    album: Path,
) -> None:
    house, furnished = full_house
    person = come(house, lang, who, device=device, reduced_motion="reduce")
    places = {
        "work-order": furnished.technician[0],
        "report": furnished.visitor[0],
        "register": "/assets",
    }
    person.goto(places[name])
    expect(person.page.get_by_role("heading", level=1)).to_be_visible()
    if name == "work-order":
        _to_the_failed_step(person)

    picture = Image.open(io.BytesIO(person.page.screenshot()))
    keep(picture.convert("RGB").quantize(192, dither=Image.Dither.NONE), album / f"{name}.png")


def _to_the_failed_step(person: Person) -> None:
    failed = person.page.locator(".measure .verdict.t-bad").first
    failed.evaluate("it => it.closest('.card').previousElementSibling.scrollIntoView()")
    expect(failed).to_be_in_viewport()


def keep(picture: Image.Image, path: Path) -> None:
    """Write a picture; a repository keeps it for good, so it must be small."""
    picture.save(path, optimize=True)
    assert 10_000 < path.stat().st_size < MOST_BYTES
