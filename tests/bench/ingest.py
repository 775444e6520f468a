"""Readings in and out over HTTP: `python -m tests.bench.ingest --json`.

A real server (`apm serve`, two processes) and a real worker take gzipped NDJSON from two senders
at once, in batches of 1,000 and of 10,000 readings, then one reading at a time; then a day and a
year of a sensor are asked for.  With `--postgresql` all of it on a throwaway PostgreSQL, synced
as it is delivered.  Peers that are installed store the same readings in the same run.  The last
line is one JSON object:
http_rows_per_s (batches of 1,000 until the last answer), merged_rows_per_s (until all are in day
blocks and judged by the alarms), merged_10k_rows_per_s (the same of batches of 10,000),
wide_rows_per_s, merged_wide_rows_per_s, wide_server_cpu_us_per_row and wide_ack_ms_p95
(batches of one reading each of 1,000 sensors; CPU of the server's processes alone),
http_10k_rows_per_s, cpu_us_per_row (server and worker), ack_ms_p95 (a batch of 1,000 under that
load), ack_quiet_ms_p95 (the same, one sender alone), ack_one_ms_p95 (a single reading),
bytes_per_reading (growth of the database), last_day_ms_p95 and year_hourly_ms_p95 over HTTP,
latest_10k_ms_p95 (in process), peak_mb (the largest process), vs (merged_10k_rows_per_s over what
the peer stored a second).
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import numpy as np
from sqlalchemy import Engine, insert, text

from apm import database
from apm.accounts.commands import add_hospital, add_token
from apm.accounts.queries import system_actor
from apm.alarms.evaluating import due
from apm.cli.frame import stay
from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from apm.core.permissions import Role
from apm.detecting.queries import sensors_due
from apm.readings.commands import ingest
from apm.readings.merging import backlog, merge_inbox
from apm.readings.model import Latest, Sensor
from apm.readings.noting import note_inbox
from apm.readings.queries import latest_values
from apm.readings.sealing import seal_days
from tests.bench.ingest_load import (
    START,
    Load,
    Program,
    cpu_seconds,
    family,
    peak_mb,
    program,
    send_all,
    stamp,
    stopwatch,
    value,
)
from tests.bench.ingest_peers import peers, postgresql
from tests.processes import until

SENSORS = 10_000
SMALL = Load(senders=2, batches=2000, size=1000, sensors=50, first_minute=0)
"""Long enough that what the last readings wait for the worker's next round weighs little."""
LARGE = Load(senders=2, batches=200, size=10_000, sensors=50, first_minute=40_000)
QUIET = Load(senders=1, batches=60, size=1000, sensors=50, first_minute=80_000)
SINGLE = Load(senders=1, batches=60, size=1, sensors=1, first_minute=81_200)
WIDE = Load(senders=2, batches=300, size=1000, sensors=1000, first_minute=83_000)
SAMPLES = 60


def main() -> None:
    """Prepare, serve, measure, print."""
    stay()  # what is measured in this process is measured as in the server
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ingest")
    parser.add_argument("data", nargs="?", help="not used: the readings are made here")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL, not on SQLite")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'bench.db'}"
        if options.postgresql:
            url = stack.enter_context(postgresql())
        results: dict[str, object] = {**measure(url)}
        if not options.alone:
            rate = float(str(results["merged_10k_rows_per_s"]))  # they, too, get ten thousand
            found = peers(folder)
            results["vs"] = {name: round(rate / other, 2) for name, other in found.items()}
            results["peers"] = found
    for name, figure in results.items():
        print(f"{name:22}{figure!s:>14}")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(json.dumps(results))


def measure(url: str) -> dict[str, float]:
    """Return the figures of one run on an empty database."""
    engine = make_engine(url)
    headers = prepare(engine)
    with program(url, "serve", "--port", "0") as server, program(url, "worker") as worker:
        base = server.base
        # What the preparing left to alarms and detectors is done before anything is measured.
        until(lambda: not unjudged(engine), seconds=300, what="judged")
        until(lambda: not unscored(engine), seconds=900, what="scored")
        before, cpu = size(engine), cpu_of(server, worker)
        small = send_all(base, headers, SMALL)
        merging: list[float] = []
        settle(engine, merging)
        cpu = cpu_of(server, worker) - cpu
        large = send_all(base, headers, LARGE)
        settle(engine, merging)
        seal(engine)
        grown = (size(engine) - before) / (SMALL.readings + LARGE.readings)
        quiet = send_all(base, headers, QUIET)
        single = send_all(base, headers, SINGLE)
        until(lambda: not waiting(engine), seconds=120, what="merged")
        wide_cpu = cpu_of(server)
        wide = send_all(base, headers, WIDE)
        wide_cpu = cpu_of(server) - wide_cpu
        settle(engine, merging)
        fill_year(engine)
        settle(engine, merging)
        until(lambda: not unscored(engine), seconds=900, what="scored")
        with httpx.Client(base_url=f"{base}/api/v1", headers=headers, timeout=60) as client:
            day = {"from": START + timedelta(days=1), "to": START + timedelta(days=2)}
            year = {"from": START, "to": START + timedelta(days=365), "resolution": "hour"}
            return {
                "http_rows_per_s": round(SMALL.readings / small.seconds),
                "merged_rows_per_s": round(SMALL.readings / (small.seconds + merging[0])),
                "merged_10k_rows_per_s": round(LARGE.readings / (large.seconds + merging[1])),
                "wide_rows_per_s": round(WIDE.readings / wide.seconds),
                "merged_wide_rows_per_s": round(WIDE.readings / (wide.seconds + merging[2])),
                "wide_server_cpu_us_per_row": round(1e6 * wide_cpu / WIDE.readings, 2),
                "wide_ack_ms_p95": p95(wide.acknowledged),
                "http_10k_rows_per_s": round(LARGE.readings / large.seconds),
                "cpu_us_per_row": round(1e6 * cpu / SMALL.readings, 2),
                "ack_ms_p95": p95(small.acknowledged),
                "ack_quiet_ms_p95": p95(quiet.acknowledged),
                "ack_one_ms_p95": p95(single.acknowledged),
                "bytes_per_reading": round(grown, 2),
                "last_day_ms_p95": p95(times(lambda: ask(client, "S-1", day))),
                "year_hourly_ms_p95": p95(times(lambda: ask(client, "YEAR", year))),
                "latest_10k_ms_p95": latest(engine),
                "peak_mb": peak_mb([*family(server.pid), *family(worker.pid)]),
            }


