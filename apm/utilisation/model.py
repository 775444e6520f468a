"""Feeds (a sensor that tells an asset's use), what each day held, breaks of counters, terms."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.assets.model import Asset
from apm.core.audit import Audited
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.maintenance.model import MeterKind
from apm.readings.model import Sensor


class FeedWay(StrEnum):
    """What a sensor says of the use of its asset."""

    POWER = "power"
    """power: states, starts and energy"""
    CURRENT = "current"
    """current: states and starts; energy with a stated voltage"""
    COUNTER = "counter"
    """a count of hours, uses, exposures or cycles"""
    ENERGY = "energy"
    """a count of kWh"""


STATES = frozenset({FeedWay.POWER, FeedWay.CURRENT})
"""What tells off, standby and on."""
COUNTS = frozenset({FeedWay.COUNTER, FeedWay.ENERGY})


class BreakState(StrEnum):
    """What became of a break in a counter."""

    OPEN = "open"
    """a person has to say what it was; nothing is counted across it meanwhile"""
    COUNTED = "counted"
    """a rollover: counted through by itself"""
    CONFIRMED = "confirmed"
    """a person said that it was set back or replaced, and what ran meanwhile"""


class Feed(Audited, HospitalScoped, Row):
    """How the readings of one sensor become the use of its asset."""

    __tablename__ = "use_feed"
    untracked = frozenset({"seen_revision", "levels", "levels_on", "problem"})

    sensor_id: Mapped[int] = mapped_column(ForeignKey("sensor.id"), unique=True)
    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), index=True)
    way: Mapped[FeedWay] = mapped_column(text_enum(FeedWay))
    meter: Mapped[MeterKind | None] = mapped_column(text_enum(MeterKind))
    """Which meter of the asset it feeds."""
    gives_energy: Mapped[bool]
    """Its energy counts; one feed of an asset at most."""
    bits: Mapped[int | None]
    """The width of a counter that rolls over."""
    most_per_hour: Mapped[float | None]
    """The fastest a counter can count."""
    volts: Mapped[float | None]
    """Assumed voltage of a current."""
    power_factor: Mapped[float | None]
    phases: Mapped[int] = mapped_column(default=1)
    off_below: Mapped[float | None]
    """Set by a person, in the sensor's unit; None: found in the readings."""
    on_above: Mapped[float | None]
    least_minutes: Mapped[float] = mapped_column(default=2.0)
    """A state that lasts less is no state."""
    gap_minutes: Mapped[float] = mapped_column(default=30.0)
    """Without a reading for so long nothing is known."""
    is_active: Mapped[bool] = mapped_column(default=True)
    levels: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """The levels found: see `predict.operation.Levels`."""
    levels_on: Mapped[date | None]
    """When they were looked for last."""
    problem: Mapped[str | None]
    """Why no states can be told: `cannot_tell`."""
    seen_revision: Mapped[int] = mapped_column(default=0)

    sensor: Mapped[Sensor] = relationship(lazy="raise")
    asset: Mapped[Asset] = relationship(lazy="raise")


class UseDay(HospitalScoped, Row):
    """What one feed said about one day of the hospital; worked out anew when readings change.

    Not audited: it moves with the readings, and can be worked out from them at any time.
    """

    __tablename__ = "use_day"
    __table_args__ = (
        UniqueConstraint("feed_id", "day"),
        Index("ix_use_day_day", "hospital_id", "day"),
    )

    feed_id: Mapped[int] = mapped_column(ForeignKey("use_feed.id"))
    day: Mapped[date]
    seen: Mapped[str]
    """From what it was worked out: the stored readings and the rule, in short."""
    on_s: Mapped[float | None]
    standby_s: Mapped[float | None]
    off_s: Mapped[float | None]
    """Seconds in each state; None where states cannot be told.  The rest of the day is unknown."""
    known_s: Mapped[float]
    """Seconds with readings close enough to each other."""
    starts: Mapped[int | None]
    counted: Mapped[float | None]
    """What a counter counted, in the unit of its meter (kWh for energy)."""
    dropped: Mapped[int] = mapped_column(default=0)
    """Wild readings left out of a counter."""
    wh: Mapped[float | None]
    wh_standby: Mapped[float | None]
    hours: Mapped[list[list[float]]] = mapped_column(JSON)
    """For each hour of the day: on, standby, off (s), Wh, counted."""
    carry: Mapped[list[Any] | None] = mapped_column(JSON)
    """Where a counter stood when the day ended."""

    feed: Mapped[Feed] = relationship(lazy="raise")


class MeterBreak(Audited, HospitalScoped, Row):
    """A counter that did not simply count on: rolled over, set back or replaced."""

    __tablename__ = "meter_break"
    __table_args__ = (UniqueConstraint("feed_id", "at"),)

    feed_id: Mapped[int] = mapped_column(ForeignKey("use_feed.id"))
    at: Mapped[datetime]
    kind: Mapped[str]
    """`rollover`, `reset` or `jump`."""
    before: Mapped[float]
    after: Mapped[float]
    state: Mapped[BreakState] = mapped_column(text_enum(BreakState))
    added: Mapped[float] = mapped_column(default=0.0)
    """What ran unseen across it, as a person said."""
    note: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]

    feed: Mapped[Feed] = relationship(lazy="raise")


class EnergyTerms(Audited, HospitalScoped, Row):
    """What a kWh costs this hospital and how much CO2 it stands for; nothing is assumed."""

    __tablename__ = "energy_terms"
    __table_args__ = (UniqueConstraint("hospital_id"),)

    price_per_mwh: Mapped[int | None]
    """Minor units of the hospital's currency a MWh: 0.68 a kWh is 68,000."""
    factor_g_per_kwh: Mapped[float | None]
    factor_source: Mapped[str | None]
    factor_year: Mapped[int | None]
    is_verified: Mapped[bool] = mapped_column(default=False)
    """Somebody has compared the factor with its source."""
    set_by: Mapped[str]
