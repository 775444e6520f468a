"""MQTT: our own topics, topics of others, Sparkplug B; nothing acknowledged is lost.

`KILL_MINUTES=10` kills collector and broker again and again for so long.
"""

from __future__ import annotations

import itertools
import signal
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from apm.collecting import sparkplug
from apm.collecting.commands import Details, PointDetails, edit_connection
from apm.collecting.model import LinkState
from apm.collecting.sparkplug import Metric
from apm.readings.checking import microseconds
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
from tests.processes import PATIENCE_S, rounds, until

START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def mosquitto(tmp_path):
    with broker(tmp_path / "broker") as running:
        yield running


def is_connected(sessions, connection):
    return link(sessions, connection).state is LinkState.CONNECTED


def at(minute):
    return (START + timedelta(minutes=minute)).isoformat()


@pytest.mark.database
def test_values_times_and_quality_arrive_and_garbage_stops_nothing(
    mosquitto, sessions, as_, tmp_path
):
    wang = as_("wang")
    ids = add_sensors(wang, "T-1", "T-2")
    connection = connect(wang, "mqtt", mqtt(mosquitto.port))
    home = wang.actor.hospital_id

    with collecting(sessions, tmp_path), publisher(mosquitto.port) as client:
        until(lambda: is_connected(sessions, connection), seconds=SECONDS, what="connected")
        for garbage in (
            b"",
            b"{",
            b"\xff\xfe",
            b"[" * 5000,
            b"7",
            b'{"v": "warm"}',
            b'{"v": NaN}',
            b'{"v": 1e308}',
            b'{"v": true}',
            b'{"at": "1970-01-01T00:00:00Z", "v": 1}',
            b'{"at": "soon", "v": 1}',
            b'{"v": 1, "q": "fine"}',
            b"null",
            b"[[], 3]",
        ):
            publish(client, "apm/v1/NORTH/T-1", garbage)
        publish(client, "apm/v1/NORTH/T-9", {"v": 1.0})
        publish(client, "apm/v1/SOUTH/T-1", {"at": at(0), "v": 99.0})
        publish(client, "apm/v1/NORTH/T-1", {"at": at(1), "v": 21.5, "q": "uncertain"})
        publish(
            client, "apm/v1/NORTH/T-1", [{"at": at(3), "v": 3}, {"at": at(2), "v": 2, "q": "bad"}]
        )
        publish(client, "apm/v1/NORTH/T-1", {"at": at(1), "v": 21.5, "q": "uncertain"})
        publish(client, "apm/v1/NORTH/T-1", {"at": at(3), "v": 3.5})
        before = datetime.now(UTC)
        publish(client, "apm/v1/NORTH/T-2", {"v": 5.0})
        until(lambda: stored(sessions, home, ids["T-2"]), seconds=SECONDS, what="stored")
        until(lambda: link(sessions, connection).received >= 6, seconds=SECONDS, what="counted")

    first, third = (microseconds(START + timedelta(minutes=n)) for n in (1, 3))
    # The one marked bad is kept, but never given out as a measurement.
    assert stored(sessions, home, ids["T-1"]) == [(first, 21.5, 1), (third, 3.5, 0)]
    [(time, value, quality)] = stored(sessions, home, ids["T-2"])
    assert (value, quality) == (5.0, 0)
    assert microseconds(before) <= time <= microseconds(datetime.now(UTC))
    told = link(sessions, connection)
    assert ["T-9", "unknown_sensor", 1] in told.strays
    assert {reason for what, reason, _n in told.strays if what == "T-1"} >= {
        "not_json",
        "not_a_reading",
        "not_a_number",
        "too_old",
    }
    assert told.live["T-2"]["value"] == 5.0
    assert "T-9" not in told.live
    assert told.refused >= 14


