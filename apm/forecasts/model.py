"""Models that foretell failures, what they foretold, and how it turned out."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from apm.assets.model import Asset
from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.readings.model import Sensor


class ModelKind(StrEnum):
    """How a model foretells; one of each kind is at work in a hospital at a time."""

    LIFE = "life"
    """How long units of a make run between failures: a life fitted to all of them."""
    TREND = "trend"
    """Where the readings of one sensor are heading, and when they reach their limit."""
    SOON = "soon"
    """Learned from what went before failures: errors, alarms, work, age."""


class ModelState(StrEnum):
    """What a version of a model may do."""

    SHADOW = "shadow"
    """Foretells and is scored, but opens no work and is shown only among the models."""
    ACTIVE = "active"
    MUTED = "muted"
    """Foretells and is scored, but is worse than its baseline: no work, no number on a page."""
    RETIRED = "retired"
    """A newer version took its place; foretells no more."""


class Outcome(StrEnum):
    """How a frozen forecast turned out."""

    OPEN = "open"
    HIT = "hit"
    """It warned, and a failure came within its horizon."""
    MISS = "miss"
    """It did not warn, and a failure came within its horizon."""
    FALSE_ALARM = "false_alarm"
    """It warned, no failure came, and nobody who looked found anything."""
    AVERTED = "averted"
    """It warned, and planned work found the trouble before a failure."""
    QUIET = "quiet"
    """It did not warn, and no failure came."""
    UNRESOLVED = "unresolved"
    """Nobody can tell: retired, replaced or lost before the horizon, or work without a finding."""


class ModelVersion(Audited, HospitalScoped, Row):
    """One training of one kind of model on one hospital's records.  Never changed, but its state.

    A model of our own keeps its numbers in `parameters`; one of scikit-learn is stored in
    `artifact` as skops wrote it, with its SHA-256 and the versions that can read it.
    """

    __tablename__ = "model_version"
    __table_args__ = (UniqueConstraint("hospital_id", "kind", "version"),)

    kind: Mapped[ModelKind] = mapped_column(text_enum(ModelKind))
    version: Mapped[int]
    """1, 2, ... within the hospital and kind."""
    state: Mapped[ModelState] = mapped_column(text_enum(ModelState), default=ModelState.SHADOW)
    state_why: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Why it is in that state, in figures: {"code": ..., ...}; the page finds the words."""
    state_since: Mapped[datetime]
    trained_at: Mapped[datetime]
    trained_why: Mapped[str]
    """What led to it: `first`, `schedule`, `drift`, `by_hand`."""
    data_from: Mapped[datetime | None]
    data_until: Mapped[datetime]
    """Nothing later than this was seen."""
    data_hash: Mapped[str]
    """SHA-256 of the training rows: the same data give the same hash."""
    n_units: Mapped[int]
    n_failures: Mapped[int]
    metrics: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Out of sample: `brier`, `base_brier`, `n`, `coverage`, `reliability` (list of [said, seen,
    n]), whatever the kind adds."""
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    artifact: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    artifact_sha256: Mapped[str | None]
    made_with: Mapped[dict[str, str]] = mapped_column(JSON)
    """Versions of the libraries: {"scikit-learn": "1.9.1", ...}."""

    not_in_trail = frozenset({"artifact"})


class Forecast(HospitalScoped, Row):
    """What is foretold of one asset now by one kind of model; replaced each time, one row.

    With too little history the figures are None and `needs` says what is missing.
    """

    __tablename__ = "forecast"
    __table_args__ = (
        Index(
            "uq_forecast_asset_kind", "asset_id", "kind", unique=True,
            sqlite_where=text("sensor_id IS NULL"), postgresql_where=text("sensor_id IS NULL"),
        ),
        Index(
            "uq_forecast_sensor", "sensor_id", "kind", unique=True,
            sqlite_where=text("sensor_id IS NOT NULL"),
            postgresql_where=text("sensor_id IS NOT NULL"),
        ),
        Index("ix_forecast_rank", "hospital_id", "rank"),
        Index("ix_forecast_asset", "asset_id", "hospital_id"),
    )  # fmt: skip

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    kind: Mapped[ModelKind] = mapped_column(text_enum(ModelKind))
    sensor_id: Mapped[int | None] = mapped_column(ForeignKey("sensor.id"))
    """The sensor whose trend it is; None: it is about the whole asset."""
    model_version_id: Mapped[int | None] = mapped_column(
        ForeignKey("model_version.id"), index=True
    )
    at: Mapped[datetime]
    """As of when: nothing later was used."""
    probabilities: Mapped[dict[str, float] | None] = mapped_column(JSON(none_as_null=True))
    """Days ahead ("7", "30", "90", "365") to the probability of a failure within them."""
    life_median: Mapped[float | None]
    """Days until the failure (or the limit): even odds."""
    life_low: Mapped[float | None]
    life_high: Mapped[float | None]
    confidence: Mapped[float | None]
    """Of low to high, 0..1, such as 0.8."""
    path: Mapped[list[list[float]] | None] = mapped_column(JSON(none_as_null=True))
    """The fan, for drawing: rows of [days ahead, low, median, high] of what `unit` counts
    (a sensor's value; for a life the share of units still running)."""
    drivers: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """What speaks for it, heaviest first: {"code": ..., "weight": -1..1, figures}."""
    needs: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What history is missing: {"code": ..., "have": n, "need": m}; None: there is a forecast."""
    rank: Mapped[float] = mapped_column(default=0.0)
    """What a failure within 90 days would cost people and money, times its probability, 0..1:
    the order of the fleet's page.  Risk class weighs high 1, medium 0.5, low 0.2."""
    warns: Mapped[bool] = mapped_column(default=False)
    """Whether it asks for work: likely enough or near enough, by an active model."""

    asset: Mapped[Asset] = relationship(lazy="raise")
    sensor: Mapped[Sensor | None] = relationship(lazy="raise")
    model: Mapped[ModelVersion | None] = relationship(lazy="raise")


class ForecastRecord(Audited, HospitalScoped, Row):
    """A forecast as it stood, never changed afterwards, and how it turned out.

    Frozen when its subject had no open record of that model (so records of one subject do not
    overlap), and when a forecast begins to warn.
    """

    __tablename__ = "forecast_record"
    __table_args__ = (
        Index("ix_forecast_record_open", "hospital_id", "outcome", "until"),
        Index("ix_forecast_record_asset", "asset_id", "at"),
        Index("ix_forecast_record_now", "asset_id", "hospital_id", "outcome"),
        Index("ix_forecast_record_version", "model_version_id", "at"),
    )

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    sensor_id: Mapped[int | None] = mapped_column(ForeignKey("sensor.id"), index=True)
    model_version_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"))
    at: Mapped[datetime]
    horizon_days: Mapped[int]
    until: Mapped[datetime]
    """at + horizon: it is judged then at the latest."""
    probability: Mapped[float]
    """Of a failure within the horizon."""
    probabilities: Mapped[dict[str, float] | None] = mapped_column(JSON(none_as_null=True))
    """Days ahead to the probability within them, for every horizon that was said, muted or not;
    each is judged when it is over.  None: of a time when one alone was kept."""
    base_probability: Mapped[float]
    """What the naive baseline said then: 1 - exp(-horizon / MTBF of the category)."""
    life_median: Mapped[float | None]
    life_low: Mapped[float | None]
    life_high: Mapped[float | None]
    confidence: Mapped[float | None]
    drivers: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    warned: Mapped[bool]
    was_shadow: Mapped[bool]
    """The model was not active: nobody was asked to act on it."""
    work_order_no: Mapped[str | None]
    """The order it opened or joined."""
    dismissed_at: Mapped[datetime | None]
    dismissed_by: Mapped[str | None]
    dismissed_why: Mapped[str | None]
    """One of `Dismissal`."""
    dismissed_note: Mapped[str | None]
    outcome: Mapped[Outcome] = mapped_column(text_enum(Outcome), default=Outcome.OPEN)
    outcome_at: Mapped[datetime | None]
    """When the failure began, the work found it, or the horizon ended."""
    outcome_why: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """{"code": ..., "order": no, ...}"""

    asset: Mapped[Asset] = relationship(lazy="raise")
    sensor: Mapped[Sensor | None] = relationship(lazy="raise")
    model: Mapped[ModelVersion] = relationship(lazy="raise")


class Dismissal(StrEnum):
    """Why somebody set a forecast aside; what that makes of it: `judging.SOUND`."""

    CHECKED_FINE = "checked_fine"
    """Looked at and found sound: a false alarm at once."""
    KNOWN_CAUSE = "known_cause"
    """What it saw has a harmless cause (a move, a test, a change of use)."""
    REPLACED_SOON = "replaced_soon"
    """To be replaced or retired anyway: not a judgement of the forecast."""
    WRONG_DATA = "wrong_data"
    """The readings or records behind it are wrong."""
