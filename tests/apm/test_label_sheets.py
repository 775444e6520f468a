"""Labels: what a printer draws is what a phone reads."""

import io
import re

import pypdfium2
import pytest
import zxingcpp

from apm.assets.commands import create_asset
from apm.assets.labels_pdf import FORMATS, label_sheets
from apm.assets.paper import register_fonts
from apm.assets.qr import modules_of, svg_of
from apm.core.errors import Conflict

BASE = "https://apm.hospital.example"


def pages_of(pdf, dots_per_inch=200):
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    return [page.render(scale=dots_per_inch / 72).to_pil() for page in document]


def read(picture):
    return sorted(found.text for found in zxingcpp.read_barcodes(picture))


def texts_of(pdf):
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    return [page.get_textpage().get_text_range() for page in document]


@pytest.fixture
def assets(as_):
    ctx = as_("wang")
    return [
        create_asset(
            ctx, number=f"ZC-2024-{n:05d}", name="Critical care ventilator of a very long name",
            name_zh="重症呼吸机", category="VENT", department="重症医学科",
        )
        for n in range(26)
    ]  # fmt: skip


@pytest.mark.parametrize("sheet", FORMATS)
def test_every_code_on_the_sheet_reads(assets, sheet):
    pages = pages_of(label_sheets(assets, base_url=BASE, sheet=sheet))

    read_codes = [code for page in pages for code in read(page)]

    each = FORMATS[sheet].columns * FORMATS[sheet].rows
    assert len(pages) == -(-len(assets) // each)
    assert sorted(read_codes) == sorted(f"{BASE}/a/{asset.code}" for asset in assets)


def test_a_scratched_code_still_reads(assets):
    [page] = pages_of(label_sheets(assets[:1], base_url=BASE), 300)
    [found] = zxingcpp.read_barcodes(page)
    corner = found.position.bottom_right
    size = (corner.x - found.position.top_left.x) // 5
    page.paste("white", (corner.x - 2 * size, corner.y - size, corner.x - size, corner.y))
    assert read(page) == [f"{BASE}/a/{assets[0].code}"]


def test_a_label_says_who_it_is(assets):
    [text] = texts_of(label_sheets(assets[:1], base_url=BASE))
    code = assets[0].code
    assert "重症呼吸机" in text
    assert "ZC-2024-00000" in text
    assert "重症医学科" in text
    assert f"{code[:4]} {code[4:]}" in text
    assert "…" in text


def test_labels_do_not_overlap_or_leave_the_page():
    for sheet in FORMATS.values():
        width = sheet.left + sheet.columns * sheet.width + (sheet.columns - 1) * sheet.gap_x
        height = sheet.top + sheet.rows * sheet.height + (sheet.rows - 1) * sheet.gap_y
        assert width <= 210
        assert height <= 297
        assert sheet.qr < sheet.height


@pytest.mark.parametrize("length", [1, 12, 40, 90, 150, 151, 160, 400])
def test_a_code_of_any_length_reads(length):
    text = "x" * length
    modules = modules_of(text)
    side = len(modules) + 8
    picture = io.BytesIO()
    picture.write(f"P1 {side} {side} ".encode())
    rows = [[0] * side] * 4 + [[0] * 4 + [int(d) for d in row] + [0] * 4 for row in modules]
    rows += [[0] * side] * 4
    picture.write(" ".join(str(d) for row in rows for d in row).encode())
    picture.seek(0)
    from PIL import Image

    big = Image.open(picture).convert("L").resize((side * 4, side * 4), Image.Resampling.NEAREST)
    assert read(big) == [text]


def test_the_picture_on_the_page_draws_the_same_squares():
    text = f"{BASE}/a/ABCD1234"
    drawn = {
        (int(x) + i, int(y))
        for x, y, n in re.findall(r"M(\d+) (\d+)h(\d+)v1", svg_of(text))
        for i in range(int(n))
    }
    dark = {
        (x + 4, y + 4) for y, row in enumerate(modules_of(text)) for x, d in enumerate(row) if d
    }
    assert drawn == dark


def test_a_missing_font_says_what_to_do(assets, monkeypatch, tmp_path):
    monkeypatch.setattr("apm.assets.paper.FONTS", tmp_path)
    register_fonts.cache_clear()
    with pytest.raises(Conflict, match="make vendor"):
        label_sheets(assets, base_url=BASE)
    register_fonts.cache_clear()


def test_the_register_prints_what_it_shows(assets, as_, login):
    create_asset(as_("wang"), number="P-1", name="Perfusor", category="SYRP")
    south = create_asset(as_("qin"), number="S-1", name="Southern", category="SYRP")
    browser = login("chen")

    def printed(query):
        answer = browser.get(f"/assets/labels?{query}")
        assert answer.content_type == "application/pdf"
        return " ".join(texts_of(answer.data))

    assert "ZC-2024-00025" in printed("q=ventilator")
    assert "P-1" not in printed("q=ventilator")
    assert "P-1" in printed("category=SYRP")
    assert "S-1" not in printed("")
    one = printed(f"codes={assets[3].code},{south.code}&format=a4-2x7")
    assert "ZC-2024-00003" in one
    assert "ZC-2024-00004" not in one
    assert "S-1" not in one
    assert browser.get(f"/assets/labels?codes={south.code}").status_code == 404
    assert login("lin").get("/assets/labels").status_code == 403


def test_the_command_line_writes_sheets(assets, tmp_path, database_url, monkeypatch, capsys):
    from apm.cli import main

    monkeypatch.setenv("APM_DATABASE_URL", database_url)
    monkeypatch.setenv("APM_BASE_URL", BASE)
    file = tmp_path / "labels.pdf"
    words = ["apm", "labels", str(file), "--hospital", "NORTH", "--query", "00007"]

    monkeypatch.setattr("sys.argv", words)
    main()
    monkeypatch.setattr("sys.argv", [*words[:-1], "nothing"])
    with pytest.raises(SystemExit) as stop:
        main()

    assert read(pages_of(file.read_bytes())[0]) == [f"{BASE}/a/{assets[7].code}"]
    assert stop.value.code == 1
    assert "No assets match" in capsys.readouterr().err
