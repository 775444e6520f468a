"""The collector while the database is away, and while there is no room to wait either."""

from datetime import UTC, datetime, timedelta

import pytest

from apm.collecting.model import LinkState
from apm.core.command import Context
from apm.core.db import make_sessions
from tests.apm.clusters import filled, postgresql
from tests.apm.devices import (
    SECONDS,
    add_sensors,
    broker,
    collect_process,
    collecting,
    connect,
    link,
    mqtt,
    publish,
    publisher,
    stored,
)
from tests.apm.test_collect_mqtt import waiting_on_disk
from tests.conftest import actor_named
from tests.processes import until

START = datetime(2026, 3, 2, tzinfo=UTC)


def said(n):
    return {"at": (START + timedelta(minutes=n)).isoformat(), "v": n}


def values(sessions, home, sensor_id):
    return [value for _at, value, _quality in stored(sessions, home, sensor_id)]


def test_readings_wait_on_the_disk_while_postgresql_is_stopped(tmp_path):
    with (
        postgresql() as cluster,
        filled(cluster) as engine,
        broker(tmp_path / "broker") as mosquitto,
    ):
        sessions = make_sessions(engine)
        with sessions() as session:
            wang = Context(session, actor_named(session, "wang"))
            home, ids = wang.actor.hospital_id, add_sensors(wang, "T-1")
            connection = connect(wang, "mqtt", mqtt(mosquitto.port))
        with collect_process(engine, tmp_path), publisher(mosquitto.port) as client:
            until(
                lambda: link(sessions, connection).state is LinkState.CONNECTED,
                seconds=SECONDS, what="connected",
            )  # fmt: skip
            publish(client, "apm/v1/NORTH/T-1", said(0))
            until(lambda: values(sessions, home, ids["T-1"]) == [0.0], seconds=SECONDS, what="in")
            cluster.stop()
            for n in range(1, 20):
                publish(client, "apm/v1/NORTH/T-1", said(n))
            until(lambda: waiting_on_disk(tmp_path) == 19, seconds=SECONDS, what="on the disk")
            cluster.start()
            until(lambda: waiting_on_disk(tmp_path) == 0, seconds=SECONDS, what="off the disk")
            publish(client, "apm/v1/NORTH/T-1", said(20))
            wanted = [float(n) for n in range(21)]
            until(
                lambda: values(sessions, home, ids["T-1"]) == wanted, seconds=SECONDS, what="all"
            )


@pytest.mark.database
@pytest.mark.parametrize("limit_bytes", [0, 150])
def test_a_full_spool_says_so_takes_nothing_more_and_recovers(
    engine, sessions, as_, tmp_path, limit_bytes
):
    wang = as_("wang")
    home, ids = wang.actor.hospital_id, add_sensors(wang, "T-1")
    with broker(tmp_path / "broker") as mosquitto:
        connection = connect(wang, "mqtt", mqtt(mosquitto.port))
        wang.session.rollback()
        with (
            collecting(sessions, tmp_path, limit_bytes=limit_bytes),
            publisher(mosquitto.port) as client,
        ):

            def state():
                now = link(sessions, connection)
                return now.state, now.error

            until(
                lambda: state() == (LinkState.CONNECTED, None), seconds=SECONDS, what="connected"
            )
            with engine.begin() as plain:
                plain.exec_driver_sql("ALTER TABLE reading_inbox RENAME TO away")
            for n in range(20):  # each has a commit of its own, or nearly
                publish(client, "apm/v1/NORTH/T-1", said(n))
            until(
                lambda: state() == (LinkState.FAILING, "spool_full"),
                seconds=SECONDS, what="said to be full",
            )  # fmt: skip
            assert waiting_on_disk(tmp_path) < 20  # what is on the disk, the broker has no more
            with engine.begin() as plain:
                plain.exec_driver_sql("ALTER TABLE away RENAME TO reading_inbox")
            wanted = [float(n) for n in range(20)]  # the broker had kept them for us
            until(
                lambda: values(sessions, home, ids["T-1"]) == wanted, seconds=SECONDS, what="all"
            )
            until(lambda: state() == (LinkState.CONNECTED, None), seconds=SECONDS, what="at ease")
