"""Bringing in a list of parts: Chinese or English headers, all rows or none."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from apm.cli import cli
from apm.core.errors import NotAllowed
from apm.parts.importing import import_parts, read_parts
from apm.parts.model import Part, Unit
from apm.parts.queries import part_by_code, part_by_id
from apm.vendors.model import Vendor
from tests.apm.stockroom import make_part

CHINESE = """备件清单,,,,,,,,
备件编号,备件名称,单位,单价,最低库存,供应商,条码,适用型号,鞋码
O2-1,氧电池,个,"¥1,680.50",4,清河医疗,6901；6902,Norvelia，Aera 500；Qinghe,42
HOSE-8,硅胶管,米,12,2.5,清河医疗,,,
"""


def counts(report):
    return report.rows, report.created, report.updated, report.unchanged, len(report.problems)


def test_a_chinese_list(as_):
    report = import_parts(as_("wang"), found=read_parts(CHINESE.encode("gb18030")))

    assert counts(report) == (2, 2, 0, 0, 0)
    assert report.ignored == ("鞋码",)
    part = part_by_code(as_("wang"), "6902")
    assert (part.name, part.name_zh, part.price, part.minimum_milli) == (
        "氧电池", "氧电池", 168050, 4000,
    )  # fmt: skip
    assert part.supplier.name == "清河医疗"
    assert [(fit.manufacturer, fit.model) for fit in part.fits] == [
        ("Norvelia", "Aera 500"), ("Qinghe", None),
    ]  # fmt: skip
    assert part_by_code(as_("wang"), "HOSE-8").unit is Unit.METRE
    assert as_("wang").session.scalar(select(func.count(Vendor.id))) == 1


def test_again_changes_nothing_and_a_change_changes_one(as_):
    import_parts(as_("wang"), found=read_parts(CHINESE.encode()))
    assert counts(import_parts(as_("wang"), found=read_parts(CHINESE.encode())))[1:4] == (0, 0, 2)

    changed = CHINESE.replace("6902", "6903").replace("2.5", "3")
    assert counts(import_parts(as_("wang"), found=read_parts(changed.encode())))[1:4] == (0, 2, 0)
    part = part_by_code(as_("wang"), "6903")
    few = "part number,name\nO2-1,Oxygen cell\n"
    import_parts(as_("wang"), found=read_parts(few.encode()))
    kept = part_by_id(as_("wang"), part.id)
    assert (kept.name, kept.price, kept.supplier.name) == ("Oxygen cell", 168050, "清河医疗")


def test_with_one_problem_nothing_is_written(as_):
    make_part(as_("wang"), number="X", barcodes=["6901"])
    lines = [
        "number,name,price,unit,category,minimum,barcode",
        "A,Cell,12,pcs,VENT,1,", "B,,12,pcs,VENT,1,", "C,Cell,-1,foot,NOPE,1,", "A,Again,1,,,,",
    ]  # fmt: skip
    report = import_parts(as_("wang"), found=read_parts("\n".join(lines).encode()))
    assert {(p.row, p.column) for p in report.problems} == {
        (3, "name"), (4, "price"), (4, "unit"), (4, "category"), (5, "number"),
    }  # fmt: skip
    late = [lines[0], lines[1], "D,Cell,1,pcs,,1.5,6901", "E,Cell,1,pcs,,,6901"]
    report = import_parts(as_("wang"), found=read_parts("\n".join(late).encode()))
    assert [(p.row, p.column) for p in report.problems] == [(3, "minimum"), (4, "barcode")]
    assert as_("wang").session.scalar(select(func.count(Part.id))) == 1


@pytest.mark.parametrize(
    "data", [b"", b"\x00\x01", b"a,b\n1,2\n", b"PK\x03\x04junk", b"number\n1\n"]
)
def test_what_is_no_list(as_, data):
    report = import_parts(as_("wang"), found=read_parts(data))
    assert len(report.problems) == 1


def test_who_may(as_):
    with pytest.raises(NotAllowed):
        import_parts(as_("chen"), found=read_parts(CHINESE.encode()))


def test_the_command(as_, tmp_path, database_url, monkeypatch):
    monkeypatch.setenv("APM_DATABASE_URL", database_url)
    file = tmp_path / "parts.csv"
    file.write_text(CHINESE)
    run = ["import", "parts", str(file), "--hospital", "NORTH", "--json"]

    tried = CliRunner().invoke(cli, [*run, "--dry-run"])
    assert tried.exit_code == 0, tried.exception
    assert json.loads(tried.output)["created"] == 2
    assert as_("wang").session.scalar(select(func.count(Part.id))) == 0
    done = CliRunner().invoke(cli, run)
    assert (done.exit_code, json.loads(done.output)["created"]) == (0, 2)
    assert as_("wang").session.scalar(select(func.count(Part.id))) == 2
    file.write_text("number,name\nA,\n")
    failed = CliRunner().invoke(cli, run)
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["errors"][0]["row"] == 2
