"""Scores of risk, reviews of who may leave the maker's schedule, and decisions on intervals."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped


class CategoryScore(Audited, HospitalScoped, Row):
    """What this hospital enters into the scores for one category, in place of the proposal."""

    __tablename__ = "risk_category"
    __table_args__ = (UniqueConstraint("hospital_id", "category"),)

    category: Mapped[str]
    inputs: Mapped[dict[str, int]] = mapped_column(JSON)
    """By input (`function`, `problems`, ...); see `scores.INPUTS`."""
    reason: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class AssetScore(Audited, HospitalScoped, Row):
    """What differs for one asset, and why."""

    __tablename__ = "risk_asset"
    __table_args__ = (UniqueConstraint("asset_id"),)

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    inputs: Mapped[dict[str, int]] = mapped_column(JSON)
    reason: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class Schedule(StrEnum):
    """By whose schedule equipment is maintained."""

    OEM = "oem"
    """the maker's"""
    AEM = "aem"
    """the hospital's own, on a risk assessment (CMS S&C 14-07)"""


class AemReview(Audited, HospitalScoped, Row):
    """Somebody looked at a category and said by which schedule it is maintained.  Append-only."""

    __tablename__ = "aem_review"
    __table_args__ = (Index("ix_aem_review_category", "hospital_id", "category", "id"),)

    category: Mapped[str]
    schedule: Mapped[Schedule] = mapped_column(text_enum(Schedule))
    reason: Mapped[str]
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The score and the counts as they stood."""
    reviewed_by: Mapped[str]
    reviewed_at: Mapped[datetime]
    review_again_on: Mapped[date]


class IntervalDecision(Audited, HospitalScoped, Row):
    """Somebody decided on the interval of a category's maintenance.  Append-only."""

    __tablename__ = "interval_decision"
    __table_args__ = (
        Index("ix_interval_decision_template", "hospital_id", "template_code", "id"),
    )

    template_code: Mapped[str]
    old_months: Mapped[int]
    new_months: Mapped[int]
    is_approved: Mapped[bool]
    reason: Mapped[str]
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Yield, failures and score as they stood when it was decided."""
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]
