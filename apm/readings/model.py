"""Sensors, their readings in day blocks, and alarms."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.assets.model import Asset, Location
from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped


class Sensor(Audited, HospitalScoped, Row):
    """Something that measures one quantity, on an asset or in a place."""

    __tablename__ = "sensor"
    __table_args__ = (UniqueConstraint("hospital_id", "code"),)

    code: Mapped[str]
    name: Mapped[str]
    name_zh: Mapped[str | None]
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("asset.id"), index=True)
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"), index=True)
    quantity: Mapped[str]
    """For example `temperature`, `humidity`, `current`."""
    unit: Mapped[str]
    profile: Mapped[str | None]
    """A profile of `seed/environment.yaml`, for limits shown beside the values."""
    retired_at: Mapped[datetime | None]
    """Since when it is out of service: nobody waits for its readings; what it has read stays."""
    version: Mapped[int] = mapped_column(default=1)

    asset: Mapped[Asset | None] = relationship(lazy="raise")
    location: Mapped[Location | None] = relationship(lazy="raise")
    latest: Mapped[Latest] = relationship(lazy="raise", back_populates="sensor")

    __mapper_args__ = {"version_id_col": version}  # two editors, one winner


class Latest(HospitalScoped, Row):
    """The newest reading of a sensor, and a revision that grows when something new was stored.

    A row of its own, not audited.  It follows the inbox: `readings.noting` moves the rows of many
    sensors at once.  What shows it lays over it what is not noted yet (`fresh.lay_over`).
    """

    __tablename__ = "latest"

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"), unique=True)
    at: Mapped[datetime | None]
    value: Mapped[float | None]
    received_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=0)
    scored_revision: Mapped[int] = mapped_column(default=0)
    """The revision the detector has seen: `revision > scored_revision` means work to do."""
    touched_from: Mapped[datetime | None]
    """The earliest instant stored or corrected since whoever evaluates alarms last cleared this.

    Whoever does so holds the row locked; late and corrected readings lower it.
    """
    newest_us: Mapped[int | None]
    """No reading is later, those marked bad among them: what comes after this is surely new.

    Microseconds since 1970: it is compared with arrays of them.
    """

    sensor: Mapped[Sensor] = relationship(lazy="raise", back_populates="latest")


class Inbox(HospitalScoped, Row):
    """A batch that was acknowledged and is not merged into day blocks yet.

    Only the changes to what is stored: duplicates were counted and left out.
    """

    __tablename__ = "reading_inbox"
    # A number must never come back: a merge deletes what it has read by its number.
    __table_args__ = {"sqlite_autoincrement": True}

    received_at: Mapped[datetime]
    n: Mapped[int]
    first_us: Mapped[int]
    last_us: Mapped[int]
    """The span of the readings, microseconds since 1970."""
    newest: Mapped[bytes | None] = mapped_column(LargeBinary)
    """When each of its sensors was last read, int64 as in `sensors`."""
    sensors: Mapped[bytes] = mapped_column(LargeBinary)
    """Which sensors, and how many readings of each (see `readings.batches`)."""
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Intake(HospitalScoped, Row):
    """How far `latest` follows the inbox of a hospital; locked, it is what its senders wait for.

    With it the newest instant of a sensor is known without a look at its row each time:
    `latest.newest_us` as it was when `stamp` was written, and the inbox beyond `noted`.
    """

    __tablename__ = "reading_intake"
    __table_args__ = (UniqueConstraint("hospital_id"),)

    noted: Mapped[int]
    """Rows of the inbox up to this number are in `latest`."""
    stamp: Mapped[int]
    """Another random number whenever any `latest.newest_us` was written."""


class Block(HospitalScoped, Row):
    """The readings of one sensor on one UTC day, packed (see `readings.blocks`).

    Count, range and sum are those of the readings not marked bad; zeros when there are none.
    """

    __tablename__ = "block"
    __table_args__ = (
        UniqueConstraint("sensor_id", "day"),
        Index(
            "ix_block_open",
            "day",
            sqlite_where=text("NOT sealed"),
            postgresql_where=text("NOT sealed"),
        ),
    )

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"))
    day: Mapped[date]
    n: Mapped[int]
    low: Mapped[float]
    high: Mapped[float]
    total: Mapped[float]
    sealed: Mapped[bool] = mapped_column(default=False)
    """Packed as one chunk, its hours made where they help; late readings keep it so."""
    version: Mapped[int] = mapped_column(default=1)
    """Grows with each write: a merge prepares without a lock and writes what has not moved on."""
    hours: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Its hours (see `readings.hours`); None while the readings themselves are as quickly read."""
    data: Mapped[bytes | None] = mapped_column(LargeBinary)
    """None when the readings have served their time: the hours and the day stay."""


