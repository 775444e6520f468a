"""The register and the pages of one asset, as people see them."""

import pytest

from apm.assets.commands import create_asset, mark_under_repair, update_asset
from apm.assets.model import AssetState, Availability
from apm.assets.queries import asset_by_code
from tests.queries import count_queries

VENT = {"number": "ZC-1", "name": "Evita V500", "name_zh": "重症呼吸机", "category": "VENT"}


def make_asset(ctx, **values):
    return create_asset(ctx, **{**VENT, **values})


def text(answer):
    return answer.get_data(as_text=True)


def test_the_register_shows_what_the_hospital_owns(as_, login):
    make_asset(as_("wang"), department="ICU", location="Bed 3")
    make_asset(as_("qin"), number="S-9", name="Southern pump", category="INFP")

    page = text(login("lin").get("/assets"))

    assert "Evita V500" in page
    assert "ICU" in page
    assert "Bed 3" in page
    assert "Southern pump" not in page


def test_filters_narrow_the_register_and_say_how_many(as_, login):
    ctx = as_("wang")
    make_asset(ctx, department="ICU")
    make_asset(ctx, number="ZC-2", name="Perfusor", category="SYRP", department="Ward 5")
    make_asset(ctx, number="ZC-3", name="Space", category="SYRP", department="ICU")
    browser = login("wang")

    page = text(browser.get("/assets?category=SYRP&department=ICU"))

    assert "Space" in page
    assert "Perfusor" not in page
    assert "Evita" not in page
    assert "1 of 1" in page
    assert text(browser.get("/assets?category=SYRP")).count("2 of 2") == 1


def test_a_filter_that_means_nothing_is_left_out(as_, login):
    make_asset(as_("wang"))
    assert "Evita V500" in text(login("wang").get("/assets?lifecycle=nonsense"))


def test_the_register_pages_without_losing_or_repeating(as_, login):
    ctx = as_("wang")
    for n in range(60):
        make_asset(ctx, number=f"N-{n:03d}", name=f"Pump {n:03d}", category="INFP")
    browser = login("wang")

    first = text(browser.get("/assets?category=INFP"))
    following = first.split('rel="next"')[0].rpartition('href="')[2].split('"')[0]
    second = text(browser.get(following.replace("&amp;", "&")))

    assert "category=INFP" in following
    shown = [f"Pump {n:03d}" in first for n in range(60)]
    assert shown == [True] * 50 + [False] * 10
    assert [f"Pump {n:03d}" in second for n in range(60)] == [not there for there in shown]


@pytest.mark.parametrize(
    ("who", "sentence"),
    [("wang", "Import your equipment list"), ("lin", "Your equipment department adds it")],
)
def test_an_empty_register_says_what_to_do(login, who, sentence):
    assert sentence in text(login(who).get("/assets"))


def test_a_search_without_result_leads_back(as_, login):
    make_asset(as_("wang"))
    page = text(login("wang").get("/assets?q=zzz"))
    assert "No equipment matches" in page
    assert "Evita" not in page


def test_buttons_follow_the_permissions(as_, login):
    asset = make_asset(as_("wang"))
    nurse, engineer = login("lin"), login("wang")

    assert "/assets/import" not in text(nurse.get("/assets"))
    assert "/assets/import" in text(engineer.get("/assets"))
    assert "/edit" not in text(nurse.get(f"/assets/{asset.code}"))
    assert "/edit" in text(engineer.get(f"/assets/{asset.code}"))
    assert nurse.get("/assets/import").status_code == 403
    assert nurse.get("/assets/new").status_code == 403
    assert nurse.get("/assets/export.csv").status_code == 403


def test_the_asset_page_shows_the_asset_and_its_history(as_, login):
    asset = make_asset(as_("wang"), serial="SN-77", purchase_cost=2_580_000_00)
    update_asset(as_("wang"), code=asset.code, model="V600")
    browser = login("wang")

    page = text(browser.get(f"/assets/{asset.code}"))
    nurses = text(login("lin").get(f"/assets/{asset.code}"))

    assert "SN-77" in page
    assert "Added to the register" in page
    assert "<ins>V600</ins>" in page
    assert "2,580,000.00" in page
    assert "2,580,000.00" not in nurses
    assert "Added to the register" not in nurses


def test_chinese_readers_get_the_chinese_name(as_, login):
    asset = make_asset(as_("wang"))
    page = text(login("wang").get(f"/assets/{asset.code}?lang=zh"))
    assert "<h1>重症呼吸机</h1>" in page


def test_a_code_in_lower_case_or_misread_leads_to_the_asset(as_, login):
    asset = make_asset(as_("wang"))
    misread = asset.code.lower().replace("1", "l").replace("0", "o")
    browser = login("wang")
    answer = browser.get(f"/assets/{misread}", follow_redirects=True)
    assert answer.request.path == f"/assets/{asset.code}"


