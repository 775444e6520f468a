"""The chart of a sensor in a real browser: zoom fetches finer readings, a gap is a gap, a file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from apm.core.clock import utc_now
from apm.readings.commands import add_sensor, ingest
from tests.browser.house import House
from tests.browser.person import DESKTOP, PHONE
from tests.house.world import raise_alarm

MINUTE = timedelta(minutes=1)
DARK = """box => {
  const canvas = box.querySelector("canvas"), ctx = canvas.getContext("2d");
  const { width, height } = canvas, { data } = ctx.getImageData(0, 0, width, height);
  const style = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
  const want = [1, 3, 5].map(k => parseInt(style.slice(k, k + 2), 16));
  const drawn = [];
  for (let x = 0; x < width; x++) {
    let hit = false;
    for (let y = 0; y < height && !hit; y++) {
      const at = 4 * (y * width + x);
      hit = data[at + 3] > 200 && want.every((c, k) => Math.abs(data[at + k] - c) < 12);
    }
    drawn.push(hit);
  }
  const first = drawn.indexOf(true), last = drawn.lastIndexOf(true);
  let longest = 0, run = 0;
  for (let x = first; x <= last; x++) {
    run = drawn[x] ? 0 : run + 1;
    longest = Math.max(longest, run);
  }
  return { share: longest / (last - first), first, last };
}"""
"""The longest stretch of columns without the line's colour, as a share of what is drawn."""


@pytest.fixture(scope="module")
def a_sensor(shared_house: House) -> str:
    """Eight days by the minute with half a day missing, and an alarm."""
    code = "CHART-1"
    now = utc_now().replace(second=0, microsecond=0)
    with shared_house.acting("wang") as ctx:
        sensor = add_sensor(
            ctx, code=code, name="Fridge", name_zh="冰箱", quantity="temperature", unit="°C",
            location="Store", profile="vaccine_fridge",
        )  # fmt: skip
        minutes = [k for k in range(8 * 1440) if not 600 <= k < 1320]
        rows = [
            {"sensor": code, "at": now - MINUTE * k, "value": 4 + (k % 60) / 60} for k in minutes
        ]
        assert ingest(ctx, rows).accepted == len(rows)
        sensor_row = sensor
    with shared_house.acting("system") as ctx:
        raise_alarm(ctx, sensor_row, "Fridge")
    return code


@pytest.mark.parametrize(("lang", "device"), [("zh", PHONE), ("en", DESKTOP)])
def test_zooming_shows_finer_readings_and_a_gap_stays_a_gap(house, come, a_sensor, lang, device):
    chen = come(house, lang, "chen", device=device)
    chen.goto(f"/sensors/{a_sensor}?period=week")
    box = chen.page.locator("[data-series]")
    expect(box.locator("canvas")).to_be_visible()
    expect(box).to_have_attribute("data-width", "600")  # a week: ten minutes
    expect(box.locator("[data-events] a").first).to_contain_text(chen.say("Alarm"))
    gap = box.locator("[data-plot]").evaluate(DARK)["share"]
    assert 0.04 < gap < 0.12  # half a day of seven

    for width in ("300", "120", "raw"):
        chen.tap(chen.button("Zoom in", box))
        expect(box).to_have_attribute("data-width", width)
    box.locator("[data-plot]").focus()
    chen.page.keyboard.press("ArrowRight")
    chen.page.keyboard.press("-")
    expect(box).not_to_have_attribute("data-width", "raw")
    chen.page.keyboard.press("Home")
    expect(box).to_have_attribute("data-width", "600")

    box.locator("[data-numbers] summary").click()
    expect(box.locator("[data-numbers] tbody tr").nth(5)).to_be_visible()
    assert (
        chen.page.evaluate("document.documentElement.scrollWidth") <= (device["viewport"]["width"])
    )


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_file_is_of_what_is_shown(house, come, a_sensor, lang):
    chen = come(house, lang, "chen", device=DESKTOP)
    chen.goto(f"/sensors/{a_sensor}?period=week")
    box = chen.page.locator("[data-series]")
    expect(box).to_have_attribute("data-width", "600")
    chen.tap(chen.button("Zoom in", box))
    expect(box).to_have_attribute("data-width", "300")

    with chen.page.expect_download() as download:
        chen.link("What is shown, as CSV", box).click()

    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert 900 < len(rows) < 1020  # half a week by five minutes
    assert all(
        float(row["lowest"]) <= float(row["value"]) <= float(row["highest"]) for row in rows
    )
    assert {row["at_local"][-6:] for row in rows} == {"+08:00"}


def test_without_scripts_the_drawn_chart_stands_there(house, come, a_sensor):
    chen = come(house, "en", "chen", device=PHONE)
    state = chen.context.storage_state()
    plain = chen.context.browser.new_context(
        base_url=house.url, java_script_enabled=False, storage_state=state, **PHONE
    )
    page = plain.new_page()
    page.goto(f"/sensors/{a_sensor}?period=week")
    expect(page.locator("svg.plot")).to_be_visible()
    expect(page.get_by_role("link", name="What is shown, as CSV")).to_be_visible()
    plain.close()


def test_only_the_newest_zoom_is_waited_for(house, come, a_sensor):
    chen = come(house, "en", "chen", device=DESKTOP)
    chen.goto(f"/sensors/{a_sensor}?period=week")
    box = chen.page.locator("[data-series]")
    expect(box).to_have_attribute("data-width", "600")
    button = chen.button("Zoom in", box)
    for _ in range(6):
        button.click(no_wait_after=True)
    expect(box).to_have_attribute("data-width", "raw")
    expect(box).not_to_have_attribute("aria-busy", "true")
    expect(box.locator("canvas")).to_have_count(1)
