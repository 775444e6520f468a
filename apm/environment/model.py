"""Places that are watched, plans of floors, checks by hand, and what is signed about them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Connection, ForeignKey, LargeBinary, UniqueConstraint, event, inspect
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from apm.assets.model import Location
from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.readings.model import Sensor


class MonitoredPlace(Audited, HospitalScoped, Row):
    """What is known of a place besides its name: where it is, what it holds, how it is watched."""

    __tablename__ = "monitored_place"

    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), unique=True)
    floor: Mapped[str | None]
    profile: Mapped[str | None]
    """Limits of `readings.profiles` for what no sensor measures here."""
    stores: Mapped[str | None]
    """What is kept here, in the words of who keeps it."""
    is_checked_by_hand: Mapped[bool] = mapped_column(default=False)
    """Somebody writes down twice a day what no sensor measures."""
    version: Mapped[int] = mapped_column()

    location: Mapped[Location] = relationship(lazy="raise")

    __mapper_args__ = {"version_id_col": version}


class FloorPlan(Audited, HospitalScoped, Row):
    """A picture of a floor, re-encoded, that pins are placed on."""

    __tablename__ = "floor_plan"
    __table_args__ = (UniqueConstraint("hospital_id", "name"),)
    not_in_trail = frozenset({"jpeg"})

    name: Mapped[str]
    name_zh: Mapped[str | None]
    jpeg: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    sha256: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    author: Mapped[str]
    at: Mapped[datetime]

    pins: Mapped[list[FloorPin]] = relationship(
        lazy="raise", order_by="FloorPin.id", cascade="all, delete-orphan"
    )


class FloorPin(Audited, HospitalScoped, Row):
    """Where a sensor, or a place with all its sensors, is on a plan."""

    __tablename__ = "floor_pin"
    __table_args__ = (
        UniqueConstraint("plan_id", "sensor_id"),
        UniqueConstraint("plan_id", "location_id"),
    )

    plan_id: Mapped[int] = mapped_column(ForeignKey("floor_plan.id"))
    sensor_id: Mapped[int | None] = mapped_column(ForeignKey("sensor.id"), index=True)
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"), index=True)
    x: Mapped[int]
    """From the left edge, in thousandths of the picture's width."""
    y: Mapped[int]
    """From the upper edge, in thousandths of its height."""

    sensor: Mapped[Sensor | None] = relationship(lazy="raise")
    location: Mapped[Location | None] = relationship(lazy="raise")


class Slot(StrEnum):
    """Which of the two checks of a day."""

    MORNING = "morning"
    AFTERNOON = "afternoon"


class ManualCheck(Audited, HospitalScoped, Row):
    """What somebody read off in a place without a sensor, twice a day."""

    __tablename__ = "manual_check"
    __table_args__ = (UniqueConstraint("location_id", "day", "slot"),)

    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"))
    day: Mapped[date]
    slot: Mapped[Slot] = mapped_column(text_enum(Slot))
    temperature: Mapped[float | None]
    humidity: Mapped[float | None]
    note: Mapped[str | None]
    by: Mapped[str]
    at: Mapped[datetime]
    corrected_by: Mapped[str | None]
    correction: Mapped[str | None]
    """Why the values differ from those first written; the trail has both."""
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class Decision(StrEnum):
    """What becomes of the goods that were outside their limits."""

    USE = "use"
    QUARANTINE = "quarantine"
    DISCARD = "discard"
    NONE = "none"


class ExcursionReport(Audited, HospitalScoped, Row):
    """What is said about one excursion: a draft until it is signed, unchangeable after."""

    __tablename__ = "excursion_report"
    __table_args__ = (UniqueConstraint("sensor_id", "began"),)
    not_in_trail = frozenset({"facts"})

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"), index=True)
    began: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What was measured, see `environment.facts`; as it was when it was written last."""
    products: Mapped[str | None]
    cause: Mapped[str | None]
    action: Mapped[str | None]
    decision: Mapped[Decision | None] = mapped_column(text_enum(Decision))
    decision_reason: Mapped[str | None]
    drafted_by: Mapped[str]
    drafted_at: Mapped[datetime]
    code: Mapped[str | None] = mapped_column(unique=True)
    """What the QR code of the signed sheet names; the way to it stands in `PublicCode`."""
    person_id: Mapped[int | None]
    person: Mapped[str | None]
    signed_at: Mapped[datetime | None]
    meaning: Mapped[str | None]
    record_hash: Mapped[str | None]
    """SHA-256 of what was signed."""
    version: Mapped[int] = mapped_column()

    sensor: Mapped[Sensor] = relationship(lazy="raise")
    location: Mapped[Location | None] = relationship(lazy="raise")

    __mapper_args__ = {"version_id_col": version}

    @property
    def is_signed(self) -> bool:
        """Whether it can no longer change."""
        return self.record_hash is not None


class StorageRecord(Audited, HospitalScoped, Row):
    """The temperature and humidity record of one place and period, as it was signed."""

    __tablename__ = "storage_record"
    not_in_trail = frozenset({"document"})

    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), index=True)
    first: Mapped[date]
    last: Mapped[date]
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The whole record, see `environment.records`."""
    code: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int]
    person: Mapped[str]
    signed_at: Mapped[datetime]
    meaning: Mapped[str]
    record_hash: Mapped[str]

    location: Mapped[Location] = relationship(lazy="raise")


class SignedRecordChanged(Exception):
    """Code tried to change what was signed: a bug."""


@event.listens_for(StorageRecord, "before_update")
@event.listens_for(StorageRecord, "before_delete")
@event.listens_for(ExcursionReport, "before_update")
@event.listens_for(ExcursionReport, "before_delete")
def _refuse(_mapper: Mapper[Any], _connection: Connection, row: Any) -> None:
    before = inspect(row).attrs.record_hash.history
    was_signed = before.deleted[0] if before.deleted else row.record_hash
    if before.added and not before.deleted:
        was_signed = None  # it is being signed now
    if was_signed is not None:
        raise SignedRecordChanged(f"{type(row).__name__} {row.id} is signed")
