"""Modbus, OPC UA and HTTP pull: real servers, values, quality, times, what goes wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apm.collecting.commands import PointDetails, switch_connection
from apm.collecting.failures import LineFailed, Reason
from apm.collecting.lines.base import probe
from apm.collecting.model import LinkState, Protocol
from apm.collecting.queries import connection_by_id
from apm.collecting.spec import spec_of
from apm.demo.devices import HttpDevice, ModbusDevice, OpcUaDevice, modbus_map
from tests.apm.devices import (
    KEY,
    SECONDS,
    add_sensors,
    collecting,
    connect,
    link,
    stored,
)
from tests.apm.servers import web_server
from tests.processes import free_port, until

TYPES = {
    "u16": ({"type": "u16"}, 65535.0),
    "i16": ({"type": "i16"}, -12.0),
    "u32": ({"type": "u32", "order": "CDAB"}, 4_000_000_000.0),
    "i32": ({"type": "i32", "order": "DCBA"}, -70_000.0),
    "f32": ({"type": "f32", "order": "BADC"}, 21.5),
    "u64": ({"type": "u64"}, float(2**40)),
    "f64": ({"type": "f64", "order": "CDAB"}, -0.001),
}

MOST_LEFT = timedelta(seconds=17)
"""Of a lease that was last renewed more than one look ago."""


def value_of(sessions, home, sensor_id):
    found = stored(sessions, home, sensor_id)
    return found[-1][1] if found else None


def spec(ctx, connection):
    return spec_of(connection_by_id(ctx, connection.id), "NORTH")


@pytest.mark.database
def test_modbus_reads_every_type_and_one_bad_address_stops_nothing(sessions, as_, tmp_path):
    wang = as_("wang")
    ids = add_sensors(wang, *TYPES, "LOST", "BIT", "SCALED")
    places = {
        code: {"table": "holding", "address": 4 * n, **more}
        for n, (code, (more, _value)) in enumerate(TYPES.items())
    }
    values = {code: value for code, (_more, value) in TYPES.items()}
    scaled = PointDetails("SCALED", places["i16"], scale=0.1, offset=1.0)
    bit = {"table": "holding", "address": 0, "type": "bit", "bit": 15}
    lost = {"table": "input", "address": 5000, "type": "u16"}
    port = free_port()
    device = ModbusDevice("127.0.0.1", port, places, lambda: values)
    connection = connect(
        wang, "modbus", {"host": "127.0.0.1", "port": port},
        {**places, "LOST": lost, "BIT": bit, "SCALED": scaled},
    )  # fmt: skip
    home = wang.actor.hospital_id

    with collecting(sessions, tmp_path):
        until(
            lambda: link(sessions, connection).state is LinkState.FAILING,
            seconds=SECONDS, what="nobody answers yet",
        )  # fmt: skip
        assert link(sessions, connection).error == "connect"
        device.start()
        try:
            until(
                lambda: link(sessions, connection).live.get("LOST"), seconds=SECONDS, what="read"
            )
            until(lambda: stored(sessions, home, ids["f64"]), seconds=SECONDS, what="stored")
        finally:
            device.stop()
        told = link(sessions, connection)

    for code, (_more, value) in TYPES.items():
        assert value_of(sessions, home, ids[code]) == value, code
    assert value_of(sessions, home, ids["SCALED"]) == pytest.approx(-0.2)
    assert value_of(sessions, home, ids["BIT"]) == 1.0
    assert told.live["LOST"]["problem"].startswith("answer:exception 2")


def test_opc_ua_keeps_status_and_source_time_and_finds_a_restarted_server(sessions, as_, tmp_path):
    wang = as_("wang")
    ids = add_sensors(wang, "OPC-1", "OPC-2")
    port, values = free_port(), {"OPC-1": 4.0}
    url = f"opc.tcp://127.0.0.1:{port}/"
    points = {"OPC-1": {"node": "ns=2;s=OPC-1"}, "OPC-2": {"node": "ns=2;s=NOT-THERE"}}
    connection = connect(wang, "opcua", {"url": url}, points, period_s=0.2)
    home = wang.actor.hospital_id

    def serve():
        device = OpcUaDevice("127.0.0.1", port, ["OPC-1"], lambda: dict(values))
        device.period_s = 0.2
        device.start()
        return device

    before = datetime.now(UTC)
    device = serve()
    with collecting(sessions, tmp_path):
        until(lambda: value_of(sessions, home, ids["OPC-1"]) == 4.0, seconds=SECONDS, what="4")
        values["OPC-1"] = 5.0
        until(lambda: value_of(sessions, home, ids["OPC-1"]) == 5.0, seconds=SECONDS, what="5")
        told = until(
            lambda: (found := link(sessions, connection)).live.get("OPC-2") and found,
            seconds=SECONDS, what="the unknown node is told",
        )  # fmt: skip
        device.stop()
        until(
            lambda: link(sessions, connection).state is LinkState.FAILING,
            seconds=SECONDS, what="it is gone",
        )  # fmt: skip
        values["OPC-1"] = 6.0
        device = serve()
        until(lambda: value_of(sessions, home, ids["OPC-1"]) == 6.0, seconds=SECONDS, what="6")
    device.stop()

    first = stored(sessions, home, ids["OPC-1"])[0][0] / 1e6
    assert before.timestamp() - 1 <= first <= datetime.now(UTC).timestamp()
    assert "problem" in told.live["OPC-2"]
    assert told.skew_s is None or abs(told.skew_s) < SECONDS


def test_http_pull_reads_pointers_with_a_key_and_says_what_is_wrong(sessions, as_, tmp_path):
    wang = as_("wang")
    ids = add_sensors(wang, "A", "B")
    values = {"A": 4.5, "B": 5.5}
    device = HttpDevice("127.0.0.1", 0, lambda: values, key="s3cret")
    url = f"http://127.0.0.1:{device.port}/values"
    points = {
        "A": {"pointer": "/A/value", "time_pointer": "/A/at"},
        "B": {"pointer": "/nowhere"},
    }
    config = {"url": url, "header": "X-Api-Key"}
    connection = connect(wang, "http", config, points, secret={"key": "s3cret"})
    wrong = connect(wang, "http", config, points, name="Wrong", secret={"key": "other"})
    home = wang.actor.hospital_id

    device.start()
    try:
        with collecting(sessions, tmp_path):
            until(lambda: stored(sessions, home, ids["A"]), seconds=SECONDS, what="stored")
            until(lambda: link(sessions, connection).live, seconds=SECONDS, what="told")
            error = until(lambda: link(sessions, wrong).error, seconds=SECONDS, what="refused")
            switch_connection(wang, connection_id=connection.id, is_enabled=False)
            until(
                lambda: link(sessions, connection).until <= datetime.now(UTC) + MOST_LEFT,
                seconds=SECONDS, what="not renewed",
            )  # fmt: skip
            samples = probe(spec(wang, connection), {"key": "s3cret"})
    finally:
        device.stop()

    assert value_of(sessions, home, ids["A"]) == 4.5
    assert link(sessions, connection).live["B"] == {"problem": "place"}
    assert error == "login:HTTP 401"
    assert [(s.what, s.value, s.problem) for s in samples] == [
        ("A", 4.5, ""),
        ("B", None, "place"),
    ]


@pytest.mark.parametrize(
    ("protocol", "config", "reason"),
    [
        ("http", {"url": "http://127.0.0.1:9/"}, Reason.CONNECT),
        ("http", {"url": "http://169.254.169.254/latest"}, Reason.TARGET),
        ("http", {"url": "http://no-such-name.invalid/"}, Reason.NAME),
        ("modbus", {"host": "127.0.0.1", "port": 9}, Reason.CONNECT),
        ("opcua", {"url": "opc.tcp://127.0.0.1:9/"}, Reason.CONNECT),
        ("mqtt", {"host": "127.0.0.1", "port": 9, "version": "5"}, Reason.CONNECT),
    ],
)
def test_a_test_says_why_it_does_not_work(as_, protocol, config, reason):
    wang = as_("wang")
    connection = connect(wang, protocol, config)
    with pytest.raises(LineFailed) as failed:
        probe(spec(wang, connection), {})
    assert failed.value.reason is reason


def test_a_redirect_is_not_followed(as_):
    wang = as_("wang")
    with web_server() as server:
        server.answer = lambda _seen: (302, {}, {"Location": "file:///etc/passwd"})
        connection = connect(wang, "http", {"url": server.url})
        with pytest.raises(LineFailed) as failed:
            probe(spec(wang, connection), {})
    assert failed.value.reason is Reason.REDIRECT


def test_opc_ua_and_modbus_can_be_tried(as_):
    wang = as_("wang")
    add_sensors(wang, "X")
    ports = free_port(), free_port()
    places = modbus_map(["X"])
    devices = [
        ModbusDevice("127.0.0.1", ports[0], places, lambda: {"X": 7.25}),
        OpcUaDevice("127.0.0.1", ports[1], ["X"], lambda: {"X": 7.25}),
    ]
    for device in devices:
        device.start()
    try:
        modbus = connect(wang, "modbus", {"host": "127.0.0.1", "port": ports[0]}, places)
        url = f"opc.tcp://127.0.0.1:{ports[1]}/"
        opcua = connect(wang, "opcua", {"url": url}, {"X": {"node": "ns=2;s=X"}})
        [first] = probe(spec(wang, modbus), {})
        second = until(
            lambda: [s for s in probe(spec(wang, opcua), {}) if s.value], seconds=SECONDS, what="x"
        )[0]
    finally:
        for device in devices:
            device.stop()
    assert (first.what, first.value, first.at) == ("X", 7.25, None)
    assert (second.what, second.value) == ("X", 7.25)
    assert second.at is not None


def test_a_secret_under_another_key_is_said(as_):
    wang = as_("wang")
    connection = connect(wang, "http", {"url": "http://127.0.0.1:9/"}, secret={"key": "x"})
    assert spec(wang, connection).opened(KEY) == {"key": "x"}
    with pytest.raises(LineFailed) as failed:
        spec(wang, connection).opened("another key")
    assert failed.value.reason is Reason.SEALED


def test_what_waits_for_its_device_is_connecting_and_has_not_failed(sessions, as_, tmp_path):
    wang = as_("wang")
    add_sensors(wang, "HELD", "OTHER")
    nobody = {"host": "127.0.0.1", "port": free_port()}
    places = modbus_map(["HELD"])
    held = connect(wang, "modbus", nobody, {"HELD": places["HELD"]})
    url = f"http://127.0.0.1:{free_port()}/"
    other = connect(wang, "http", {"url": url}, {"OTHER": {"pointer": "/x"}}, name="Other")

    def stands(connection):
        found = link(sessions, connection)
        return (found.state, found.error)

    with collecting(sessions, tmp_path, held=frozenset({Protocol.MODBUS})) as collector:
        until(lambda: stands(other)[0] is LinkState.FAILING, seconds=SECONDS, what="it fails")
        assert stands(held) == (LinkState.CONNECTING, None)
        collector.let_go()
        until(lambda: stands(held)[0] is LinkState.FAILING, seconds=SECONDS, what="it is tried")
