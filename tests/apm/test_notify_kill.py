"""A worker killed in the middle of sending: nothing is lost, at most that one message twice."""

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event as Flag

import pytest
from sqlalchemy import select

from apm.core.sealing import seal
from apm.notify.channel_commands import Details, add_channel
from apm.notify.commands import send
from apm.notify.messages import News
from apm.notify.model import Delivery, DeliveryState
from apm.notify.topics import ChannelKind
from tests.apm.servers import web_server

KEY = "only for tests"


def until(condition, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        Flag().wait(0.05)
    pytest.fail(f"not within {seconds} s")


@pytest.fixture
def worker(engine):
    running = []

    def start():
        env = {
            **os.environ,
            "APM_DATABASE_URL": engine.url.render_as_string(hide_password=False),
            "APM_SECRET_KEY": KEY,
            "APM_ALLOW_PRIVATE_TARGETS": "all",
        }
        command = [sys.executable, "-m", "apm", "worker"]
        running.append(subprocess.Popen(command, env=env, cwd=Path(__file__).parents[2]))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def test_killed_while_the_answer_is_on_its_way(as_, worker):
    let_go = Flag()
    with web_server() as web:
        sealed = seal(KEY, {"url": web.url})
        details = Details("Group", {}, ["urgent"], "en", sealed, "")
        add_channel(as_("amy"), kind=ChannelKind.WEBHOOK, details=details)
        news = News("request_urgent", {"no": "R-1"}, "/requests/R-1")
        send(as_("system"), event_id=1, user_ids=[], news=news)

        def answer(_seen):
            let_go.wait(20)
            return 200, {}

        web.answer = answer
        first = worker()
        until(lambda: web.seen)
        first.kill()
        first.wait()
        let_go.set()
        with (ctx := as_("system")).writing("test"):
            one = ctx.session.scalars(select(Delivery)).one()
            assert (one.state, one.attempts) == (DeliveryState.PENDING, 1)
            assert one.next_at > ctx.now()  # claimed: nobody else sends it meanwhile
            one.next_at = ctx.now()  # let the claim run out at once
        worker()
        until(lambda: len(web.seen) == 2)

        def state():
            with as_("system").session as session:
                return session.scalars(select(Delivery)).one().state is DeliveryState.SENT

        until(state)
        first_body, second_body = (seen.json for seen in web.seen)
        assert first_body == second_body
