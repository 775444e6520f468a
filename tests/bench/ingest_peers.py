"""The peers of the ingest bench: other ways to store the same readings, where installed.

Each takes what the bench sends (readings of 100 sensors, in batches of 10,000) and says how many
it stored a second.  Rows and COPY are spared HTTP, JSON and every check, which flatters them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import BigInteger, DateTime, Float, create_engine, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from apm.core.db import make_engine
from tests.bench.ingest_load import START, value
from tests.processes import free_port, until

SENSORS, BATCH, BATCHES = 100, 10_000, 30
Row = tuple[int, datetime, float]


def peers(folder: Path) -> dict[str, float]:
    """Return rows a second of each peer that this machine has."""
    batches = [_batch(k) for k in range(BATCHES)]
    found = {"sqlalchemy_rows": _rows(folder / "rows.db", batches)}
    if _binaries():
        with postgresql() as url:
            found["postgresql_copy"] = _copy(url, batches)
    if shutil.which("influxd"):
        found["influxdb"] = _influxdb(folder, batches)
    return found


def _batch(k: int) -> list[Row]:
    first = k * BATCH // SENSORS
    minutes = range(first, first + BATCH // SENSORS)
    return [
        (s, START + timedelta(minutes=minute), value(minute, s))
        for minute in minutes
        for s in range(SENSORS)
    ]


def _rate(batches: list[list[Row]], store: Callable[[list[Row]], None]) -> float:
    began = time.perf_counter()
    for batch in batches:
        store(batch)
    return round(BATCH * len(batches) / (time.perf_counter() - began))


class _Base(DeclarativeBase):
    pass


class _Reading(_Base):
    """A row a reading, as one would write it first."""

    __tablename__ = "reading"

    sensor_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    value: Mapped[float] = mapped_column(Float)


def _rows(file: Path, batches: list[list[Row]]) -> float:
    engine = make_engine(f"sqlite:///{file}")
    _Base.metadata.create_all(engine)

    def store(batch: list[Row]) -> None:
        with Session(engine) as session:
            rows = [{"sensor_id": s, "at": at, "value": v} for s, at, v in batch]
            session.execute(insert(_Reading), rows)
            session.commit()

    try:
        return _rate(batches, store)
    finally:
        engine.dispose()


def _copy(url: str, batches: list[list[Row]]) -> float:
    engine = create_engine(url)
    _Base.metadata.create_all(engine)
    engine.dispose()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:

        def store(batch: list[Row]) -> None:
            with (
                connection.cursor() as cursor,
                cursor.copy("COPY reading (sensor_id, at, value) FROM STDIN") as copy,
            ):
                for row in batch:
                    copy.write_row(row)
            connection.commit()

        return _rate(batches, store)


def _influxdb(folder: Path, batches: list[list[Row]]) -> float:
    http, backup = free_port(), free_port()
    data = folder / "influxdb"
    settings = folder / "influxdb.conf"
    settings.write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{backup}"\n'
        f'[meta]\ndir = "{data}/meta"\n[data]\ndir = "{data}/data"\nwal-dir = "{data}/wal"\n'
        f'[http]\nbind-address = "127.0.0.1:{http}"\nlog-enabled = false\n'
    )
    command = ["influxd", "-config", str(settings)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        base = f"http://127.0.0.1:{http}"
        until(lambda: _answers(f"{base}/ping"), seconds=60, what="InfluxDB is up")
        with httpx.Client(base_url=base, timeout=60) as client:
            client.post("/query", params={"q": "CREATE DATABASE bench"}).raise_for_status()
            sent = iter([_line_protocol(batch) for batch in batches])

            def store(_batch: list[Row]) -> None:
                where = {"db": "bench", "precision": "s"}
                client.post("/write", params=where, content=next(sent)).raise_for_status()

            return _rate(batches, store)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _line_protocol(batch: list[Row]) -> bytes:
    return "\n".join(f"r,sensor=S-{s} v={v} {int(at.timestamp())}" for s, at, v in batch).encode()


def _answers(address: str) -> bool:
    try:
        return httpx.get(address).is_success
    except httpx.TransportError:
        return False


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return found[-1].parent if found else None


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a throwaway PostgreSQL with the settings it is delivered with; yields its address."""
    binaries = _binaries()
    if binaries is None:
        raise RuntimeError("no PostgreSQL under /usr/lib/postgresql")
    folder = tempfile.mkdtemp(prefix="apm-bench.", dir="/tmp")
    is_root = os.getuid() == 0
    prefix = ["runuser", "-u", "postgres", "--"] if is_root else []
    if is_root:
        shutil.chown(folder, "postgres")

    def run(name: str, *options: str) -> None:
        command = [*prefix, str(binaries / name), "-D", f"{folder}/data", *options]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)

    try:
        run("initdb", "-U", "apm", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        run("pg_ctl", "-w", "-s", "-l", f"{folder}/log", "-o", f"-k {folder} -h ''", "start")
        Path(folder).chmod(0o755)
        yield f"postgresql+psycopg://apm@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-m", "fast", "-s", "stop")
        shutil.rmtree(folder)
