"""A record on paper, and the paper held against the record."""

import pypdfium2 as pdfium
import pytest
import zxingcpp

from apm.reports.commands import issue
from apm.work.addenda import add_addendum
from apm.work.completion import Completion, close, complete
from apm.work.queries import work_order
from tests.apm.hospital import make_asset, make_work, pass_all, start_work
from tests.conftest import PASSWORD

SAID = Completion(labour_minutes=20, cause="USE", remedy="更换流量传感器 <b>& calibrated</b>")


@pytest.fixture
def signed(as_):
    """A ventilator's repair, done by Chen and approved by Wang."""
    wang, chen = as_("wang"), as_("chen")
    asset = make_asset(
        wang, category="VENT", name="Ventilator Evolve", name_zh="呼吸机", serial="SN-<9>"
    )
    order = make_work(wang, asset, template_code="VENT", title_zh="呼吸机维修")
    start_work(chen, wang, order)
    pass_all(chen, order, work_order(chen, order.no).steps)
    complete(chen, no=order.no, password=PASSWORD, said=SAID)
    close(wang, no=order.no, password=PASSWORD)
    return order.no


def text_of(pdf):
    return "\n".join(page.get_textpage().get_text_bounded() for page in pdfium.PdfDocument(pdf))


def printed(browser, no, language):
    made = browser.post(f"/work-orders/{no}/reports", data={"language": language})
    assert made.status_code == 303
    answer = browser.get(made.location)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    return answer.data


def test_it_says_what_the_record_says_in_each_language(signed, login):
    wang = login("wang")

    english, chinese = text_of(printed(wang, signed, "en")), text_of(printed(wang, signed, "zh"))
    both = text_of(printed(wang, signed, "both"))

    for text in (english, chinese, both):
        assert signed in text
        assert "SN-<9>" in text
        assert "更换流量传感器 <b>& calibrated</b>" in text
    assert "Ventilator Evolve" in english
    assert "Work approved" in english
    assert "呼吸机维修" in chinese
    assert "Work approved" not in chinese
    assert {"Ventilator Evolve", "呼吸机维修", "Work approved"} <= {
        word for word in ("Ventilator Evolve", "呼吸机维修", "Work approved") if word in both
    }


def test_every_page_carries_the_code_that_leads_to_the_proof(signed, login, client):
    pdf = pdfium.PdfDocument(printed(login("wang"), signed, "both"))

    assert len(pdf) > 1
    for page in pdf:
        [code] = zxingcpp.read_barcodes(page.render(scale=3).to_pil())
        path = "/verify/" + code.text.rpartition("/")[2]
        assert code.text.endswith(path)
    answer = client.get(path)
    assert answer.status_code == 200
    assert "genuine" in answer.text
    assert signed in answer.text


def test_a_changed_record_gives_the_old_sheet_away(signed, as_, login, client):
    report = issue(as_("wang"), no=signed, language="zh")
    ctx = as_("system")
    with ctx.writing("test.tamper"):
        work_order(ctx, signed).remedy = "Nothing was done"

    assert "has changed since" in client.get(f"/verify/{report.code}").text
    assert login("wang").get(f"/reports/{report.code}.pdf").status_code == 404


def test_an_addendum_is_printed_and_changes_nothing_of_the_proof(signed, as_, login, client):
    report = issue(as_("wang"), no=signed, language="en")
    add_addendum(as_("wang"), no=signed, text="Filter ordered as well")

    assert "genuine" in client.get(f"/verify/{report.code}").text
    assert "Filter ordered as well" in text_of(printed(login("wang"), signed, "en"))


def test_the_same_record_is_printed_once_a_language(signed, as_):
    first, again = (issue(as_("wang"), no=signed, language="en").code for _ in range(2))

    assert first == again
    assert issue(as_("wang"), no=signed, language="zh").code != first


def test_work_that_is_not_done_has_no_report(as_, login):
    order, page = make_work(as_("wang")), login("wang")

    asked = page.post(f"/work-orders/{order.no}/reports", data={"language": "en"})

    assert asked.status_code == 409
    assert "Report to print" not in page.get(f"/work-orders/{order.no}").text


@pytest.mark.parametrize("language", ["", "fr"])
def test_a_language_we_do_not_print(signed, login, language):
    answer = login("wang").post(f"/work-orders/{signed}/reports", data={"language": language})

    assert answer.status_code == 422


def test_a_made_up_code_is_said_to_be_none_of_ours(client):
    answer = client.get("/verify/0123456789ABCDEF")

    assert answer.status_code == 404
    assert "no report with this code" in answer.text


def test_another_hospital_prints_nothing_and_sees_nothing(signed, as_, login):
    report = issue(as_("wang"), no=signed, language="en")
    qin = login("qin")

    assert qin.get(f"/reports/{report.code}.pdf").status_code == 404
    assert qin.post(f"/work-orders/{signed}/reports", data={"language": "en"}).status_code == 404
