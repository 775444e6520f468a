"""kill -9 in mid-work: what was acknowledged is there, what was begun is done once."""

import contextlib
import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from threading import Event as Flag

import pytest
from sqlalchemy import func, select, update

from apm.accounts.queries import system_actor
from apm.core.audit import verify_chain
from apm.core.command import Context
from apm.core.events import Outbox
from apm.core.permissions import Role
from apm.notify.model import Notification
from apm.readings.commands import add_sensor, ingest
from apm.readings.model import Alarm, AlarmKind, Block, Latest, Sensor
from apm.readings.noting import note_inbox
from apm.readings.series import readings_between
from apm.requests.events import RequestReported
from apm.requests.model import Request
from apm.work.model import WorkOrder
from apm.worker.model import Lease
from tests.apm.hospital import make_asset, make_request
from tests.processes import free_port, until

pytestmark = pytest.mark.database
START = datetime(2026, 3, 2, tzinfo=UTC)


@contextlib.contextmanager
def running(engine, *arguments):
    """`apm ...` in a process group of its own, killed with everything it started."""
    env = {
        **os.environ,
        "APM_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "APM_SECRET_KEY": "only for tests",
    }
    command = [sys.executable, "-m", "apm", *arguments]
    process = subprocess.Popen(
        command,
        env=env,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Sender(threading.Thread):
    """Sends one thing after the other, each again until it is acknowledged."""

    def __init__(self, port, path, headers, things):
        super().__init__(daemon=True)
        self.port, self.path, self.headers, self.things = port, path, headers, things
        self.acknowledged, self.sent = [], 0
        self.enough = Flag()

    def run(self):
        for thing in self.things:
            key = {"Idempotency-Key": f"{self.path}-{len(self.acknowledged)}"}
            while (answer := self.try_once(thing, key)) is None:
                if self.enough.wait(0.02):
                    return
            self.acknowledged.append((thing, answer))

    def try_once(self, thing, key):
        headers = {**self.headers, **key, "Content-Type": "application/json"}
        self.sent += 1
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            connection.request("POST", self.path, json.dumps(thing), headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return None  # never acknowledged: the server was killed, or is not up yet
        finally:
            connection.close()
        assert answer.status < 300, body
        return body


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(engine, as_, bearer):
    wang = as_("wang")
    asset = make_asset(wang)
    sensor = add_sensor(
        wang, code="T-1", name="Room", quantity="temperature", unit="°C", asset=asset.code
    )
    port = free_port()
    readings = (
        [{"sensor": "T-1", "at": (START + timedelta(minutes=n)).isoformat(), "value": float(n)}]
        for n in itertools.count()
    )
    faults = ({"symptom": "alarm", "description": f"fault {n}"} for n in itertools.count())
    senders = [
        Sender(port, "/api/v1/readings", bearer(Role.DEVICE), readings),
        Sender(port, f"/api/v1/assets/{asset.code}/requests", bearer(Role.ENGINEER), faults),
    ]
    for sender in senders:
        sender.start()
    try:
        for _kill in range(2):
            before = [len(sender.acknowledged) for sender in senders]
            with running(engine, "serve", "--port", str(port), "--processes", "1"):
                for sender, n in zip(senders, before, strict=True):
                    until(lambda s=sender, n=n: len(s.acknowledged) >= n + 8, what="acknowledged")
    finally:
        for sender in senders:
            sender.enough.set()
            sender.join(60)

    ctx = as_("wang")
    stored = list(readings_between(ctx, sensor.id))
    values = {v for part in stored for v in part.values.tolist()}
    told = [thing[0]["value"] for thing, _answer in senders[0].acknowledged]
    assert len(told) >= 16
    assert values >= set(told)
    assert sum(len(part) for part in stored) == len(values)
    requests = list(ctx.session.scalars(select(Request)))
    numbers = {request.no: request.description for request in requests}
    assert len(numbers) == len({request.description for request in requests})  # each made once
    for thing, answer in senders[1].acknowledged:
        assert numbers[answer["no"]] == thing["description"]
    events = select(Outbox.payload).where(Outbox.kind == RequestReported.kind)
    assert {e["no"] for e in ctx.session.scalars(events)} == set(numbers)
    assert verify_chain(ctx.session, ctx.actor.hospital_id).broken_at is None
    assert any(sender.sent > len(sender.acknowledged) for sender in senders)  # some had to repeat


def sick_sensors(ctx, n):
    """Sensors that read the same for two weeks and then something else for a day."""
    for k in range(n):
        add_sensor(
            ctx, code=f"T-{k}", name="Water", quantity="temperature", unit="°C",
            asset=make_asset(ctx).code,
        )  # fmt: skip
        values = [20 + (i * 7919 % 13) / 26 for i in range(14 * 144)] + [45.0] * 144
        ingest(
            ctx,
            [
                {"sensor": f"T-{k}", "at": START + timedelta(minutes=10 * i), "value": value}
                for i, value in enumerate(values)
            ],
        )


def test_a_killed_worker_is_followed_by_one_that_goes_on(engine, sessions, as_):
    lin = as_("lin")
    asset = make_asset(as_("wang"))
    for _ in range(40):
        make_request(lin, asset)
    sick_sensors(as_("wang"), 6)
    note_inbox(as_("wang"))

    def count(query):
        with sessions() as session:
            session.info["actor"] = system_actor(None)
            return session.scalar(query)

    def left():
        waiting = select(func.count(Outbox.id)).where(Outbox.due_at.is_not(None))
        unread = select(func.count(Latest.id)).where(Latest.revision > Latest.scored_revision)
        return count(waiting) + 10 * count(unread)

    killed_at = []
    total = left()
    for share in (0.9, 0.6, 0.3, 0):
        with running(engine, "worker"):
            until(lambda share=share: left() <= share * total, what="the work goes on")
            killed_at.append(left())
        with sessions() as session:  # so that the next need not wait for the lease to run out
            ctx = Context(session, system_actor(None))
            with ctx.writing("test.lease"):
                session.execute(update(Lease).values(until=ctx.now()))
    assert len({at for at in killed_at if at}) >= 2  # it was killed in mid-work

    ctx = as_("wang")
    alarms = list(ctx.session.scalars(select(Alarm)))
    orders = list(ctx.session.scalars(select(WorkOrder)))
    assert {alarm.sensor_id for alarm in alarms} == set(ctx.session.scalars(select(Sensor.id)))
    assert len(orders) == len({alarm.sensor_id for alarm in alarms})  # one a trouble
    assert {order.origin for order in orders} <= {f"alarm:{alarm.id}" for alarm in alarms}
    found = [alarm for alarm in alarms if alarm.kind is AlarmKind.ANOMALY]
    assert {alarm.work_order_no for alarm in found} == {order.no for order in orders}
    reported = list(
        ctx.session.scalars(select(Outbox.id).where(Outbox.kind == RequestReported.kind))
    )
    told = select(Notification.event_id).where(Notification.kind == "request_reported")
    messages = list(ctx.session.scalars(told))
    assert set(messages) == set(reported)
    assert len(messages) % len(reported) == 0  # everybody concerned, each once an event
    assert verify_chain(ctx.session, ctx.actor.hospital_id).broken_at is None
    assert ctx.session.scalar(select(func.count(Block.id)))
