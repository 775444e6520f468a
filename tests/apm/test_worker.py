"""One worker leads, events arrive, a poisoned one steps aside."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from apm.accounts.queries import system_actor
from apm.alarms.model import Evaluated
from apm.core.clock import utc_now
from apm.core.command import Context
from apm.core.events import SUBSCRIBERS, Event, Outbox, subscribe
from apm.core.jobs import JOBS, job
from apm.readings.commands import ingest
from apm.worker import lease
from apm.worker.delivery import deliver
from apm.worker.model import Lease
from apm.worker.running import LEADER, Worker
from tests.apm.test_finding import sensor_on
from tests.processes import until


@pytest.fixture
def system(as_):
    """The worker's context, of no hospital."""
    return Context(as_("system").session, system_actor(None))


@pytest.mark.database
def test_one_leads_until_it_lets_go(system):
    assert lease.take(system, name="x", holder="a")
    assert not lease.take(system, name="x", holder="b")
    assert lease.take(system, name="x", holder="a")
    lease.release(system, name="x", holder="a")
    assert lease.take(system, name="x", holder="b")


@pytest.mark.database
def test_a_dead_leader_is_followed(system):
    assert lease.take(system, name="x", holder="a")
    later = Context(system.session, system.actor, lambda: utc_now() + lease.LASTS)
    assert lease.take(later, name="x", holder="b")
    assert not lease.take(later, name="x", holder="a")


class Happened(Event):
    """A fact only this test knows."""

    kind = "test.happened"


@pytest.fixture
def heard(as_):
    """Announce two facts; return what a handler heard, which may be told to fail at some."""
    seen = Heard()
    with SUBSCRIBERS.trial():
        subscribe(Happened)(seen.hear)
        for who in ("wang", "qin"):
            ctx = as_(who)
            with ctx.writing("test"):
                ctx.emit(Happened())
        yield seen


class Heard(list):
    """The ids of events that were heard."""

    poisoned = None

    def hear(self, _ctx, event_id, _payload):
        if event_id == self.poisoned:
            raise ValueError("bad event")
        self.append(event_id)


@pytest.mark.database
def test_an_event_arrives_once_and_is_then_done(system, heard):
    deliver(system)
    deliver(system)
    assert len(heard) == len(set(heard)) == 2


@pytest.mark.database
def test_a_poisoned_event_steps_aside(system, heard):
    first = system.session.scalars(select(Outbox.id).order_by(Outbox.id)).first()
    heard.poisoned = first
    deliver(system)
    assert len(heard) == 1
    row = system.session.get(Outbox, first, populate_existing=True)
    assert (row.attempts, row.error) == (1, "ValueError: bad event")
    assert row.due_at > utc_now()

    heard.poisoned = None
    later = Context(system.session, system.actor, lambda: utc_now() + timedelta(minutes=1))
    deliver(later)
    assert first in heard


@pytest.mark.database
def test_what_has_served_its_time_is_tidied_away(as_, system, heard):
    deliver(system)
    kept = system.session.scalars(select(Outbox.id)).all()
    soon = as_("system", now=lambda: utc_now() + timedelta(days=6))
    JOBS["worker.tidy"].work(soon)
    assert soon.session.scalars(select(Outbox.id)).all() == kept
    later = as_("system", now=lambda: utc_now() + timedelta(days=8))
    JOBS["worker.tidy"].work(later)
    assert later.session.scalars(select(Outbox.id)).all() == []


def leader(sessions):
    with sessions() as session:
        ctx = Context(session, system_actor(None))
        row = ctx.session.scalar(select(Lease).where(Lease.name == LEADER))
        return row.holder if row and row.until > utc_now() else None


def start_worker(engine):
    env = {**os.environ, "APM_DATABASE_URL": engine.url.render_as_string(hide_password=False)}
    return subprocess.Popen([sys.executable, "-m", "apm", "worker"], env=env)


def test_after_kill_9_another_leads_within_half_a_minute(sessions, engine):
    first = start_worker(engine)
    second = None
    try:
        old = until(lambda: leader(sessions), what="somebody leads")
        second = start_worker(engine)
        first.kill()
        first.wait()
        new = until(lambda: (now := leader(sessions)) != old and now, what="another one leads")
        assert f":{second.pid}:" in new
        second.send_signal(signal.SIGTERM)
        assert second.wait(timeout=60) == 0
        assert leader(sessions) is None
    finally:
        for process in (first, second):
            if process and process.poll() is None:
                process.kill()
                process.wait()


def test_the_lane_of_alarms_is_theirs_alone():
    ours = {name for name, one in JOBS.items() if one.lane == "alarms"}
    assert ours == {"alarms.evaluate", "alarms.sweep"}


def judged(ctx):
    ctx.session.rollback()
    return ctx.session.scalar(select(Evaluated.id))


def test_alarms_are_judged_while_every_other_lane_is_busy(sessions, as_):
    is_over, held = threading.Event(), []

    def hold(name):
        def work(_ctx):
            held.append(name)
            is_over.wait(60)

        return work

    others = {one.lane for one in JOBS.values()} - {"alarms"} | {"waits"}
    with JOBS.trial():
        for name in others:
            lane = None if name in {None, "waits"} else name
            work = job(
                f"test.hold.{name}", every=timedelta(hours=1), waits=name == "waits", lane=lane
            )
            work(hold(name))
        worker = Worker(sessions)
        worker.start()
        try:
            until(lambda: {*held} == others, what="every other lane held up")
            wang = as_("wang")
            sensor_on(wang, "T-1")
            ingest(wang, [{"sensor": "T-1", "at": utc_now(), "value": 4.0}])
            until(lambda: judged(wang), what="alarms judged", seconds=30)
        finally:
            is_over.set()
            worker.stop()