def test_another_hospitals_asset_is_not_there(as_, login):
    asset = make_asset(as_("wang"))
    stranger = login("qin")
    for path in ("", "/edit", "/qr.svg"):
        assert stranger.get(f"/assets/{asset.code}{path}").status_code == 404
    move = stranger.post(f"/assets/{asset.code}/advance", data={"action": "retire"})
    assert move.status_code == 404


def test_an_asset_is_added_and_changed_by_form(as_, login):
    browser = login("wang")
    typed = {**VENT, "department": "ICU", "purchase_cost": "1,234.50", "serial": ""}

    added = browser.post("/assets/new", data=typed)
    page = text(browser.get(added.location))
    edit_url = added.location + "/edit"
    version = text(browser.get(edit_url)).split('name="version" value="')[1].split('"')[0]
    changes = {**typed, "version": version, "name": "Evita V600", "department": ""}
    saved = browser.post(edit_url, data=changes)

    assert added.status_code == 303
    assert "1,234.50" in page
    assert saved.status_code == 303
    asset = asset_by_code(as_("wang"), added.location.rpartition("/")[2])
    assert (asset.name, asset.department, asset.purchase_cost) == ("Evita V600", None, 123450)


def test_a_wrong_form_comes_back_with_what_was_typed(as_, login):
    make_asset(as_("wang"))
    browser = login("wang")
    typed = {**VENT, "name": "Second", "purchase_cost": "much"}

    wrong = browser.post("/assets/new", data=typed)
    taken = browser.post("/assets/new", data={**typed, "purchase_cost": "1"})

    assert (wrong.status_code, taken.status_code) == (422, 422)
    assert "much is not an amount" in text(wrong)
    assert 'value="Second"' in text(wrong)
    assert "Another asset has this number" in text(taken)


def test_the_second_of_two_editors_is_told(as_, login):
    asset = make_asset(as_("wang"))
    old = {**VENT, "version": str(asset.version), "name": "Mine"}
    browser = login("wang")
    browser.post(f"/assets/{asset.code}/edit", data={**old, "name": "Theirs"})

    answer = browser.post(f"/assets/{asset.code}/edit", data=old)

    assert answer.status_code == 409
    assert "Somebody else changed this asset" in text(answer)
    assert asset_by_code(as_("wang"), asset.code).name == "Theirs"


def test_a_step_of_life_is_a_button(as_, login):
    asset = make_asset(as_("wang"))
    browser = login("wang")
    url = f"/assets/{asset.code}"

    answer = browser.post(f"{url}/advance", data={"action": "quarantine"})
    there = asset_by_code(as_("wang"), asset.code)
    page = text(browser.get(url))
    impossible = browser.post(f"{url}/advance", data={"action": "dispose"})

    assert answer.status_code == 303
    assert (there.lifecycle, there.availability) == (AssetState.QUARANTINED, Availability.DOWN)
    assert 'value="release"' in page
    assert 'value="dispose"' not in page
    assert impossible.status_code == 409


@pytest.mark.parametrize("typed", ["ZC-1", " ZC-1 ", "CODE", "code", "http://x.example/a/CODE"])
def test_what_is_typed_at_the_scanner_leads_to_the_asset(as_, login, typed):
    asset = make_asset(as_("wang"))
    typed = typed.replace("CODE", asset.code).replace("code", asset.code.lower())
    answer = login("lin").get("/scan", query_string={"code": typed})
    assert (answer.status_code, answer.location) == (303, f"/assets/{asset.code}")


def test_an_unknown_code_at_the_scanner_says_what_to_do(as_, login):
    make_asset(as_("qin"), number="S-1")
    answer = login("lin").get("/scan?code=S-1")
    assert answer.status_code == 404
    assert "No equipment here has the code S-1." in text(answer)
    assert "/assets?q=S-1" in text(answer)
    assert login("lin").get("/scan").status_code == 200


@pytest.mark.database
@pytest.mark.parametrize("path", ["/assets", "/assets?q=pump&category=INFP", "/assets/CODE"])
def test_pages_ask_as_often_for_many_assets_as_for_few(as_, login, engine, path):
    ctx = as_("wang")
    asset = make_asset(ctx, department="D0", location="L0")
    browser = login("wang")

    def fill(first, last):
        for n in range(first, last):
            place = {"department": f"D{n % 7}", "location": f"L{n % 9}"}
            make_asset(ctx, number=f"N-{n}", name=f"Pump {n}", category="INFP", **place)

    def asked():
        with count_queries(engine) as sent:
            assert browser.get(path.replace("CODE", asset.code)).status_code == 200
        return len(sent)

    fill(0, 9)
    few = asked()
    fill(9, 59)
    assert asked() == few
    assert few <= 44  # one to three for each feature that has something to say


def test_a_repair_shows_on_the_page(as_, login):
    ctx = as_("wang")
    asset = make_asset(ctx)
    with ctx.writing("test.repair"):
        mark_under_repair(ctx, asset)
    page = text(login("lin").get("/assets"))
    assert "Under repair" in page
    assert "Do not use" in page
