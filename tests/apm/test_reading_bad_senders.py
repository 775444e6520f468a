"""Whatever a device sends: it is refused by name, costs little memory, and hurts nobody else."""

import gzip
import json
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from apm.core.permissions import Role
from apm.readings.body import MOST_READINGS
from apm.readings.commands import add_sensor, ingest
from apm.readings.merging import merge_inbox
from apm.readings.queries import sensor_by_code
from apm.readings.series import readings_between

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
POST = "/api/v1/readings"
LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def device(bearer, as_):
    add(as_("wang"), "F-1")
    return bearer(Role.DEVICE)


def add(ctx, code):
    return add_sensor(
        ctx, code=code, name="Fridge", quantity="temperature", unit="°C", location="Blood bank"
    )


def row(seconds=0.0, value=4.0, sensor="F-1"):
    at = (NOON + timedelta(seconds=seconds)).isoformat()
    return {"sensor": sensor, "at": at, "value": value}


def stored(ctx, code="F-1"):
    sensor_id = sensor_by_code(ctx, code).id
    return [v for part in readings_between(ctx, sensor_id) for v in part.values.tolist()]


ODD = {
    "NaN": ('{"sensor":"F-1","at":"2026-01-01T12:00:00Z","value":NaN}', "not_a_number"),
    "Infinity": ('{"sensor":"F-1","at":"2026-01-01T12:00:00Z","value":-Infinity}', "not_a_number"),
    "1e308": ('{"sensor":"F-1","at":"2026-01-01T12:00:00Z","value":1e308}', "out_of_range"),
    "1e999": ('{"sensor":"F-1","at":"2026-01-01T12:00:00Z","value":1e999}', "not_a_number"),
    "text": ('{"sensor":"F-1","at":"2026-01-01T12:00:00Z","value":"--"}', "not_a_number"),
    "the year 1970": ('{"sensor":"F-1","at":"1970-01-01T00:00:07Z","value":4}', "too_old"),
    "far future": ('{"sensor":"F-1","at":"2262-04-11T00:00:00Z","value":4}', "from_the_future"),
    "seconds": ('{"sensor":"F-1","at":1767268800,"value":4}', "not_a_time"),
    "two on a line": ('{"a":1},{"b":2}', "not_json"),
    "half a line": ('{"sensor":"F-1"', "not_json"),
    "not UTF-8": ('{"sensor":"F-1","at":"\udcff","value":4}', "not_json"),
}


@pytest.mark.parametrize(("line", "code"), ODD.values(), ids=ODD)
def test_an_odd_line_is_named_and_its_neighbours_are_stored(client, device, as_, line, code):
    lines = [json.dumps(row(0)), line, json.dumps(row(60, 5.0))]
    body = "\n".join(lines).encode("utf-8", "surrogateescape")
    answer = client.post(POST, data=body, headers={**device, **LINES})
    rejected = [(r["index"], r["code"]) for r in answer.json["rejected"]]
    assert (answer.status_code, answer.json["accepted"], rejected) == (200, 2, [(1, code)])
    assert stored(as_("wang")) == [4.0, 5.0]


def test_fifty_times_a_second_is_kept_to_the_microsecond(client, device, as_):
    rows = [row(k / 50, k / 10) for k in range(3000)]
    answer = client.post(POST, json=rows, headers=device)
    assert answer.json == {"accepted": 3000, "duplicate": 0, "rejected": []}
    merge_inbox(as_("wang"))
    ctx = as_("wang")
    [part] = readings_between(ctx, sensor_by_code(ctx, "F-1").id)
    assert (part.times[1:] - part.times[:-1] == 20_000).all()
    assert part.values.tolist() == [k / 10 for k in range(3000)]


