"""Explanations as the worker kept them: facts in figures, put into words by who reads them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.forecasts.model import ModelKind


class ForecastWhy(HospitalScoped, Row):
    """Why a forecast says what it says; one row a subject, replaced when it is explained anew.

    The forecast itself is replaced every night, at another time: `at` and the model say which one
    this explains.
    """

    __tablename__ = "forecast_why"
    __table_args__ = (
        Index(
            "uq_forecast_why_asset_kind", "asset_id", "kind", unique=True,
            sqlite_where=text("sensor_id IS NULL"), postgresql_where=text("sensor_id IS NULL"),
        ),
        Index(
            "uq_forecast_why_sensor", "sensor_id", "kind", unique=True,
            sqlite_where=text("sensor_id IS NOT NULL"),
            postgresql_where=text("sensor_id IS NOT NULL"),
        ),
        Index("ix_forecast_why_asset", "asset_id", "hospital_id"),
    )  # fmt: skip

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    kind: Mapped[ModelKind] = mapped_column(text_enum(ModelKind))
    sensor_id: Mapped[int | None] = mapped_column(ForeignKey("sensor.id"))
    model_version_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), index=True)
    at: Mapped[datetime]
    """The instant of the forecast: nothing later was used."""
    blame: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """As `blaming.Blame` says it; None: nothing speaks for what is foretold."""
    cases: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """As `trend_cases.nearest_courses` says it; None: nothing to compare, or compared by the
    page."""
