"""A real broker, the collector as a process and in this one, and what became of readings."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from apm.accounts.queries import system_actor
from apm.collecting.commands import Details, PointDetails, add_connection, add_point
from apm.collecting.model import Connection, Link, Protocol
from apm.collecting.running import Collector
from apm.core.command import Context
from apm.core.sealing import seal
from apm.readings.commands import add_sensor
from apm.readings.series import readings_between
from tests.apm.hospital import make_asset
from tests.processes import free_port, until

KEY = "only for tests"
MOSQUITTO = "/usr/sbin/mosquitto"
SECONDS = 60


class Broker:
    """Mosquitto with a persistent store of its own; may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)  # as root it becomes another user
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nautosave_interval 1\n"
            "max_queued_messages 0\nmax_inflight_messages 0\nlog_dest none\nuser root\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)])
        until(self._answers, seconds=SECONDS, what="the broker answers")

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self, sign: int = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(SECONDS)
            self._process = None


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    made = Broker(folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def publisher(port: int) -> Iterator[paho.Client]:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def publish(client: paho.Client, topic: str, said: Any, **options: Any) -> None:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    client.publish(topic, body, qos=options.pop("qos", 1), **options).wait_for_publish(SECONDS)


@contextmanager
def collecting(sessions: Any, folder: Path, **options: Any) -> Iterator[Collector]:
    collector = Collector(sessions, KEY, folder / "spool", **options)
    collector.start()
    try:
        yield collector
    finally:
        collector.stop()


@contextmanager
def collect_process(engine: Any, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`apm collect`; killed at the end unless it has ended."""
    env = {
        **os.environ,
        "APM_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "APM_SECRET_KEY": KEY,
    }
    command = [sys.executable, "-m", "apm", "collect", "--spool", str(folder / "spool")]
    with (folder / "collect.log").open("ab") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def add_sensors(ctx: Context, *codes: str) -> dict[str, int]:
    asset = make_asset(ctx)
    return {
        code: add_sensor(
            ctx, code=code, name=code, quantity="temperature", unit="°C", asset=asset.code
        ).id
        for code in codes
    }


def connect(
    ctx: Context,
    protocol: str,
    config: dict[str, Any],
    points: dict[str, Any] | None = None,
    **more: Any,
) -> Connection:
    """A connection; `points` are the places by sensor, or `PointDetails`."""
    secret = more.pop("secret", None)
    details = Details(
        more.pop("name", f"{protocol} device"), config, more.pop("period_s", 0.1),
        more.pop("max_skew_s", 30.0), seal(KEY, secret) if secret else None,
    )  # fmt: skip
    made = add_connection(ctx, protocol=Protocol(protocol), details=details)
    for sensor, place in (points or {}).items():
        point = place if isinstance(place, PointDetails) else PointDetails(sensor, place)
        add_point(ctx, connection_id=made.id, details=point)
    return made


def mqtt(port: int, **more: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "security": "none", "version": "5", **more}


def stored(sessions: Any, hospital_id: int, sensor_id: int) -> list[tuple[int, float, int]]:
    """Return (microseconds, value, quality) of a sensor's readings that are not bad."""
    with sessions() as session:
        ctx = Context(session, system_actor(hospital_id))
        return [
            row
            for part in readings_between(ctx, sensor_id)
            for row in zip(
                part.times.tolist(), part.values.tolist(), part.quality.tolist(), strict=True
            )
        ]


def link(sessions: Any, connection: Connection) -> Link:
    with sessions() as session:
        session.info["actor"] = system_actor(None)
        return session.query(Link).filter_by(connection_id=connection.id).one()
