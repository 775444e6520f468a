"""`apm import readings`: sensor logs from a file; `apm predict run`: score them now."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from openpyxl import Workbook

from apm.cli import cli
from apm.cli import readings as cli_readings
from apm.cli.refusal import Refused
from apm.readings.commands import add_sensor, ingest
from apm.readings.queries import sensor_by_code
from apm.readings.series import series

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def run(as_, database_url, monkeypatch):
    """Run a command line on the test's own database."""
    monkeypatch.setenv("APM_DATABASE_URL", database_url)

    def invoke(*arguments):
        return CliRunner().invoke(cli, [str(a) for a in arguments])

    return invoke


@pytest.fixture
def log(tmp_path, as_):
    """Write a file; both hospitals have a sensor F-1."""
    for who in ("qin", "wang"):
        add_sensor(
            as_(who), code="F-1", name="F", quantity="temperature", unit="°C", location="Bank"
        )

    def write(text, encoding="utf-8"):
        path = tmp_path / "log.csv"
        path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return path

    return write


def values(as_, who="wang"):
    ctx = as_(who)
    end = START.replace(year=2027)
    return series(ctx, sensor_by_code(ctx, "F-1").id, start=START, end=end).value.tolist()


def test_good_rows_are_stored_and_bad_ones_named_by_line(run, log, as_):
    path = log(
        "value,sensor,at,quality,remark\n"
        "4.0,F-1,2026-01-01T08:00:00Z,good,first\n"
        "\n"
        "warm,F-1,2026-01-01T08:01:00Z,,\n"
        "5.0,F-9,2026-01-01T08:02:00Z,,\n"
        "6.0,F-1,2026-01-01T08:03:00,,\n"
        "7.0,F-1\n"
        '8.0,"F-1",2026-01-01T08:04:00Z,,"two\nlines"\n'
        "nan,F-1,2026-01-01T08:05:00Z,,\n"
        "9.0,F-1,2026-01-01T08:06:00Z,bad,\n"
    )

    result = run("import", "readings", path, "--hospital", "north", "--json")

    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["rows"], report["accepted"], report["duplicate"]) == (8, 3, 0)
    assert [(r["line"], r["code"]) for r in report["rejected"]] == [
        (4, "not_a_number"),
        (5, "unknown_sensor"),
        (6, "no_timezone"),
        (7, "not_a_time"),
        (10, "not_a_number"),
    ]
    assert report["rejected_total"] == 5
    assert values(as_) == [4.0, 8.0]
    assert values(as_, "qin") == []


@pytest.fixture
def sheet(tmp_path, log):
    def write(*rows):
        book = Workbook()
        for row in rows:
            book.active.append(row)
        book.save(tmp_path / "log.xlsx")
        return tmp_path / "log.xlsx"

    return write


def test_a_workbook_is_read_like_a_file_of_text(run, sheet, as_):
    add_sensor(as_("wang"), code="7", name="F", quantity="temperature", unit="°C", location="Bank")
    noon, midnight = START.replace(tzinfo=None, hour=16), START.replace(tzinfo=None)
    path = sheet(
        ["At", "Sensor", "Value", "Quality", "Remark"],
        [noon, "F-1", 4.5, None, "a time of the sheet"],
        [None] * 5,
        ["2026-01-01T08:01:00Z", "F-1", "5", "good", None],
        [noon, "F-1", "warm", None, None],
        ["never", "F-1", 6, None, None],
        [noon, 7, 8, "bad", None],
        [noon, "F-9", 6, None, None],
        [midnight, "F-1", 1, None, None],
    )
    options = ("--hospital", "north", "--timezone", "Asia/Shanghai", "--json")

    report = json.loads(run("import", "readings", path, *options).stdout)

    assert (report["rows"], report["accepted"], report["duplicate"]) == (7, 4, 0)
    assert [(r["line"], r["code"]) for r in report["rejected"]] == [
        (5, "not_a_number"),
        (6, "not_a_time"),
        (8, "unknown_sensor"),
    ]
    assert values(as_) == [4.5, 5.0]  # midnight in Shanghai is the day before
    assert json.loads(run("import", "readings", path, *options).stdout)["duplicate"] == 4


def test_times_of_a_sheet_need_a_zone(run, sheet):
    path = sheet(["sensor", "at", "value"], ["F-1", START.replace(tzinfo=None), 4])
    report = json.loads(run("import", "readings", path, "--hospital", "NORTH", "--json").stdout)
    assert [r["code"] for r in report["rejected"]] == ["no_timezone"]


@pytest.mark.parametrize("rows", [[], [["sensor", "when", "value"]]], ids=["empty", "header"])
def test_another_kind_of_workbook_is_refused(run, sheet, rows):
    result = run("import", "readings", sheet(*rows), "--hospital", "NORTH")
    assert isinstance(result.exception, Refused)
    assert "sensor,at,value" in str(result.exception)


