"""One repair as people walk it: a nurse, an engineer, a technician in the basement, the nurse.

Each part logs how many taps, fields and seconds it took.
"""

from __future__ import annotations

import re

from playwright.sync_api import FilePayload, Locator, expect
from sqlalchemy import select

from apm.procedures.model import Verdict
from apm.work.field_model import Labour, WorkPhoto
from apm.work.states import WorkState
from tests.apm.hospital import jpeg
from tests.browser.checklist import answer_all, enter, step_card
from tests.browser.conftest import Come
from tests.browser.field import banner, no_network, ready, steps_of, the_order
from tests.browser.house import House
from tests.browser.person import Person
from tests.conftest import PASSWORD

REMEDY = "Flow sensor replaced 更换流量传感器"
MOST_FIELDS = 4
"""What closing a short job may ask for: cause, remedy, minutes, signature."""


def photo(width: int, height: int) -> FilePayload:
    return FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=jpeg(width, height))


def a_nurse_reports(come: Come, house: House, lang: str, label: str) -> tuple[str, Person]:
    """Three taps: what is wrong, a photo, send.  Return the link that follows the report."""
    nurse = come(house, lang)
    with nurse.story("a nurse scans and reports"):
        nurse.goto(label)
        expect(nurse.page.get_by_role("heading", level=1)).to_have_text(
            "呼吸机" if lang == "zh" else "Ventilator"
        )
        assert "ASKH-0042" not in nurse.page.content()  # a serial number is not for the public
        nurse.tap(nurse.main.locator(".tile").nth(1))
        with nurse.page.expect_file_chooser() as chooser:
            nurse.tap(nurse.page.get_by_label(nurse.say("Photo")))
        chooser.value.set_files(photo(4000, 3000))
        nurse.tap(nurse.button("Send"))
        expect(nurse.page).to_have_url(re.compile("/r/[0-9A-Za-z_-]+$"))
        assert (nurse.taps, nurse.fields) == (3, 0)
    expect(nurse.page.get_by_role("heading", level=1)).to_contain_text("R-")
    picture = nurse.page.get_by_role("img", name=nurse.say("Photo of the report"))
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("img => img.naturalWidth") == 1600
    return nurse.page.url.removeprefix(house.url), nurse


def the_engineer_takes_it_on(wang: Person) -> str:
    """Accept it with the ventilator's checklist, and give it to Chen.  Return the order's path."""
    with wang.story("an engineer accepts and assigns"):
        wang.goto("/")
        new = wang.page.get_by_role("list", name=wang.say("New reports"))
        wang.tap(new.get_by_role("link"))
        expect(wang.page.get_by_role("img", name=wang.say("Photo of the report"))).to_be_attached()
        wang.page.get_by_label(wang.say("Checklist")).select_option("VENT")
        wang.tap(wang.button("Accept and open a repair"))
        expect(wang.page).to_have_url(re.compile("/work-orders/WO-"))
        path = wang.page.url.removeprefix(wang.house.url)
        chen = "陈博" if wang.lang == "zh" else "Chen Bo"
        people = wang.page.get_by_label(wang.say("Person"))
        person = people.locator("option", has_text=chen).get_attribute("value")
        people.select_option(value=person)
        wang.tap(wang.button("Assign"))
        expect(wang.main).to_contain_text(chen)
    return path


def the_technician_repairs_it(chen: Person, order: str) -> None:
    """On a phone: start, measure wrong and right; then the lift door closes on the network."""
    no = order.rpartition("/")[2]
    with chen.story("a technician starts and measures"):
        chen.goto("/")
        chen.tap(chen.page.locator(f"a[href='{order}']"))
        chen.tap(chen.button("Start"))
        chen.sees("Checklist")
        expect(chen.page.locator("#outbox")).to_be_hidden()
        chen.tap(chen.button("Start the timer"))
        volume = step_card(chen, "400 mL")
        enter(chen, volume, "470,5")
        expect(volume.locator(".verdict")).to_have_text(chen.say("Outside the limit"))
        expect(volume.locator("[role=status]")).to_contain_text(chen.say("Fail"))
    ready(chen, order)

    with no_network(chen):
        with chen.story("the rest of the checklist without a network"):
            enter(chen, volume, "401,5")
            expect(volume.locator(".verdict")).to_have_text(chen.say("Within the limit"))
            expect(volume.locator("[role=status]")).to_contain_text(chen.say("Saved here"))
            answer_all(chen, but=volume)
            chen.page.locator("input[data-photo='']").set_input_files(photo(1800, 900))
            expect(chen.page.get_by_alt_text(chen.say("Photo, saved here"))).to_be_visible()
        with chen.story("closing without a network"):
            close_in_four_fields(chen)
        expect(banner(chen)).to_contain_text(chen.say("Offline."))
        chen.page.reload()  # the phone shows what it kept
        expect(banner(chen)).to_contain_text(chen.say("Offline."))
        assert steps_of(chen.house, no)["vt@400"].value == 470.5, "nothing has arrived yet"

    with chen.story("the network is back: all is sent"):
        expect(chen.page.locator(".lead")).to_contain_text(chen.say("Done"), timeout=60_000)
    chen.sees(REMEDY)
    expect(chen.page.locator("#outbox")).to_be_hidden()
    expect(chen.page.locator("svg.hand")).to_be_visible()
    arrived(chen, no)


