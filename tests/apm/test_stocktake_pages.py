"""A count over HTTP, without JavaScript: start, scan, move, finish, report."""

import csv
import io

import pytest

from apm.assets.commands import create_asset
from apm.core.i18n import speak
from apm.stocktake.commands import scan, start


@pytest.fixture
def ward(as_):
    """Two assets of the ICU, one of the ER with a dangerous name, one of South."""
    ctx = as_("wang")
    rows = [("I-1", "Pump", "ICU"), ("I-2", "Monitor", "ICU"), ("E-1", "=cmd|x", "ER")]
    made = {
        number: create_asset(ctx, number=number, name=name, category="INFP", department=place)
        for number, name, place in rows
    }
    made["S-1"] = create_asset(
        as_("qin"), number="S-1", name="Southern", category="INFP", department="Dialysis"
    )
    return made


@pytest.fixture
def icu(ward):
    return ward["I-1"].department_id


def test_a_whole_count(login, ward, icu):
    chen = login("chen")
    page = chen.get("/stocktakes").get_data(as_text=True)
    assert f'<option value="{icu}"' in page
    assert "Dialysis" not in page
    begun = chen.post("/stocktakes", data={"department": icu})
    assert begun.status_code == 303

    def scanned(code):
        answer = chen.post(f"{begun.location}/scans", data={"code": code})
        assert answer.status_code == 303
        return chen.get(answer.location).get_data(as_text=True)

    assert "Found: I-1" in scanned(ward["I-1"].code)
    assert "Already counted: I-1" in scanned("I-1")
    assert "Registered elsewhere: E-1" in scanned("E-1")
    assert "Unknown code: S-1" in scanned("S-1")
    page = chen.get(begun.location).get_data(as_text=True)
    assert "1 of 2 found" in page
    assert page.count("Move it here") == 1

    moved = chen.post(f"{begun.location}/move", data={"code": ward["E-1"].code})
    assert moved.status_code == 303
    assert "Moved here" in chen.get(begun.location).get_data(as_text=True)

    asked = login("wang").get(f"{begun.location}/finish").get_data(as_text=True)
    assert "One asset has not been found." in asked
    assert "Monitor" in asked
    assert "update_register" in asked
    assert "update_register" not in chen.get(f"{begun.location}/finish").get_data(as_text=True)
    done = login("wang").post(f"{begun.location}/finish", data={"update_register": "true"})
    report = login("wang").get(done.location).get_data(as_text=True)
    assert "Monitor" in report
    assert "Finished" in report
    assert "Wang Lei" in report
    assert chen.post(f"{begun.location}/scans", data={"code": "I-2"}).status_code == 409


def test_the_answer_to_a_scan_holds_what_the_script_replaces(login, as_, ward, icu):
    no = start(as_("chen"), department_id=icu).no
    page = login("chen").post(
        f"/stocktakes/{no}/scans", data={"code": "I-1"}, follow_redirects=True
    )
    text = page.get_data(as_text=True)
    assert 'data-result="count"' in text
    assert 'id="count"' in text


def test_nothing_read_is_said_on_the_same_page(login, as_, ward, icu):
    no = start(as_("chen"), department_id=icu).no
    answer = login("chen").post(f"/stocktakes/{no}/scans", data={"code": " "})
    assert answer.status_code == 422
    assert "type its code or the asset number" in answer.get_data(as_text=True)
    answer = login("chen").post(f"/stocktakes/{no}/scans", data={"code": "X" * 5000})
    assert answer.status_code == 422
    assert "X" * 100 in answer.text  # to be corrected


def test_a_running_count_is_joined_not_doubled(login, as_, ward, icu):
    no = start(as_("chen"), department_id=icu).no
    answer = login("wang").post("/stocktakes", data={"department": icu})
    assert answer.status_code == 409
    assert f'href="/stocktakes/{no}"' in answer.get_data(as_text=True)


@pytest.mark.parametrize("department", ["", "x", "999999", "-1"])
def test_a_department_that_is_not_there(login, ward, department):
    assert login("chen").post("/stocktakes", data={"department": department}).status_code == 404


def test_the_download_is_complete_and_harmless(login, as_, ward, icu):
    no = start(as_("chen"), department_id=icu).no
    for code in ("I-1", "E-1", "=1+1"):
        scan(as_("chen"), no=no, code=code)
    answer = login("wang").get(f"/stocktakes/{no}/report.csv")
    assert answer.mimetype == "text/csv"
    text = answer.get_data(as_text=True)
    assert text.startswith("\ufeff")
    head, *rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert head[:4] == ["Result", "Code", "Asset number", "Name"]
    assert [(row[0], row[2]) for row in rows] == [
        ("Missing", "I-2"), ("Unexpected", "E-1"), ("Unknown code", ""), ("Found", "I-1"),
    ]  # fmt: skip
    assert rows[1][3] == "'=cmd|x"
    assert rows[2][1] == "'=1+1"


def test_the_report_before_anything_was_found(login, as_, ward, icu):
    no = start(as_("chen"), department_id=icu).no
    page = login("wang").get(f"/stocktakes/{no}/report").get_data(as_text=True)
    assert "0 of 2" in page
    assert page.count("<tr><th") == 2


def test_who_sees_counts(login, as_, ward, icu):
    no = start(as_("chen"), department_id=icu).no
    pages = ["", "/finish", "/report", "/report.csv"]
    for page in pages:
        assert login("lin").get(f"/stocktakes/{no}{page}").status_code == 403
        assert login("qin").get(f"/stocktakes/{no}{page}").status_code == 404
    assert login("qin").post(f"/stocktakes/{no}/scans", data={"code": "S-1"}).status_code == 404
    assert login("qin").post(f"/stocktakes/{no}/move", data={"code": "S-1"}).status_code == 404
    assert login("qin").post(f"/stocktakes/{no}/finish").status_code == 404
    listed = login("qin").get("/stocktakes").get_data(as_text=True)
    assert no not in listed
    assert no in login("wang").get("/stocktakes").get_data(as_text=True)


def test_names_are_shown_in_the_language_spoken(login, as_):
    asset = create_asset(
        as_("wang"), number="I-1", name="Pump", name_zh="输液泵", category="INFP", department="ICU"
    )
    no = start(as_("chen"), department_id=asset.department_id).no
    speak("zh")
    assert "输液泵" in login("chen").get(f"/stocktakes/{no}?lang=zh").get_data(as_text=True)
