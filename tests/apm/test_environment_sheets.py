"""Signed sheets on paper, and the paper held against the record."""

from __future__ import annotations

import pypdfium2 as pdfium
import pytest
import zxingcpp
from sqlalchemy import update

from apm.environment.model import ExcursionReport
from apm.environment.reporting import begin_report, sign_report, write_report
from apm.reports.sheet import Sheet
from tests.apm.test_environment_excursions import SAID, began, fridge
from tests.conftest import PASSWORD

FIXTURES = (fridge,)


@pytest.fixture
def signed(as_, fridge):
    row = begin_report(as_("wang"), sensor="BF", began=began())
    write_report(as_("wang"), report_id=row.id, **SAID)
    return sign_report(as_("zhao"), report_id=row.id, password=PASSWORD)


def text_of(pdf):
    return "\n".join(page.get_textpage().get_text_bounded() for page in pdfium.PdfDocument(pdf))


def printed(browser, path):
    answer = browser.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    return answer.data


def test_the_sheet_says_what_was_signed_in_each_language(signed, login):
    path = f"/environment/excursions/{signed.id}.pdf"
    english, chinese, both = (
        text_of(printed(login("chen"), f"{path}?language={language}"))
        for language in ("en", "zh", "both")
    )
    for text in (english, chinese, both):
        assert "12 units of red cells" in text
        assert "Zhao Min" in text
        assert "BF-1" in text
        assert "SHA-256" in text
        assert "9 °C" in text
    assert "Goods may be used" in english
    assert "Goods may be used" not in chinese
    assert "储血冰箱1" in chinese
    assert {"Goods may be used", "储血冰箱1"} <= {
        word for word in ("Goods may be used", "储血冰箱1") if word in both
    }


def test_the_code_on_the_sheet_leads_to_the_proof(signed, login, client):
    pdf = pdfium.PdfDocument(printed(login("wang"), f"/environment/excursions/{signed.id}.pdf"))
    [code] = zxingcpp.read_barcodes(pdf[0].render(scale=3).to_pil())
    path = "/verify/" + code.text.rpartition("/")[2]
    page = client.get(path)
    assert page.status_code == 200
    assert "This sheet is genuine." in page.text
    assert "red cells" not in page.text  # only what tells the sheet apart


def test_a_record_changed_behind_our_back_gives_itself_away(signed, engine, login, client):
    with engine.begin() as connection:
        connection.execute(update(ExcursionReport).values(cause="Nothing happened"))

    assert "has changed since" in client.get(f"/verify/{signed.code}").text
    assert "tampered with" in login("wang").get(f"/environment/excursions/{signed.id}").text
    assert login("wang").get(f"/environment/excursions/{signed.id}.pdf").status_code == 404


def test_a_draft_is_not_printed(as_, login, fridge):
    row = begin_report(as_("wang"), sensor="BF", began=began())
    path = f"/environment/excursions/{row.id}.pdf"
    assert login("wang").get(path).status_code == 404


def test_strangers_and_strange_languages_get_nothing(signed, login):
    path = f"/environment/excursions/{signed.id}.pdf"
    assert login("qin").get(path).status_code == 404
    assert login("wang").get(f"{path}?language=fr").status_code == 404


def test_a_title_of_three_lines_leaves_what_follows_free():
    sheet = Sheet(
        title="温湿度记录 / Temperature and humidity record<br/>储血室<br/>Blood store",
        subtitle="滨江总医院<br/>Riverside General Hospital", foot="", qr="x", plain_title="x",
    )  # fmt: skip
    sheet.facts([("Place", "Here")])

    page = pdfium.PdfDocument(sheet.pdf())[0].get_textpage()

    def edges(word):  # from the foot of the page: lower, upper
        found = page.search(word).get_next()
        boxes = [page.get_charbox(found[0] + k) for k in range(found[1])]
        return min(box[1] for box in boxes), max(box[3] for box in boxes)

    assert edges("Riverside")[0] > edges("Place")[1]
