"""An engineer on a phone: from the fleet to a forecast, to planned work, to one set aside."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.apm.foretold import foretell, make_model
from tests.apm.hospital import make_asset
from tests.browser.conftest import Come
from tests.browser.house import House

LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])


@LANGUAGES
def test_a_warning_becomes_work_and_another_is_set_aside(
    house: House, come: Come, lang: str
) -> None:
    with house.acting("wang") as wang, house.acting("system") as system:
        model = make_model(system)
        pump, vent = (
            make_asset(wang, "VENT", number=f"{no}-{lang}", name=name, name_zh=name)
            for no, name in (("P", f"Pump {lang}"), ("V", f"Vent {lang}"))
        )
        foretell(system, pump, model, chance=0.97, warns=True)
        foretell(system, vent, model, chance=0.96, warns=True)
    phone = come(house, lang, "wang")

    phone.goto("/")
    phone.sees("Predicted soon")
    phone.goto("/fleet?show=asks")
    row = phone.page.get_by_role("row").filter(has_text=f"Pump {lang}")
    expect(row).to_contain_text(phone.say("more than 9 in 10"))
    phone.button("Plan work", row).tap()
    phone.sees("The work is planned. Give it to somebody here.")
    phone.sees("How the forecast stands now")

    phone.goto(f"/assets/{vent.code}/forecast")
    expect(phone.page.locator("svg.plot path.line.ahead")).to_have_count(1)
    handle = phone.page.locator("#handle")
    handle.get_by_text(phone.say("Set the forecast aside")).tap()
    handle.get_by_label(phone.say("Harmless known cause"), exact=True).check()
    phone.button("Set aside", handle).tap()
    phone.sees("The forecast is set aside. It asks for no work until its horizon ends.")
    phone.goto("/fleet?show=asks")
    expect(phone.page.get_by_role("row").filter(has_text=f"Vent {lang}")).to_have_count(0)
