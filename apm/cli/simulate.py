"""`apm simulate`: devices of every protocol, to try connections without any."""

from __future__ import annotations

import signal
from threading import Event
from typing import Any

import click

from apm.cli.refusal import Refused
from apm.core.clock import utc_now
from apm.core.i18n import _
from apm.demo.devices import MqttDevice
from apm.demo.plant import PLACES, config_of, device_of, measured, points_of
from apm.demo.signals import SIGNALS, origin_of
from apm.labels import label


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--modbus-port", type=int, default=5020, show_default=True)
@click.option("--http-port", type=int, default=8081, show_default=True)
@click.option("--opcua-port", type=int, default=4841, show_default=True)
@click.option("--broker", metavar="HOST:PORT", help="Publish to this MQTT broker too.")
@click.option("--hospital", metavar="CODE", default="DEMO", show_default=True,
              help="The hospital in the topics.")  # fmt: skip
def simulate(host: str, modbus_port: int, http_port: int, opcua_port: int,
             broker: str | None, hospital: str) -> None:  # fmt: skip
    """Run simulated devices of each protocol until Ctrl-C, and print how to connect them."""
    stop, origin = Event(), origin_of(utc_now())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ports = {"modbus": modbus_port, "http": http_port, "opcua": opcua_port}
    parts: list[Any] = []
    for place in PLACES:
        port = ports[place.protocol]
        parts.append(
            device_of(place, host, port, lambda p=place: measured(p.sensors, origin, utc_now()))
        )
        click.echo(f"{label('device_protocol', place.protocol)}: {config_of(place, host, port)}")
        for point in points_of(place):
            click.echo(f"  {point.sensor}: {point.config}")
    if broker:
        parts.append(_gateway(broker, hospital, origin))
        click.echo(f"MQTT: {broker} apm/v1/{hospital}/…")
    _run(parts, stop)


def _gateway(broker: str, hospital: str, origin: float) -> MqttDevice:
    host, _colon, port = broker.partition(":")
    if not host or not (port or "1883").isdigit():
        raise Refused(_("Give the broker as HOST:PORT, such as 127.0.0.1:1883."))
    codes = tuple(SIGNALS)
    return MqttDevice(
        host, int(port or 1883), hospital=hospital,
        values=lambda: measured(codes, origin, utc_now()), period_s=2.0,
    )  # fmt: skip


def _run(parts: list[Any], stop: Event) -> None:
    started: list[Any] = []
    try:
        for part in parts:
            part.start()
            started.append(part)
        stop.wait()
    except OSError as error:
        raise Refused(_("A port is taken: %(why)s. Give another one.", why=error)) from error
    finally:
        for part in reversed(started):
            part.stop()
