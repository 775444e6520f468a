"""The whole loop, as people walk it: from a spreadsheet and two sensor logs to a trail.

One test, in both languages: the engineer Wang brings the list and the logs in, the worker finds
what is wrong, a nurse without a login reports another fault, the technician Chen repairs it on a
phone that loses the network in the middle, Wang approves it, the nurse follows and rates, the
manager Zhao reads the trail.  What each part took is logged: `pytest --log-cli-level=INFO`.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import httpx
import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import expect
from sqlalchemy import func, select

from apm.assets.model import Asset
from apm.detecting.queries import sensors_due
from apm.readings.intake import place
from apm.readings.model import Alarm
from apm.readings.noting import unnoted
from apm.work.model import WorkOrder
from tests.browser import real_input
from tests.browser.conftest import Come
from tests.browser.house import House
from tests.browser.person import DESKTOP, Person
from tests.browser.repair_story import (
    a_nurse_reports,
    the_engineer_approves_it,
    the_engineer_takes_it_on,
    the_nurse_is_content,
    the_technician_repairs_it,
)
from tests.processes import until

pytestmark = pytest.mark.timeout(600)
SCORED_S = 180


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_from_readings_that_go_wrong_to_a_trail_one_can_trust(
    lang: str, come: Come, own_house: House, tmp_path: Path
) -> None:
    wang = come(own_house, lang, "wang", device=DESKTOP)

    the_list_comes_in(wang, tmp_path)
    label = label_from_the_printed_sheet(wang)

    room, chiller = two_sensors(wang)
    the_logs_come_in(own_house, tmp_path)
    a_finding_becomes_one_planned_order(wang, [room, chiller])

    link, nurse = a_nurse_reports(come, own_house, lang, label)
    order = the_engineer_takes_it_on(wang)
    the_technician_repairs_it(come(own_house, lang, "chen"), order)
    the_engineer_approves_it(wang, order)
    the_nurse_is_content(nurse, link)

    the_trail_says_all(come(own_house, lang, "zhao", device=DESKTOP))
    no_edit_stays_hidden(own_house)


def the_list_comes_in(wang: Person, folder: Path) -> None:
    """Chinese through the page, English through the command line."""
    path = real_input.equipment_list(folder / "list.xlsx", wang.lang)
    if wang.lang == "zh":
        wang.goto("/assets")
        wang.link("Import").first.click()
        wang.page.get_by_label(wang.say("Spreadsheet")).set_input_files(path)
        wang.button("Import").click(timeout=90_000)  # it answers when all rows are in
        counts = {"created": real_input.ROWS, "updated": 0, "unchanged": 0}
        wang.sees("%(created)s created, %(updated)s updated, %(unchanged)s unchanged.", **counts)
    else:
        report = wang.house.report("import", "assets", path, "--hospital", "NORTH", "--json")
        assert (report["created"], report["errors"]) == (real_input.ROWS, [])
        wang.goto("/assets")
    expect(wang.page.locator(".pager")).to_contain_text(re.compile("2[,.]?200"))
    with wang.house.acting("wang") as ctx:
        codes = list(ctx.session.scalars(select(Asset.code)))
    assert len(set(codes)) == real_input.ROWS
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{6,8}", code) for code in codes)


def label_from_the_printed_sheet(wang: Person) -> str:
    """Print the ventilator's label, and return the path that a phone reads from it."""
    wang.goto(f"/assets?q={real_input.VENTILATOR}")
    expect(wang.main.locator("tbody tr")).to_have_count(1)
    sheet = wang.context.request.get(wang.link("Labels").get_attribute("href") or "")
    assert sheet.headers["content-type"] == "application/pdf"
    picture = pypdfium2.PdfDocument(sheet.body())[0].render(scale=3).to_pil()
    [code] = zxingcpp.read_barcodes(picture)
    assert code.text.startswith(f"{wang.house.url}/a/")
    return code.text.removeprefix(wang.house.url)


def two_sensors(wang: Person) -> tuple[str, str]:
    """A sensor in the CT room, one on the chiller; return their names."""
    wang.goto(f"/assets?q={real_input.CHILLER}")
    wang.main.locator("tbody th a").click()
    code = wang.main.locator("dd code").nth(1).inner_text()
    names = "CT room" if wang.lang == "en" else "CT 机房", "MRI chiller supply"
    for name, sensor, where in [
        (names[0], "CT1-TEMP", ("Place", real_input.CT_ROOM)),
        (names[1], "CHILLER-TEMP", ("Code of the equipment", code)),
    ]:
        wang.goto("/sensors/new")
        for label, text in [("Code", sensor), ("Name", name), ("Unit", "°F"), where]:
            wang.field(label).fill(text)
        wang.button("Save").click()
        wang.sees("The sensor is added. It can send readings now.")
    return names