def test_topics_of_others_are_read_by_json_pointer(mosquitto, sessions, as_, tmp_path):
    wang = as_("wang")
    ids = add_sensors(wang, "F-1", "F-2")
    scaled = PointDetails(
        "F-2", {"topic": "plant/f", "pointer": "/t"}, scale=5 / 9, offset=-160 / 9, unit="°F"
    )
    place = {"topic": "plant/f", "pointer": "/deep/0/t", "time_pointer": "/ts"}
    connection = connect(wang, "mqtt", mqtt(mosquitto.port), {"F-1": place, "F-2": scaled})
    home = wang.actor.hospital_id

    with collecting(sessions, tmp_path), publisher(mosquitto.port) as client:
        until(lambda: is_connected(sessions, connection), seconds=SECONDS, what="connected")
        publish(client, "plant/f", {"deep": [], "t": "none"})
        told = until(
            lambda: (found := link(sessions, connection)).live.get("F-1") and found,
            seconds=SECONDS, what="the missing value is told",
        )  # fmt: skip
        assert told.live["F-1"] == {"problem": "place"}
        publish(client, "plant/f", {"deep": [{"t": "4.5"}], "t": 50, "ts": int(START.timestamp())})
        until(lambda: stored(sessions, home, ids["F-2"]), seconds=SECONDS, what="stored")

    assert stored(sessions, home, ids["F-1"]) == [(microseconds(START), 4.5, 0)]
    assert [value for _at, value, _q in stored(sessions, home, ids["F-2"])] == [10.0]


def test_a_sparkplug_node_is_asked_to_introduce_itself(mosquitto, sessions, as_, tmp_path):
    wang = as_("wang")
    ids = add_sensors(wang, "S-T", "S-N")
    device = {"topic": "spBv1.0/Plant/Edge/Fridge", "metric": "Temperature"}
    node = {"topic": "spBv1.0/Plant/Edge", "metric": "Load"}
    connection = connect(wang, "mqtt", mqtt(mosquitto.port), {"S-T": device, "S-N": node})
    home, ms = wang.actor.hospital_id, int(START.timestamp() * 1000)
    asked = []

    with collecting(sessions, tmp_path), publisher(mosquitto.port) as client:
        client.on_message = lambda _c, _d, message: asked.append(message.payload)
        client.subscribe("spBv1.0/Plant/NCMD/Edge", 1)
        until(lambda: is_connected(sessions, connection), seconds=SECONDS, what="connected")

        def send(kind, *metrics):
            payload = sparkplug.encode(list(metrics), at_ms=ms, seq=0)
            publish(client, f"spBv1.0/Plant/{kind}", payload, qos=0)

        send("DDATA/Edge/Fridge", Metric("", 2, ms, 1.0))
        until(lambda: asked, seconds=SECONDS, what="asked")
        send("NBIRTH/Edge", Metric("Load", 1, ms, -7.5), Metric("Other", 9, ms, 1.0))
        send("DBIRTH/Edge/Fridge", Metric("Temperature", 2, ms, 4.0))
        send("DDATA/Edge/Fridge", Metric("", 2, ms + 60_000, 5.0, "uncertain"))
        send("DDATA/Edge/Fridge", Metric("", 2, ms + 120_000, None))
        publish(client, "spBv1.0/Plant/DDATA/Edge/Fridge", b"\xff\xff\xff", qos=0)
        until(lambda: len(stored(sessions, home, ids["S-T"])) == 2, seconds=SECONDS, what="stored")

    minute = 60_000_000
    first = microseconds(START)
    assert b"Node Control/Rebirth" in asked[0]
    assert stored(sessions, home, ids["S-T"]) == [(first, 4.0, 0), (first + minute, 5.0, 1)]
    assert stored(sessions, home, ids["S-N"]) == [(first, -7.5, 0)]
    assert ["spBv1.0/Plant/Edge Other", "no_point", 0] in link(sessions, connection).strays


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_what_was_sent_while_we_were_away_comes_and_a_restarted_broker_is_found_again(
    mosquitto, sessions, as_, tmp_path, version
):
    wang = as_("wang")
    ids = add_sensors(wang, "T-1")
    connection = connect(wang, "mqtt", mqtt(mosquitto.port, version=version))
    home = wang.actor.hospital_id

    def values():
        return [value for _at, value, _q in stored(sessions, home, ids["T-1"])]

    with collecting(sessions, tmp_path):
        until(lambda: is_connected(sessions, connection), seconds=SECONDS, what="connected")
    assert link(sessions, connection).state is LinkState.WAITING  # given back at the stop
    with publisher(mosquitto.port) as client:
        publish(client, "apm/v1/NORTH/T-1", {"at": at(1), "v": 1})
    with collecting(sessions, tmp_path):
        until(lambda: values() == [1.0], seconds=SECONDS, what="the message that waited")
        mosquitto.stop()
        until(
            lambda: link(sessions, connection).state is LinkState.FAILING,
            seconds=SECONDS, what="failing",
        )  # fmt: skip
        mosquitto.start()
        until(lambda: is_connected(sessions, connection), seconds=SECONDS, what="connected again")
        with publisher(mosquitto.port) as client:
            publish(client, "apm/v1/NORTH/T-1", {"at": at(2), "v": 2})
        until(lambda: values() == [1.0, 2.0], seconds=SECONDS, what="the next message")


