"""The sensor wall keeps itself current and says when it cannot; rooms and plans on phones."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from apm.accounts.queries import system_actor
from apm.core.clock import utc_now
from apm.core.command import Context
from apm.environment.plans import add_plan
from apm.readings.commands import add_sensor, ingest
from apm.readings.model import Sensor
from apm.readings.profiles import profiles
from tests.apm.hospital import jpeg
from tests.browser.axe import english_sentences, overflow, violations
from tests.browser.conftest import Come
from tests.browser.house import House
from tests.browser.person import DESKTOP, PHONE
from tests.house.world import raise_alarm

LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])
STEP = timedelta(minutes=10)


def watched(ctx: Context, *values: float) -> Sensor:
    """A sensor in a room of its own that has sent these values until now."""
    code = f"W-{uuid4().hex[:6]}"
    made = add_sensor(
        ctx, code=code, name=f"CT {code}", name_zh=f"CT机房 {code}", quantity="temperature",
        unit="°C", location=f"房间 {code}", profile="imaging_room",
    )  # fmt: skip
    send(ctx, made, *values)
    return made


def send(ctx: Context, sensor: Sensor, *values: float) -> None:
    now = utc_now()
    rows = [
        {"sensor": sensor.code, "at": now - STEP * (len(values) - 1 - k), "value": value}
        for k, value in enumerate(values)
    ]
    assert ingest(ctx, rows).accepted == len(values)


@LANGUAGES
def test_the_wall_changes_by_itself_and_an_alarm_is_acknowledged(
    house: House, come: Come, lang: str
) -> None:
    with house.acting("wang") as wang:
        sensor = watched(wang, 21.0, 21.0, 21.0)
        place = sensor.location.code if sensor.location else ""
        person = come(house, lang, "wang", device=DESKTOP)
        person.goto(f"/environment?room={place}")
        card = person.page.locator(f"#sensor-{sensor.id}")
        expect(card).to_contain_text(person.say("Normal"))
        assert violations(person.page) == []

        send(wang, sensor, 29.5)
        expect(card).to_contain_text("29.5")
        expect(card).to_contain_text(person.say("Warning: outside the limit"))
        system = Context(wang.session, system_actor(wang.actor.hospital_id))
        raise_alarm(system, sensor, "hot")
        expect(card).to_contain_text(person.say("Not acknowledged yet"))
        expect(person.page.locator("#said")).to_have_text(
            person.say("A new alarm. Look at the first card.")
        )

        card.locator("summary", has_text=person.say("Acknowledge")).click()
        person.field("Note", card).fill("空调已报修")
        send(wang, sensor, 29.9)
        expect(card).to_contain_text("29.9")  # what is typed meanwhile stays
        expect(person.field("Note", card)).to_have_value("空调已报修")
        assert violations(person.page) == []
        person.button("I have seen it", card).click()

    expect(person.page.locator(f"#sensor-{sensor.id}")).to_contain_text(
        person.say("Acknowledged by %(who)s", who=("王磊" if lang == "zh" else "Wang Lei"))
    )
    if lang == "zh":
        assert english_sentences(person.page) == []


def test_values_of_a_server_that_is_gone_are_never_shown_as_current(
    far_house: House, come: Come
) -> None:
    with far_house.acting("wang") as wang:
        sensor = watched(wang, 21.0, 21.0, 21.0)
    person = come(far_house, "zh", "chen")
    person.goto("/environment")
    card = person.page.locator(f"#sensor-{sensor.id}")
    expect(card.locator(".chip", has_text=person.say("Normal"))).to_be_visible()
    expect(person.page.locator("#stale")).to_be_hidden()

    with person.watch.cut():
        far_house.go_dark()
        expect(person.page.locator("#stale")).to_be_visible()
        expect(person.page.locator("#stale")).to_contain_text(
            person.say("These values are not current.")
        )
        expect(card.locator(".chip", has_text=person.say("Normal"))).to_be_hidden()
        expect(card.locator(".chip", has_text=person.say("Not current"))).to_be_visible()
        assert violations(person.page) == []
        far_house.serve()
        expect(person.page.locator("#stale")).to_be_hidden()
    expect(card.locator(".chip", has_text=person.say("Normal"))).to_be_visible()


def test_who_is_signed_out_meanwhile_is_told(house: House, come: Come) -> None:
    with house.acting("wang") as wang:
        watched(wang, 21.0)
    person = come(house, "en", "chen", device=DESKTOP)
    person.goto("/environment")

    person.context.clear_cookies()

    expect(person.page.locator("#stale")).to_contain_text("You were signed out.")


@LANGUAGES
def test_a_screen_on_a_wall_turns_what_does_not_fit(house: House, come: Come, lang: str) -> None:
    with house.acting("wang") as wang:
        for _number in range(8):
            watched(wang, 21.0, 21.0)
    person = come(house, lang, "chen", device={"viewport": {"width": 1280, "height": 720}})
    person.goto("/environment?tv=1")
    shown = person.page.locator(".sensor:visible")
    first = shown.first.get_attribute("id")
    assert first is not None
    expect(person.page.locator("#turn")).to_contain_text("1/")
    assert violations(person.page) == []

    expect(person.page.locator("#turn")).to_contain_text("2/")
    expect(person.page.locator(f"#{first}")).to_be_hidden()
    person.page.locator("#hold").click()
    expect(person.page.locator("#hold")).to_have_attribute("aria-pressed", "true")
    person.page.locator("#sound").click()
    expect(person.page.locator("#sound")).to_contain_text(person.say("Sound is on"))


@LANGUAGES
def test_a_room_is_read_and_its_excursion_reported(house: House, come: Come, lang: str) -> None:
    with house.acting("wang") as wang:
        sensor = watched(wang, *[21.0] * 20, 27.0, 28.0, 27.5, 21.0, 21.0)
        place = sensor.location.code if sensor.location else ""
    person = come(house, lang, "wang", device=PHONE)
    person.goto(f"/environment/{place}?period=day")
    person.sees("Too high")
    assert overflow(person.page) == 0
    assert violations(person.page) == []
    if lang == "zh":
        source = profiles()["imaging_room"].source
        assert english_sentences(person.page, [source]) == []

    person.tap(person.button("Write report"))

    person.sees("What was measured")
    person.type(person.field("Cause of the excursion"), "空调故障")
    person.tap(person.button("Save"))
    person.sees("The report is saved. Sign it when it is complete.")
    assert violations(person.page) == []


def test_a_pin_is_placed_by_a_tap(house: House, come: Come) -> None:
    with house.acting("wang") as wang:
        sensor = watched(wang, 21.0, 21.0)
        plan = add_plan(wang, name=f"Floor {sensor.code}", data=jpeg(800, 600))
    person = come(house, "en", "wang", device=PHONE)
    person.goto(f"/environment/plans/{plan.id}")
    person.field("Place or sensor").select_option(f"sensor:{sensor.code}")
    box = person.page.locator(".floor img").bounding_box()
    assert box is not None

    person.page.locator(".floor img").tap(position={"x": box["width"] / 4, "y": box["height"] / 2})

    assert abs(float(person.field("From the left edge").input_value()) - 25) < 1
    assert abs(float(person.field("From the upper edge").input_value()) - 50) < 1
    person.tap(person.button("Place the pin"))
    person.sees("The pin is placed.")
    pin = person.page.locator(".floor a")
    expect(pin).to_have_attribute("aria-label", f"CT {sensor.code}: Normal")
    assert violations(person.page) == []
