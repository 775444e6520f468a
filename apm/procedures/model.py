"""What a step is, and what a hospital keeps of its own: templates, versions, confirmed limits."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Connection, ForeignKey, Index, UniqueConstraint, event
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from apm.core.audit import Audited
from apm.core.db import Row
from apm.core.hospital_scope import HospitalScoped


class StepKind(StrEnum):
    """What kind of answer a step wants."""

    CHECK = "check"
    """pass, fail or not applicable"""
    MEASURE = "measure"
    """a number, judged against a tolerance"""


class Section(StrEnum):
    """Where in a checklist a step stands."""

    GENERAL = "general"
    SAFETY = "safety"
    FUNCTION = "function"
    MEASUREMENT = "measurement"


class OnFail(StrEnum):
    """What follows when a step fails."""

    NOTE = "note"
    """it is on record, nothing else follows"""
    REPAIR = "repair"
    """a repair is opened"""
    STOP = "stop"
    """a repair is opened, and the equipment is not used until then"""


class Trust(StrEnum):
    """How far a limit is to be trusted."""

    SEEN = "seen"
    """read in its source"""
    RECALLED = "recalled"
    """from memory: to be verified"""
    POLICY = "policy"
    """no number: the manufacturer governs"""
    CONFIRMED = "confirmed"
    """somebody of this hospital signed for it"""


class Verdict(StrEnum):
    """What an answer means."""

    PASS = "pass"  # noqa: S105  (a verdict, no password)
    FAIL = "fail"
    NOT_APPLICABLE = "na"
    UNJUDGED = "unjudged"
    """measured, but there is no limit yet: the engineer must judge (manufacturer limits)"""


GIVEN = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.NOT_APPLICABLE})
"""What a person may answer."""


class HospitalTemplate(Audited, HospitalScoped, Row):
    """A template of one hospital: its released versions, and the draft of the next."""

    __tablename__ = "hospital_template"
    __table_args__ = (UniqueConstraint("hospital_id", "code"),)

    code: Mapped[str]
    based_on: Mapped[str | None]
    """The shipped template it was copied from."""
    draft: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    draft_by: Mapped[str | None]
    draft_at: Mapped[datetime | None]
    trial: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The last test run of the draft: who, when, what was answered, of which content."""
    released: Mapped[int] = mapped_column(default=0)
    """The number of the version that holds; 0: none yet."""
    retired_at: Mapped[datetime | None]
    retired_by: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    versions: Mapped[list[TemplateVersion]] = relationship(
        lazy="raise", order_by="TemplateVersion.number"
    )

    __mapper_args__ = {"version_id_col": version}


class TemplateVersion(Audited, HospitalScoped, Row):
    """One released version.  It never changes: work done by it must stay explainable."""

    __tablename__ = "template_version"
    __table_args__ = (UniqueConstraint("template_id", "number"),)

    template_id: Mapped[int] = mapped_column(ForeignKey("hospital_template.id"))
    number: Mapped[int]
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    note: Mapped[str]
    """Why there is a new version, as the engineer said."""
    person_id: Mapped[int]
    person: Mapped[str]
    at: Mapped[datetime]
    meaning: Mapped[str]
    record_hash: Mapped[str]
    """SHA-256 of what was signed."""


class LimitConfirmation(Audited, HospitalScoped, Row):
    """An engineer's signature under one limit.  It holds while the template says `was`."""

    __tablename__ = "limit_confirmation"
    __table_args__ = (Index("ix_limit_confirmation_step", "hospital_id", "template_code", "step"),)

    template_code: Mapped[str]
    step: Mapped[str]
    was: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The tolerance that the template names."""
    tolerance: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The tolerance that holds here: the same, or the hospital's own."""
    unit: Mapped[str]
    source: Mapped[str]
    person_id: Mapped[int]
    person: Mapped[str]
    at: Mapped[datetime]
    meaning: Mapped[str]
    record_hash: Mapped[str]


class SignedRecordChanged(Exception):
    """Code tried to change what was signed: a bug."""


@event.listens_for(TemplateVersion, "before_update")
@event.listens_for(TemplateVersion, "before_delete")
@event.listens_for(LimitConfirmation, "before_update")
@event.listens_for(LimitConfirmation, "before_delete")
def _refuse(_mapper: Mapper[Any], _connection: Connection, row: Any) -> None:
    raise SignedRecordChanged(f"{type(row).__name__} {row.id} is signed")