def the_logs_come_in(house: House, folder: Path) -> None:
    """The room's as a file, the machine's as a device sends it."""
    room, machine = real_input.room_log(), real_input.machine_log()
    file = room.write(folder / "room.csv", "CT1-TEMP")
    report = house.report("import", "readings", file, "--hospital", "NORTH", "--json")
    assert report["accepted"] + report["duplicate"] == len(room.at)

    token = house.done("token", "add", "chiller", "--hospital", "NORTH", "--role", "device")
    answer = httpx.post(
        f"{house.url}/api/v1/readings",
        json=machine.as_json("CHILLER-TEMP"),
        headers={"Authorization": f"Bearer {token.strip()}"},
        timeout=60,
    ).json()
    assert answer["rejected"] == []
    assert answer["accepted"] + answer["duplicate"] == len(machine.at)


def a_finding_becomes_one_planned_order(wang: Person, names: list[str]) -> None:
    """The worker scores by itself; each place gets one order, however many readings are off."""
    with wang.house.acting("system") as ctx:

        def is_scored() -> bool:
            ctx.session.rollback()
            here = place(ctx)
            is_noted = here is not None and not unnoted(ctx, here)
            return is_noted and sensors_due(ctx) == []

        until(is_scored, seconds=SCORED_S, what="all readings scored")
        found = ctx.session.scalar(select(func.count()).select_from(Alarm))
        orders = ctx.session.scalars(select(WorkOrder)).all()
        assert found
        assert found >= len(orders) == len(names)
        assert {order.state for order in orders} == {"planned"}

    wang.goto("/")
    predicted = wang.page.get_by_role("list", name=wang.say("Predicted soon"))
    expect(predicted.get_by_role("listitem")).to_have_count(len(names))
    for name in names:
        title = wang.say("Check %(sensor)s: unusual readings", sensor=name)
        wang.goto("/")
        predicted.get_by_role("link", name=title).click()
        evidence = wang.main.locator("section.card, .card").filter(has=wang.page.locator(".chart"))
        expect(evidence.locator("svg.plot .line").first).to_be_attached()
        expect(evidence.locator("svg.plot .band").first).to_be_attached()
        for word in ("Since", "Score", "Reason"):
            expect(evidence.first).to_contain_text(wang.say(word))


def the_trail_says_all(zhao: Person) -> None:
    """Who, when, by which command, from what to what."""
    zhao.goto("/admin/audit?command=work_order.close")
    row = zhao.main.locator("tbody tr").filter(has_text="WorkOrder").first
    expect(row).to_contain_text("wang@north.example")
    expect(row.locator("time")).to_have_attribute("datetime", re.compile("^20"))
    expect(row).to_contain_text("work_order.close")
    row.locator("summary").click()
    changes = row.locator("dl.changes")
    state = changes.locator("dd", has=zhao.page.locator("ins", has_text="closed")).first
    expect(state.locator("del")).to_have_text("done")
    zhao.goto("/admin/audit?command=work_order.answer")
    expect(zhao.main.locator("tbody")).to_contain_text("chen@north.example")
    zhao.goto("/admin/audit?command=request.report")
    expect(zhao.main.locator("tbody")).to_contain_text(zhao.say("Somebody without a login"))


def no_edit_stays_hidden(house: House) -> None:
    """The chain holds; then somebody with the database in hand turns one fact round."""
    assert ": ok, " in house.done("audit", "verify", "--hospital", "NORTH")
    with sqlite3.connect(house.database, timeout=30) as plain:
        edited = plain.execute(
            "UPDATE audit_entry SET actor = 'Somebody Else' "
            "WHERE id = (SELECT max(id) FROM audit_entry WHERE command = 'work_order.complete') "
            "RETURNING seq"
        ).fetchone()
    plain.close()
    answer = house.cli("audit", "verify", "--hospital", "NORTH")
    assert answer.returncode == 1
    assert f"entry {edited[0]} is bad" in answer.stdout
