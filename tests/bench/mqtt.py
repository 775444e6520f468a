"""MQTT to the database, one reading a message: `python -m tests.bench.mqtt --json`.

A real Mosquitto holds messages of 100 sensors for a collector's persistent session; the collector
(a process of its own, in this one's place it would share a core with the bench) then takes them
with QoS 1 into a durable SQLite database.  The last line is one JSON object: messages_per_s (from
the first commit seen to the last), with_start_per_s (from the start of the collector's process,
some seconds of which are imports), messages, ack_to_store_once (whether each is there once).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apm import database
from apm.accounts.commands import add_hospital
from apm.accounts.queries import system_actor
from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from apm.readings.commands import add_sensor
from tests.apm.devices import (
    broker,
    collect_process,
    connect,
    link,
    mqtt,
    publisher,
    stored,
)
from tests.processes import until

SENSORS = 100
AT_ONCE = 10_000
"""Messages on their way at once: MQTT has 65,535 numbers for them."""
START = datetime(2026, 1, 1, tzinfo=UTC)
PATIENCE_S = 600


def main() -> None:
    """Prepare, publish, collect, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mqtt")
    parser.add_argument("data", nargs="?", help="not used: the messages are made here")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--messages", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), asked.messages)
    print(json.dumps(results))


def measure(folder: Path, n: int) -> dict[str, Any]:
    """Return the figures of one run on an empty SQLite database."""
    engine = make_engine(f"sqlite:///{folder / 'bench.db'}")
    database.upgrade(engine)
    sessions = make_sessions(engine)
    with sessions() as session, broker(folder / "broker") as mosquitto:
        home = add_hospital(Context(session, system_actor(None)), code="NORTH", name="North").id
        ctx = Context(session, system_actor(home))
        ids = [
            add_sensor(
                ctx, code=f"S-{k}", name="S", quantity="temperature", unit="°C", location="Lab"
            ).id
            for k in range(SENSORS)
        ]
        connection = connect(ctx, "mqtt", mqtt(mosquitto.port))
        with collect_process(engine, folder) as process:  # opens the session that then waits
            until(
                lambda: link(sessions, connection).state == "connected",
                seconds=PATIENCE_S, what="connected",
            )  # fmt: skip
            process.terminate()
            process.wait(60)
        publish_all(mosquitto.port, n)
        began = time.perf_counter()
        with collect_process(engine, folder):
            rate = drain(sessions, home, ids[0], n)
            whole_s = time.perf_counter() - began
        rows = [row for sensor_id in ids for row in stored(sessions, home, sensor_id)]
    engine.dispose()
    is_once = len(rows) == n and sorted(value for _at, value, _q in rows) == [
        *map(float, range(n))
    ]
    return {
        "messages_per_s": round(rate),
        "with_start_per_s": round(n / whole_s),
        "messages": n,
        "ack_to_store_once": is_once,
    }


def publish_all(port: int, n: int) -> None:
    """Give the broker the messages, a minute apart for each sensor."""
    with publisher(port) as client:
        for begin in range(0, n, AT_ONCE):
            sent = [
                client.publish(f"apm/v1/NORTH/S-{k % SENSORS}", said(k), qos=1)
                for k in range(begin, min(begin + AT_ONCE, n))
            ]
            for info in sent:
                info.wait_for_publish(PATIENCE_S)


def said(k: int) -> str:
    """Return what the k-th message says."""
    at = START + timedelta(minutes=k // SENSORS)
    return f'{{"at": "{at.isoformat()}", "v": {k}}}'


def drain(sessions: Any, home: int, sensor_id: int, n: int) -> float:
    """Return messages per second between the first commit seen and the last.

    The messages go round the sensors, so one sensor stands for all: it has a share of each commit.
    """

    def count() -> int:
        return len(stored(sessions, home, sensor_id))

    first = until(count, seconds=PATIENCE_S, what="the first are stored")
    began = time.perf_counter()
    until(lambda: count() == n // SENSORS, seconds=PATIENCE_S, what="all are stored")
    seconds = time.perf_counter() - began
    return (n - first * SENSORS) / seconds


if __name__ == "__main__":
    main()
