"""Two real sensor logs come in, and the failures in them become planned work.

The series are the ambient and the machine temperature of the Numenta Anomaly Benchmark, whose
labels say when the systems failed.  Their times carry no zone; they are read as UTC.
"""

import csv
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from apm.assets.commands import create_asset
from apm.cli import cli
from apm.core.permissions import Role
from apm.detecting.jobs import score
from apm.detecting.queries import sensors_due
from apm.readings.commands import add_sensor
from apm.readings.model import Alarm
from apm.work.model import WorkOrder
from tests.apm.test_finding import all_of

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("APM_DATA") or ROOT.parent / "shared" / "data")
MONTH_S = 30.44 * 86_400
SERIES = {"CT-ROOM": "ambient", "CHILLER": "machine"}
WINDOWS = 6
WANTED = 4


def nab(*parts):
    for folder in (DATA, DATA / "nab"):
        if (folder / "labels" / "combined_windows.json").is_file():
            return folder.joinpath(*parts)
    pytest.skip(f"the Numenta Anomaly Benchmark is not in {DATA}")


def log_of(code):
    name = f"realKnownCause/{SERIES[code]}_temperature_system_failure.csv"
    with nab("data", name).open() as file:
        rows = [(row["timestamp"], float(row["value"])) for row in csv.DictReader(file)]
    labels = json.loads(nab("labels", "combined_windows.json").read_text("utf-8"))[name]
    return rows, [[utc(edge) for edge in window] for window in labels]


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def logs():
    return {code: log_of(code) for code in SERIES}


@pytest.fixture
def machines(as_):
    """A CT room, and a chiller on which a sensor sits."""
    wang = as_("wang")
    chiller = create_asset(wang, number="CH-1", name="Chiller", category="OTHER")
    add_sensor(
        wang, code="CHILLER", name="Chiller", quantity="temperature", unit="°F", asset=chiller.code
    )
    add_sensor(
        wang, code="CT-ROOM", name="CT room", quantity="temperature", unit="°F", location="CT 1"
    )


def by_import(logs, tmp_path, database_url, monkeypatch):
    monkeypatch.setenv("APM_DATABASE_URL", database_url)
    path = tmp_path / "log.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sensor", "at", "value"])
        for code, (rows, _windows) in logs.items():
            writer.writerows([code, at, value] for at, value in rows)
    options = ["--hospital", "NORTH", "--timezone", "UTC", "--json"]
    done = CliRunner().invoke(cli, ["import", "readings", str(path), *options])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def by_api(logs, client, headers):
    total = {"rows": 0, "accepted": 0, "duplicate": 0}
    for code, (rows, _windows) in logs.items():
        sent = [{"sensor": code, "at": utc(at).isoformat(), "value": v} for at, v in rows]
        answer = client.post("/api/v1/readings", json=sent, headers=headers).json
        assert answer["rejected"] == []
        total["rows"] += len(rows)
        total["accepted"] += answer["accepted"]
        total["duplicate"] += answer["duplicate"]
    return total


@pytest.mark.parametrize("way", ["import", "api"])
def test_the_failures_in_real_logs_become_planned_work(
    way, as_, logs, machines, client, bearer, tmp_path, database_url, monkeypatch
):
    if way == "import":
        report = by_import(logs, tmp_path, database_url, monkeypatch)
    else:
        report = by_api(logs, client, bearer(Role.DEVICE))
    assert report["rows"] == sum(len(rows) for rows, _windows in logs.values())
    assert report["accepted"] + report["duplicate"] == report["rows"]

    system = as_("system")
    for _turn in range(20):
        score(system)
    assert sensors_due(system) == []

    alarms = all_of(as_, Alarm)
    found, false = 0, 0
    for code, (_rows, windows) in logs.items():
        raised = [a.raised_at for a in alarms if a.evidence["sensor"] == code]
        inside = {at for at in raised for low, high in windows if low <= at <= high}
        found += sum(any(low <= at <= high for at in raised) for low, high in windows)
        false += len(raised) - len(inside)
    months = (
        sum(
            (utc(rows[-1][0]) - utc(rows[0][0])).total_seconds()
            for rows, _windows in logs.values()
        )
        / MONTH_S
    )
    assert sum(len(windows) for _rows, windows in logs.values()) == WINDOWS
    assert found >= WANTED
    assert false <= months

    orders = {order.no: order for order in all_of(as_, WorkOrder)}
    assert {alarm.work_order_no for alarm in alarms} == set(orders)
    for order in orders.values():
        assert (order.type, order.state) == ("predictive", "planned")
        assert order.evidence["series"]["at"]
    assert all_of(as_, Alarm, "qin") == []