@pytest.mark.database
@pytest.mark.timeout(PATIENCE_S)
def test_each_acknowledged_message_is_there_once_when_the_collector_is_killed(
    mosquitto, engine, sessions, as_, tmp_path
):
    wang = as_("wang")
    ids = add_sensors(wang, "T-1")
    connection = connect(wang, "mqtt", mqtt(mosquitto.port))
    home = wang.actor.hospital_id
    numbers, told = itertools.count(), []

    def count():
        return len(stored(sessions, home, ids["T-1"]))

    def send(n):
        with publisher(mosquitto.port) as client:
            sent = []
            for number in itertools.islice(numbers, n):
                body = f'{{"at": "{at(number)}", "v": {number}}}'
                sent.append((client.publish("apm/v1/NORTH/T-1", body, qos=1), number))
            for info, number in sent:
                info.wait_for_publish(SECONDS)
                told.append(number)

    for is_killed in itertools.chain((True for _ in rounds(1)), [False]):
        with collect_process(engine, tmp_path) as process:
            before = count()
            until(lambda: is_connected(sessions, connection), seconds=SECONDS, what="connected")
            send(1500)
            until(lambda before=before: count() > before, seconds=SECONDS, what="some are stored")
            if not is_killed:
                until(lambda: count() == len(told), seconds=SECONDS, what="all are stored")
                process.send_signal(signal.SIGTERM)
                assert process.wait(SECONDS) == 0

    rows = stored(sessions, home, ids["T-1"])
    assert [value for _at, value, _q in rows] == [float(n) for n in sorted(told)]
    assert len({time for time, _v, _q in rows}) == len(rows) == len(told) >= 3000


@pytest.mark.timeout(PATIENCE_S)
def test_a_killed_broker_is_found_again_and_nothing_is_there_twice(sessions, as_, tmp_path):
    """What a broker acknowledged and had not yet on its disk is its own loss: none here."""
    wang = as_("wang")
    ids = add_sensors(wang, "T-1")
    home = wang.actor.hospital_id

    def values():
        return [value for _at, value, _q in stored(sessions, home, ids["T-1"])]

    with broker(tmp_path / "broker") as mosquitto:
        connection = connect(wang, "mqtt", mqtt(mosquitto.port))
        with collecting(sessions, tmp_path):
            until(lambda: is_connected(sessions, connection), seconds=SECONDS, what="connected")
            for first in (30 * k for k in rounds(2)):
                with publisher(mosquitto.port) as client:
                    for number in range(first, first + 30):
                        publish(client, "apm/v1/NORTH/T-1", {"at": at(number), "v": number})
                told = [float(n) for n in range(first + 30)]
                until(lambda told=told: values() == told, seconds=SECONDS, what="all are stored")
                mosquitto.stop(signal.SIGKILL)
                until(
                    lambda: link(sessions, connection).state is LinkState.FAILING,
                    seconds=SECONDS, what="failing",
                )  # fmt: skip
                mosquitto.start()
                until(
                    lambda: is_connected(sessions, connection), seconds=SECONDS, what="connected"
                )