def close_in_four_fields(chen: Person) -> None:
    """Cause, what was done, the timer's minutes, a signature by hand."""
    record = chen.page.locator("#record")
    form = record.locator("form[data-action=complete]")
    asked = form.locator("input:visible, select:visible, textarea:visible")
    asked_for = [field.get_attribute("name") for field in asked.all()]
    assert len(asked_for) <= MOST_FIELDS, asked_for
    record.get_by_label(chen.say("Cause")).select_option(index=1)
    chen.fields += 1
    chen.type(record.get_by_label(chen.say("What was done?")), REMEDY)
    sign_by_hand(chen, record)
    chen.tap(chen.button("Complete", record))
    expect(chen.page.locator("[data-kept-step]")).to_contain_text(chen.say("Complete"))


def sign_by_hand(person: Person, record: Locator) -> None:
    """Draw a name with the finger."""
    person.open_details("Sign by hand instead", record)
    canvas = record.locator("canvas")
    canvas.scroll_into_view_if_needed()
    expect(canvas).to_have_attribute("height", re.compile(r"\d{3}"))
    box = canvas.bounding_box()
    assert box
    mouse = person.page.mouse
    mouse.move(box["x"] + 20, box["y"] + 20)
    mouse.down()
    for step in range(1, 12):
        mouse.move(box["x"] + 20 + 20 * step, box["y"] + 20 + (step % 2) * 40, steps=3)
    mouse.up()
    person.taps += 2
    expect(record.locator("[name=drawn]")).to_have_value(re.compile("^M"))


def arrived(chen: Person, no: str) -> None:
    """Everything is with the server, each thing once."""
    steps = steps_of(chen.house, no)
    assert {step.verdict for step in steps.values()} == {Verdict.PASS}
    assert (steps["vt@400"].value, steps["vt@400"].revision) == (401.5, 2)
    others = [step.revision for key, step in steps.items() if key != "vt@400"]
    assert set(others) <= {1, 2}, "a limit of the maker is a second answer to its step"
    with chen.house.acting("wang") as ctx:
        order = the_order(ctx, no)
        assert (order.state, order.remedy) == (WorkState.DONE, REMEDY)
        labour = select(Labour).where(Labour.work_order_id == order.id)
        assert ctx.session.scalars(labour).one().name == "chen@north.example"
        photos = select(WorkPhoto).where(WorkPhoto.work_order_id == order.id)
        assert ctx.session.scalars(photos).one().width == 1600


def the_engineer_approves_it(wang: Person, order: str) -> None:
    """High-risk equipment: somebody else than who did the work approves it, with a password."""
    with wang.story("an engineer approves"):
        wang.goto("/")
        approve = wang.page.get_by_role("list", name=wang.say("To approve"))
        wang.tap(approve.get_by_role("link"))
        expect(wang.page).to_have_url(re.compile(order))
        password = wang.page.get_by_label(wang.say("Your password"))
        with wang.watch.refusals(422):
            wang.type(password, "not the password")
            wang.tap(wang.button("Sign and close"))
            expect(wang.page.locator(".notice.t-bad")).to_be_visible()
        wang.type(password, PASSWORD)
        wang.tap(wang.button("Sign and close"))
        expect(wang.page.locator(".lead")).to_contain_text(wang.say("Closed"))
    signed = wang.main.locator(".card").filter(has_text=wang.say("Signatures and follow-ups"))
    for word in ("Work performed", "Work approved"):
        expect(signed).to_contain_text(wang.say(word))


def the_nurse_is_content(nurse: Person, link: str) -> None:
    """She follows her link, sees that it is repaired, and gives five stars."""
    with nurse.story("the nurse verifies and rates"):
        nurse.goto(link)
        expect(nurse.page.locator(".lead")).to_contain_text(nurse.say("Repaired"))
        nurse.tap(nurse.page.get_by_label("5 ★"))
        nurse.tap(nurse.button("Works again"))
        nurse.sees("Your rating: %(n)s of 5. Thank you.", n=5)