def test_a_clock_that_jumps_and_is_set_back_loses_nothing(as_, device):
    """Four minutes ahead, back again over what it sent before, then days behind."""
    wang = as_("wang", now=lambda: NOON)
    for offset in (0, 240, 60, 120, -86_400 * 3, 240):
        rows = [row(offset + k, float(offset + k)) for k in range(3)]
        ingest(wang, rows)
        merge_inbox(wang)
    report = ingest(wang, [row(240, 240.0), row(3600), row(-86_400 * 365 * 40)])
    assert (report.accepted, report.duplicate) == (0, 1)
    assert [r.code for r in report.rejected] == ["from_the_future", "too_old"]
    starts = (-86_400 * 3, 0, 60, 120, 240)
    assert stored(as_("wang")) == [float(s + k) for s in starts for k in range(3)]
    assert sensor_by_code(as_("wang"), "F-1").latest.value == 242.0


def gigabytes(pattern):
    """About a gigabyte of something, in megabytes of gzip or less."""
    block = gzip.compress(pattern * (1_000_000 // len(pattern)), 9)
    return block * 900


BOMBS = {"lists": (b"[],", {}), "numbers": (b"1,", {}), "lines": (b"1\n", LINES)}


@pytest.mark.parametrize(("pattern", "kind"), BOMBS.values(), ids=BOMBS)
def test_a_gzip_bomb_costs_little_memory(client, device, pattern, kind):
    """A gigabyte, and what just fits into what we read but is millions of things."""
    just = gzip.compress(b"[" + pattern * (30_000_000 // len(pattern)) + b"1]", 1)
    headers = {**device, "Content-Type": "application/json", "Content-Encoding": "gzip", **kind}
    for body in (gigabytes(pattern), just):
        tracemalloc.start()
        answer = client.post(POST, data=body, headers=headers)
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert answer.status_code == 413
        assert peak < 200_000_000


def test_ten_megabytes_of_bomb_are_refused(client, device):
    body = gigabytes(bytes(range(256)) * 4) + b"\0" * 9_000_000
    headers = {**device, "Content-Encoding": "gzip"}
    answer = client.post(POST, data=body, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_one_more_than_a_hundred_thousand(client, device, as_):
    line = json.dumps(row()) + "\n"
    answer = client.post(POST, data=line * (MOST_READINGS + 1), headers={**device, **LINES})
    assert (answer.status_code, answer.json["code"]) == (413, "too_many_readings")
    assert stored(as_("wang")) == []
    answer = client.post(POST, data=line * MOST_READINGS, headers={**device, **LINES})
    assert (answer.json["accepted"], answer.json["duplicate"]) == (1, MOST_READINGS - 1)


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_gzip_cut_short_stores_nothing(client, device, as_, cut):
    body = gzip.compress("\n".join(json.dumps(row(k)) for k in range(50)).encode())[:-cut]
    headers = {**device, **LINES, "Content-Encoding": "gzip"}
    answer = client.post(POST, data=body, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (422, "bad_gzip")
    assert stored(as_("wang")) == []


def test_a_full_disk_refuses_clearly_and_recovers(client, device, engine, as_):
    """SQLite is given no more pages: it says what it says when the disk is full."""
    first = client.post(POST, json=[row()], headers=device)
    assert first.status_code == 200
    pages = {"most": 0}

    @event.listens_for(engine, "begin")
    def limit(connection):
        here = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages['most'] or here + 10**6}")

    rows = [row(k, (k * 7919 % 1009) / 7) for k in range(1, 20_000)]
    pages["most"] = 1  # never fewer than there are
    key = {"Idempotency-Key": "k-1"}
    for headers in (device, {**device, **key}):
        full = client.post(POST, json=rows, headers=headers)
        assert (full.status_code, full.json["code"]) == (507, "storage_full")
        assert full.json["detail"]
    assert stored(as_("wang")) == [4.0]

    pages["most"] = 0
    again = client.post(POST, json=rows, headers={**device, **key})
    assert again.json == {"accepted": len(rows), "duplicate": 0, "rejected": []}
    assert len(stored(as_("wang"))) == 20_000
    merge_inbox(as_("wang"))
    assert len(stored(as_("wang"))) == 20_000