def waiting_on_disk(folder):
    with sqlite3.connect(folder / "spool" / "spool.db") as plain:
        found = plain.execute("SELECT coalesce(sum(n), 0) FROM batch").fetchone()[0]
    plain.close()
    return found


@pytest.mark.database
def test_readings_wait_on_the_disk_while_the_database_fails(
    mosquitto, engine, sessions, as_, tmp_path
):
    wang = as_("wang")
    ids = add_sensors(wang, "T-1")
    connection = connect(wang, "mqtt", mqtt(mosquitto.port))
    home = wang.actor.hospital_id
    wang.session.rollback()

    def rename(old, new):
        with engine.begin() as plain:
            plain.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")

    with collect_process(engine, tmp_path) as process, publisher(mosquitto.port) as client:
        until(lambda: is_connected(sessions, connection), seconds=SECONDS, what="connected")
        rename("sensor", "sensor_away")
        for n in range(50):
            publish(client, "apm/v1/NORTH/T-1", {"at": at(n), "v": n})
        until(lambda: waiting_on_disk(tmp_path) == 50, seconds=SECONDS, what="on the disk")
        process.kill()
        process.wait()
    assert waiting_on_disk(tmp_path) == 50  # kill -9 takes nothing from it
    rename("sensor_away", "sensor")
    with collect_process(engine, tmp_path):
        until(
            lambda: len(stored(sessions, home, ids["T-1"])) == 50, seconds=SECONDS, what="stored"
        )
        until(lambda: waiting_on_disk(tmp_path) == 0, seconds=SECONDS, what="off the disk")
    values = [value for _at, value, _q in stored(sessions, home, ids["T-1"])]
    assert values == [float(n) for n in range(50)]


@pytest.mark.database
def test_two_collectors_with_one_connection_and_a_change_without_restart(
    mosquitto, sessions, as_, tmp_path
):
    wang = as_("wang")
    ids = add_sensors(wang, "T-1", "F-1")
    connection = connect(wang, "mqtt", mqtt(mosquitto.port))
    home = wang.actor.hospital_id

    with collecting(sessions, tmp_path / "one") as one, publisher(mosquitto.port) as client:
        until(lambda: is_connected(sessions, connection), seconds=SECONDS, what="connected")
        with collecting(sessions, tmp_path / "two"):
            publish(client, "apm/v1/NORTH/T-1", {"at": at(1), "v": 1})
            until(lambda: stored(sessions, home, ids["T-1"]), seconds=SECONDS, what="stored")
            assert link(sessions, connection).holder == one.holder
            one.stop()
            until(
                lambda: link(sessions, connection).holder not in (None, one.holder)
                and is_connected(sessions, connection),
                seconds=SECONDS, what="the other takes over",
            )  # fmt: skip
            details = Details("Broker", mqtt(1), 1.0, 30.0)
            edit_connection(wang, connection_id=connection.id, details=details)
            until(
                lambda: link(sessions, connection).error == "connect",
                seconds=SECONDS, what="the wrong port is seen",
            )  # fmt: skip
            details = Details("Broker", mqtt(mosquitto.port), 1.0, 30.0)
            edit_connection(wang, connection_id=connection.id, details=details)
            publish(client, "apm/v1/NORTH/T-1", {"at": at(2), "v": 2})
            until(
                lambda: len(stored(sessions, home, ids["T-1"])) == 2,
                seconds=SECONDS, what="stored",
            )  # fmt: skip


def test_a_slow_clock_is_measured(mosquitto, sessions, as_, tmp_path):
    wang = as_("wang")
    add_sensors(wang, "T-1")
    connection = connect(wang, "mqtt", mqtt(mosquitto.port))

    with collecting(sessions, tmp_path), publisher(mosquitto.port) as client:
        until(lambda: is_connected(sessions, connection), seconds=SECONDS, what="connected")
        behind = datetime.now(UTC) - timedelta(seconds=90)
        publish(client, "apm/v1/NORTH/T-1", {"at": behind.isoformat(), "v": 1})
        found = until(
            lambda: link(sessions, connection).skew_s, seconds=SECONDS, what="the skew is measured"
        )

    assert 90 <= found < 90 + SECONDS