def test_a_damaged_workbook_is_refused(run, sheet, as_):
    path = sheet(["sensor", "at", "value"])
    path.write_bytes(path.read_bytes()[:-40])
    result = run("import", "readings", path, "--hospital", "NORTH")
    assert isinstance(result.exception, Refused)
    assert values(as_) == []


def test_again_it_changes_nothing(run, log, as_):
    path = log("﻿sensor,at,value\nF-1,2026-01-01T08:00:00Z,4\n")
    assert run("import", "readings", path, "--hospital", "NORTH").exit_code == 0

    again = run("import", "readings", path, "--hospital", "NORTH")

    assert again.exit_code == 0
    assert "1 rows: 0 stored, 1 known already, 0 rejected." in again.stdout
    assert values(as_) == [4.0]


def test_times_without_offset_need_a_zone(run, log, as_):
    path = log("sensor,at,value\nF-1,2026-01-01 08:00:00,4\nF-1,2026-01-01T08:00:00Z,5\n")
    options = ("--hospital", "NORTH", "--timezone", "Asia/Shanghai")

    assert run("import", "readings", path, *options).exit_code == 0

    ctx = as_("wang")
    points = series(
        ctx, sensor_by_code(ctx, "F-1").id, start=START, end=START.replace(day=2)
    ).points()
    assert points == [(START, 4.0), (START.replace(hour=8), 5.0)]
    assert (
        run("import", "readings", path, "--hospital", "NORTH", "--timezone", "Mars").exit_code == 2
    )


@pytest.mark.parametrize(
    "content",
    [
        "",
        "sensor;at;value\nF-1;2026-01-01T08:00:00Z;4\n",
        "sensor,value\nF-1,4\n",
        b"\0" * 1_000_000,
        b"PK\x03\x04\xff\xfe",
        b"sensor,at,value\n\xb2\xe2\xca\xd4,2026-01-01T08:00:00Z,4\n",
        'sensor,at,value\n"F-1,2026\n',
    ],
    ids=["empty", "semicolons", "a column missing", "zeros", "zip", "GB18030", "an open quote"],
)
def test_another_kind_of_file_is_refused(run, log, as_, content):
    result = run("import", "readings", log(content), "--hospital", "NORTH")
    assert isinstance(result.exception, Refused)
    assert str(result.exception)
    assert values(as_) == []


def test_a_file_is_read_in_batches(run, log, as_, monkeypatch):
    monkeypatch.setattr(cli_readings, "AT_ONCE", 10)
    sizes = []

    def counted(ctx, readings):
        sizes.append(len(readings))
        return ingest(ctx, readings)

    monkeypatch.setattr(cli_readings, "ingest", counted)
    rows = [f"F-1,2026-01-01T00:{k:02}:00Z,{k}" for k in range(35)]
    rows[17] = "F-1,never,17"

    result = run(
        "import",
        "readings",
        log("\n".join(["sensor,at,value", *rows])),
        "--hospital",
        "NORTH",
        "--json",
    )

    report = json.loads(result.stdout)
    assert (report["rows"], report["accepted"]) == (35, 34)
    assert [r["line"] for r in report["rejected"]] == [19]
    assert values(as_) == [k for k in range(35) if k != 17]
    assert sizes == [10, 10, 10, 5]


def test_scoring_now_is_safe_to_repeat(run, log, as_):
    rows = [f"F-1,2026-01-01T00:{k:02}:00Z,{k}" for k in range(35)]
    run("import", "readings", log("\n".join(["sensor,at,value", *rows])), "--hospital", "NORTH")

    early = run("predict", "run", "--hospital", "NORTH", "--at", "2026-01-01T00:09:00Z")
    assert early.stdout.startswith("10 readings of 1 sensors scored")
    assert run("predict", "run", "--hospital", "NORTH").stdout.startswith("25 readings")
    assert run("predict", "run", "--hospital", "NORTH").stdout.startswith("0 readings")
    naive = run("predict", "run", "--hospital", "NORTH", "--at", "2026-01-01T00:09:00")
    assert naive.exit_code == 2


def test_the_process_says_so_by_its_exit_status(log, database_url, monkeypatch):
    monkeypatch.setenv("APM_DATABASE_URL", database_url)
    good = log("sensor,at,value\nF-1,2026-01-01T08:00:00Z,4\n")
    command = [sys.executable, "-m", "apm", "import", "readings", str(good), "--hospital", "NORTH"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    bad = log("sensor,at,value\nF-1,2026-01-01T08:00:00,4\n")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, bad) == (1, good)
    assert "Line 2: The time has no offset." in done.stderr