def settle(engine: Engine, took: list[float]) -> None:
    """Wait until all is in day blocks and judged by the alarms; add the seconds that takes."""
    with stopwatch(took):
        until(lambda: not waiting(engine), seconds=120, what="merged")
        until(lambda: not unjudged(engine), seconds=120, what="judged")


def prepare(engine: Engine) -> dict[str, str]:
    """Migrate, add a hospital with sensors, return the headers of an engineer's token."""
    database.upgrade(engine)
    with make_sessions(engine)() as session:
        hospital = add_hospital(Context(session, system_actor(None)), code="BENCH", name="Bench")
        token = add_token(
            Context(session, system_actor(hospital.id)), name="bench", role=Role.ENGINEER
        )
    sensors = [
        {
            "hospital_id": hospital.id, "code": code, "name": code, "quantity": "temperature",
            "unit": "°C",
        }
        for code in [*(f"S-{k}" for k in range(SENSORS)), "YEAR"]
    ]  # fmt: skip
    with engine.begin() as plain:  # ten thousand commands would take longer than the bench
        plain.execute(insert(Sensor.__table__), sensors)  # type: ignore[arg-type]
        ids = plain.execute(text("SELECT id FROM sensor")).scalars()
        rows = [
            {"sensor_id": i, "hospital_id": hospital.id, "revision": 0, "scored_revision": 0}
            for i in ids
        ]
        plain.execute(insert(Latest.__table__), rows)  # type: ignore[arg-type]
    with bound(engine) as ctx:
        now = {"at": START, "value": 21.5}
        ingest(ctx, [{"sensor": f"S-{k}", **now} for k in range(100, SENSORS)])
        merge_inbox(ctx)
    return {"Authorization": f"Bearer {token}"}


def cpu_of(*programs: Program) -> float:
    """Return the CPU seconds of programs so far."""
    return cpu_seconds([pid for one in programs for pid in family(one.pid)])


@contextmanager
def bound(engine: Engine) -> Iterator[Context]:
    """Give the system's context of the bench's hospital."""
    with make_sessions(engine)() as session:
        yield Context(session, system_actor(1))


def waiting(engine: Engine) -> int:
    """Return how many batches are not merged."""
    with bound(engine) as ctx:
        return backlog(ctx)[0]


def unjudged(engine: Engine) -> int:
    """Return how many sensors the alarms have not caught up with."""
    with bound(engine) as ctx:
        note_inbox(ctx)
        return len(due(ctx))


def unscored(engine: Engine) -> int:
    """Return how many sensors the detectors have not caught up with."""
    with bound(engine) as ctx:
        return len(sensors_due(ctx))


def seal(engine: Engine) -> None:
    """Do what the worker does twice an hour."""
    with bound(engine) as ctx:
        merge_inbox(ctx)
        seal_days(ctx)


def fill_year(engine: Engine) -> None:
    """Store a reading a minute for a year, and seal it."""
    with bound(engine) as ctx:
        for first in range(0, 525_600, 43_200):
            minutes = range(first, min(first + 43_200, 525_600))
            readings = [
                {"sensor": "YEAR", "at": stamp(minute), "value": value(minute, 0)}
                for minute in minutes
            ]
            ingest(ctx, readings)
    seal(engine)


def ask(client: httpx.Client, sensor: str, period: dict[str, object]) -> None:
    """Ask for a stretch of a sensor's readings."""
    plain = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in period.items()}
    answer = client.get(f"/sensors/{sensor}/readings?{urlencode(plain)}")
    if answer.status_code != 200 or len(answer.json()["at"]) < 1000:
        raise RuntimeError(answer.text[:500])


def latest(engine: Engine) -> float:
    """Return the p95 of reading the latest value of every sensor."""
    with bound(engine) as ctx:

        def read() -> None:
            if len(latest_values(ctx)) < SENSORS:
                raise RuntimeError("a sensor is missing")

        return p95(times(read))


def times(act: Callable[[], None]) -> list[float]:
    """Return how long an act takes, in seconds, after a little warming up."""
    took: list[float] = []
    for _ in range(SAMPLES + 5):
        with stopwatch(took):
            act()
    return took[5:]


def p95(seconds: list[float]) -> float:
    """Return the 95th percentile in milliseconds."""
    return round(1000 * float(np.percentile(seconds, 95)), 2)


def size(engine: Engine) -> int:
    """Return the bytes of a database, the log of SQLite written back first."""
    if engine.dialect.name != "sqlite":
        with engine.begin() as plain:
            whole = "SELECT pg_database_size(current_database())"
            return int(plain.execute(text(whole)).scalar_one())
    file = Path(engine.url.database or "")
    with closing(sqlite3.connect(file)) as direct:
        direct.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size


if __name__ == "__main__":
    main()
