"""kill -9 of server, worker and database under load: what was acknowledged is there, once.

`KILL_MINUTES=10` runs each test that long instead of a few rounds.
"""

import contextlib
import http.client
import itertools
import json
import os
import signal
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from apm.accounts.commands import add_token
from apm.accounts.queries import system_actor
from apm.core.command import Context
from apm.core.db import make_sessions
from apm.core.permissions import Role
from apm.readings.commands import add_sensor
from apm.readings.merging import backlog, merge_inbox
from apm.readings.queries import sensor_by_code
from apm.readings.series import readings_between
from tests.apm.clusters import filled, postgresql
from tests.apm.test_kill import running
from tests.conftest import actor_named
from tests.processes import PATIENCE_S, free_port, rounds, until

START = datetime(2026, 3, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ROUNDS = 2
SENSORS = ("A", "B", "C")
EACH = 40
pytestmark = pytest.mark.timeout(PATIENCE_S)


class Gateway(threading.Thread):
    """Sends batch after batch, each again until it is acknowledged; every fifth corrects one."""

    def __init__(self, port, headers, name):
        super().__init__(daemon=True)
        self.port, self.headers, self.codes = port, headers, [f"{name}-{s}" for s in SENSORS]
        self.acknowledged, self.repeats, self.refused = 0, 0, []
        self.expected, self.on_the_way = {}, {}
        self.enough = threading.Event()

    def run(self):
        for k in itertools.count():
            self.on_the_way = self.batch(k)
            while not self.send(self.on_the_way):
                self.repeats += 1
                if self.enough.wait(0.05):
                    return
            self.expected |= self.on_the_way
            self.on_the_way = {}
            self.acknowledged += 1
            if self.enough.is_set():
                return

    def batch(self, k):
        place, shift = (k - 3, 0.5) if k % 5 == 4 else (k, 0.0)
        return {
            (code, place * EACH + n): place + n / 100 + shift
            for code in self.codes
            for n in range(EACH)
        }

    def send(self, batch):
        rows = [
            {"sensor": code, "at": (START + at * SECOND).isoformat(), "value": value}
            for (code, at), value in batch.items()
        ]
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            connection.request(
                "POST", "/api/v1/readings", json.dumps(rows),
                {**self.headers, "Content-Type": "application/json"},
            )  # fmt: skip
            answer = connection.getresponse()
            report = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return False  # killed, or not up yet
        finally:
            connection.close()
        if answer.status != 200:
            self.refused.append(answer.status)
            return False
        assert report["accepted"] + report["duplicate"] == len(rows), report
        return True


@contextlib.contextmanager
def gateways(sessions, port):
    with sessions() as session:
        ctx = Context(session, actor_named(session, "wang"))
        for name, code in itertools.product("12", SENSORS):
            add_sensor(
                ctx, code=f"{name}-{code}", name=code, quantity="temperature", unit="°C",
                location="Lab",
            )  # fmt: skip
        headers = {"Authorization": f"Bearer {token(ctx)}"}
    found = [Gateway(port, headers, name) for name in "12"]
    for one in found:
        one.start()
    try:
        yield found
    finally:
        for one in found:
            one.enough.set()
            one.join(60)


def token(ctx):
    system = Context(ctx.session, system_actor(ctx.actor.hospital_id))
    return add_token(system, name="gateway", role=Role.DEVICE)


def check(sessions, found):
    """Compare what is stored with what was acknowledged, before and after a last merge.

    A batch that was on its way at the end may be there too, unacknowledged: then all of it.
    """
    with sessions() as session:
        ctx = Context(session, actor_named(session, "wang"))
        for _ in range(2):
            for one in found:
                assert stored(ctx, one.codes) in (one.expected, one.expected | one.on_the_way)
            merge_inbox(ctx)
        assert backlog(ctx) == (0, 0)


def stored(ctx, codes):
    found = {}
    for code in codes:
        for part in readings_between(ctx, sensor_by_code(ctx, code).id):
            for at, value in zip(part.times.tolist(), part.values.tolist(), strict=True):
                key = code, round(at / 1e6 - START.timestamp())
                assert key not in found
                found[key] = value
    return found


def progress(found, n):
    """Wait until so many more batches are acknowledged."""
    before = sum(one.acknowledged for one in found)
    until(lambda: sum(one.acknowledged for one in found) >= before + n, what="acknowledged")


@pytest.mark.database
def test_server_and_worker_are_killed_at_random(engine, sessions):
    rng = np.random.default_rng(7)
    port = free_port()
    serve = ("serve", "--port", str(port), "--processes", "1")
    with gateways(sessions, port) as found:
        for k in rounds(ROUNDS):
            with running(engine, *serve), contextlib.ExitStack() as stack:
                worker = stack.enter_context(running(engine, "worker"))
                progress(found, int(rng.integers(3, 20)))
                if k % 2:  # the worker dies first, and another one comes
                    os.killpg(worker.pid, signal.SIGKILL)
                    stack.enter_context(running(engine, "worker"))
                    progress(found, int(rng.integers(3, 20)))
    assert all(one.repeats for one in found)
    check(sessions, found)


def test_the_database_is_killed_at_random():
    rng = np.random.default_rng(8)
    port = free_port()
    serve = ("serve", "--port", str(port), "--processes", "1")
    with postgresql() as cluster, filled(cluster) as engine:
        with (
            gateways(make_sessions(engine), port) as found,
            running(engine, *serve),
            running(engine, "worker"),
        ):
            for _ in rounds(ROUNDS):
                progress(found, int(rng.integers(3, 20)))
                cluster.kill()
                cluster.start()
            progress(found, 3)
        check(make_sessions(engine), found)
    assert any(one.repeats for one in found)
