"""What a detector remembers of a sensor between two batches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.db import Row
from apm.core.hospital_scope import HospitalScoped


class DetectorState(HospitalScoped, Row):
    """One sensor's detector: its memory (`predict.anomaly` state) and how far it has read."""

    __tablename__ = "detector_state"

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"), unique=True)
    state: Mapped[dict[str, Any]] = mapped_column(JSON)
    read_until: Mapped[datetime | None]
    """The newest reading scored; older ones that arrive later are stored but not scored."""
    watching_since: Mapped[datetime | None]
    """The first reading that could be judged; None while the detector still learns."""
    recent: Mapped[list[list[float | None]]] = mapped_column(JSON)
    """The last scored readings, thinned with age: rows of `detecting.trace`, oldest first."""
    error: Mapped[str | None]
    """Why the detector could not go on; None once it could."""
    failures: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]
