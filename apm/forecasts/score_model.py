"""The scores of models as the worker counted them, for pages to show at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.db import Row
from apm.core.hospital_scope import HospitalScoped


class ModelScore(HospitalScoped, Row):
    """The score of one version, counted anew every hour while it foretells."""

    __tablename__ = "model_score"

    model_version_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"), unique=True)
    at: Mapped[datetime]
    """As of when it was counted."""
    card: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As `score_keeping.plain` says it."""
