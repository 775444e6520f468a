"""What a detector remembers of a sensor between two batches."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.core.audit import Audited
from apm.core.db import PlainJson, Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.readings.model import Sensor


class DetectorState(HospitalScoped, Row):
    """One sensor's detector: its memory (`predict.anomaly` state) and how far it has read."""

    __tablename__ = "detector_state"

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"), unique=True)
    state: Mapped[dict[str, Any]] = mapped_column(PlainJson)
    read_until: Mapped[datetime | None]
    """The newest reading scored; older ones that arrive later are stored but not scored."""
    watching_since: Mapped[datetime | None]
    """The first reading that could be judged; None while the detector still learns."""
    recent: Mapped[list[list[float | None]]] = mapped_column(PlainJson)
    """The last scored readings, thinned with age: rows of `detecting.trace`, oldest first."""
    error: Mapped[str | None]
    """Why the detector could not go on; None once it could."""
    failures: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]
    factor: Mapped[float] = mapped_column(default=1.0, server_default="1.0")
    """An episode raises an alarm from so many times the detector's threshold on; see `fatigue`."""


class ThresholdEnd(StrEnum):
    """Why a raised threshold is one no more."""

    TAKEN_BACK = "taken_back"
    """by a person"""
    QUIET = "quiet"
    """no false alarm for long enough"""
    RAISED = "raised"
    """another one took its place"""


class ThresholdChange(Audited, HospitalScoped, Row):
    """A detector's threshold was raised, because too many of its alarms were judged false."""

    __tablename__ = "threshold_change"

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"), index=True)
    old: Mapped[float]
    new: Mapped[float]
    false_alarms: Mapped[int]
    real_alarms: Mapped[int]
    months: Mapped[float]
    """How long it had been watched, months of 30 days."""
    at: Mapped[datetime]
    by: Mapped[str]
    held: Mapped[int] = mapped_column(default=0)
    """Findings since then that stayed below it."""
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    ended_why: Mapped[ThresholdEnd | None] = mapped_column(text_enum(ThresholdEnd))
    reason: Mapped[str | None]
    """What the person said who took it back."""
    version: Mapped[int] = mapped_column()

    untracked = frozenset({"held"})

    sensor: Mapped[Sensor] = relationship(lazy="raise")

    __mapper_args__ = {"version_id_col": version}
