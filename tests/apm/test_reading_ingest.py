"""Readings arrive: good ones are stored, others are named, none is stored twice."""

from datetime import UTC, datetime, timedelta

import pytest

from apm.readings.commands import add_sensor, ingest


@pytest.fixture
def fridge(as_):
    return add_sensor(
        as_("wang"),
        code="F-1",
        name="Blood fridge",
        quantity="temperature",
        unit="°C",
        location="Blood bank",
    )


def test_it_stores(as_, fridge):
    report = ingest(as_("wang"), [{"sensor": "F-1", "at": "2026-01-01T00:00:00Z", "value": 4}])
    assert (report.accepted, report.duplicate, report.rejected) == (1, 0, [])


def test_speed(as_, fridge):
    import time

    t0 = datetime(2025, 1, 1, tzinfo=UTC)
    rows = [
        {"sensor": "F-1", "at": (t0 + timedelta(minutes=n)).isoformat(), "value": 4 + n % 10 / 10}
        for n in range(100_000)
    ]
    s = time.perf_counter()
    ingest(as_("wang"), rows)
    print("secs", time.perf_counter() - s)
    s = time.perf_counter()
    print(ingest(as_("wang"), rows), time.perf_counter() - s)
    for n in range(1000):
        add_sensor(
            as_("wang") if n == 0 else ctx,
            code=f"X{n}",
            name="x",
            quantity="temperature",
            unit="x",
            location="B",
        ) if n else (ctx := as_("wang"))
    rows = [
        {
            "sensor": f"X{n % 999 + 1}",
            "at": (t0 + timedelta(hours=n // 1000)).isoformat(),
            "value": 4 + n % 10 / 10,
        }
        for n in range(100_000)
    ]
    s = time.perf_counter()
    r = ingest(as_("wang"), rows)
    print(r.accepted, time.perf_counter() - s)
