"""What the label and the link show: enough for a nurse, nothing that is nobody's business."""

import gzip
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from apm.core.clock import utc_now
from apm.core.codes import PublicCode, token_digest
from apm.core.guessing import MISSES
from apm.core.settings import ROOT
from apm.requests.model import Request
from apm.requests.states import Triage
from apm.requests.symptoms import symptoms_for
from tests.apm.hospital import jpeg, make_asset, make_request
from tests.queries import count_queries

FAULT = {"symptom": "alarm", "nonce": "NONCE-000001"}


@pytest.fixture
def asset(as_):
    return make_asset(
        as_("wang"),
        name="Bedside monitor",
        name_zh="监护仪",
        serial="SERIAL-77",
        number="NUMBER-88",
        manufacturer="MAKER-99",
        department="ICU",
        purchase_cost=123456,
        note="NOTE-55",
    )


def text(answer):
    return answer.get_data(as_text=True)


def test_a_visitor_sees_no_secret_of_the_device(client, asset):
    page = text(client.get(f"/a/{asset.code}"))
    assert "Bedside monitor" in page
    assert "ICU" in page
    for secret in ("SERIAL-77", "NUMBER-88", "MAKER-99", "1234", "NOTE-55"):
        assert secret not in page


def test_staff_see_the_card_and_their_actions(login, asset):
    page = text(login("wang").get(f"/a/{asset.code}"))
    for shown in ("SERIAL-77", "NUMBER-88", f"/assets/{asset.code}", "Print label"):
        assert shown in page


@pytest.mark.parametrize("change", [str.lower, lambda c: c.replace("1", "I").replace("0", "O")])
def test_codes_bear_small_letters_and_misreadings(client, asset, change):
    assert "Bedside monitor" in text(client.get(f"/a/{change(asset.code)}"))


def test_an_unknown_code_says_what_to_do(client, login, asset):
    answer = client.get("/a/ZZZZZZZZ")
    assert answer.status_code == 404
    assert "Scan it again" in text(answer)
    assert "/assets?q=ZZZZZZZZ" in text(login("wang").get("/a/ZZZZZZZZ"))


def test_a_label_of_another_hospital_says_so_to_staff(login, asset):
    answer = login("qin").get(f"/a/{asset.code}")
    assert answer.status_code == 404
    assert "another hospital" in text(answer)
    assert "Bedside monitor" not in text(answer)


