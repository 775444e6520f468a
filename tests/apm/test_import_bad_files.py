"""A file that is not what it should be changes nothing, and says where and what to do."""

import csv
import io
import zipfile
from datetime import date, datetime, time

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from apm.assets.importing import check_import, import_assets
from apm.assets.listing import read_listing
from apm.assets.model import Asset, Department

HEAD = ["资产编号", "名称", "类别", "购置日期", "价格"]
GOOD = ["A-1", "呼吸机", "VENT", "2024-03-05", "100"]


def csv_of(*rows, encoding="utf-8"):
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode(encoding)


def xlsx_of(*rows, merge=(), title=()):
    book = Workbook()
    sheet = book.active
    for row in (*title, *rows):
        sheet.append(row)
    for area in merge:
        sheet.merge_cells(area)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(data, changes):
    """Return a workbook with text replaced inside its parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            for before, after in changes.items():
                content = content.replace(before, after)
            new.writestr(name, content)
    return out.getvalue()


def zip_of(**parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def bomb():
    head = xlsx_of(HEAD)
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(head)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.writestr("xl/more.xml", b"<x>" + b" " * (210 * 1024 * 1024) + b"</x>")
    return out.getvalue()


def distant_cell(ref, row):
    small = xlsx_of(HEAD, GOOD)
    return repacked(
        small,
        {b'r="A2"': f'r="{ref}"'.encode(), b'<row r="2"': f'<row r="{row}"'.encode()},
    )


def row(**changes):
    fields = ("number", "name", "category", "day", "price")
    return [changes.get(f, value) for f, value in zip(fields, GOOD, strict=True)]


WHOLE_FILES = {
    "empty": (b"", 1, "empty_file"),
    "blank": (b" \r\n \r\n", 1, "empty_file"),
    "20 MB of zero bytes": (b"\x00" * 20_000_000, 1, "not_a_spreadsheet"),
    "20 MB of noughts": (b"0" * 20_000_000, 1, "too_long"),
    "a program called .xlsx": (b"MZ\x90\x00" + b"\x03" * 500, 1, "not_a_spreadsheet"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"x" * 100, 1, "not_a_spreadsheet"),
    "an archive called .xlsx": (zip_of(readme="hello"), 1, "not_a_spreadsheet"),
    "a cut workbook": (xlsx_of(HEAD, GOOD)[:2000], 1, "damaged"),
    "an old workbook": (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, 1, "old_excel"),
    "UTF-16": (csv_of(HEAD, GOOD, encoding="utf-16"), 1, "wrong_encoding"),
    "Latin-1": (b"number,name,category\nA,\xe9t\xe9 x,VENT\n", 2, "wrong_encoding"),
    "Big5": ("資產編號,名稱\nA-1,呼吸器錄\n".encode("big5"), None, None),
    "an open quotation mark": (b'number,name,category\nA,"Pump,INFP\n', 2, "broken_csv"),
    "a zip bomb": (bomb(), 1, "too_large"),
    "a cell at the end of the world": (distant_cell("XFD2", 2), 2, "too_wide"),
    "a row at the end of the world": (distant_cell("A1048576", 1048576), 1048576, "too_many_rows"),
    "a large empty rectangle": (distant_cell("GR150000", 150000), 150000, "too_large"),
    "the last row before the first": (
        repacked(
            xlsx_of(HEAD, GOOD, GOOD),
            {
                b'<row r="1"': b'<row r="9"',
                **{f'{c}1"'.encode(): f'{c}9"'.encode() for c in "ABCDE"},
            },
        ),
        1,
        "damaged",
    ),
    "a cell that is nowhere": (distant_cell("99", 2), 1, "damaged"),
    "packed in an unknown way": (
        xlsx_of(HEAD, GOOD).replace(b"\x00\x00\x08\x00", b"\x00\x00\x63\x00"),
        1,
        "damaged",
    ),
    "locked": (
        xlsx_of(HEAD, GOOD).replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
        ),
        1,
        "damaged",
    ),
    "a document type": (
        repacked(
            xlsx_of(HEAD, GOOD), {b"<worksheet": b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet'}
        ),
        1,
        "damaged",
    ),
    "too many rows": (b"number\n" + b"1\n" * 200_001, 200_001, "too_many_rows"),
    "too wide": (csv_of(["x"] * 201), 1, "too_wide"),
}


@pytest.mark.parametrize(("data", "at", "code"), WHOLE_FILES.values(), ids=WHOLE_FILES.keys())
def test_a_wrong_file_is_refused_as_a_whole(as_, data, at, code):
    ctx = as_("wang")
    report = import_assets(ctx, listing=read_listing(data))

    problems = report.problems
    assert problems
    if code:
        assert [(p.row, p.code) for p in problems] == [(at, code)]
    assert all(len(str(p.message)) > 20 for p in problems)
    assert ctx.session.scalar(select(func.count(Asset.id))) == 0


def test_a_workbook_with_its_order_of_calculation_is_read():
    cells = b'<calcChain><c r="C9" i="1"/><c r="A1"/><c r="B4"/></calcChain>'
    out = io.BytesIO(xlsx_of(HEAD, GOOD))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/calcChain.xml", cells)
    listing = read_listing(out.getvalue())
    assert (len(listing.assets), listing.problems) == (1, [])


BAD_CELLS = {
    "no number": (row(number=""), "资产编号", "required"),
    "no name": (row(name=""), "名称", "required"),
    "no category": (row(category=""), "类别", "required"),
    "a doubled number": (row(number="A-0"), "资产编号", "duplicate_number"),
    "the 30th of February": (row(day="2024-02-30"), "购置日期", "bad_date"),
    "a word for a date": (row(day="last spring"), "购置日期", "bad_date"),
    "a year too early": (row(day="0202-03-01"), "购置日期", "bad_date"),
    "a number for a date": (row(day="45293"), "购置日期", "bad_date"),
    "an unknown category": (row(category="Ventilater"), "类别", "unknown_category"),
    "nonsense for a category": (row(category="qqqq"), "类别", "unknown_category"),
    "a negative price": (row(price="-5"), "价格", "negative_price"),
    "a word for a price": (row(price="about 5"), "价格", "bad_price"),
    "infinite wealth": (row(price="inf"), "价格", "bad_price"),
    "part of a fen": (row(price="1.234"), "价格", "bad_price"),
    "a price too high": (row(price="9" * 30), "价格", "bad_price"),
    "a text too long": (row(name="长" * 121), "名称", "too_long"),
    "a formula as text": (row(name="=1+1"), "名称", "formula"),
    "a character one cannot see": (row(name="a\x7fb"), "名称", "bad_character"),
}


@pytest.mark.parametrize(("bad", "column", "code"), BAD_CELLS.values(), ids=BAD_CELLS.keys())
def test_a_wrong_cell_is_named_and_nothing_is_imported(as_, bad, column, code):
    ctx = as_("wang")
    data = csv_of(HEAD, row(number="A-0"), bad, row(number="A-2"))

    report = import_assets(ctx, listing=read_listing(data))

    assert [(p.row, p.column, p.code) for p in report.problems] == [(3, column, code)]
    assert (report.rows, report.created, report.updated, report.unchanged) == (3, 0, 0, 0)
    assert ctx.session.scalar(select(func.count(Asset.id))) == 0
    assert ctx.session.scalar(select(func.count(Department.id))) == 0


def test_every_problem_is_named_at_once():
    data = csv_of(
        HEAD, row(day="x", price="y"), row(number="A-2"), row(number="A-3", category="?")
    )
    listing = read_listing(data)
    assert [(p.row, p.column) for p in listing.problems] == [
        (2, "购置日期"), (2, "价格"), (4, "类别"),
    ]  # fmt: skip


def test_the_list_of_problems_ends_somewhere():
    data = csv_of(HEAD, *[row(number=f"A-{n}", day="x") for n in range(3000)])
    problems = read_listing(data).problems
    assert (len(problems), problems[-1].code) == (1001, "more_problems")


def test_a_missing_column_names_the_headers_that_would_do():
    [problem] = read_listing(csv_of(["名称", "类别"], ["呼吸机", "VENT"])).problems
    assert (problem.row, problem.column, problem.code) == (1, "Asset number", "missing_column")
    assert "资产编号" in str(problem.message)
    assert "Asset number" in str(problem.message)


def test_a_list_of_something_else_misses_all_three():
    problems = read_listing(b"to,do\nbuy,milk\n").problems
    assert {p.code for p in problems} == {"missing_column"}
    assert len(problems) == 3


def test_two_columns_of_one_meaning_are_refused():
    [problem] = read_listing(csv_of([*HEAD, "设备编号"], [*GOOD, "B"])).problems
    assert (problem.column, problem.code) == ("设备编号", "duplicate_column")
    assert "资产编号" in str(problem.message)


def test_merged_cells_are_refused_by_range_but_not_in_a_title():
    title = ["2024 equipment"]
    data = xlsx_of(HEAD, GOOD, row(number="A-2"), title=[title], merge=["A1:E1", "B3:B4"])
    [problem] = read_listing(data).problems
    assert (problem.row, problem.code) == (3, "merged_cells")
    assert "B3:B4" in str(problem.message)


def test_a_formula_counts_by_its_stored_value():
    computed = repacked(xlsx_of(HEAD, row(price="=10*10")), {b"<v />": b"<v>100</v>"})
    empty = xlsx_of(HEAD, row(price="=10*10"))

    assert read_listing(computed).assets[0].values["purchase_cost"] == 10_000
    [problem] = read_listing(empty).problems
    assert (problem.row, problem.column, problem.code) == (2, "价格", "formula")


def test_an_error_value_is_not_an_empty_cell():
    [problem] = read_listing(xlsx_of(HEAD, row(name="#N/A"))).problems
    assert (problem.row, problem.column, problem.code) == (2, "名称", "cell_error")


def test_a_date_in_a_column_of_words_is_the_spreadsheets_guess():
    data = xlsx_of(
        ["number", "name", "category", "model"], ["1", "Pump", "INFP", date(2024, 12, 3)]
    )
    [problem] = read_listing(data).problems
    assert (problem.column, problem.code) == ("model", "date_in_text")


@pytest.mark.parametrize(
    "written",
    ["2024-03-05", "2024/3/5", "2024.3.5", "2024年3月5日", "20240305", "2024-03-05 00:00:00",
     date(2024, 3, 5), datetime.combine(date(2024, 3, 5), time())],
    ids=str,
)  # fmt: skip
def test_a_day_may_be_written_in_many_ways(written):
    [listed] = read_listing(xlsx_of(HEAD, row(day=written))).assets
    assert listed.values["purchased_on"] == date(2024, 3, 5)


def test_a_nearly_right_category_gets_a_suggestion():
    [problem] = read_listing(csv_of(HEAD, row(category="Ventilater"))).problems
    assert "Did you mean Critical care ventilator (VENT)?" in str(problem.message)


def test_a_list_cannot_end_a_repair(as_):
    ctx = as_("wang")
    head = [*HEAD, "状态"]
    import_assets(ctx, listing=read_listing(csv_of(head, [*GOOD, "维修中"])))

    report = check_import(ctx, read_listing(csv_of(head, [*GOOD, "在用"])))

    assert [(p.row, p.column, p.code) for p in report.problems] == [
        (2, "状态", "impossible_state")
    ]
