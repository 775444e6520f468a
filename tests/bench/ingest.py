"""Readings in and out over HTTP: `python -m tests.bench.ingest --json`.

A real server (`apm serve`) takes batches of 10,000 readings of 100 sensors, then one reading at
a time, then is asked for a day and for a year of a sensor.  The last line is one JSON object:
http_rows_per_s, ack_ms_p95 (one POST of 10,000), ack_one_ms_p95 (one of a single reading),
bytes_per_reading (growth of the database file), last_day_ms_p95, year_hourly_ms_p95.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import numpy as np

from apm import database
from apm.accounts.commands import add_hospital, add_token
from apm.accounts.queries import system_actor
from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from apm.core.permissions import Role
from apm.readings.commands import add_sensor
from tests.bench.serving import serve

SENSORS, BATCH, DAYS = 100, 10_000, 5
YEAR_MINUTES = 525_600
START = datetime(2025, 1, 1, tzinfo=UTC)
SAMPLES = 60
LINES = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}


def main() -> None:
    """Prepare, serve, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ingest")
    parser.add_argument("data", nargs="?", help="not used: the readings are made here")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder))
    for name, value in results.items():
        print(f"{name:22}{value:14,.2f}")
    print(json.dumps(results))


def measure(folder: Path) -> dict[str, float]:
    """Return the figures of one run on an empty SQLite database."""
    file = folder / "bench.db"
    headers = prepare(f"sqlite:///{file}")
    with (
        serve(f"sqlite:///{file}") as base,
        httpx.Client(base_url=f"{base}/api/v1", headers=headers, timeout=60) as client,
    ):
        before = size(file)
        took = send(client, [body(k) for k in range(SENSORS * DAYS * 1440 // BATCH)])
        n = len(took) * BATCH
        grown = size(file) - before
        year = [minutes_of_a_year(k) for k in range(0, YEAR_MINUTES, BATCH)]
        send(client, year)
        single = send(client, [lines([one(DAYS * 1440 + k)]) for k in range(SAMPLES)])
        day = {"from": START + timedelta(days=1), "to": START + timedelta(days=2)}
        whole = {"from": START, "to": START + timedelta(days=365), "resolution": "hour"}
        return {
            "http_rows_per_s": round(n / sum(took)),
            "ack_ms_p95": p95(took),
            "ack_one_ms_p95": p95(single),
            "bytes_per_reading": round(grown / n, 2),
            "last_day_ms_p95": p95(times(lambda: ask(client, "S-1", day))),
            "year_hourly_ms_p95": p95(times(lambda: ask(client, "YEAR", whole))),
        }


def prepare(url: str) -> dict[str, str]:
    """Migrate, add a hospital with sensors, return the headers of an engineer's token."""
    engine = make_engine(url)
    database.upgrade(engine)
    with make_sessions(engine)() as session:
        hospital = add_hospital(Context(session, system_actor(None)), code="BENCH", name="Bench")
        ctx = Context(session, system_actor(hospital.id))
        with ctx.writing("bench"):
            for code in [*(f"S-{k}" for k in range(SENSORS)), "YEAR"]:
                add_sensor(
                    ctx, code=code, name=code, quantity="temperature", unit="°C", location="Lab"
                )
        token = add_token(ctx, name="bench", role=Role.ENGINEER)
    engine.dispose()
    return {"Authorization": f"Bearer {token}"}


def one(minute: int, sensor: str = "S-1") -> dict[str, object]:
    """Return one reading: a day's wave, noise, one decimal, as cheap sensors send it."""
    noise = (minute * 7919 + hash_of(sensor)) % 13 / 10
    value = round(21 + 2 * np.sin(minute / 1440 * 2 * np.pi) + noise, 1)
    at = START + timedelta(minutes=minute)
    return {"sensor": sensor, "at": at.isoformat(), "value": float(value)}


def hash_of(text: str) -> int:
    """Return a number that is the same in every run."""
    return sum(text.encode())


def body(batch: int) -> bytes:
    """Return minute by minute all sensors, as a gateway would send them."""
    first = batch * BATCH // SENSORS
    minutes = range(first, first + BATCH // SENSORS)
    return lines([one(minute, f"S-{k}") for minute in minutes for k in range(SENSORS)])


def minutes_of_a_year(first: int) -> bytes:
    """Return a stretch of one sensor."""
    return lines([one(k, "YEAR") for k in range(first, min(first + BATCH, YEAR_MINUTES))])


def lines(readings: list[dict[str, object]]) -> bytes:
    """Pack readings for the wire."""
    return gzip.compress("\n".join(json.dumps(r) for r in readings).encode(), compresslevel=1)


def send(client: httpx.Client, bodies: list[bytes]) -> list[float]:
    """Post each body; return the seconds until each was acknowledged."""
    took = []
    for content in bodies:
        began = time.perf_counter()
        answer = client.post("/readings", content=content, headers=LINES)
        took.append(time.perf_counter() - began)
        if answer.status_code != 200 or answer.json()["rejected"]:
            raise RuntimeError(answer.text[:500])
    return took


def ask(client: httpx.Client, sensor: str, period: dict[str, object]) -> None:
    """Ask for a stretch of a sensor's readings."""
    plain = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in period.items()}
    answer = client.get(f"/sensors/{sensor}/readings?{urlencode(plain)}")
    if answer.status_code != 200 or len(answer.json()["at"]) < 1000:
        raise RuntimeError(answer.text[:500])


def times(act: Callable[[], None]) -> list[float]:
    """Return how long an act takes, in seconds, after a little warming up."""
    took = []
    for k in range(SAMPLES + 5):
        began = time.perf_counter()
        act()
        if k >= 5:
            took.append(time.perf_counter() - began)
    return took


def p95(seconds: list[float]) -> float:
    """Return the 95th percentile in milliseconds."""
    return round(1000 * float(np.percentile(seconds, 95)), 2)


def size(file: Path) -> int:
    """Return the bytes of a SQLite database, its log written back first."""
    with closing(sqlite3.connect(file)) as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size


if __name__ == "__main__":
    main()