def test_a_code_is_no_way_to_inject_a_page(client):
    assert "<script>" not in text(client.get("/a/%3Cscript%3Ealert(1)"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_six_tiles_in_both_languages(client, asset, lang):
    page = text(client.get(f"/a/{asset.code}?lang={lang}"))
    tiles = symptoms_for("MON")
    assert len(tiles) == 6
    for tile in tiles:
        assert (tile.zh if lang == "zh" else tile.en) in page


@pytest.mark.parametrize("category", ["VENT", "FRIDGE", "OTHER", "NEVER-HEARD-OF"])
def test_every_category_has_six_tiles_of_its_own(category):
    codes = [symptom.code for symptom in symptoms_for(category)]
    assert len(set(codes)) == 6
    assert codes[-1] == "other"


def test_the_whole_page_weighs_less_than_15_kilobytes(client, asset):
    page = client.get(f"/a/{asset.code}").data
    names = set(re.findall(r'(?:href|src)="/static/([^"#]+)', page.decode()))
    for name in [name for name in names if name.endswith(".js")]:  # and what scripts bring along
        script = (ROOT / "static" / name).read_text()
        names |= {f"js/{other}" for other in re.findall(r'import "\./([^"]+)"', script)}
    assert {"public.css", "visitor.css", "js/report.js", "js/later.js", "js/once.js"} <= names
    files = [(ROOT / "static" / Path(name)).read_bytes() for name in names]
    total = sum(len(gzip.compress(content)) for content in [page, *files])
    assert total < 15_000


def test_no_script_and_no_style_inside_the_page(client, asset):
    page = text(client.get(f"/a/{asset.code}"))
    assert " style=" not in page
    assert re.findall(r"<script(?![^>]*src=)", page) == []


def test_links_are_secrets_of_which_only_a_digest_is_kept(client, as_, asset):
    token = client.post(f"/a/{asset.code}", data=FAULT).location.removeprefix("/r/")
    assert len(token) >= 43

    codes = {row.code for row in as_("wang").session.scalars(select(PublicCode))}
    assert token_digest(token) in codes
    assert token not in codes


def test_guessed_links_get_one_answer_until_they_get_none(client, asset):
    for n in range(MISSES):
        answer = client.get(f"/r/guess-{n}")
        assert answer.status_code == 404
        assert "Scan the label on the equipment" in text(answer)
    answer = client.get("/r/guess-more")
    assert answer.status_code == 429


def test_links_that_are_unknown_and_links_that_have_expired_answer_the_same(
    client, engine, as_, asset
):
    link = client.post(f"/a/{asset.code}", data=FAULT).location
    ctx = as_("wang")
    with ctx.writing("test"):
        request = ctx.session.scalar(select(Request))
        request.triage = Triage.REJECTED
        request.reported_at = utc_now() - timedelta(days=91)
    seen = []
    for address in (link, "/r/" + "x" * 43):
        with count_queries(engine) as sent:
            answer = client.get(address)
        assert answer.status_code == 404
        body = text(answer).replace(address.removeprefix("/r/"), "TOKEN")
        seen.append((body, len(sent)))
    [(expired, n_expired), (unknown, n_unknown)] = seen
    assert expired == unknown, "not even whose it was is said"
    assert abs(n_expired - n_unknown) <= 1, "so that the time says nothing either"


def test_a_link_still_opens_while_somebody_guesses(client, asset):
    link = client.post(f"/a/{asset.code}", data=FAULT).location
    for n in range(MISSES + 3):
        client.get(f"/r/guess-{n}")
    assert client.get(link).status_code == 200


def test_a_link_ends_ninety_days_after_the_request(client, as_, asset):
    link = client.post(f"/a/{asset.code}", data=FAULT).location
    ctx = as_("wang")
    with ctx.writing("test"):
        request = ctx.session.scalar(select(Request))
        request.triage = Triage.REJECTED
        request.reported_at = utc_now() - timedelta(days=91)
    answer = client.get(link)
    assert answer.status_code == 404
    assert "90 days" in text(answer)


def test_an_old_request_that_is_still_open_keeps_its_link(client, as_, asset):
    link = client.post(f"/a/{asset.code}", data=FAULT).location
    ctx = as_("wang")
    with ctx.writing("test"):
        ctx.session.scalar(select(Request)).reported_at = utc_now() - timedelta(days=400)
    assert client.get(link).status_code == 200


def test_photos_are_for_holders_of_the_link_and_staff_of_the_hospital(client, login, as_, asset):

    sent = {**FAULT, "photos": [(io.BytesIO(jpeg()), "a.jpg")]}
    link = client.post(f"/a/{asset.code}", data=sent).location
    [src] = re.findall(r'<img src="([^"]+)"', text(client.get(link)))
    answer = client.get(src)
    assert answer.mimetype == "image/jpeg"
    assert answer.data[:2] == b"\xff\xd8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"

    no = as_("wang").session.scalar(select(Request.no))
    assert login("chen").get(f"/requests/{no}/photos/1.jpg").status_code == 200
    assert login("qin").get(f"/requests/{no}/photos/1.jpg").status_code == 404
    assert client.get(f"/requests/{no}/photos/1.jpg").status_code == 303

    other = client.post(f"/a/{asset.code}", data={**FAULT, "nonce": "NONCE-000002"}).location
    assert client.get(f"{other}/photos/1.jpg").status_code == 404


def test_the_reporter_answers_and_staff_see_it(client, login, as_, asset):
    link = client.post(f"/a/{asset.code}", data=FAULT).location
    no = as_("wang").session.scalar(select(Request.no))
    asked = login("wang").post(f"/requests/{no}/ask", data={"reason": "Which screen?"})
    assert asked.status_code == 303
    assert "Which screen?" in text(client.get(link))

    client.post(f"{link}/comment", data={"text": "The left one"})
    page = text(login("wang").get(f"/requests/{no}"))
    assert "The left one" in page
    assert "Accept and open a repair" in page, "an answer puts it before triage again"
    assert client.post(f"{link}/comment", data={"text": ""}).status_code == 422


def test_a_report_of_the_other_hospital_is_not_shown_on_the_label(client, as_, asset):
    theirs = make_request(as_("qin"), make_asset(as_("qin")))
    mine = make_request(as_("lin"), asset)
    page = text(client.get(f"/a/{asset.code}"))
    assert mine.no in page
    assert f"/requests/{theirs.no}" not in page
    assert page.count("Me too, or add a photo") == 1
