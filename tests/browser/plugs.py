"""Connections to devices, for the pages of the full house."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from apm.accounts.queries import system_actor
from apm.collecting.certificates import fingerprint_of, new_identity
from apm.collecting.commands import Details, PointDetails, add_connection, add_point
from apm.collecting.entries import ENCRYPTED
from apm.collecting.leasing import claim, report
from apm.collecting.model import LinkState, Protocol
from apm.core.command import Context
from apm.readings.model import Sensor

OUT_OF_REACH: dict[str, Any] = {
    "state": LinkState.FAILING, "error": None, "last_at": None, "skew_s": None, "skew_n": 0,
    "received": 0, "refused": 0, "spooled": 0, "dropped": 0, "live": {}, "strays": [],
}  # fmt: skip


def connect_devices(wang: Context, pages: dict[str, list[str]]) -> None:
    """A connection that says what it reads and what it cannot use, and one of a stranger."""
    made = add_connection(
        wang, protocol=Protocol.MQTT,
        details=Details("磁共振室消息服务器", {"host": "10.0.0.7", "version": "5"}, 10.0, 30.0),
    )  # fmt: skip
    sensor = wang.session.scalars(select(Sensor)).first()
    assert sensor
    place = {"topic": "plant/磁共振室/冷水机组/出水温度", "pointer": "/data/0/value"}
    point = add_point(wang, connection_id=made.id, details=PointDetails(sensor.code, place))
    now = wang.now()
    reading = {"at": now.isoformat(), "value": 21.53, "quality": None, "received": now.isoformat()}
    certificate, _key = new_identity()
    config = {"url": "opc.tcp://10.0.0.8:4840/", "security": ENCRYPTED, "certificate": certificate}
    chiller = add_connection(
        wang, protocol=Protocol.OPCUA, details=Details("冷水机组控制器", config, 10.0, 30.0)
    )
    stranger = {**OUT_OF_REACH, "error": f"untrusted:{fingerprint_of(certificate)}"}
    system = Context(wang.session, system_actor(None))
    claim(system, holder="test", ids=[made.id, chiller.id])
    state = {
        "state": LinkState.FAILING, "error": "login:HTTP 401", "last_at": now, "skew_s": 94.2,
        "skew_n": 101, "received": 12345, "refused": 3, "spooled": 7, "dropped": 1,
        "live": {sensor.code: reading, "OTHER": {"problem": "place"}},
        "strays": [["plant/unknown/topic", "no_point", 12], ["T-9", "unknown_sensor", 2]],
    }  # fmt: skip
    report(system, holder="test", found={made.id: state, chiller.id: stranger})
    wang.session.info["actor"] = wang.actor
    here = f"/connections/{made.id}"
    pages["connections.connection"] = [here, f"/connections/{chiller.id}"]
    pages["connections.edit_connection"] = [f"{here}/edit"]
    pages["connections.points.new_point"] = [f"{here}/points/new"]
    pages["connections.points.point"] = [f"{here}/points/{point.id}"]
