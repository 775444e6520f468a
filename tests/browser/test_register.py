"""Finding equipment in the register, and bringing a list in that is wrong."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FilePayload, expect

from tests.apm.hospital import make_asset
from tests.browser.conftest import Come
from tests.browser.house import House
from tests.browser.person import DESKTOP, Person

LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])
OSCILLATOR = {"name": "Oscillator", "name_zh": "高频振荡呼吸机", "serial": "QX99-1234"}


@pytest.fixture(scope="module")
def stocked(shared_house: House) -> House:
    """One rare device among sixty others; South has one of the same name."""
    with shared_house.acting("wang") as ctx:
        make_asset(ctx, "VENT", number="RG-777", department="新生儿科", **OSCILLATOR)
        for n in range(60):
            place = "新生儿科" if n < 7 else "体检中心"
            facts = {"name": "Scale", "name_zh": "婴儿秤", "serial": f"PL{n:04}"}
            make_asset(ctx, "OTHER", number=f"SC-{n:03}", department=place, **facts)
    with shared_house.acting("qin") as ctx:
        make_asset(ctx, "VENT", number="RG-777", **OSCILLATOR)
    return shared_house


def found(person: Person) -> list[str]:
    """Return the numbers listed."""
    return person.main.locator("#results tbody tr td:nth-child(2)").all_inner_texts()


@LANGUAGES
@pytest.mark.parametrize(
    "typed", ["振荡呼吸", "gpzdhxj", "QX99-1234", "qx99", "rg-777", "RG777", "Oscill"]
)
def test_a_device_is_found_by_whatever_one_knows(
    stocked: House, come: Come, lang: str, typed: str
) -> None:
    chen = come(stocked, lang, "chen")
    chen.goto("/assets")
    search = chen.main.get_by_role("searchbox", name=chen.say("Search this list"))

    search.fill(typed)
    search.press("Enter")

    expect(chen.page).to_have_url(re.compile("[?&]q="))
    expect(chen.main.locator("#results tbody tr")).to_have_count(1)
    assert found(chen) == ["RG-777"]
    link = chen.main.locator("#results tbody th a")
    expect(link).to_have_text("高频振荡呼吸机" if lang == "zh" else "Oscillator")
    link.tap()
    expect(chen.page).to_have_url(re.compile("/assets/[0-9A-Z]{6,8}$"))
    expect(chen.main).to_contain_text("QX99-1234")


@LANGUAGES
def test_nothing_found_says_how_to_go_on(stocked: House, come: Come, lang: str) -> None:
    chen = come(stocked, lang, "chen")

    chen.goto("/assets?q=没有这样的设备")

    chen.sees("No equipment matches.")
    chen.link("Show all").tap()
    expect(chen.main.locator("#results tbody tr").first).to_be_visible()


@LANGUAGES
def test_filters_narrow_the_list_and_stand_in_the_address(
    stocked: House, come: Come, lang: str
) -> None:
    wang = come(stocked, lang, "wang", device=DESKTOP)
    wang.goto("/assets?q=婴儿秤")
    ward = wang.main.get_by_role("group", name=wang.say("Department"))
    expect(ward.locator("label", has_text="新生儿科")).to_contain_text("7")

    ward.get_by_label("新生儿科").check()

    expect(wang.page).to_have_url(re.compile("department="))
    expect(wang.main.locator("#results tbody tr")).to_have_count(7)
    assert found(wang) == [f"SC-{n:03}" for n in range(7)]
    wang.page.reload()
    expect(ward.get_by_label("新生儿科")).to_be_checked()


@LANGUAGES
def test_pages_follow_each_other_without_gap_or_repeat(
    stocked: House, come: Come, lang: str
) -> None:
    chen = come(stocked, lang, "chen")
    chen.goto("/assets?q=婴儿秤")
    seen = found(chen)
    expect(chen.main.locator(".pager")).to_contain_text("60")

    while (following := chen.link("Next page")).count():
        first = chen.main.locator("#results tbody tr td:nth-child(2)").first
        before = first.inner_text()
        following.tap()
        expect(first).not_to_have_text(before)
        seen += found(chen)

    assert seen == [f"SC-{n:03}" for n in range(60)]
    chen.link("First page").tap()
    expect(chen.page).not_to_have_url(re.compile("after="))


@LANGUAGES
def test_a_bad_list_changes_nothing_and_names_row_column_and_remedy(
    stocked: House, come: Come, lang: str
) -> None:
    wang = come(stocked, lang, "wang")
    wang.goto("/assets/import")
    text = (
        "资产编号,名称,类别,购置日期\n"
        "BAD-1,输液泵,输液泵,2023-02-30\n"
        "BAD-2,输液泵,输液泵,2023-02-28\n"
        "BAD-2,输液泵,输液泵,2023-03-01\n"
        "BAD-4,输液泵,独角兽,2023-03-01\n"
    )
    file = FilePayload(name="list.csv", mimeType="text/csv", buffer=text.encode("gb18030"))
    wang.page.get_by_label(wang.say("Spreadsheet")).set_input_files(file)

    with wang.watch.refusals(422):
        wang.button("Import").click()
        wang.sees("Nothing was imported. Correct the file and choose it again.")

    rows = wang.main.locator("tbody tr")
    expect(rows).to_have_count(3)
    for row, (number, column) in enumerate([("2", "购置日期"), ("4", "资产编号"), ("5", "类别")]):
        expect(rows.nth(row).locator("th")).to_have_text(number)
        expect(rows.nth(row).locator("td").first).to_have_text(column)
        assert len(rows.nth(row).locator("td").nth(1).inner_text()) > 8
    wang.goto("/assets?q=BAD-")
    wang.sees("No equipment matches.")
