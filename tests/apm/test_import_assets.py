"""An equipment list comes in from a spreadsheet, is updated by another, and goes out again."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from apm.assets.commands import create_asset, update_asset
from apm.assets.exporting import example_xlsx, export_csv, export_xlsx
from apm.assets.importing import check_import, import_assets
from apm.assets.listing import read_listing
from apm.assets.model import AssetState, Department, Location
from apm.assets.queries import RegisterFilter, asset_by_number, register_page
from apm.core.audit import AuditEntry
from apm.core.codes import find_code
from apm.core.command import Context
from apm.core.errors import NotAllowed
from apm.core.i18n import speaking
from tests.apm.hospital import make_asset, make_work
from tests.apm.test_import_bad_files import csv_of, xlsx_of
from tests.conftest import actor_named

CHINESE = [
    ["设备编号", "设备名称", "类别", "生产厂家", "规格型号", "出厂编号", "使用科室", "存放地点",
     "购置日期", "启用日期", "保修到期", "原值（万元）", "状态", "UDI", "颜色"],
    ["ZC-001", "呼吸机", "呼吸机", "迈瑞", "SV300", "SN1", "重症医学科", "3床",
     "2023年5月1日", "2023/6/1", "2026.5.31", "25.8", "在用", "06901234567892", "白"],
    ["ZC-002", "输液泵", "输液泵", "", "", "", "重症医学科", "", "", "", "", "", "备用", "", ""],
]  # fmt: skip
ENGLISH = [
    [
        "Asset number",
        "Name",
        "Category",
        "Serial no.",
        "Department",
        "Location",
        "Price",
        "Status",
    ],
    ["A-1", "Evita V500", "Ventilator", "X1", "ICU", "Bed 3", "1,000.50", "In service"],
    ["A-2", "Agilia", "INFP", "X2", "ICU", "Bed 4", "", "Standby"],
]


def bring_in(ctx, data):
    return import_assets(ctx, listing=read_listing(data))


def counts(report):
    return (report.rows, report.created, report.updated, report.unchanged, report.problems)


@pytest.mark.database
def test_a_chinese_list_becomes_assets(as_):
    ctx = as_("wang")

    report = bring_in(ctx, csv_of(*CHINESE, encoding="gb18030"))

    assert counts(report) == (2, 2, 0, 0, ())
    assert report.ignored == ("颜色",)
    asset = asset_by_number(ctx, "ZC-001")
    assert (asset.name, asset.name_zh, asset.category) == ("呼吸机", "呼吸机", "VENT")
    assert (asset.department.name, asset.location.name) == ("重症医学科", "3床")
    assert asset.purchased_on == date(2023, 5, 1)
    assert asset.in_service_on == date(2023, 6, 1)
    assert asset.warranty_until == date(2026, 5, 31)
    assert asset.purchase_cost == 258_000_00
    assert asset.udi_di == "06901234567892"
    assert asset_by_number(ctx, "ZC-002").lifecycle is AssetState.STANDBY
    assert ctx.session.scalar(select(func.count(Department.id))) == 1


@pytest.mark.parametrize(
    "data",
    [
        csv_of(*ENGLISH),
        csv_of(*ENGLISH, encoding="utf-8-sig"),
        "\n".join(";".join(c.replace(",", "") for c in row) for row in ENGLISH).encode(),
        "\r\n".join("\t".join(row) for row in ENGLISH).encode(),
        xlsx_of(*ENGLISH),
        xlsx_of(["Equipment 2024"], [], *ENGLISH),
    ],
    ids=["comma", "with mark", "semicolon", "tab", "xlsx", "xlsx with a title"],
)
def test_an_english_list_of_any_make_becomes_assets(as_, data):
    ctx = as_("wang")
    report = bring_in(ctx, data)
    assert counts(report) == (2, 2, 0, 0, ())
    asset = asset_by_number(ctx, "A-1")
    assert (asset.category, asset.serial, asset.purchase_cost) == ("VENT", "X1", 100050)


def test_every_imported_asset_is_found_scanned_and_in_the_trail(as_):
    ctx = as_("wang")
    bring_in(ctx, csv_of(*ENGLISH))
    asset = asset_by_number(ctx, "A-1")

    page = register_page(ctx, RegisterFilter(q="evita"))
    way = find_code(ctx.session, "asset", asset.code)
    trail = ctx.session.scalars(
        select(AuditEntry).where(AuditEntry.entity == "Asset", AuditEntry.entity_id == asset.id)
    ).one()

    assert [found.number for found in page.items] == ["A-1"]
    assert (way.hospital_id, way.target) == (ctx.actor.hospital_id, asset.code)
    assert (trail.command, trail.actor) == ("asset.import", ctx.actor.name)
    assert trail.changes["number"] == [None, "A-1"]


def test_a_dry_run_says_what_would_happen_and_does_nothing(as_):
    ctx = as_("wang")
    report = check_import(ctx, read_listing(csv_of(*ENGLISH)))
    assert counts(report) == (2, 2, 0, 0, ())
    assert asset_by_number(ctx, "A-1") is None


def test_a_second_list_changes_only_what_differs(as_):
    ctx = as_("wang")
    bring_in(ctx, csv_of(*ENGLISH))
    code = asset_by_number(ctx, "A-2").code
    changed = [ENGLISH[0], ENGLISH[1], [*ENGLISH[2][:3], "", "Ward 5", *ENGLISH[2][5:]],
               ["A-3", "Space", "SYRP", "", "", "", "", ""]]  # fmt: skip

    report = bring_in(ctx, csv_of(*changed))

    assert counts(report) == (3, 1, 1, 1, ())
    after = asset_by_number(as_("wang"), "A-2")
    assert (after.code, after.serial, after.department.name) == (code, None, "Ward 5")
    assert [a.number for a in register_page(ctx, RegisterFilter(q="agilia")).items] == ["A-2"]


def test_a_column_that_is_not_there_stays_untouched(as_):
    ctx = as_("wang")
    bring_in(ctx, csv_of(*ENGLISH))
    report = bring_in(ctx, csv_of(["number", "name", "category"], ["A-1", "Evita V600", "VENT"]))
    asset = asset_by_number(as_("wang"), "A-1")
    assert counts(report) == (1, 0, 1, 0, ())
    assert (asset.name, asset.serial, asset.department.name) == ("Evita V600", "X1", "ICU")


def test_a_renamed_asset_is_found_by_its_new_name_alone(as_):
    ctx = as_("wang")
    bring_in(ctx, csv_of(*ENGLISH))
    bring_in(ctx, csv_of(["number", "name", "category"], ["A-1", "Hamilton", "VENT"]))
    assert len(register_page(ctx, RegisterFilter(q="hamilton")).items) == 1
    assert register_page(ctx, RegisterFilter(q="evita")).items == []


def test_the_same_number_in_another_hospital_is_another_asset(as_):
    bring_in(as_("qin"), csv_of(*ENGLISH))
    report = bring_in(as_("wang"), csv_of(ENGLISH[0], ["A-1", "Other", *ENGLISH[1][2:]]))
    assert counts(report) == (1, 1, 0, 0, ())
    assert asset_by_number(as_("qin"), "A-1").name == "Evita V500"


def test_places_known_by_their_chinese_name_are_not_made_again(as_):
    ctx = as_("wang")
    with ctx.writing("test.place"):
        ctx.session.add(Department(name="Intensive care", name_zh="重症医学科"))
    bring_in(ctx, csv_of(*CHINESE))
    assert asset_by_number(ctx, "ZC-001").department.name == "Intensive care"
    assert counts(bring_in(as_("wang"), csv_of(*CHINESE))) == (2, 0, 0, 2, ())
    assert ctx.session.scalar(select(func.count(Location.id))) == 1


@pytest.mark.parametrize("who", ["lin", "chen"])
def test_a_nurse_or_technician_may_not_import(as_, who):
    with pytest.raises(NotAllowed):
        bring_in(as_(who), csv_of(*ENGLISH))
    with pytest.raises(NotAllowed):
        check_import(as_(who), read_listing(csv_of(*ENGLISH)))


@pytest.mark.parametrize("export", [export_csv, export_xlsx])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_goes_out_comes_in_without_a_change(as_, export, language):
    ctx = as_("wang")
    bring_in(ctx, csv_of(*CHINESE))
    bring_in(ctx, csv_of(*ENGLISH))
    create_asset(as_("qin"), number="S-1", name="Southern", category="MON")

    with speaking(language):
        out = export(as_("wang"))

    report = check_import(as_("wang"), read_listing(out))
    assert counts(report) == (4, 0, 0, 4, ())
    assert report.ignored == ()


odd = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"], exclude_characters="\ufffd")
    | st.sampled_from("=+-@'\",;\t\n "),
    min_size=1,
    max_size=40,
).filter(lambda text: len(" ".join(text.split())) > 0)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=odd, serial=odd, note=odd, place=odd, number=odd)
def test_odd_values_survive_the_round_trip(sessions, name, serial, note, place, number):
    one_line = {"name": name, "serial": serial, "department": place, "number": number}
    values = {key: " ".join(text.split()) for key, text in one_line.items()}
    values["note"] = note.strip()
    with sessions() as session:  # one for each example: `as_` keeps its own until the end
        ctx = Context(session, actor_named(session, "wang"))
        existing = register_page(ctx, RegisterFilter()).items
        if existing:
            update_asset(ctx, code=existing[0].code, **values)
        else:
            create_asset(ctx, category="OTHER", **values)
        session.expire_all()

        for export in (export_csv, export_xlsx):
            report = check_import(ctx, read_listing(export(ctx)))
            assert counts(report) == (1, 0, 0, 1, ())


@pytest.mark.parametrize(
    "text", ["#N/A", "#REF!", "_x0041_", "TRUE", "1e5", "007", "2024-01-02", "万"]
)
@pytest.mark.parametrize("export", [export_csv, export_xlsx])
def test_text_that_looks_like_something_else_stays_text(as_, export, text):
    ctx = as_("wang")
    create_asset(ctx, number=text, name=text, category="OTHER", model=text, location=text)
    assert counts(check_import(ctx, read_listing(export(ctx)))) == (1, 0, 0, 1, ())


def test_no_exported_cell_starts_a_formula(as_):
    ctx = as_("wang")
    create_asset(ctx, number="=cmd|x", name="@SUM(A1)", category="OTHER", serial="-1+1", note="+x")
    rows = list(csv.reader(io.StringIO(export_csv(ctx).decode("utf-8-sig"))))
    assert not [cell for cell in rows[1] if cell[:1] in set("=+-@")]
    assert rows[1][0] == "'=cmd|x"


def test_the_example_file_imports(as_):
    with speaking("zh"):
        data = example_xlsx()
    assert counts(bring_in(as_("wang"), data)) == (2, 2, 0, 0, ())


def upload(browser, data, do, name="list.csv"):
    form = {"file": (io.BytesIO(data), name), "do": do}
    return browser.post("/assets/import", data=form, content_type="multipart/form-data")


def test_a_list_is_checked_then_imported_on_the_page(as_, login):
    browser = login("wang")

    checked = upload(browser, csv_of(*ENGLISH), "check")
    between = asset_by_number(as_("wang"), "A-1")
    imported = upload(browser, csv_of(*ENGLISH), "import")

    assert checked.status_code == 200
    assert "2 rows checked, nothing is wrong" in checked.get_data(as_text=True)
    assert between is None
    assert (imported.status_code, imported.location) == (303, "/assets")
    assert "2 created, 0 updated, 0 unchanged" in browser.get("/assets").get_data(as_text=True)


@pytest.mark.parametrize("do", ["check", "import"])
def test_the_page_names_row_column_and_remedy(as_, login, do):
    bad = csv_of(ENGLISH[0], [*ENGLISH[1][:6], "-5", ""], ENGLISH[2])

    answer = upload(login("wang"), bad, do, "<b>my list.csv")

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "1 problem in &lt;b&gt;my list.csv" in page
    assert "A price cannot be negative" in page
    assert '<th scope="row" class="num">2</th>' in page
    assert asset_by_number(as_("wang"), "A-2") is None


def test_no_file_at_all_is_an_empty_file(login):
    answer = login("wang").post("/assets/import", data={"do": "check"})
    assert answer.status_code == 422
    assert "The file is empty" in answer.get_data(as_text=True)


def test_files_are_downloaded(as_, login):
    bring_in(as_("wang"), csv_of(*ENGLISH))
    browser = login("wang")
    for path in ("/assets/export.csv", "/assets/export.xlsx", "/assets/import/example.xlsx"):
        answer = browser.get(path)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert read_listing(answer.data).problems == []


@pytest.fixture
def run(database_url, monkeypatch, capsys, engine):
    """`run("import", "assets", ...)` is the command line: (exit status, stdout, stderr)."""
    from apm.cli import main

    monkeypatch.setenv("APM_DATABASE_URL", database_url)

    def call(*words):
        monkeypatch.setattr("sys.argv", ["apm", *map(str, words)])
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = stop.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def test_the_command_line_imports_and_exports(run, tmp_path, as_):
    file = tmp_path / "list.csv"
    file.write_bytes(csv_of(*CHINESE))
    here = ("--hospital", "NORTH")

    dry = run("import", "assets", file, *here, "--dry-run", "--json")
    real = run("import", "assets", file, *here, "--json")
    again = run("import", "assets", file, *here)
    out = tmp_path / "out.xlsx"
    exported = run("export", "assets", out, *here)
    back = run("import", "assets", out, *here, "--json")

    assert (dry[0], json.loads(dry[1])["created"]) == (0, 2)
    assert json.loads(real[1]) == {
        "rows": 2, "created": 2, "updated": 0, "unchanged": 0, "errors": [], "ignored": ["颜色"],
    }  # fmt: skip
    assert (again[0], "0 created, 0 updated, 2 unchanged" in again[1]) == (0, True)
    assert exported[0] == 0
    assert json.loads(back[1])["unchanged"] == 2


def test_the_command_line_refuses_with_reasons(run, tmp_path, as_):
    file = tmp_path / "list.xlsx"
    file.write_bytes(b"MZ" + b"\x00" * 100)

    as_json = run("import", "assets", file, "--hospital", "NORTH", "--json")
    plain = run("import", "assets", file, "--hospital", "NORTH")
    nowhere = run("import", "assets", file, "--hospital", "EAST")
    wrong = run("import", "assets", tmp_path / "none.csv", "--hospital", "NORTH")

    [error] = json.loads(as_json[1])["errors"]
    assert (as_json[0], error["row"], error["code"]) == (1, 1, "not_a_spreadsheet")
    assert (plain[0], "This is not a spreadsheet" in plain[2]) == (1, True)
    assert nowhere[0] == 1
    assert wrong[0] == 2


def test_a_list_does_not_retire_what_is_being_worked_on(database_url, tmp_path, as_):
    wang = as_("wang")
    asset = make_asset(wang, number="N-1")
    order = make_work(wang, asset)
    file = tmp_path / "list.csv"
    file.write_bytes(csv_of(["number", "name", "category", "lifecycle"],
                            ["N-1", asset.name, asset.category, "retired"]))  # fmt: skip

    # As a process of its own: what one feature asks of another must be loaded there too.
    done = subprocess.run(
        [sys.executable, "-m", "apm", "import", "assets", file, "--hospital", "NORTH"],
        env={**os.environ, "APM_DATABASE_URL": database_url, "APM_LANGUAGE": "en"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f"Work order {order.no} is still open" in done.stderr
    assert asset_by_number(as_("wang"), asset.number).lifecycle is AssetState.IN_SERVICE
