"""What the evidence said of each repair, what engineers decided, and the logs of devices."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from predict.cause_table import Cause

__all__ = ["Attribution", "Cause", "CauseDecision", "CodeClass", "DeviceEvent"]


class Attribution(Audited, HospitalScoped, Row):
    """What the evidence says of one repair: computed anew until the order is closed, then frozen.

    What was decided stands beside it as it is now; how it came to that, in `CauseDecision`.
    """

    __tablename__ = "attribution"
    __table_args__ = (
        UniqueConstraint("work_order_id"),
        Index("ix_attribution_failed", "hospital_id", "failed_at"),
        Index("ix_attribution_confirmed", "hospital_id", "confirmed_cause", "confirmed_at"),
    )
    # Calculated, not decided: the trail tells who decided what.
    untracked = frozenset(
        {"evidence", "posterior", "priors", "proposed", "probability", "coverage", "computed_at"}
    )

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"))
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), index=True)
    failed_at: Mapped[datetime]
    table_version: Mapped[str]
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """One object a kind that could be seen; see `finding.Found`."""
    priors: Mapped[dict[str, Any]] = mapped_column(JSON)
    """`shares` by cause before any evidence, and `counts` of the confirmed cases behind them."""
    posterior: Mapped[dict[str, float]] = mapped_column(JSON)
    proposed: Mapped[Cause] = mapped_column(text_enum(Cause))
    probability: Mapped[float]
    coverage: Mapped[float]
    computed_at: Mapped[datetime]
    frozen_at: Mapped[datetime | None]
    confirmed_cause: Mapped[Cause | None] = mapped_column(text_enum(Cause))
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None]
    said_at_once: Mapped[Cause | None] = mapped_column(text_enum(Cause))
    """What was proposed when it was first decided: what calibration is measured with."""
    said_with: Mapped[float | None]
    """The probability it was proposed with."""


class CauseDecision(Audited, HospitalScoped, Row):
    """Somebody confirmed a proposed cause or corrected it.  Append-only: the last one counts."""

    __tablename__ = "cause_decision"

    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_order.id"), index=True)
    cause: Mapped[Cause] = mapped_column(text_enum(Cause))
    code: Mapped[str | None]
    """The failure code that went with it, of `seed/failure_codes.yaml`."""
    reason: Mapped[str | None]
    proposed: Mapped[Cause] = mapped_column(text_enum(Cause))
    probability: Mapped[float]
    table_version: Mapped[str]
    is_addendum: Mapped[bool] = mapped_column(default=False)
    """The record was signed already: its failure code stayed as it was."""
    decided_by: Mapped[str]
    user_id: Mapped[int | None]
    decided_at: Mapped[datetime]


class CodeClass(StrEnum):
    """What an error code of a device's own log tells about."""

    USER = "user"
    TECHNICAL = "technical"
    POWER = "power"


class DeviceEvent(HospitalScoped, Row):
    """One line of a device's own log.  Not in the audit trail: devices write, nobody decides."""

    __tablename__ = "device_event"
    __table_args__ = (
        UniqueConstraint("asset_id", "at", "code"),
        Index("ix_device_event_at", "hospital_id", "at"),
    )

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"))
    at: Mapped[datetime]
    code: Mapped[str]
    severity: Mapped[str]
    """`info`, `warning` or `error`, as the device says."""
    text: Mapped[str | None]
    code_class: Mapped[CodeClass | None] = mapped_column(text_enum(CodeClass))
    """By the list of codes when it came; None: not in the list."""
    source: Mapped[str]
    """Where it came from: a file's name, `api`."""
