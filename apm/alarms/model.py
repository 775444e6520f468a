"""Rules of a hospital's own, silenced alarms, and what the evaluator remembers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.readings.model import Muted, Sensor


class AlarmRule(Audited, HospitalScoped, Row):
    """Where this hospital departs from a shipped rule: on one sensor, or for a whole profile.

    What is None is as shipped.  See `rules.effective`.
    """

    __tablename__ = "alarm_rule"
    __table_args__ = (
        UniqueConstraint("hospital_id", "profile", "key"),
        UniqueConstraint("sensor_id", "key"),
    )

    profile: Mapped[str | None]
    """Of `seed/environment.yaml`; None where `sensor_id` is given."""
    sensor_id: Mapped[int | None] = mapped_column(ForeignKey("sensor.id"))
    key: Mapped[str]
    is_on: Mapped[bool]
    limit: Mapped[float | None]
    deadband: Mapped[float | None]
    on_delay_s: Mapped[int | None]
    off_delay_s: Mapped[int | None]
    priority: Mapped[str | None]
    reason: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class Shelf(Audited, HospitalScoped, Row):
    """One alarm of a sensor that calls nobody for a while, or until it is put back in service."""

    __tablename__ = "alarm_shelf"
    __table_args__ = (
        Index("ix_alarm_shelf_open", "hospital_id", "ended_at", "until"),
        Index("ix_alarm_shelf_sensor", "sensor_id"),
    )

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"))
    kind: Mapped[str]
    rule: Mapped[str]
    how: Mapped[Muted] = mapped_column(text_enum(Muted))
    """Shelved or out of service."""
    reason: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    until: Mapped[datetime | None]
    """When it ends by itself; None: out of service until a manager says otherwise."""
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    """None where it ended by itself."""

    sensor: Mapped[Sensor] = relationship(lazy="raise")


class Evaluated(HospitalScoped, Row):
    """How far the rules of one sensor are counted, and what is remembered of them."""

    __tablename__ = "alarm_evaluated"

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"), unique=True)
    revision: Mapped[int]
    """The revision of the readings (`Latest`) that are counted."""
    read_until: Mapped[datetime | None]
    interval_s: Mapped[float | None]
    """How far apart its readings usually are; None: too few to say."""
    rules: Mapped[str]
    """Which rules were counted (`rules.fingerprint`): after a change of them it begins anew."""
    states: Mapped[dict[str, Any]] = mapped_column(JSON)
    """By rule, what `predict.alarming` remembers; a rule that is quiet has none."""


class Checkpoint(HospitalScoped, Row):
    """What was remembered at the beginning of a UTC day, where that was anything.

    Readings that arrive late are counted from the midnight before them; no row: all was quiet.
    """

    __tablename__ = "alarm_checkpoint"
    __table_args__ = (UniqueConstraint("sensor_id", "day"),)

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"))
    day: Mapped[date]
    states: Mapped[dict[str, Any]] = mapped_column(JSON)


class Listening(HospitalScoped, Row):
    """Since when the evaluator has run without a break: silence before it proves nothing."""

    __tablename__ = "alarm_listening"
    __table_args__ = (UniqueConstraint("hospital_id"),)

    since: Mapped[datetime]
    last_at: Mapped[datetime]


class Neighbours(HospitalScoped, Row):
    """What the other sensors of the room say of one sensor, as of the last night."""

    __tablename__ = "alarm_neighbours"

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"), unique=True)
    at: Mapped[datetime]
    verdict: Mapped[str]
    """`alike`, `sensor`, `room`, or why nothing can be said: `alone`, `too_few`."""
    offset: Mapped[float | None]
    """How far it is from what the others say, the day's median, in its unit."""
    limit: Mapped[float | None]
    n: Mapped[int]
    """Readings it was fitted on."""
    peers: Mapped[list[str]] = mapped_column(JSON)
    """Codes of the others."""
