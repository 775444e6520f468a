"""Teams, what their people may work on, and when they are there."""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Time, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped


class Level(StrEnum):
    """How far somebody's competence goes."""

    ALONE = "alone"
    SUPERVISED = "supervised"


class Team(Audited, HospitalScoped, Row):
    """People who share a queue of work."""

    __tablename__ = "team"
    __table_args__ = (UniqueConstraint("hospital_id", "name"),)

    name: Mapped[str]
    name_zh: Mapped[str | None]
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    """Who is told first when a clock has run out."""
    department_ids: Mapped[list[int]] = mapped_column(JSON, default=list)
    """The departments it serves; none means all."""
    categories: Mapped[list[str]] = mapped_column(JSON, default=list)
    """The categories of equipment it serves; none means all."""
    is_active: Mapped[bool] = mapped_column(default=True)
    gives_work_out: Mapped[bool] = mapped_column(default=False)
    """New repairs go to the proposed person at once, if they are on duty."""
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # two editors, one winner


class Membership(Audited, HospitalScoped, Row):
    """Somebody works in a team; one may work in several."""

    __tablename__ = "team_membership"
    __table_args__ = (UniqueConstraint("team_id", "user_id"),)

    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)


class Competence(Audited, HospitalScoped, Row):
    """Somebody has shown that they can work on a category of equipment."""

    __tablename__ = "competence"
    __table_args__ = (UniqueConstraint("user_id", "category", "hospital_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    category: Mapped[str]
    level: Mapped[Level] = mapped_column(text_enum(Level), default=Level.ALONE)
    valid_until: Mapped[date | None]
    """The last local day it counts; None: until somebody says otherwise."""
    note: Mapped[str | None]
    """What shows it: a course, a certificate's number."""


class Shift(Audited, HospitalScoped, Row):
    """When somebody works on one weekday, in the hospital's time."""

    __tablename__ = "shift"
    __table_args__ = (UniqueConstraint("user_id", "weekday", "hospital_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    weekday: Mapped[int]
    """Monday is 0."""
    starts: Mapped[time] = mapped_column(Time)
    ends: Mapped[time] = mapped_column(Time)
    """Not after `starts`: next morning."""


class RotaDay(Audited, HospitalScoped, Row):
    """One dated day on which somebody's week does not hold: other hours, or absent."""

    __tablename__ = "rota_day"
    __table_args__ = (UniqueConstraint("user_id", "day", "hospital_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    day: Mapped[date]
    starts: Mapped[time | None] = mapped_column(Time)
    """None: absent all day."""
    ends: Mapped[time | None] = mapped_column(Time)
    note: Mapped[str | None]


class OpeningHours(Audited, HospitalScoped, Row):
    """When the department works; one row a hospital, and none means the usual hours."""

    __tablename__ = "opening_hours"
    __table_args__ = (UniqueConstraint("hospital_id"),)

    opens: Mapped[time] = mapped_column(Time)
    closes: Mapped[time] = mapped_column(Time)
    weekdays: Mapped[list[int]] = mapped_column(JSON)


class SpecialDay(Audited, HospitalScoped, Row):
    """A public holiday, or a week-end day that is worked instead of one (调休)."""

    __tablename__ = "special_day"
    __table_args__ = (UniqueConstraint("hospital_id", "day"),)

    day: Mapped[date]
    is_working: Mapped[bool]
    name: Mapped[str | None]