class AlarmKind(StrEnum):
    """What raised an alarm."""

    ANOMALY = "anomaly"
    """a detector that knows what is usual"""
    HIGH = "high"
    LOW = "low"
    RATE = "rate"
    DEW_POINT = "dew_point"
    STALE = "stale"
    FLATLINE = "flatline"
    OUT_OF_RANGE = "out_of_range"
    SPIKE = "spike"
    SENSOR_FAULT = "sensor_fault"
    """the neighbours in the room say otherwise"""


class Muted(StrEnum):
    """Why an alarm calls nobody, though it is kept."""

    SHELVED = "shelved"
    """a person silenced it for a while"""
    SUPPRESSED = "suppressed"
    """by design: the equipment is not in use"""
    OUT_OF_SERVICE = "out_of_service"
    """a manager took the alarm out of use"""


class EndedWhy(StrEnum):
    """Why an alarm has ended."""

    RETURNED = "returned"
    CLEARED = "cleared"
    CORRECTED = "corrected"
    """late or corrected readings no longer bear it out"""
    RULE_CHANGED = "rule_changed"


class AlarmGroup(HospitalScoped, Row):
    """Alarms of one cause: the same place, minutes apart.  One call, one work order."""

    __tablename__ = "alarm_group"
    __table_args__ = (Index("ix_alarm_group_area", "hospital_id", "area", "last_at"),)

    area: Mapped[str]
    """`location:7`, `department:3` or `asset:12`."""
    began_at: Mapped[datetime]
    last_at: Mapped[datetime]
    """When its last alarm so far began."""
    n: Mapped[int]
    """How many alarms it has."""
    work_order_no: Mapped[str | None]


class Alarm(Audited, HospitalScoped, Row):
    """Something wrong with what a sensor measures: one row an episode, not one a reading."""

    __tablename__ = "alarm"
    __table_args__ = (
        UniqueConstraint("sensor_id", "kind", "rule", "since"),
        Index("ix_alarm_active", "hospital_id", "active", "acknowledged"),
        Index("ix_alarm_since", "hospital_id", "since"),
    )

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"))
    kind: Mapped[AlarmKind] = mapped_column(text_enum(AlarmKind))
    rule: Mapped[str] = mapped_column(default="")
    """Which rule of `apm.alarms` raised it, for example `high_warn`; empty: a detector."""
    priority: Mapped[str]
    since: Mapped[datetime]
    """When the episode began, by the sensor's clock."""
    raised_at: Mapped[datetime]
    """When it was to be raised, by the sensor's clock: after the on-delay."""
    noticed_at: Mapped[datetime | None]
    """When the program raised it; long after `raised_at` when the readings came late."""
    returned_at: Mapped[datetime | None]
    """When the readings came back, where the alarm stays until somebody has looked at it."""
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[EndedWhy | None] = mapped_column(text_enum(EndedWhy))
    active: Mapped[bool] = mapped_column(default=True)
    latches: Mapped[bool] = mapped_column(default=False)
    """It ends only after somebody has acknowledged it."""
    acknowledged: Mapped[bool] = mapped_column(default=False)
    acknowledged_by: Mapped[str | None]
    acknowledged_at: Mapped[datetime | None]
    cleared_by: Mapped[str | None]
    """Who ended it by hand; None while it lasts, and when the readings came back by themselves."""
    muted: Mapped[Muted | None] = mapped_column(text_enum(Muted))
    announced_at: Mapped[datetime | None]
    """When people were called; None while it is muted."""
    note: Mapped[str | None]
    score: Mapped[float | None]
    """Peak, as a multiple of the detector's threshold; None where a rule raised it."""
    limit: Mapped[float | None]
    peak: Mapped[float | None]
    """The limit of the rule and the worst value (rate, step), in the sensor's unit."""
    reason: Mapped[str]
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    is_real: Mapped[bool | None]
    """What somebody who looked says: real, or a false alarm."""
    judged_by: Mapped[str | None]
    group_id: Mapped[int | None] = mapped_column(ForeignKey("alarm_group.id"), index=True)
    work_order_no: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    # Curves, not decisions: they would swell the trail.
    not_in_trail = frozenset({"evidence"})

    sensor: Mapped[Sensor] = relationship(lazy="raise")

    @property
    def state(self) -> str:
        """Where it stands, in the words of the labels."""
        if not self.active:
            return "ended" if self.acknowledged else "returned"
        if self.muted is not None:
            return self.muted.value
        if self.returned_at is not None:
            return "latched"
        return "acknowledged" if self.acknowledged else "active"

    __mapper_args__ = {"version_id_col": version}
