"""Connections to devices, the points read through them, and how each connection fares."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.readings.model import Sensor


class Protocol(StrEnum):
    """How a device is spoken to."""

    MQTT = "mqtt"
    MODBUS = "modbus"
    OPCUA = "opcua"
    HTTP = "http"


class LinkState(StrEnum):
    """Where a connection stands, as its collector last said."""

    WAITING = "waiting"
    """No collector has taken it yet."""
    CONNECTING = "connecting"
    CONNECTED = "connected"
    FAILING = "failing"


class Connection(Audited, HospitalScoped, Row):
    """One device, gateway or broker that readings are fetched from."""

    __tablename__ = "device_connection"
    __table_args__ = (UniqueConstraint("hospital_id", "name"),)
    not_in_trail = frozenset({"secret"})

    name: Mapped[str]
    protocol: Mapped[Protocol] = mapped_column(text_enum(Protocol))
    config: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What is no secret, by the names of `collecting.entries`."""
    secret: Mapped[str]
    """The secret entries as JSON, sealed (`apm.core.sealing`); empty when there are none."""
    period_s: Mapped[float]
    """How often it is asked; OPC UA: how often changes are published."""
    max_skew_s: Mapped[float]
    """Beyond this the page warns of the device's clock."""
    is_enabled: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column()

    points: Mapped[list[Point]] = relationship(lazy="raise", back_populates="connection")
    link: Mapped[Link] = relationship(lazy="raise", back_populates="connection")

    __mapper_args__ = {"version_id_col": version}


class Point(Audited, HospitalScoped, Row):
    """Where one sensor's value stands in what a device says.

    What is stored is the device's value times `scale` plus `offset`.
    """

    __tablename__ = "device_point"
    __table_args__ = (UniqueConstraint("connection_id", "sensor_id"),)

    connection_id: Mapped[int] = mapped_column(ForeignKey("device_connection.id"))
    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"), index=True)
    config: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Topic, register, node or JSON pointer, by the names of `collecting.entries`."""
    scale: Mapped[float] = mapped_column(default=1.0)
    offset: Mapped[float] = mapped_column(default=0.0)
    unit: Mapped[str | None]
    """What the device's value is in, before scale and offset; None: the sensor's unit."""

    connection: Mapped[Connection] = relationship(lazy="raise", back_populates="points")
    sensor: Mapped[Sensor] = relationship(lazy="raise")


class Link(HospitalScoped, Row):
    """How one connection fares, written by the collector that holds it; not audited."""

    __tablename__ = "device_link"

    connection_id: Mapped[int] = mapped_column(ForeignKey("device_connection.id"), unique=True)
    holder: Mapped[str | None]
    until: Mapped[datetime | None]
    """The holder's lease: after this another collector may take the connection."""
    state: Mapped[LinkState] = mapped_column(text_enum(LinkState), default=LinkState.WAITING)
    since: Mapped[datetime | None]
    """When the state began."""
    error: Mapped[str | None]
    """`reason` or `reason:detail` of the last failure, while it lasts."""
    last_at: Mapped[datetime | None]
    """When something arrived last, by our clock."""
    skew_s: Mapped[float | None]
    """Our clock minus the device's: the median over `skew_n` live readings, in seconds."""
    skew_n: Mapped[int] = mapped_column(default=0)
    received: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    dropped: Mapped[int] = mapped_column(default=0)
    """Readings that were lost because database and spool could not take them."""
    spooled: Mapped[int] = mapped_column(default=0)
    """Readings on the collector's disk that wait for the database (of all its connections)."""
    live: Mapped[dict[str, Any]] = mapped_column(JSON)
    """By sensor code: `at`, `value`, `quality`, `received`, or `problem`."""
    strays: Mapped[list[Any]] = mapped_column(JSON)
    """What arrived and belongs to no sensor, or is no reading: `[what, reason, count]` each."""

    connection: Mapped[Connection] = relationship(lazy="raise", back_populates="link")
